"""Selection set to the keys that it needs of the listed documents: the Mongo projection."""

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

Raw = GraphQLResolveInfo[RequestContext]


class Selected(Info[RequestContext, None]):
    """What a resolver is told of its call where the keys below it are known already; the rest where it is asked for."""

    __slots__ = ("_context", "_field", "_made", "keys")

    def __init__(self, context: RequestContext, keys: frozenset[str], field: Any, made: Callable[[], Raw]) -> None:
        self._context = context
        self.keys = keys
        self._field = field
        self._made = made

    @property
    def context(self) -> RequestContext:
        return self._context

    @property
    def _raw_info(self) -> Raw:  # type: ignore[override]
        return self._made()


def keys(info: Info[RequestContext, None]) -> frozenset[str]:
    """The keys of the documents below this field, through pages and edges, whatever @skip and @include say."""
    if isinstance(info, Selected):
        return info.keys
    raw: Raw = info._raw_info  # the selection's syntax, which Strawberry does not give
    returned = get_named_type(raw.return_type)
    spread: set[tuple[str, str]] = set()
    return frozenset(
        key
        for field_node in raw.field_nodes
        if field_node.selection_set is not None
        for key in _keys(raw, field_node.selection_set, returned, spread)
    )


def _keys(
    raw: Raw,
    selection_set: SelectionSetNode,
    parent: GraphQLNamedType,
    spread: set[tuple[str, str]],
) -> Iterator[str]:
    for field_node, field_parent in _field_nodes(raw, selection_set, parent, spread):
        if not isinstance(field_parent, GraphQLObjectType | GraphQLInterfaceType):
            continue
        field = field_parent.fields.get(field_node.name.value)
        binding = None if field is None else binding_of(field)
        if field is None or binding is None:
            continue
        if isinstance(binding, Column | Called) and binding.passes:
            if field_node.selection_set is not None:
                yield from _keys(raw, field_node.selection_set, get_named_type(field.type), spread)
            continue
        yield from binding.needs


def _field_nodes(
    raw: Raw,
    selection_set: SelectionSetNode,
    parent: GraphQLNamedType,
    spread: set[tuple[str, str]],
) -> Iterator[tuple[FieldNode, GraphQLNamedType]]:
    """The fields of a selection set, each fragment entered once for each type that it is spread on."""
    for selection in selection_set.selections:
        if isinstance(selection, FieldNode):
            yield selection, parent
            continue
        fragment: InlineFragmentNode | FragmentDefinitionNode
        if isinstance(selection, FragmentSpreadNode):
            fragment = raw.fragments[selection.name.value]
            if (selection.name.value, parent.name) in spread:
                continue
            spread.add((selection.name.value, parent.name))
        else:
            fragment = cast("InlineFragmentNode", selection)
        condition = fragment.type_condition
        narrowed = parent if condition is None else raw.schema.type_map[condition.name.value]
        yield from _field_nodes(raw, fragment.selection_set, narrowed, spread)
