"""Finds the roles of a subgraph's fields: external, provided, shareable, part of a key, used by a directive."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from graphql import FieldNode, InlineFragmentNode, SelectionSetNode

from gateway.federation.composition.contexts import list_context_selections
from gateway.federation.subgraph import AppliedDirective, SubgraphSchema, TypeDefinition

Coordinate = tuple[str, str]
"""(type name, field name)."""


@dataclass(slots=True)
class FieldRoles:
    """The fields of one subgraph that have each role."""

    external: set[Coordinate] = field(default_factory=set)
    provided: set[Coordinate] = field(default_factory=set)
    """Selected by a `@provides`: resolved on some paths even if external."""
    shareable: set[Coordinate] = field(default_factory=set)
    in_keys: set[Coordinate] = field(default_factory=set)
    used: set[Coordinate] = field(default_factory=set)
    """Selected by a field set or a context, or required by an interface."""

    def is_resolved(self, coordinate: Coordinate) -> bool:
        """Whether the subgraph resolves the field at least on some paths."""
        return coordinate not in self.external or coordinate in self.provided


def find_roles(schema: SubgraphSchema) -> FieldRoles:
    """Finds the roles of all fields. Skips invalid field sets, which the validation of the subgraph reports."""
    roles = FieldRoles()
    # Key fields of an extension are often marked @external by habit from Federation 1; the subgraph does resolve them.
    resolved_keys: set[Coordinate] = set()
    for definition in schema.types.values():
        for key in definition.list_applied("key"):
            selected = set(list_selected_fields(schema, definition.name, key.selection))
            roles.in_keys |= selected
            if key.part or definition.has("extends"):
                resolved_keys |= set(
                    list_selected_fields(schema, definition.name, key.selection, with_implementations=False)
                )
        for element in definition.fields.values():
            for requires in element.list_applied("requires"):
                roles.used |= set(list_selected_fields(schema, definition.name, requires.selection))
            for provides in element.list_applied("provides"):
                roles.provided |= set(list_selected_fields(schema, element.named_type, provides.selection))
        roles.external |= set(
            _find_marked_fields(definition, definition.list_applied("external"), "external", each_part=False)
        )
        roles.shareable |= set(
            _find_marked_fields(definition, definition.list_applied("shareable"), "shareable", each_part=True)
        )
        # Federation 1 has no @shareable: every field may be resolved by several subgraphs.
        if schema.is_fed1 and definition.name != "Subscription":
            roles.shareable |= {(definition.name, name) for name in definition.fields}
    for owner, selection in list_context_selections(schema):
        roles.used |= set(list_selected_fields(schema, owner, selection))
    roles.external -= resolved_keys
    roles.used |= roles.in_keys | roles.provided | set(_list_interface_fields(schema))
    roles.shareable |= roles.in_keys | (roles.provided & roles.external)
    return roles


def list_selected_fields(
    schema: SubgraphSchema, type_name: str, selection: SelectionSetNode | None, *, with_implementations: bool = True
) -> Iterator[Coordinate]:
    """Yields every field that the selection contains; for an interface's field, also those of its implementations."""
    for node in selection.selections if selection else ():
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition.name.value if node.type_condition else type_name
            yield from list_selected_fields(
                schema, condition, node.selection_set, with_implementations=with_implementations
            )
        elif isinstance(node, FieldNode):
            yield from _list_selected_field(schema, type_name, node, with_implementations)


def _list_selected_field(
    schema: SubgraphSchema, type_name: str, node: FieldNode, with_implementations: bool
) -> Iterator[Coordinate]:
    definition = schema.types.get(type_name)
    element = definition.fields.get(node.name.value) if definition else None
    if definition is None or element is None:
        return
    yield type_name, element.name
    if with_implementations and definition.kind == "INTERFACE":
        for implementation in schema.implementations.get(type_name, ()):
            yield implementation, element.name
    yield from list_selected_fields(
        schema, element.named_type, node.selection_set, with_implementations=with_implementations
    )


def _find_marked_fields(
    definition: TypeDefinition, on_type: Iterable[AppliedDirective], directive: str, *, each_part: bool
) -> Iterator[Coordinate]:
    """Yields fields that have the directive themselves or through their type.

    With `each_part`, a directive on the definition or on one extension counts only for fields written there:
    # type T @shareable { a: Int } extend type T { b: Int } → a
    """
    parts = {applied.part for applied in on_type}
    for element in definition.fields.values():
        if element.has(directive) or (element.part in parts if each_part else parts):
            yield definition.name, element.name


def _list_interface_fields(schema: SubgraphSchema) -> Iterator[Coordinate]:
    """Yields the fields that types must have because of an interface that they implement."""
    for definition in schema.types.values():
        for name in definition.interfaces:
            interface = schema.types.get(name)
            for field_name in interface.fields if interface else ():
                yield definition.name, field_name
