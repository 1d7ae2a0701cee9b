"""Merges the fields of objects and interfaces, their arguments, and the fields of input objects."""

from collections.abc import Iterator, Mapping, Sequence

from graphql import ValueNode

from gateway.federation.composition.agreement import agree_on_default, agree_on_type
from gateway.federation.composition.contexts import read_context_value
from gateway.federation.composition.merge_directives import merge_common
from gateway.federation.composition.merge_state import ElementSource, JoinField, MergedElement, MergedType, Merging
from gateway.federation.composition.overrides import OverriddenField, find_overridden_fields
from gateway.federation.composition.sharing import check_sharing, find_interface_object_sources
from gateway.federation.composition.values import print_canonical
from gateway.federation.directives import GUARDS
from gateway.federation.hints import name_subgraphs
from gateway.federation.supergraph import ContextArgument


def collect_field_sources(merging: Merging, type_name: str) -> dict[str, list[ElementSource]]:
    """Returns, for each field of the type, its definition in every subgraph that has it."""
    sources: dict[str, list[ElementSource]] = {}
    for member, definition in merging.sources[type_name]:
        for element in definition.fields.values():
            sources.setdefault(element.name, []).append(ElementSource(member, definition, element))
    return sources


def merge_field(merging: Merging, dest_type: MergedType, name: str, sources: list[ElementSource]) -> None:
    """Adds the field to the type; adds an error if every subgraph marks it `@external`."""
    coordinate = f"{dest_type.name}.{name}"
    resolving = [source for source in sources if not source.is_external]
    # An external field may also be resolved by an interface object, for every implementation of the interface.
    elsewhere = [] if resolving else find_interface_object_sources(merging, dest_type, name)
    if not resolving and not elsewhere:
        graphs = [source.graph for source in sources]
        message = f'Field "{coordinate}" is marked @external on all the subgraphs in which it is listed'
        merging.add_error("EXTERNAL_MISSING_ON_BASE", f"{message} ({name_subgraphs(graphs)}).", graphs, coordinate)
        return
    resolving = resolving or elsewhere
    dest = dest_type.fields[name] = MergedElement(name)
    overridden = find_overridden_fields(merging, coordinate, sources)
    merge_common(merging, [(source.graph, source.element) for source in resolving], dest, coordinate)
    # merge_common sets the subgraphs that resolve the field; hints also name those where it is external.
    dest.graphs = [source.graph for source in sources]
    has_equal_types = agree_on_type(merging, resolving, dest, ("field", coordinate), is_input=False)
    merging.used_as_output.setdefault(dest.named_type, coordinate)
    merge_arguments(merging, dest, resolving, coordinate)
    if any(source.is_external for source in sources):
        has_equal_types &= all(source.element.type == dest.type for source in sources)
        for source in sources:
            if source.is_external:
                _check_external(merging, source, dest, coordinate)
    check_sharing(merging, dest_type, name, sources, overridden)
    type_count = len(merging.sources[dest_type.name])
    # @join__field is left out where it would say nothing: every subgraph has the field, and has it the same.
    if overridden or not has_equal_types or len(sources) < type_count or any(_is_special(source) for source in sources):
        dest.joins = [row for source in sources for row in _build_join_fields(source, overridden, has_equal_types)]


def merge_arguments(merging: Merging, dest: MergedElement, sources: Sequence[ElementSource], coordinate: str) -> None:
    """Keeps an argument if every subgraph that resolves the field has it, and none takes it from a context."""
    arguments: dict[str, list[ElementSource]] = {}
    for source in sources:
        for argument in source.element.arguments.values():
            arguments.setdefault(argument.name, []).append(ElementSource(source.member, source.owner, argument))
    for name, rows in arguments.items():
        where = f"{coordinate}({name}:)"
        if any(row.element.has("fromContext") for row in rows):
            _check_contextual(merging, rows, where)
            continue
        if len(rows) < len(sources):
            _report_missing(merging, rows, sources, where, "argument")
            continue
        merged = dest.arguments[name] = MergedElement(name)
        merge_common(merging, [(row.graph, row.element) for row in rows], merged, where)
        agree_on_type(merging, rows, merged, ("argument", where), is_input=True)
        agree_on_default(merging, rows, merged, ("argument", where))
        merging.used_as_input.setdefault(merged.named_type, where)


def _check_contextual(merging: Merging, rows: Sequence[ElementSource], where: str) -> None:
    """Adds errors and hints: clients cannot give an argument with `@fromContext`, so no other subgraph may need it."""
    code = "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS"
    for row in rows:
        if row.element.has("fromContext"):
            continue
        if row.element.is_required:
            message = f'Argument "{where}" is contextual in some subgraph but required in subgraph "{row.graph}".'
            merging.add_error(code, message, (row.graph,), where)
        else:
            message = (
                f'Argument "{where}" will not be included in the supergraph since it is contextual in some subgraph.'
            )
            merging.add_hint(code, message, (row.graph,), where)


def _report_missing(
    merging: Merging, rows: Sequence[ElementSource], sources: Sequence[ElementSource], coordinate: str, kind: str
) -> None:
    """Adds an error or hint for an argument or input field that some of `sources` lack; `rows` have it."""
    having = {row.graph for row in rows}
    required = [row.graph for row in rows if row.element.is_required]
    missing = [source.graph for source in sources if source.graph not in having]
    if required:
        described = "Argument" if kind == "argument" else "Input object field"
        code = "ARGUMENT" if kind == "argument" else "INPUT_FIELD"
        merging.add_error(
            f"REQUIRED_{code}_MISSING_IN_SOME_SUBGRAPH",
            f'{described} "{coordinate}" is required in some subgraphs but does not appear in all subgraphs: '
            f"it is required in {name_subgraphs(required)} but does not appear in {name_subgraphs(missing)}",
            (*required, *missing),
            coordinate,
        )
        return
    code = "INCONSISTENT_ARGUMENT_PRESENCE" if kind == "argument" else "INCONSISTENT_INPUT_OBJECT_FIELD"
    message = f'Optional {kind} "{coordinate}" will not be included in the supergraph as it does not appear in all '
    details = f"it is defined in {name_subgraphs(sorted(having))} but not in {name_subgraphs(missing)}"
    merging.add_hint(code, f"{message}subgraphs: {details}.", (*sorted(having), *missing), coordinate)


def _check_external(merging: Merging, source: ElementSource, dest: MergedElement, coordinate: str) -> None:
    """Checks that an external field has the type, arguments and defaults of the field that others resolve."""
    graph, element = source.graph, source.element
    for directive in ("tag", "inaccessible", "deprecated", *GUARDS, "cost", "listSize"):
        if element.has(directive):
            message = f'[{graph}] Cannot apply merged directive @{directive} to external field "{coordinate}".'
            merging.add_error("MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL", message, (graph,), coordinate)
    if dest.type != element.type:
        message = (
            f'Type of field "{coordinate}" is incompatible across subgraphs (where marked @external): it has type '
        )
        message += f'"{dest.type}" in the supergraph but type "{element.type}" in subgraph "{graph}"'
        merging.add_error("EXTERNAL_TYPE_MISMATCH", message, (graph,), coordinate)
    for name, argument in dest.arguments.items():
        where = f"{coordinate}({name}:)"
        declared = element.arguments.get(name)
        if declared is None:
            message = f'Field "{coordinate}" is missing argument "{where}" in some subgraphs where it is marked '
            message += f'@external: the argument is not declared in subgraph "{graph}".'
            merging.add_error("EXTERNAL_ARGUMENT_MISSING", message, (graph,), coordinate)
        elif declared.type != argument.type:
            message = f'Type of argument "{where}" is incompatible across subgraphs (where "{coordinate}" is marked '
            message += f'@external): it has type "{argument.type}" but type "{declared.type}" in subgraph "{graph}"'
            merging.add_error("EXTERNAL_ARGUMENT_TYPE_MISMATCH", message, (graph,), coordinate)
        elif _print_default(declared.default) != _print_default(argument.default):
            message = f'Argument "{where}" has incompatible defaults across subgraphs (where "{coordinate}" is marked '
            message += f'@external in subgraph "{graph}").'
            merging.add_error("EXTERNAL_ARGUMENT_DEFAULT_MISMATCH", message, (graph,), coordinate)


def _print_default(default: ValueNode | None) -> str | None:
    return None if default is None else print_canonical(default)


def _is_special(source: ElementSource) -> bool:
    """Whether the field has something that only a `@join__field` can say."""
    if source.is_external or any(source.element.has(name) for name in ("requires", "provides", "override")):
        return True
    return any(argument.has("fromContext") for argument in source.element.arguments.values())


def _build_join_fields(
    source: ElementSource, overridden: Mapping[str, OverriddenField], has_equal_types: bool
) -> list[JoinField]:
    """Returns the field's `@join__field`; none where another subgraph has taken over a field that is not used here."""
    own = overridden.get(source.graph)
    if own is not None and not own.is_used and own.label is None:
        return []
    override = next(iter(source.element.list_applied("override")), None)
    label = own and own.label
    if override is not None and str(override.arguments["from"]) in overridden:
        label = override.arguments.get("label")
    return [
        JoinField(
            source.graph,
            requires=_read_fields(source, "requires"),
            provides=_read_fields(source, "provides"),
            type=None if has_equal_types else source.element.type,
            external=source.is_external,
            override=None if override is None else override.arguments["from"],
            used_overridden=own is not None and own.is_used,
            override_label=label or None,
            context_arguments=tuple(_build_context_arguments(source)),
        )
    ]


def _build_context_arguments(source: ElementSource) -> Iterator[ContextArgument]:
    for argument in source.element.arguments.values():
        value = read_context_value(argument)
        if value is not None:
            yield ContextArgument(f"{source.graph}__{value.context}", argument.name, argument.type, value.selection)


def _read_fields(source: ElementSource, directive: str) -> str | None:
    return next((str(applied.arguments["fields"]) for applied in source.element.list_applied(directive)), None)


def merge_input_field(merging: Merging, dest_type: MergedType, name: str, sources: list[ElementSource]) -> None:
    """Keeps an input field if every subgraph that has the input object has it."""
    coordinate = f"{dest_type.name}.{name}"
    of_type = merging.sources[dest_type.name]
    if len(sources) < len(of_type):
        owners = [ElementSource(member, definition, definition) for member, definition in of_type]
        _report_missing(merging, sources, owners, coordinate, "input field")
        return
    merged = dest_type.fields[name] = MergedElement(name)
    merge_common(merging, [(source.graph, source.element) for source in sources], merged, coordinate)
    if not agree_on_type(merging, sources, merged, ("input field", coordinate), is_input=True):
        merged.joins = [JoinField(source.graph, type=source.element.type) for source in sources]
    agree_on_default(merging, sources, merged, ("input field", coordinate))
    merging.used_as_input.setdefault(merged.named_type, coordinate)
