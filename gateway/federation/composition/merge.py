"""Merges subgraphs into the supergraph's definitions: types by name, then their fields, values and members by name.

An output type has every field and value that any subgraph has; an input type only those that all subgraphs have,
because each subgraph must understand what a client sends.
"""

from collections.abc import Sequence

from gateway.federation.composition.composed_directives import choose_composed_directives, merge_directive_definitions
from gateway.federation.composition.interface_objects import add_interface_object_fields, check_interfaces
from gateway.federation.composition.link_names import check_link_names
from gateway.federation.composition.merge_directives import merge_common
from gateway.federation.composition.merge_fields import collect_field_sources, merge_field, merge_input_field
from gateway.federation.composition.merge_state import JoinType, Member, MergedType, Merging, TypeSource
from gateway.federation.composition.merge_values import merge_enum, merge_union
from gateway.federation.hints import name_subgraphs, quote_names
from gateway.federation.subgraph import ROOTS, TypeDefinition

_ORDER = ("OBJECT", "INTERFACE", "UNION", "INPUT_OBJECT", "SCALAR", "ENUM")
"""The order in which kinds merge. Enums are last: how they merge depends on their use by the other kinds."""


def merge_subgraphs(members: Sequence[Member]) -> Merging:
    """Merges the subgraphs; adds to `errors` what cannot be merged. Root types come first, then types by name."""
    merging = Merging(list(members))
    for member in members:
        for definition in member.schema.types.values():
            merging.sources.setdefault(definition.name, []).append(TypeSource(member, definition))
        if "Query" not in member.schema.types:  # Every subgraph answers `_service`, so it has a query type.
            merging.sources.setdefault("Query", []).append(TypeSource(member, TypeDefinition("Query")))
    choose_composed_directives(merging)
    check_link_names(merging)
    if merging.errors:
        return merging
    for name in sorted(merging.sources):
        _add_type(merging, name)
    if not any(source.definition.fields for source in merging.sources.get("Query", ())):
        message = "No queries found in any subgraph: a supergraph must have a query root type."
        merging.add_error("NO_QUERIES", message)
    merge_directive_definitions(merging)
    for kind in _ORDER:
        for dest in [row for row in merging.types.values() if row.kind == kind]:
            _merge_type(merging, dest)
    add_interface_object_fields(merging)
    check_interfaces(merging)
    _order_roots_first(merging)
    return merging


def _add_type(merging: Merging, name: str) -> None:
    """Adds a type without its fields and values, so that every type is known when fields are compared."""
    sources = merging.sources[name]
    kinds: dict[str, list[str]] = {}
    for source in sources:
        kinds.setdefault("INTERFACE" if source.is_interface_object else source.definition.kind, []).append(source.graph)
    graphs = [source.graph for source in sources]
    if len(kinds) > 1:
        definitions = " but ".join(f"{_describe_kind(kind)} in {name_subgraphs(rows)}" for kind, rows in kinds.items())
        message = f'Type "{name}" has mismatched kind: it is defined as {definitions}'
        merging.add_error("TYPE_KIND_MISMATCH", message, graphs, name)
        return
    if all(source.is_interface_object for source in sources):
        message = f'Type "{name}" is declared with @interfaceObject in all the subgraphs in which it is defined '
        merging.add_error(
            "INTERFACE_OBJECT_USAGE_ERROR", f"{message}(it is defined in {name_subgraphs(graphs)})", graphs, name
        )
    dest = merging.types[name] = MergedType(name, kind=next(iter(kinds)))
    merging.interface_objects[name] = [source for source in sources if source.is_interface_object]
    for source in sources:
        definition = source.definition
        dest.join_types += _build_join_types(source)
        for interface in definition.interfaces:
            dest.join_implements.append((source.graph, interface))
            merging.abstract.setdefault(interface, set()).add(name)
        merging.abstract.setdefault(name, set()).update(definition.members)
    dest.interfaces = list(dict.fromkeys(interface for _, interface in dest.join_implements))


def _describe_kind(kind: str) -> str:
    return f"{kind.replace('_', ' ').capitalize()} Type"


def _build_join_types(source: TypeSource) -> list[JoinType]:
    definition, is_object = source.definition, source.is_interface_object
    keys = [
        JoinType(
            source.graph,
            str(key.arguments["fields"]),
            bool(key.part or definition.has("extends")),
            key.arguments.get("resolvable") is not False,
            is_object,
        )
        for key in definition.list_applied("key")
    ]
    return keys or [JoinType(source.graph, is_interface_object=is_object)]


def _merge_type(merging: Merging, dest: MergedType) -> None:
    sources = merging.sources[dest.name]
    merge_common(merging, [(source.graph, source.definition) for source in sources], dest, dest.name)
    if dest.kind == "UNION":
        merge_union(merging, dest)
    elif dest.kind == "ENUM":
        merge_enum(merging, dest)
    elif dest.kind == "INPUT_OBJECT":
        for name, rows in collect_field_sources(merging, dest.name).items():
            merge_input_field(merging, dest, name, rows)
        if not dest.fields:
            graphs = list(merging.list_graphs(dest.name))
            message = f'None of the fields of input object type "{dest.name}" are consistently defined in all the '
            message += "subgraphs defining that type. As only fields common to all subgraphs are merged, this would "
            merging.add_error("EMPTY_MERGED_INPUT_TYPE", f"{message}result in an empty type.", graphs, dest.name)
    elif dest.kind in ("OBJECT", "INTERFACE"):
        for name, fields in collect_field_sources(merging, dest.name).items():
            merge_field(merging, dest, name, fields)
        _hint_on_inconsistency(merging, dest)


def _hint_on_inconsistency(merging: Merging, dest: MergedType) -> None:
    """Adds hints: an entity should have a key in every subgraph, another type all of its fields in every subgraph."""
    sources = merging.sources[dest.name]
    if dest.name in ROOTS.values() or len(sources) < 2:
        return
    with_key = [source.graph for source in sources if source.definition.has("key")]
    without_key = [source.graph for source in sources if not source.definition.has("key")]
    if with_key:
        if without_key and dest.kind == "OBJECT":
            message = f'Type "{dest.name}" is declared as an entity (has a @key applied) in some but not all defining '
            details = f"subgraphs: it has no @key in {name_subgraphs(without_key)} "
            details += f"but has some in {name_subgraphs(with_key)}."
            merging.add_hint("INCONSISTENT_ENTITY", message + details, without_key, dest.name)
        return
    full = {source.graph for source in sources if _is_more_than_external(source)}
    for field in dest.fields.values():
        missing = sorted(full - set(field.graphs))
        if missing:
            kind = dest.kind
            described = "non-entity object" if kind == "OBJECT" else "interface"
            message = (
                f'Field "{dest.name}.{field.name}" of {described} type "{dest.name}" is defined in some but not all '
            )
            details = f"subgraphs that define it: it is not in {quote_names(missing)}."
            merging.add_hint(
                f"INCONSISTENT_{kind}_VALUE_TYPE_FIELD", message + details, missing, f"{dest.name}.{field.name}"
            )


def _is_more_than_external(source: TypeSource) -> bool:
    """Whether the subgraph has a field of its own: one that only declares external fields may leave fields out."""
    name, external = source.definition.name, source.member.roles.external
    return any((name, field) not in external for field in source.definition.fields)


def _order_roots_first(merging: Merging) -> None:
    roots = [name for name in ROOTS.values() if name in merging.types]
    names = [*roots, *(name for name in merging.types if name not in roots)]
    merging.types = {name: merging.types[name] for name in names}
