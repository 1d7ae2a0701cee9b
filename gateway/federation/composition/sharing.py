"""Whether a field that several subgraphs resolve may be: all must say `@shareable`."""

from collections.abc import Mapping, Sequence

from gateway.federation.composition.merged import MergedType, Merging, Source
from gateway.federation.composition.overrides import Overridden
from gateway.federation.hints import human_list, in_subgraphs


def check_sharing(
    merging: Merging, dest: MergedType, name: str, sources: Sequence[Source], lost: Mapping[str, Overridden]
) -> None:
    """Fields of interfaces are nobody's; a field that an interface object adds is its subgraph's."""
    if dest.kind != "OBJECT":
        return
    coordinate = f"{dest.name}.{name}"
    if dest.name == "Subscription":
        _check_subscription(merging, coordinate, sources)
    resolving = [source for source in sources if source.is_resolved and source.graph not in lost]
    resolving += through_interface_objects(merging, dest, name)
    if len(resolving) < 2:
        return
    exclusive = [source.graph for source in resolving if source.coordinate not in source.member.roles.shareable]
    if not exclusive:
        return
    graphs = [source.graph for source in resolving]
    where = "all of them" if len(exclusive) == len(graphs) else in_subgraphs(exclusive)
    merging.error(
        "INVALID_FIELD_SHARING",
        f'Non-shareable field "{coordinate}" is resolved from multiple subgraphs: it is resolved from subgraphs '
        f"{human_list(graphs)} and defined as non-shareable in {where}",
        graphs,
        coordinate,
    )


def through_interface_objects(merging: Merging, dest: MergedType, name: str) -> list[Source]:
    """Where the field of an object is resolved for the interfaces that it implements."""
    return [
        Source(row.member, row.definition, row.definition.fields[name])
        for interface in dest.interfaces
        for row in merging.interface_objects.get(interface, ())
        if name in row.definition.fields
        if row.member.roles.is_resolved((interface, name))
    ]


def _check_subscription(merging: Merging, coordinate: str, sources: Sequence[Source]) -> None:
    shared = [source.graph for source in sources if source.element.has("shareable") or source.owner.has("shareable")]
    if shared:
        message = f'Fields on root level subscription object cannot be marked as shareable: "{coordinate}" is.'
        merging.error("INVALID_FIELD_SHARING", message, shared, coordinate)
