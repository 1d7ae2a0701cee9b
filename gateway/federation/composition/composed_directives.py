"""Directive definitions that go into the supergraph: executable ones common to all, and those that are composed."""

from typing import Final

from graphql import DirectiveDefinitionNode, NameNode, print_ast

from gateway.federation.composition.merged import Member, Merging
from gateway.federation.directives import DIRECTIVES, FEDERATION, LINK, Link
from gateway.federation.hints import in_subgraphs

_EXECUTABLE: Final = frozenset(
    {"QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"}
    | {"VARIABLE_DEFINITION"}
)


def merge_directive_definitions(merging: Merging) -> None:
    """To be called first: the merging of elements asks which of their directives are composed."""
    found: dict[str, list[tuple[Member, DirectiveDefinitionNode]]] = {}
    for member in merging.members:
        for name, definition in member.schema.directive_definitions.items():
            found.setdefault(name, []).append((member, definition))
        for argument in member.schema.composed_directives:
            _compose(merging, member, argument)
    for name, rows in sorted(found.items()):
        if name in merging.composed:
            composing = [row for row in rows if f"@{name}" in row[0].schema.composed_directives]
            merging.directive_definitions.append(composing[0][1])
        elif any(_executable(definition) for _, definition in rows):
            _merge_executable(merging, name, rows)


def _compose(merging: Merging, member: Member, argument: str) -> None:
    """Apollo's rules: an argument with `@`, of a directive defined here, that a linked specification names."""
    name = argument.removeprefix("@")
    link = next((row for row in member.schema.linked.links if _names(row, argument)), None)
    refusal = None
    if not argument.startswith("@"):
        refusal = f'Argument to @composeDirective "{argument}" must have a leading "@"'
    elif name not in member.schema.directive_definitions:
        if member.schema.linked.names.get(name) in DIRECTIVES:
            refusal = f'Directive "@{name}" is a federation directive, which @composeDirective cannot compose'
        else:
            refusal = f'Could not find matching directive definition for argument to @composeDirective "{argument}"'
    elif link is None or link.identity in (FEDERATION, LINK):
        refusal = f'Directive "{argument}" in subgraph "{member.name}" cannot be composed because it is not a member '
        refusal += "of a core feature"
    if refusal is not None:
        merging.error("DIRECTIVE_COMPOSITION_ERROR", f"{refusal} (in subgraph {member.name}).", (member.name,))
        return
    known = merging.composed.get(name)
    if link is not None and (known is None or link.version > known.version):
        if known is not None and (known.identity != link.identity or known.version[0] != link.version[0]):
            message = f'Composed directive "{argument}" is linked from "{known.url}" and from "{link.url}".'
            merging.error("DIRECTIVE_COMPOSITION_ERROR", message, (member.name,))
        merging.composed[name] = link


def _names(link: Link, argument: str) -> bool:
    name = argument.removeprefix("@")
    return argument in link.imports or name == link.name or name.startswith(f"{link.name}__")


def _executable(definition: DirectiveDefinitionNode) -> list[str]:
    return [location.value for location in definition.locations if location.value in _EXECUTABLE]


def _merge_executable(merging: Merging, name: str, rows: list[tuple[Member, DirectiveDefinitionNode]]) -> None:
    """Clients may use it only where every subgraph understands it."""
    graphs = [member.name for member, _ in rows]
    if len(rows) < len(merging.members):
        missing = [member.name for member in merging.members if member.name not in graphs]
        message = f'Executable directive "@{name}" will not be part of the supergraph as it does not appear in all '
        told = f"subgraphs: it is defined in {in_subgraphs(graphs)} but not in {in_subgraphs(missing)}."
        merging.hint("INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE", message + told, graphs)
        return
    common = set.intersection(*(set(_executable(definition)) for _, definition in rows))
    first = rows[0][1]
    if len({print_ast(definition) for _, definition in rows}) > 1:
        message = f'Executable directive "@{name}" has inconsistent definitions: what is common to all is used.'
        merging.hint("INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS", message, graphs)
    if common:
        merging.directive_definitions.append(
            DirectiveDefinitionNode(
                name=first.name,
                description=first.description,
                arguments=tuple(
                    argument
                    for argument in first.arguments or ()
                    if all(argument in (definition.arguments or ()) for _, definition in rows)
                ),
                repeatable=all(definition.repeatable for _, definition in rows),
                locations=tuple(NameNode(value=location) for location in sorted(common)),
            )
        )
