"""Checks that all subgraphs mark a field `@shareable` if several of them resolve it."""

from collections.abc import Mapping, Sequence

from gateway.federation.composition.merge_state import ElementSource, MergedType, Merging
from gateway.federation.composition.overrides import OverriddenField
from gateway.federation.hints import name_subgraphs, quote_names


def check_sharing(
    merging: Merging,
    dest: MergedType,
    name: str,
    sources: Sequence[ElementSource],
    overridden: Mapping[str, OverriddenField],
) -> None:
    """Checks a field of an object. A subgraph whose interface object adds the field counts as resolving it."""
    if dest.kind != "OBJECT":
        return
    coordinate = f"{dest.name}.{name}"
    if dest.name == "Subscription":
        _check_subscription(merging, coordinate, sources)
    resolving = [source for source in sources if source.is_resolved and source.graph not in overridden]
    resolving += find_interface_object_sources(merging, dest, name)
    if len(resolving) < 2:
        return
    exclusive = [source.graph for source in resolving if source.coordinate not in source.member.roles.shareable]
    if not exclusive:
        return
    graphs = [source.graph for source in resolving]
    where = "all of them" if len(exclusive) == len(graphs) else name_subgraphs(exclusive)
    merging.add_error(
        "INVALID_FIELD_SHARING",
        f'Non-shareable field "{coordinate}" is resolved from multiple subgraphs: it is resolved from subgraphs '
        f"{quote_names(graphs)} and defined as non-shareable in {where}",
        graphs,
        coordinate,
    )


def find_interface_object_sources(merging: Merging, dest: MergedType, name: str) -> list[ElementSource]:
    """Returns the interface objects that resolve the field for an interface of the type."""
    return [
        ElementSource(row.member, row.definition, row.definition.fields[name])
        for interface in dest.interfaces
        for row in merging.interface_objects.get(interface, ())
        if name in row.definition.fields
        if row.member.roles.is_resolved((interface, name))
    ]


def _check_subscription(merging: Merging, coordinate: str, sources: Sequence[ElementSource]) -> None:
    shared = [source.graph for source in sources if source.element.has("shareable") or source.owner.has("shareable")]
    if shared:
        message = f'Fields on root level subscription object cannot be marked as shareable: "{coordinate}" is.'
        merging.add_error("INVALID_FIELD_SHARING", message, shared, coordinate)
