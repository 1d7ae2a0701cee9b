"""Merges the fields of objects and interfaces, their arguments, and the fields of input objects."""

from collections.abc import Iterator, Mapping, Sequence

from graphql import ValueNode

from gateway.federation.composition.agreement import agree_on_default, agree_on_type
from gateway.federation.composition.contexts import context_value
from gateway.federation.composition.merge_directives import merge_common
from gateway.federation.composition.merged import JoinField, MergedElement, MergedType, Merging, Source
from gateway.federation.composition.overrides import Overridden, overridden_in
from gateway.federation.composition.sharing import check_sharing, through_interface_objects
from gateway.federation.composition.values import canonical
from gateway.federation.directives import GUARDS
from gateway.federation.hints import in_subgraphs
from gateway.federation.supergraph import ContextArgument


def field_sources(merging: Merging, type_name: str) -> dict[str, list[Source]]:
    """Of each field of the type, in every subgraph that has it."""
    found: dict[str, list[Source]] = {}
    for member, definition in merging.sources[type_name]:
        for element in definition.fields.values():
            found.setdefault(element.name, []).append(Source(member, definition, element))
    return found


def merge_field(merging: Merging, dest_type: MergedType, name: str, sources: list[Source]) -> None:
    """Adds the field to the type, unless every subgraph says that another one resolves it."""
    coordinate = f"{dest_type.name}.{name}"
    resolving = [source for source in sources if not source.is_external]
    elsewhere = [] if resolving else through_interface_objects(merging, dest_type, name)
    if not resolving and not elsewhere:
        graphs = [source.graph for source in sources]
        message = f'Field "{coordinate}" is marked @external on all the subgraphs in which it is listed'
        merging.error("EXTERNAL_MISSING_ON_BASE", f"{message} ({in_subgraphs(graphs)}).", graphs, coordinate)
        return
    resolving = resolving or elsewhere
    dest = dest_type.fields[name] = MergedElement(name)
    lost = overridden_in(merging, coordinate, sources)
    merge_common(merging, [(source.graph, source.element) for source in resolving], dest, coordinate)
    dest.graphs = [source.graph for source in sources]
    has_equal_types = agree_on_type(merging, resolving, dest, ("field", coordinate), is_input=False)
    merging.used_as_output.setdefault(dest.named_type, coordinate)
    merge_arguments(merging, dest, resolving, coordinate)
    if any(source.is_external for source in sources):
        has_equal_types &= all(source.element.type == dest.type for source in sources)
        for source in sources:
            if source.is_external:
                _check_external(merging, source, dest, coordinate)
    check_sharing(merging, dest_type, name, sources, lost)
    type_count = len(merging.sources[dest_type.name])
    if lost or not has_equal_types or len(sources) < type_count or any(_is_special(source) for source in sources):
        dest.joins = [row for source in sources for row in _join_field(source, lost, has_equal_types)]


def merge_arguments(merging: Merging, dest: MergedElement, sources: Sequence[Source], coordinate: str) -> None:
    """An argument stays only where every subgraph that resolves the field has it, and takes it from no context."""
    found: dict[str, list[Source]] = {}
    for source in sources:
        for argument in source.element.arguments.values():
            found.setdefault(argument.name, []).append(Source(source.member, source.owner, argument))
    for name, rows in found.items():
        where = f"{coordinate}({name}:)"
        if any(row.element.has("fromContext") for row in rows):
            _check_contextual(merging, rows, where)
            continue
        if len(rows) < len(sources):
            _missing(merging, rows, sources, where, "argument")
            continue
        made = dest.arguments[name] = MergedElement(name)
        merge_common(merging, [(row.graph, row.element) for row in rows], made, where)
        agree_on_type(merging, rows, made, ("argument", where), is_input=True)
        agree_on_default(merging, rows, made, ("argument", where))
        merging.used_as_input.setdefault(made.named_type, where)


def _check_contextual(merging: Merging, rows: Sequence[Source], where: str) -> None:
    """Clients cannot give an argument that one subgraph takes from a context, so that no other may need it."""
    code = "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS"
    for row in rows:
        if row.element.has("fromContext"):
            continue
        if row.element.is_required:
            message = f'Argument "{where}" is contextual in some subgraph but required in subgraph "{row.graph}".'
            merging.error(code, message, (row.graph,), where)
        else:
            message = (
                f'Argument "{where}" will not be included in the supergraph since it is contextual in some subgraph.'
            )
            merging.hint(code, message, (row.graph,), where)


def _missing(merging: Merging, rows: Sequence[Source], sources: Sequence[Source], coordinate: str, kind: str) -> None:
    having = {row.graph for row in rows}
    required = [row.graph for row in rows if row.element.is_required]
    missing = [source.graph for source in sources if source.graph not in having]
    if required:
        what = "Argument" if kind == "argument" else "Input object field"
        code = "ARGUMENT" if kind == "argument" else "INPUT_FIELD"
        merging.error(
            f"REQUIRED_{code}_MISSING_IN_SOME_SUBGRAPH",
            f'{what} "{coordinate}" is required in some subgraphs but does not appear in all subgraphs: it is required '
            f"in {in_subgraphs(required)} but does not appear in {in_subgraphs(missing)}",
            (*required, *missing),
            coordinate,
        )
        return
    code = "INCONSISTENT_ARGUMENT_PRESENCE" if kind == "argument" else "INCONSISTENT_INPUT_OBJECT_FIELD"
    message = f'Optional {kind} "{coordinate}" will not be included in the supergraph as it does not appear in all '
    told = f"it is defined in {in_subgraphs(sorted(having))} but not in {in_subgraphs(missing)}"
    merging.hint(code, f"{message}subgraphs: {told}.", (*sorted(having), *missing), coordinate)


def _check_external(merging: Merging, source: Source, dest: MergedElement, coordinate: str) -> None:
    """What an external field declares must be what the others resolve."""
    graph, element = source.graph, source.element
    for directive in ("tag", "inaccessible", "deprecated", *GUARDS, "cost", "listSize"):
        if element.has(directive):
            message = f'[{graph}] Cannot apply merged directive @{directive} to external field "{coordinate}".'
            merging.error("MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL", message, (graph,), coordinate)
    if dest.type != element.type:
        message = (
            f'Type of field "{coordinate}" is incompatible across subgraphs (where marked @external): it has type '
        )
        message += f'"{dest.type}" in the supergraph but type "{element.type}" in subgraph "{graph}"'
        merging.error("EXTERNAL_TYPE_MISMATCH", message, (graph,), coordinate)
    for name, argument in dest.arguments.items():
        where = f"{coordinate}({name}:)"
        declared = element.arguments.get(name)
        if declared is None:
            message = f'Field "{coordinate}" is missing argument "{where}" in some subgraphs where it is marked '
            message += f'@external: the argument is not declared in subgraph "{graph}".'
            merging.error("EXTERNAL_ARGUMENT_MISSING", message, (graph,), coordinate)
        elif declared.type != argument.type:
            message = f'Type of argument "{where}" is incompatible across subgraphs (where "{coordinate}" is marked '
            message += f'@external): it has type "{argument.type}" but type "{declared.type}" in subgraph "{graph}"'
            merging.error("EXTERNAL_ARGUMENT_TYPE_MISMATCH", message, (graph,), coordinate)
        elif _told(declared.default) != _told(argument.default):
            message = f'Argument "{where}" has incompatible defaults across subgraphs (where "{coordinate}" is marked '
            message += f'@external in subgraph "{graph}").'
            merging.error("EXTERNAL_ARGUMENT_DEFAULT_MISMATCH", message, (graph,), coordinate)


def _told(default: ValueNode | None) -> str | None:
    return None if default is None else canonical(default)


def _is_special(source: Source) -> bool:
    if source.is_external or any(source.element.has(name) for name in ("requires", "provides", "override")):
        return True
    return any(argument.has("fromContext") for argument in source.element.arguments.values())


def _join_field(source: Source, lost: Mapping[str, Overridden], has_equal_types: bool) -> list[JoinField]:
    overridden = lost.get(source.graph)
    if overridden is not None and not overridden.is_used and overridden.label is None:
        return []
    override = next(iter(source.element.applied("override")), None)
    label = overridden and overridden.label
    if override is not None and str(override.arguments["from"]) in lost:
        label = override.arguments.get("label")
    return [
        JoinField(
            source.graph,
            requires=_fields(source, "requires"),
            provides=_fields(source, "provides"),
            type=None if has_equal_types else source.element.type,
            external=source.is_external,
            override=None if override is None else override.arguments["from"],
            used_overridden=overridden is not None and overridden.is_used,
            override_label=label or None,
            context_arguments=tuple(_context_arguments(source)),
        )
    ]


def _context_arguments(source: Source) -> Iterator[ContextArgument]:
    for argument in source.element.arguments.values():
        value = context_value(argument)
        if value is not None:
            yield ContextArgument(f"{source.graph}__{value.context}", argument.name, argument.type, value.selection)


def _fields(source: Source, directive: str) -> str | None:
    return next((str(applied.arguments["fields"]) for applied in source.element.applied(directive)), None)


def merge_input_field(merging: Merging, dest_type: MergedType, name: str, sources: list[Source]) -> None:
    """An input field stays only where every subgraph that has the input object has it."""
    coordinate = f"{dest_type.name}.{name}"
    of_type = merging.sources[dest_type.name]
    if len(sources) < len(of_type):
        owners = [Source(member, definition, definition) for member, definition in of_type]
        _missing(merging, sources, owners, coordinate, "input field")
        return
    made = dest_type.fields[name] = MergedElement(name)
    merge_common(merging, [(source.graph, source.element) for source in sources], made, coordinate)
    if not agree_on_type(merging, sources, made, ("input field", coordinate), is_input=True):
        made.joins = [JoinField(source.graph, type=source.element.type) for source in sources]
    agree_on_default(merging, sources, made, ("input field", coordinate))
    merging.used_as_input.setdefault(made.named_type, coordinate)
