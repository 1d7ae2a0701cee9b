"""An operation's cost from its selection set and bindings, before any of it runs.

A point for every object that may be returned, and COMMAND_POINTS for every database command that a list within a list
repeats; sizes of lists come from `first` and `last`, multiplied down.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from resolvers.listing import DEFAULT_PAGE, MAX_PAGE
from schema.binding import Called, binding_of

COMMAND_POINTS: Final = 20
UNPAGED_LIST_OBJECTS: Final = 10
"""Lists without arguments are small by nature: a complaint's clocks, an agency's teams."""

_CAP: Final = 10**9


class TooExpensive(Exception):
    """The operation costs more than it may; the sentence names both figures."""

    code = "COST_LIMIT_EXCEEDED"


class Scope(NamedTuple):
    """What the cost of a selection depends on; one for each operation and its variables."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    known: dict[tuple[str, str, int], int]
    """Costs of fragments by name, type and page size."""


def cost(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> int:
    """Points of a validated operation; `variables` are the coerced values."""
    root = schema.get_root_type(operation.operation)
    assert root is not None  # noqa: S101 - validation has refused operations without a root
    return _selections(Scope(schema, fragments, variables, {}), operation.selection_set, root, 1)


def check_cost(points: int, limit: int) -> None:
    """Raises TooExpensive above the limit."""
    if points > limit:
        raise TooExpensive(
            f"The operation costs {points} points; at most {limit} are taken: ask for smaller pages or fewer lists "
            "inside lists."
        )


def _selections(scope: Scope, selection_set: SelectionSetNode, parent: GraphQLNamedType, page: int) -> int:
    return min(sum(_selection(scope, selection, parent, page) for selection in selection_set.selections), _CAP)


def _selection(scope: Scope, selection: SelectionNode, parent: GraphQLNamedType, page: int) -> int:
    if isinstance(selection, FieldNode):
        return _field(scope, selection, parent, page)
    if isinstance(selection, InlineFragmentNode):
        condition = selection.type_condition
        narrowed = scope.schema.type_map[condition.name.value] if condition else parent
        return _selections(scope, selection.selection_set, narrowed, page)
    assert isinstance(selection, FragmentSpreadNode)  # noqa: S101 - the only kind left
    fragment = scope.fragments[selection.name.value]
    key = (fragment.name.value, parent.name, page)
    if key not in scope.known:
        narrowed = scope.schema.type_map[fragment.type_condition.name.value]
        scope.known[key] = _selections(scope, fragment.selection_set, narrowed, page)
    return scope.known[key]


def _field(scope: Scope, field_node: FieldNode, parent: GraphQLNamedType, page: int) -> int:
    """The cost of a field; `page` is the size that a connection above it hands down to `edges` and `nodes`."""
    if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        return 0
    field = parent.fields.get(field_node.name.value)
    if field is None or field_node.selection_set is None:
        return 0
    binding = binding_of(field)
    commands = binding.commands if isinstance(binding, Called) else 0
    returned = get_named_type(field.type)
    if isinstance(binding, Called) and binding.paged:
        inner = _selections(scope, field_node.selection_set, returned, _page_size(scope, field_node))
        return commands * COMMAND_POINTS + inner
    passes = isinstance(binding, Called) and binding.passes
    objects = page if passes else UNPAGED_LIST_OBJECTS if _is_list(field) else 1
    inner = _selections(scope, field_node.selection_set, returned, 1)
    return commands * COMMAND_POINTS + min(objects * (1 + inner), _CAP)


def _is_list(field: GraphQLField) -> bool:
    inner = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    return isinstance(inner, GraphQLList)


def _page_size(scope: Scope, field_node: FieldNode) -> int:
    """Rows asked for; what is out of bounds counts as a full page, for the list itself refuses it."""
    for argument in field_node.arguments or ():
        if argument.name.value not in ("first", "last"):
            continue
        value: Any = None
        if isinstance(argument.value, VariableNode):
            value = scope.variables.get(argument.value.name.value)
        elif isinstance(argument.value, IntValueNode):
            value = int(argument.value.value)
        if value is not None:
            return int(value) if 0 < value <= MAX_PAGE else MAX_PAGE
    return DEFAULT_PAGE
