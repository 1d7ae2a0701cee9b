"""Completes interfaces after the merge: adds fields of `@interfaceObject`s to implementations, then checks them."""

from gateway.federation.composition.merge_state import JoinField, MergedElement, MergedType, Merging
from gateway.federation.composition.sharing import check_sharing
from gateway.federation.hints import name_subgraphs


def add_interface_object_fields(merging: Merging) -> None:
    """Gives every implementation the fields that interface objects add to its interfaces.

    # a: interface Media @key(fields: "id"), type Book implements Media
    # b: type Media @key(fields: "id") @interfaceObject { rating: Int } → Book.rating, which b resolves
    """
    added: dict[str, list[MergedElement]] = {}
    for interface in merging.types.values():
        if interface.kind != "INTERFACE":
            continue
        objects = merging.interface_objects.get(interface.name, ())
        names = {name for source in objects for name in source.definition.fields}
        if names:
            added[interface.name] = [field for name, field in interface.fields.items() if name in names]
    for dest in merging.types.values() if added else ():
        for name in dest.interfaces if dest.kind == "OBJECT" else ():
            for field in added.get(name, ()):
                existing = dest.fields.get(field.name)
                if existing is None:
                    check_sharing(merging, dest, field.name, (), {})
                    dest.fields[field.name] = _copy_field(field)
                elif all(join.external for join in existing.joins) and existing.joins:
                    existing.joins.append(JoinField())


def _copy_field(field: MergedElement) -> MergedElement:
    """Copies an interface's field for an object; a `@join__field` without a graph marks where it comes from."""
    return MergedElement(
        field.name,
        field.description,
        field.type,
        directives=list(field.directives),
        arguments=field.arguments,
        joins=[JoinField()],
    )


def check_interfaces(merging: Merging) -> None:
    """Checks that implementations have all fields of the interface and are in each subgraph that has a key for it."""
    implementations: dict[str, list[MergedType]] = {}
    for dest in merging.types.values():
        for name in dest.interfaces:
            implementations.setdefault(name, []).append(dest)
    # Fields are checked only while the merge has no error. Collected apart, so that a missing field of one interface
    # does not end the checks of the next.
    missing = Merging([])
    for name, implementing in implementations.items():
        interface = merging.types.get(name)
        if interface is None or interface.kind != "INTERFACE":
            continue
        for dest in [] if merging.errors else implementing:
            _check_fields(missing, interface, dest)
        objects = {dest.name for dest in implementing if dest.kind == "OBJECT"}
        _check_keys(merging, interface, objects)
        _check_interface_objects(merging, interface, objects)
    merging.errors += missing.errors


def _check_fields(merging: Merging, interface: MergedType, dest: MergedType) -> None:
    for field in interface.fields.values():
        if field.name not in dest.fields:
            message = (
                f'Interface field "{interface.name}.{field.name}" is declared in {name_subgraphs(field.graphs)} but '
            )
            lacking = [graph for graph, implemented in dest.join_implements if implemented == interface.name]
            details = f'type "{dest.name}", which implements "{interface.name}" in {name_subgraphs(lacking)}, '
            details += "does not have it."
            at = f"{interface.name}.{field.name}"
            merging.add_error("INTERFACE_FIELD_NO_IMPLEM", message + details, (*field.graphs, *lacking), at)


def _check_keys(merging: Merging, interface: MergedType, implementations: set[str]) -> None:
    """Checks that a subgraph which resolves an interface by key defines every type that the entity may have."""
    for member, definition in merging.sources[interface.name]:
        keys = [key for key in definition.list_applied("key") if key.arguments.get("resolvable") is not False]
        if definition.kind != "INTERFACE" or not keys:
            continue
        missing = sorted(implementations - member.schema.implementations.get(interface.name, set()))
        if missing:
            types = " and ".join(f'"{name}"' for name in missing)
            merging.add_error(
                "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
                f'[{member.name}] Interface type "{interface.name}" has a resolvable key '
                f'(@key(fields: {keys[0].fields_printed})) in subgraph "{member.name}" but that subgraph is missing '
                f'some of the supergraph implementation types of "{interface.name}". Subgraph "{member.name}" should '
                f'define type {types} (and have it implement "{interface.name}").',
                (member.name,),
                interface.name,
            )


def _check_interface_objects(merging: Merging, interface: MergedType, implementations: set[str]) -> None:
    """Checks that a subgraph with an interface object defines no implementation: an object would have two types."""
    for source in merging.interface_objects.get(interface.name, ()):
        for name in sorted(implementations & source.member.schema.types.keys()):
            message = f'Interface type "{interface.name}" is defined as an @interfaceObject in subgraph '
            message += f'"{source.graph}" so that subgraph should not define any of the implementation types of '
            message += f'"{interface.name}", but it defines type "{name}"'
            merging.add_error("INTERFACE_OBJECT_USAGE_ERROR", f"[{source.graph}] {message}", (source.graph,), name)
