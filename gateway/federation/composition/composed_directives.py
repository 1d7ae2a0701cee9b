"""Merges directive definitions: executable directives that all subgraphs define, and `@composeDirective`'s."""

from collections.abc import Iterator
from typing import Final

from gateway.federation.api_schema import EXECUTABLE_LOCATIONS
from gateway.federation.composition.merge_directives import merge_common
from gateway.federation.composition.merge_fields import merge_arguments
from gateway.federation.composition.merge_state import ElementSource, Member, MergedDirective, Merging
from gateway.federation.directives import DIRECTIVES, MERGED_DIRECTIVES
from gateway.federation.hints import CodedMessage, name_subgraphs
from gateway.federation.links import FEDERATION, LINK, Link
from gateway.federation.subgraph import TypeDefinition, read_element

_ERROR: Final = "DIRECTIVE_COMPOSITION_ERROR"


def choose_composed_directives(merging: Merging) -> None:
    """Fills `merging.composed` with the directives of `@composeDirective`; merged elements then keep them."""
    for member in merging.members:
        for argument in member.schema.composed_directives:
            _choose_directive(merging, member, argument)
    _compare_links(merging)


def _choose_directive(merging: Merging, member: Member, argument: str) -> None:
    """Adds a directive to `merging.composed`, or an error. Of several minor versions the newest link wins."""
    name = argument.removeprefix("@")
    link = next((row for row in member.schema.links.entries if _has_directive(row, argument)), None)
    if _is_composed_by_default(member, name) and name not in member.schema.directive_definitions:
        message = f'Directive "{argument}" in subgraph "{member.name}" is composed by default: no need to ask for it.'
        merging.add_hint("DIRECTIVE_COMPOSITION_INFO", message, (member.name,), "schema")
        return
    refusal = _explain_refusal(merging, member, argument, link)
    if refusal is not None or link is None:
        merging.add_error(_ERROR, f'{refusal} (in subgraph "{member.name}").', (member.name,), "schema")
        return
    known = merging.composed.get(name)
    if known is not None and (known.identity != link.identity or known.version[0] != link.version[0]):
        message = f'Composed directive "{argument}" is linked from "{known.url}" and from "{link.url}".'
        merging.add_error(_ERROR, message, (member.name,), "schema")
    elif known is None or link.version > known.version:
        merging.composed[name] = link


def _is_composed_by_default(member: Member, name: str) -> bool:
    specified = member.schema.links.names.get(name)
    return specified in MERGED_DIRECTIVES and specified in DIRECTIVES


def _explain_refusal(merging: Merging, member: Member, argument: str, link: Link | None) -> str | None:
    """Returns why the argument is not valid, by Apollo's rules.

    It must begin with `@` and name a directive that this subgraph defines and that a linked specification contains.
    """
    name = argument.removeprefix("@")
    if not argument:
        return "The argument to @composeDirective cannot be null or empty"
    if not argument.startswith("@"):
        return f'Argument to @composeDirective "{argument}" must have a leading "@"'
    if name not in member.schema.directive_definitions:
        if member.schema.links.names.get(name) in DIRECTIVES:
            return f'Directive "@{name}" is a federation directive, which @composeDirective cannot compose'
        return f'Could not find matching directive definition for argument to @composeDirective "{argument}"'
    if link is None or link.identity in (FEDERATION, LINK):
        return f'Directive "{argument}" cannot be composed because it is not a member of a core feature'
    using = [other.name for other in merging.members if _is_composed_by_default(other, name)]
    if using:
        return f'Directive "{argument}" conflicts with federation\'s directive of that name in {name_subgraphs(using)}'
    return None


def _has_directive(link: Link, argument: str) -> bool:
    """Whether the linked specification contains the directive, by an import or by a name such as `audit__log`."""
    name = argument.removeprefix("@")
    return argument in link.imports or name == link.name or name.startswith(f"{link.name}__")


def _compare_links(merging: Merging) -> None:
    """Compares links between subgraphs: one local name for a composed directive, one major version for a link."""
    majors: dict[str, dict[int, list[str]]] = {}
    for member in merging.members:
        for link in member.schema.links.entries:
            if link.identity not in (FEDERATION, LINK):
                majors.setdefault(link.identity, {}).setdefault(link.version[0], []).append(member.name)
            for name, composed in merging.composed.items():
                if link.identity == composed.identity and _find_local_name(link, composed, name) not in (None, name):
                    _report_name_mismatch(merging, member, name, link)
    for identity, versions in majors.items():
        if len(versions) > 1:
            message = f'Core feature "{identity}" has major version mismatch across subgraphs.'
            graphs = [graph for rows in versions.values() for graph in rows]
            merging.add_hint("DIRECTIVE_COMPOSITION_INFO", message, graphs, "schema")


def _find_local_name(link: Link, composed: Link, name: str) -> str | None:
    """Returns the link's local name for the directive that `composed` imports as `name`; None without an import."""
    imported = composed.imports.get(f"@{name}")
    return next((local.removeprefix("@") for local, element in link.imports.items() if element == imported), None)


def _report_name_mismatch(merging: Merging, member: Member, name: str, link: Link) -> None:
    """Adds an error if the subgraph composes an element of the link itself, else a hint."""
    is_composing = any(f"@{local.removeprefix('@')}" in member.schema.composed_directives for local in link.imports)
    message = f'Composed directive "@{name}" is named differently in subgraph "{member.name}".'
    if is_composing:
        merging.add_error(_ERROR, message, (member.name,), "schema")
    else:
        merging.add_hint(
            "DIRECTIVE_COMPOSITION_WARN", f"{message} The same name is needed to export it.", (member.name,)
        )


def merge_directive_definitions(merging: Merging) -> None:
    """Merges definitions. Call it after all types are added and before enums merge: arguments use enums as input."""
    definitions: dict[str, list[ElementSource]] = {}
    for member in merging.members:
        for name, node in member.schema.directive_definitions.items():
            element = read_element(node, member.schema.links)
            definitions.setdefault(name, []).append(ElementSource(member, TypeDefinition(f"@{name}"), element))
    for name, rows in sorted(definitions.items()):
        if name in merging.composed:
            # The definition of a subgraph that links the chosen version; subgraphs are in the order of their names.
            composing = [
                row for row in rows if any(link.url == merging.composed[name].url for link in _list_links(row.member))
            ]
            _add_definition(merging, name, (composing or rows)[:1], is_composed=True)
        elif any(_find_executable_locations(row) for row in rows):
            _merge_executable(merging, name, rows)


def _list_links(member: Member) -> tuple[Link, ...]:
    return member.schema.links.entries


def _find_executable_locations(row: ElementSource) -> set[str]:
    node = row.member.schema.directive_definitions[row.element.name]
    return {location.value for location in node.locations} & EXECUTABLE_LOCATIONS


def _merge_executable(merging: Merging, name: str, rows: list[ElementSource]) -> None:
    """Adds an executable directive if every subgraph defines it, for the locations that all of them allow."""
    for code, message in _check_consistency(merging, name, rows):
        merging.add_hint(code, message, [row.graph for row in rows], f"@{name}")
    if len(rows) == len(merging.members) and set.intersection(*(_find_executable_locations(row) for row in rows)):
        _add_definition(merging, name, rows, is_composed=False)


def _check_consistency(merging: Merging, name: str, rows: list[ElementSource]) -> Iterator[CodedMessage]:
    """Yields a hint for each difference between the subgraphs' definitions."""
    graphs = [row.graph for row in rows]
    if len(rows) < len(merging.members):
        missing = [member.name for member in merging.members if member.name not in graphs]
        message = f'Executable directive "@{name}" will not be part of the supergraph as it does not appear in all '
        details = f"subgraphs: it is defined in {name_subgraphs(graphs)} but not in {name_subgraphs(missing)}."
        yield "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE", message + details
        return
    locations = [_find_executable_locations(row) for row in rows]
    if not set.intersection(*locations):
        message = f'Executable directive "@{name}" has no location that is common to all subgraphs.'
        yield "NO_EXECUTABLE_DIRECTIVE_INTERSECTION", f"{message} It will not be part of the supergraph."
        return
    if any(row != locations[0] for row in locations):
        message = f'Executable directive "@{name}" has inconsistent locations: those common to all are used.'
        yield "INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS", message
    if len({_is_repeatable(row) for row in rows}) > 1:
        message = (
            f'Executable directive "@{name}" will not be repeatable in the supergraph: it is not in all subgraphs.'
        )
        yield "INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE", message


def _is_repeatable(row: ElementSource) -> bool:
    return row.member.schema.directive_definitions[row.element.name].repeatable


def _add_definition(merging: Merging, name: str, rows: list[ElementSource], *, is_composed: bool) -> None:
    definition = MergedDirective(name, is_composed=is_composed, is_repeatable=all(_is_repeatable(row) for row in rows))
    merge_common(merging, [(row.graph, row.element) for row in rows], definition, f"@{name}")
    merge_arguments(merging, definition, rows, f"@{name}")
    if is_composed:
        node = rows[0].member.schema.directive_definitions[name]
        definition.locations = tuple(location.value for location in node.locations)
    else:
        definition.locations = tuple(sorted(set.intersection(*(_find_executable_locations(row) for row in rows))))
    merging.directives.append(definition)
