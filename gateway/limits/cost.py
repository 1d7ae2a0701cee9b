"""An operation's cost from its selection set and bindings, before any of it runs: compiled once, counted per request.

A point for every object that may be returned, and COMMAND_POINTS for every database command that a list within a list
repeats; sizes of lists come from `first` and `last`, multiplied down.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
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

from resolvers.paging.listing import DEFAULT_PAGE, MAX_PAGE
from schema.binding import Called, binding_of

COMMAND_POINTS: Final = 20
UNPAGED_LIST_OBJECTS: Final = 10
"""Lists without arguments are small by nature: a complaint's clocks, an agency's teams."""

_CAP: Final = 10**9


class TooExpensive(Exception):
    """The operation costs more than it may; the sentence names both figures."""

    code = "COST_LIMIT_EXCEEDED"


Size = Callable[[Mapping[str, Any]], int]
"""Rows of a page, from the variables' values."""


@dataclass(frozen=True, slots=True)
class Points:
    """`fixed`, and for each page inside: how often it is asked for, its size, what a row of it costs."""

    fixed: int = 0
    pages: tuple[tuple[int, Size, "Points"], ...] = ()

    def of(self, variables: Mapping[str, Any]) -> int:
        if not self.pages:
            return self.fixed
        paged = sum(times * size(variables) * row.of(variables) for times, size, row in self.pages)
        return min(self.fixed + paged, _CAP)

    def times(self, count: int) -> "Points":
        pages = tuple((min(times * count, _CAP), size, row) for times, size, row in self.pages)
        return Points(min(self.fixed * count, _CAP), pages)


_NOTHING: Final = Points()


def _sum(parts: Iterable[Points]) -> Points:
    fixed = 0
    pages: list[tuple[int, Size, Points]] = []
    for part in parts:
        fixed += part.fixed
        pages.extend(part.pages)
    return Points(min(fixed, _CAP), tuple(pages))


class Part(NamedTuple):
    """A selection's points: once, and for each row of the page that it stands in."""

    once: Points = _NOTHING
    row: Points = _NOTHING


class Scope(NamedTuple):
    """What the cost of a selection depends on; one for each operation."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    known: dict[tuple[str, str], Part]
    """Parts of fragments by name and type."""


def cost(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> int:
    """Points of a validated operation; `variables` are the coerced values."""
    return compiled(schema, operation, fragments).of(variables)


def compiled(
    schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Points:
    root = schema.get_root_type(operation.operation)
    assert root is not None  # noqa: S101 - validation has refused operations without a root
    return _total(_selections(Scope(schema, fragments, {}), operation.selection_set, root))


def check_cost(points: int, limit: int) -> None:
    """Raises TooExpensive above the limit."""
    if points > limit:
        raise TooExpensive(
            f"The operation costs {points} points; at most {limit} are taken: ask for smaller pages or fewer lists "
            "inside lists."
        )


def _total(part: Part) -> Points:
    """The points where the selection stands in no page: its rows are one."""
    return _sum(part)


def _selections(scope: Scope, selection_set: SelectionSetNode, parent: GraphQLNamedType) -> Part:
    parts = [_selection(scope, selection, parent) for selection in selection_set.selections]
    return Part(_sum(part.once for part in parts), _sum(part.row for part in parts))


def _selection(scope: Scope, selection: SelectionNode, parent: GraphQLNamedType) -> Part:
    if isinstance(selection, FieldNode):
        return _field(scope, selection, parent)
    if isinstance(selection, InlineFragmentNode):
        condition = selection.type_condition
        narrowed = scope.schema.type_map[condition.name.value] if condition else parent
        return _selections(scope, selection.selection_set, narrowed)
    assert isinstance(selection, FragmentSpreadNode)  # noqa: S101 - the only kind left
    fragment = scope.fragments[selection.name.value]
    key = (fragment.name.value, parent.name)
    if key not in scope.known:
        narrowed = scope.schema.type_map[fragment.type_condition.name.value]
        scope.known[key] = _selections(scope, fragment.selection_set, narrowed)
    return scope.known[key]


def _field(scope: Scope, field_node: FieldNode, parent: GraphQLNamedType) -> Part:
    if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        return Part()
    field = parent.fields.get(field_node.name.value)
    if field is None or field_node.selection_set is None:
        return Part()
    binding = binding_of(field)
    commands = Points(binding.commands * COMMAND_POINTS if isinstance(binding, Called) else 0)
    inner = _selections(scope, field_node.selection_set, get_named_type(field.type))
    if isinstance(binding, Called) and binding.paged:
        page = Points(0, ((1, _page_size(field_node), inner.row),))
        return Part(_sum((commands, inner.once, page)))
    objects = _sum((Points(1), _total(inner)))
    if isinstance(binding, Called) and binding.passes:
        return Part(commands, objects)
    return Part(_sum((commands, objects.times(UNPAGED_LIST_OBJECTS if _is_list(field) else 1))))


def _is_list(field: GraphQLField) -> bool:
    inner = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    return isinstance(inner, GraphQLList)


def _page_size(field_node: FieldNode) -> Size:
    """Rows asked for: the first of `first` and `last` that has a value."""
    sizes = [argument.value for argument in field_node.arguments or () if argument.name.value in ("first", "last")]
    given = [size for size in sizes if isinstance(size, VariableNode | IntValueNode)]
    if not any(isinstance(size, VariableNode) for size in given):
        constant = next((_bounded(int(size.value)) for size in given if isinstance(size, IntValueNode)), DEFAULT_PAGE)
        return lambda variables: constant

    def size(variables: Mapping[str, Any]) -> int:
        for asked in given:
            value = int(asked.value) if isinstance(asked, IntValueNode) else _variable(asked, variables)
            if value is not None:
                return _bounded(int(value))
        return DEFAULT_PAGE

    return size


def _variable(node: Any, variables: Mapping[str, Any]) -> Any:
    return variables.get(node.name.value)


def _bounded(value: int) -> int:
    """What is out of bounds counts as a full page, for the list itself refuses it."""
    return value if 0 < value <= MAX_PAGE else MAX_PAGE
