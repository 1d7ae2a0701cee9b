"""Collects the document keys that a selection set needs: the Mongo projection.

complaints { nodes { title holder { name } } } → {title, redactedTitle, publicTitle, holder} and what decides custody
"""

from collections.abc import Callable, Iterator
from typing import Any, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
)
from strawberry import Info

from resolvers.request.context import RequestContext
from schema.binding import Called, Column, binding_of

RawInfo = GraphQLResolveInfo[RequestContext]


class SelectionInfo(Info[RequestContext, None]):
    """The `info` that the compiled executor passes: the keys are known from compilation.

    graphql-core's own info is made only if a resolver asks for it, by `make_raw_info`.
    """

    __slots__ = ("_context", "_field", "_make_raw_info", "keys")

    def __init__(
        self, context: RequestContext, keys: frozenset[str], field: Any, make_raw_info: Callable[[], RawInfo]
    ) -> None:
        self._context = context
        self.keys = keys
        self._field = field
        self._make_raw_info = make_raw_info

    @property
    def context(self) -> RequestContext:
        return self._context

    @property
    def _raw_info(self) -> RawInfo:  # type: ignore[override]
        return self._make_raw_info()


def collect_keys(info: Info[RequestContext, None]) -> frozenset[str]:
    """Returns the keys that the selection below this field needs of its documents, through pages and edges.

    Fields that @skip or @include exclude count, too.
    """
    if isinstance(info, SelectionInfo):
        return info.keys
    raw: RawInfo = info._raw_info  # Strawberry's own API does not give the selection's syntax
    returned = get_named_type(raw.return_type)
    visited: set[tuple[str, str]] = set()
    return frozenset(
        key
        for field_node in raw.field_nodes
        if field_node.selection_set is not None
        for key in _collect(raw, field_node.selection_set, returned, visited)
    )


def _collect(
    raw: RawInfo,
    selection_set: SelectionSetNode,
    parent: GraphQLNamedType,
    visited: set[tuple[str, str]],
) -> Iterator[str]:
    for field_node, field_parent in _iterate_fields(raw, selection_set, parent, visited):
        if not isinstance(field_parent, GraphQLObjectType | GraphQLInterfaceType):
            continue
        field = field_parent.fields.get(field_node.name.value)
        binding = None if field is None else binding_of(field)
        if field is None or binding is None:
            continue
        if isinstance(binding, Column | Called) and binding.passes:
            if field_node.selection_set is not None:
                yield from _collect(raw, field_node.selection_set, get_named_type(field.type), visited)
            continue
        yield from binding.needs


def _iterate_fields(
    raw: RawInfo,
    selection_set: SelectionSetNode,
    parent: GraphQLNamedType,
    visited: set[tuple[str, str]],
) -> Iterator[tuple[FieldNode, GraphQLNamedType]]:
    """Yields the fields of a selection set with their parent types.

    `visited` holds fragments and the types on which they were spread: entering each pair once keeps the work linear,
    where nested spreads of a hostile document would multiply it.
    """
    for selection in selection_set.selections:
        if isinstance(selection, FieldNode):
            yield selection, parent
            continue
        fragment: InlineFragmentNode | FragmentDefinitionNode
        if isinstance(selection, FragmentSpreadNode):
            fragment = raw.fragments[selection.name.value]
            if (selection.name.value, parent.name) in visited:
                continue
            visited.add((selection.name.value, parent.name))
        else:
            fragment = cast("InlineFragmentNode", selection)
        condition = fragment.type_condition
        narrowed = parent if condition is None else raw.schema.type_map[condition.name.value]
        yield from _iterate_fields(raw, fragment.selection_set, narrowed, visited)
