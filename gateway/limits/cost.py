"""Counts the cost of an operation before it runs, from its selection sets and bindings.

An object that may be returned costs one point, a database command COMMAND_POINTS. A page multiplies what is below it by
its size, from `first` or `last`:

    # {complaints(first: 50) {nodes {holder {name}}}} → 20 for the command + 50 × (1 complaint + 1 agency) = 120

Only page sizes depend on variables. So an operation is compiled once to a formula (Points), and each request evaluates
it with its variables.
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
"""Assumed size of lists without arguments, which are short: a complaint's clocks, an agency's teams."""

_CAP: Final = 10**9


class TooExpensive(Exception):
    """The operation costs more than the limit; the message names both figures."""

    code = "COST_LIMIT_EXCEEDED"


PageSize = Callable[[Mapping[str, Any]], int]
"""Returns the number of rows of a page, from the variables' coerced values."""


@dataclass(frozen=True, slots=True)
class Points:
    """The formula fixed + sum(times × size × points of a row), with one summand for each page."""

    fixed: int = 0
    pages: tuple[tuple[int, PageSize, "Points"], ...] = ()

    def count(self, variables: Mapping[str, Any]) -> int:
        if not self.pages:
            return self.fixed
        paged = sum(times * size(variables) * row.count(variables) for times, size, row in self.pages)
        return min(self.fixed + paged, _CAP)

    def multiply(self, count: int) -> "Points":
        pages = tuple((min(times * count, _CAP), size, row) for times, size, row in self.pages)
        return Points(min(self.fixed * count, _CAP), pages)


_NOTHING: Final = Points()


def _add_points(parts: Iterable[Points]) -> Points:
    fixed = 0
    pages: list[tuple[int, PageSize, Points]] = []
    for part in parts:
        fixed += part.fixed
        pages.extend(part.pages)
    return Points(min(fixed, _CAP), tuple(pages))


class SelectionPoints(NamedTuple):
    """The points of a selection inside a page: `once` for the page, and `row` for each of its rows."""

    once: Points = _NOTHING
    row: Points = _NOTHING


class CostScope(NamedTuple):
    """The context of counting one operation."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    known: dict[tuple[str, str], SelectionPoints]
    """By fragment name and parent type: a fragment is counted once for each, however often it is spread."""


def count_points(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> int:
    """Returns the points of a validated operation; `variables` are the coerced values."""
    return compile_points(schema, operation, fragments).count(variables)


def compile_points(
    schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Points:
    root = schema.get_root_type(operation.operation)
    assert root is not None  # noqa: S101 - validation has refused operations without a root
    return _count_once(_count_selections(CostScope(schema, fragments, {}), operation.selection_set, root))


def check_cost(points: int, limit: int) -> None:
    """Raises TooExpensive above the limit."""
    if points > limit:
        raise TooExpensive(
            f"The operation costs {points} points; at most {limit} are taken: ask for smaller pages or fewer lists "
            "inside lists."
        )


def _count_once(part: SelectionPoints) -> Points:
    """Returns the points of a selection outside of pages: `row` counts once."""
    return _add_points(part)


def _count_selections(scope: CostScope, selection_set: SelectionSetNode, parent: GraphQLNamedType) -> SelectionPoints:
    parts = [_count_selection(scope, selection, parent) for selection in selection_set.selections]
    return SelectionPoints(_add_points(part.once for part in parts), _add_points(part.row for part in parts))


def _count_selection(scope: CostScope, selection: SelectionNode, parent: GraphQLNamedType) -> SelectionPoints:
    if isinstance(selection, FieldNode):
        return _count_field(scope, selection, parent)
    if isinstance(selection, InlineFragmentNode):
        condition = selection.type_condition
        narrowed = scope.schema.type_map[condition.name.value] if condition else parent
        return _count_selections(scope, selection.selection_set, narrowed)
    assert isinstance(selection, FragmentSpreadNode)  # noqa: S101 - the only kind left
    fragment = scope.fragments[selection.name.value]
    key = (fragment.name.value, parent.name)
    if key not in scope.known:
        narrowed = scope.schema.type_map[fragment.type_condition.name.value]
        scope.known[key] = _count_selections(scope, fragment.selection_set, narrowed)
    return scope.known[key]


def _count_field(scope: CostScope, field_node: FieldNode, parent: GraphQLNamedType) -> SelectionPoints:
    if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        return SelectionPoints()
    field = parent.fields.get(field_node.name.value)
    if field is None or field_node.selection_set is None:
        return SelectionPoints()
    binding = binding_of(field)
    commands = Points(binding.commands * COMMAND_POINTS if isinstance(binding, Called) else 0)
    inner = _count_selections(scope, field_node.selection_set, get_named_type(field.type))
    if isinstance(binding, Called) and binding.paged:
        page = Points(0, ((1, _read_page_size(field_node), inner.row),))
        return SelectionPoints(_add_points((commands, inner.once, page)))
    objects = _add_points((Points(1), _count_once(inner)))
    if isinstance(binding, Called) and binding.passes:
        return SelectionPoints(commands, objects)
    return SelectionPoints(_add_points((commands, objects.multiply(UNPAGED_LIST_OBJECTS if _is_list(field) else 1))))


def _is_list(field: GraphQLField) -> bool:
    inner = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    return isinstance(inner, GraphQLList)


def _read_page_size(field_node: FieldNode) -> PageSize:
    """Returns the function that reads a page's size: the first of `first` and `last` that has a value."""
    sizes = [argument.value for argument in field_node.arguments or () if argument.name.value in ("first", "last")]
    usable = [size for size in sizes if isinstance(size, VariableNode | IntValueNode)]
    if not any(isinstance(size, VariableNode) for size in usable):
        constant = next(
            (_bound_size(int(size.value)) for size in usable if isinstance(size, IntValueNode)), DEFAULT_PAGE
        )
        return lambda variables: constant

    def size(variables: Mapping[str, Any]) -> int:
        for node in usable:
            value = int(node.value) if isinstance(node, IntValueNode) else _read_variable(node, variables)
            if value is not None:
                return _bound_size(int(value))
        return DEFAULT_PAGE

    return size


def _read_variable(node: Any, variables: Mapping[str, Any]) -> Any:
    return variables.get(node.name.value)


def _bound_size(value: int) -> int:
    """A size out of bounds counts as a full page; the list's resolver refuses it."""
    return value if 0 < value <= MAX_PAGE else MAX_PAGE
