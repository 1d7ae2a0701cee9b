"""Upgrades a Federation 1 subgraph to Federation 2, whose rules for externals and interfaces are stricter."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from graphql import FieldNode, GraphQLError, InlineFragmentNode, SelectionNode, SelectionSetNode, print_ast

from gateway.federation.composition.roles import Coordinate, find_roles, list_selected_fields
from gateway.federation.fields import parse_fields
from gateway.federation.hints import CompositionError
from gateway.federation.subgraph import ROOTS, Element, SubgraphSchema, TypeDefinition


class OwnerDeclarations(NamedTuple):
    """What subgraphs declare about types and fields that other subgraphs only extend."""

    keys: dict[str, SelectionSetNode]
    """The first key of each type, from a subgraph that defines the type."""
    tags: frozenset[tuple[str, str, str]]
    """(type, field, tag) of fields that are not external."""

    def select_for(self, schema: SubgraphSchema) -> "OwnerDeclarations":
        """Returns the declarations about the subgraph's types, on which its upgrade depends."""
        keys = {name: key for name, key in self.keys.items() if name in schema.types}
        return OwnerDeclarations(keys, frozenset(row for row in self.tags if row[0] in schema.types))


def collect_owner_declarations(schemas: Iterable[SubgraphSchema]) -> OwnerDeclarations:
    """Collects what all subgraphs declare about the types and fields that they own."""
    keys: dict[str, SelectionSetNode] = {}
    tags: set[tuple[str, str, str]] = set()
    for schema in schemas:
        for definition in schema.types.values():
            for key in () if definition.is_extension else definition.list_applied("key"):
                if key.selection is not None:
                    keys.setdefault(definition.name, key.selection)
            for element in definition.fields.values():
                if not element.has("external"):
                    tags |= {(definition.name, element.name, str(tag)) for tag in _list_tags(element)}
    return OwnerDeclarations(keys, frozenset(tags))


def check_bases(schemas: Iterable[SubgraphSchema]) -> list[CompositionError]:
    """Returns an error for each type that subgraphs extend and no subgraph defines."""
    graphs: dict[str, list[str]] = {}
    defined = set(ROOTS.values())
    for schema in schemas:
        for definition in schema.types.values():
            graphs.setdefault(definition.name, []).append(schema.name)
            if not definition.is_extension:
                defined.add(definition.name)
    return [
        CompositionError(
            "EXTENSION_WITH_NO_BASE",
            f'[{rows[0]}] Type "{name}" is an extension type, but there is no type definition for "{name}" in any '
            "subgraph.",
            tuple(rows),
            name,
        )
        for name, rows in sorted(graphs.items())
        if name not in defined
    ]


def _list_tags(element: Element) -> Iterator[object]:
    return (applied.arguments.get("name") for applied in element.list_applied("tag"))


def upgrade_subgraph(schema: SubgraphSchema, others: OwnerDeclarations) -> tuple[CompositionError, ...]:
    """Changes the model of a Federation 1 subgraph in place; returns errors for types that cannot be upgraded."""
    for definition in schema.types.values():
        # Federation 1 accepted directives where they had no effect. Federation 2 refuses them there.
        definition.directives.pop("external", None)
        if definition.kind == "INTERFACE":
            _drop_directives(definition, "key")
            for element in definition.fields.values():
                _drop_directives(element, "external", "requires", "provides")
        if definition.is_extension or definition.name in ROOTS.values():
            _drop_external_from_keys(schema, definition, others.keys)
        for element in definition.fields.values():
            _drop_provides_on_leaf(schema, element)
            # Federation 1 subgraphs repeat the owner's tags on external fields, where Federation 2 allows none.
            if element.has("external") and all(
                (definition.name, element.name, tag) in others.tags for tag in _list_tags(element)
            ):
                _drop_directives(element, "tag")
    _drop_inactive_field_sets(schema)
    return tuple(_drop_unused_externals(schema))


def _drop_directives(element: Element, *directives: str) -> None:
    for directive in directives:
        element.directives.pop(directive, None)


def _drop_external_from_keys(
    schema: SubgraphSchema, definition: TypeDefinition, owner_keys: Mapping[str, SelectionSetNode]
) -> None:
    """Drops `@external` from key fields: Federation 1 requires it there although the extension resolves them.

    An extension without a key of its own uses the first key of the type's owner.
    """
    own = [key.selection for key in definition.list_applied("key")]
    for selection in own or [owner_keys.get(definition.name)]:
        for type_name, name in list_selected_fields(schema, definition.name, selection, with_implementations=False):
            _drop_directives(schema.types[type_name].fields[name], "external")


def _drop_provides_on_leaf(schema: SubgraphSchema, element: Element) -> None:
    definition = schema.types.get(element.named_type)
    if definition is None or not definition.is_composite:
        _drop_directives(element, "provides")


def _drop_inactive_field_sets(schema: SubgraphSchema) -> None:
    """Drops fields from `@requires` and `@provides` that are not external: Federation 1 ignores them."""
    external = find_roles(schema).external
    for definition in schema.types.values():
        for element in definition.fields.values():
            for directive, type_name in (("requires", definition.name), ("provides", element.named_type)):
                for applied in element.list_applied(directive):
                    try:
                        selection = parse_fields(str(applied.arguments.get("fields", "")))
                    except GraphQLError:
                        continue
                    kept = _keep_external_parts(schema, type_name, selection, external)
                    if kept is None:
                        element.directives.pop(directive)
                        break
                    applied.arguments["fields"] = " ".join(print_ast(kept)[1:-1].split())


def _keep_external_parts(
    schema: SubgraphSchema, type_name: str, selection: SelectionSetNode, external: set[Coordinate]
) -> SelectionSetNode | None:
    """Returns the selection without fields that the subgraph resolves itself; None if nothing is left."""
    kept: list[SelectionNode] = []
    for node in selection.selections:
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition.name.value if node.type_condition else type_name
            inner = _keep_external_parts(schema, condition, node.selection_set, external)
            if inner is not None:
                kept.append(InlineFragmentNode(type_condition=node.type_condition, selection_set=inner))
        elif isinstance(node, FieldNode):
            kept += _keep_external_field(schema, type_name, node, external)
    return SelectionSetNode(selections=tuple(kept)) if kept else None


def _keep_external_field(
    schema: SubgraphSchema, type_name: str, node: FieldNode, external: set[Coordinate]
) -> list[SelectionNode]:
    name = node.name.value
    definition = schema.types.get(type_name)
    if definition is None or name not in definition.fields:
        return [node]
    possible = {type_name} | schema.possible_types(type_name)
    if any((possible_type, name) in external for possible_type in possible):
        return [node]
    if node.selection_set is None:
        return []
    inner = _keep_external_parts(schema, definition.fields[name].named_type, node.selection_set, external)
    return [] if inner is None else [FieldNode(name=node.name, arguments=node.arguments, selection_set=inner)]


def _drop_unused_externals(schema: SubgraphSchema) -> Iterator[CompositionError]:
    """Drops external fields that nothing uses, then types without fields; yields errors for those still in use."""
    field_roles = find_roles(schema)
    for type_name, name in field_roles.external - field_roles.used:
        del schema.types[type_name].fields[name]
    empty = {name for name, row in schema.types.items() if row.kind == "OBJECT" and not row.fields}
    for name in sorted(empty):
        del schema.types[name]
    for name in sorted(empty & set(_list_referenced_types(schema))):
        message = f"Type {name} contains only external fields that are in no @key, @provides or @requires."
        yield CompositionError("TYPE_WITH_ONLY_UNUSED_EXTERNAL", f"[{schema.name}] {message}", (schema.name,), name)


def _list_referenced_types(schema: SubgraphSchema) -> Iterator[str]:
    for definition in schema.types.values():
        yield from definition.members
        for element in definition.fields.values():
            yield element.named_type
