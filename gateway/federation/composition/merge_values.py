"""Merges enums and unions."""

from gateway.federation.composition.merge_directives import merge_common
from gateway.federation.composition.merge_state import MergedElement, MergedType, Merging
from gateway.federation.hints import name_subgraphs
from gateway.federation.subgraph import Element


def merge_union(merging: Merging, dest: MergedType) -> None:
    """Merges a union: it has every member that any subgraph gives it."""
    sources = merging.sources[dest.name]
    graphs_by_member: dict[str, list[str]] = {}
    for source in sources:
        for member in source.definition.members:
            graphs_by_member.setdefault(member, []).append(source.graph)
    dest.members = list(graphs_by_member)
    dest.join_members = [(source.graph, member) for source in sources for member in source.definition.members]
    for member, graphs in graphs_by_member.items():
        if len(graphs) < len(sources):
            missing = sorted(set(merging.list_graphs(dest.name)) - set(graphs))
            message = (
                f'Union type "{dest.name}" includes member type "{member}" in some but not all defining subgraphs: '
            )
            details = f"it is in {name_subgraphs(graphs)} but not in {name_subgraphs(missing)}."
            merging.add_hint("INCONSISTENT_UNION_MEMBER", message + details, (*graphs, *missing), dest.name)


def merge_enum(merging: Merging, dest: MergedType) -> None:
    """Merges an enum. Call it when all uses of the enum are known.

    As an output it has every value of any subgraph, as an input only common values. As both, all subgraphs must have
    the same values.
    """
    sources = merging.sources[dest.name]
    sources_by_value: dict[str, list[tuple[str, Element]]] = {}
    for source in sources:
        for value in source.definition.values.values():
            sources_by_value.setdefault(value.name, []).append((source.graph, value))
    is_input, is_output = dest.name in merging.used_as_input, dest.name in merging.used_as_output
    if not is_input and not is_output:
        message = f'Enum type "{dest.name}" is defined but unused. The supergraph has it with all its values.'
        merging.add_hint("UNUSED_ENUM_TYPE", message, merging.list_graphs(dest.name), dest.name)
    for name, rows in sources_by_value.items():
        merged = MergedElement(name)
        merge_common(merging, rows, merged, f"{dest.name}.{name}")
        if len(rows) == len(sources) or _decide_partial_value(merging, dest.name, merged, is_input, is_output):
            dest.values[name] = merged
    if not dest.values:
        message = (
            f'None of the values of enum type "{dest.name}" are defined consistently in all the subgraphs defining '
        )
        message += "that type. As only values common to all subgraphs are merged, this would result in an empty type."
        merging.add_error("EMPTY_MERGED_ENUM_TYPE", message, merging.list_graphs(dest.name), dest.name)


def _decide_partial_value(merging: Merging, enum: str, value: MergedElement, is_input: bool, is_output: bool) -> bool:
    """Returns whether to keep a value that some subgraphs lack; adds the error or hint about it.

    An `@inaccessible` value is always kept: clients cannot send it.
    """
    missing = sorted(set(merging.list_graphs(enum)) - set(value.graphs))
    details = f'"{value.name}" is defined in {name_subgraphs(value.graphs)} but not in {name_subgraphs(missing)}'
    graphs = (*value.graphs, *missing)
    if is_input and is_output:
        if not value.is_inaccessible:
            merging.add_error(
                "ENUM_VALUE_MISMATCH",
                f'Enum type "{enum}" is used as both input type (for example, as type of '
                f'"{merging.used_as_input[enum]}") and output type (for example, as type of '
                f'"{merging.used_as_output[enum]}"), but value "{value.name}" is not defined in all the subgraphs '
                f'defining "{enum}": {details}',
                graphs,
                f"{enum}.{value.name}",
            )
        return True
    if is_input:
        if not value.is_inaccessible:
            message = f'Value "{value.name}" of enum type "{enum}" will not be part of the supergraph as it is not '
            message += f"defined in all the subgraphs defining it: {details}"
            merging.add_hint("INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM", message, graphs, f"{enum}.{value.name}")
        return value.is_inaccessible
    message = f'Value "{value.name}" of enum type "{enum}" has been added to the supergraph but is only defined in a '
    at = f"{enum}.{value.name}"
    merging.add_hint(
        "INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM", f"{message}subset of the subgraphs: {details}", graphs, at
    )
    return True
