"""What a subgraph's directives make of its fields: external, provided, shareable, part of a key, used at all."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from graphql import FieldNode, InlineFragmentNode, SelectionSetNode

from gateway.federation.composition.contexts import list_context_selections
from gateway.federation.subgraph import AppliedDirective, SubgraphSchema, TypeDefinition

Coordinate = tuple[str, str]
"""A type's name and a field's."""


@dataclass(slots=True)
class FieldRoles:
    """Coordinates of fields by the role they have in one subgraph."""

    external: set[Coordinate] = field(default_factory=set)
    provided: set[Coordinate] = field(default_factory=set)
    """Named in a `@provides`: resolved on some paths even if external."""
    shareable: set[Coordinate] = field(default_factory=set)
    in_keys: set[Coordinate] = field(default_factory=set)
    used: set[Coordinate] = field(default_factory=set)
    """Named in any field set, or demanded by an interface."""

    def is_resolved(self, coordinate: Coordinate) -> bool:
        """Whether the subgraph resolves the field at least on some paths."""
        return coordinate not in self.external or coordinate in self.provided


def find_roles(schema: SubgraphSchema) -> FieldRoles:
    """Field sets that are not valid select nothing here; the validation of the subgraph reports them."""
    found = FieldRoles()
    faked: set[Coordinate] = set()
    for definition in schema.types.values():
        for key in definition.list_applied("key"):
            selected = set(list_selected_fields(schema, definition.name, key.selection))
            found.in_keys |= selected
            if key.part or definition.has("extends"):
                faked |= set(list_selected_fields(schema, definition.name, key.selection, with_implementations=False))
        for element in definition.fields.values():
            for requires in element.list_applied("requires"):
                found.used |= set(list_selected_fields(schema, definition.name, requires.selection))
            for provides in element.list_applied("provides"):
                found.provided |= set(list_selected_fields(schema, element.named_type, provides.selection))
        found.external |= set(
            _find_marked_fields(definition, definition.list_applied("external"), "external", each_part=False)
        )
        found.shareable |= set(
            _find_marked_fields(definition, definition.list_applied("shareable"), "shareable", each_part=True)
        )
        if schema.is_fed1 and definition.name != "Subscription":
            found.shareable |= {(definition.name, name) for name in definition.fields}
    for owner, selection in list_context_selections(schema):
        found.used |= set(list_selected_fields(schema, owner, selection))
    found.external -= faked
    found.used |= found.in_keys | found.provided | set(_list_interface_fields(schema))
    found.shareable |= found.in_keys | (found.provided & found.external)
    return found


def list_selected_fields(
    schema: SubgraphSchema, type_name: str, selection: SelectionSetNode | None, *, with_implementations: bool = True
) -> Iterator[Coordinate]:
    """Every field that the selection reaches; for an interface's field, those of its implementations too."""
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
    """Fields with the directive, or in a part of a type that has it; with `each_part` a part speaks for itself."""
    parts = {applied.part for applied in on_type}
    for element in definition.fields.values():
        if element.has(directive) or (element.part in parts if each_part else parts):
            yield definition.name, element.name


def _list_interface_fields(schema: SubgraphSchema) -> Iterator[Coordinate]:
    for definition in schema.types.values():
        for name in definition.interfaces:
            interface = schema.types.get(name)
            for field_name in interface.fields if interface else ():
                yield definition.name, field_name
