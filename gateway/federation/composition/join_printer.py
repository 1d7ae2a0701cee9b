"""Prints merged definitions as a supergraph's SDL in the join specification, v0.3 to v0.5."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from graphql import print_ast

from gateway.federation.composition.definitions import build_directive_node
from gateway.federation.composition.merge_directives import quote_string
from gateway.federation.composition.merge_state import JoinField, JoinType, MergedElement, MergedType, Merging
from gateway.federation.directives import DIRECTIVES
from gateway.federation.subgraph import ROOTS, SPECIFIED_SCALARS

_JOIN: Final = """\
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE

directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, \
external: Boolean, override: String, usedOverridden: Boolean{more}) repeatable on \
FIELD_DEFINITION | INPUT_FIELD_DEFINITION

directive @join__graph(name: String!, url: String!) on ENUM_VALUE

directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE

directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, \
resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on \
OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR

directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION

directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA

scalar join__FieldSet

scalar link__Import

enum link__Purpose {
  SECURITY
  EXECUTION
}"""
_LABEL: Final = ", overrideLabel: String"
_CONTEXTS: Final = ", contextArguments: [join__ContextArgument!]"
_CONTEXT_INPUT: Final = """\
scalar join__FieldValue

input join__ContextArgument {
  name: String!
  type: String!
  context: String!
  selection: join__FieldValue!
}"""
_FEATURES: Final = {
    "inaccessible": 'inaccessible/v0.2", for: SECURITY',
    "tag": 'tag/v0.3"',
    "authenticated": 'authenticated/v0.1", for: SECURITY',
    "requiresScopes": 'requiresScopes/v0.1", for: SECURITY',
    "policy": 'policy/v0.1", for: SECURITY',
    "cost": 'cost/v0.1", import: ["@cost", "@listSize"]',
    "context": 'context/v0.1", for: SECURITY',
}
"""The end of each specification's `@link`, by the directive that it defines."""
_FEATURE_OF: Final = {"listSize": "cost"}
_SCALARS_OF: Final = {"requiresScopes": "Scope", "policy": "Policy"}
_KEYWORDS: Final = {"OBJECT": "type", "INTERFACE": "interface", "INPUT_OBJECT": "input", "ENUM": "enum"}


def print_supergraph(merging: Merging) -> str:
    """Returns the SDL, in the oldest version of the join specification that can express it.

    v0.3, v0.4 where an override has a label, v0.5 where a context is set: old routers can read most supergraphs.
    """
    graphs = name_graphs(member.name for member in merging.members)
    used = _find_used_directives(merging)
    links = [
        f"@link(url: {quote_string(link.url)}, import: [{quote_string('@' + name)}]"
        + (f", for: {link.purpose})" if link.purpose else ")")
        for name, link in sorted(merging.composed.items())
    ]
    roots = "\n".join(f"  {operation}: {name}" for operation, name in ROOTS.items() if name in merging.types)
    joins = [join for dest in merging.types.values() for row in dest.fields.values() for join in row.joins]
    has_contexts = "context" in used
    has_labels = has_contexts or any(join.override_label for join in joins)
    version = "v0.5" if has_contexts else "v0.4" if has_labels else "v0.3"
    header = [
        '@link(url: "https://specs.apollo.dev/link/v1.0")',
        f'@link(url: "https://specs.apollo.dev/join/{version}", for: EXECUTION)',
        *(
            f'@link(url: "https://specs.apollo.dev/{ending})'
            for name, ending in _FEATURES.items()
            if any(_FEATURE_OF.get(directive, directive) == name for directive in used)
        ),
        *links,
    ]
    subgraphs = "\n".join(
        f"  {graphs[member.name]} "
        f"@join__graph(name: {quote_string(member.name)}, url: {quote_string(member.schema.url)})"
        for member in merging.members
    )
    return (
        "\n\n".join(
            [
                "schema\n  " + "\n  ".join(header) + f"\n{{\n{roots}\n}}",
                _JOIN.replace("{more}", (_LABEL if has_labels else "") + (_CONTEXTS if has_contexts else "")),
                *([_CONTEXT_INPUT] if has_contexts else []),
                f"enum join__Graph {{\n{subgraphs}\n}}",
                *_print_definitions(merging, used, graphs),
            ]
        )
        + "\n"
    )


def list_features(merging: Merging) -> tuple[dict[str, str], ...]:
    """Returns `url` and `for` of the linked features that a router must enforce, as the SDL names them."""
    used = {_FEATURE_OF.get(directive, directive) for directive in _find_used_directives(merging)}
    return tuple(
        {"url": f"https://specs.apollo.dev/{ending.split(chr(34))[0]}", "for": "SECURITY"}
        for name, ending in _FEATURES.items()
        if name in used and ending.endswith("SECURITY")
    ) + tuple({"url": link.url, "for": link.purpose} for link in merging.composed.values() if link.purpose)


def name_graphs(names: Iterable[str]) -> dict[str, str]:
    """Returns the value of the enum `join__Graph` for each subgraph name.

    # "public-works", "public_works" → PUBLIC_WORKS, PUBLIC_WORKS_2
    """
    values: dict[str, str] = {}
    taken: dict[str, int] = {}
    for name in names:
        cleaned = re.sub(r"\W", "_", name, flags=re.ASCII).upper()
        if not cleaned or cleaned[0].isdigit():
            cleaned = f"_{cleaned}"
        taken[cleaned] = taken.get(cleaned, 0) + 1
        values[name] = cleaned if taken[cleaned] == 1 else f"{cleaned}_{taken[cleaned]}"
    return values


def _print_definitions(merging: Merging, used: set[str], graphs: Mapping[str, str]) -> Iterator[str]:
    """Yields definitions of the applied directives, of their scalars, of the graph's own directives, and of types."""
    for name in sorted(used & DIRECTIVES.keys()):
        # Each specification has its own scalars: federation__Scope is requiresScopes__Scope there.
        signature = re.sub(r"federation__(\w+)", rf"{name}__\1", DIRECTIVES[name].signature)
        yield f"directive @{name}{signature}".replace(" | SCHEMA", "")
    for name in sorted(used & _SCALARS_OF.keys()):
        yield f"scalar {name}__{_SCALARS_OF[name]}"
    for directive in merging.directives:
        yield print_ast(build_directive_node(directive))
    for dest in merging.types.values():
        if dest.name not in SPECIFIED_SCALARS:
            yield _print_type(dest, graphs)


def _find_used_directives(merging: Merging) -> set[str]:
    """Returns the names of directives that are applied in the supergraph."""
    return {
        directive.name.value
        for dest in merging.types.values()
        for element in dest.list_elements()
        for directive in element.directives
    }


def _print_type(dest: MergedType, graphs: Mapping[str, str]) -> str:
    applied = [*_print_type_joins(dest, graphs)]
    applied += [print_ast(directive) for directive in dest.directives]
    directives = "".join(f"\n  {row}" for row in applied)
    described = _print_description(dest, "")
    if dest.kind == "SCALAR":
        return f"{described}scalar {dest.name}{directives}"
    if dest.kind == "UNION":
        return f"{described}union {dest.name}{directives}\n  = {' | '.join(dest.members)}"
    implements = f" implements {' & '.join(dest.interfaces)}" if dest.interfaces else ""
    if dest.kind == "ENUM":
        lines = [_print_value(value, dest, graphs) for value in dest.values.values()]
    else:
        lines = [_print_field(field, graphs) for field in dest.fields.values()]
    body = "\n".join(lines)
    return f"{described}{_KEYWORDS[dest.kind]} {dest.name}{implements}{directives}\n{{\n{body}\n}}"


def _print_type_joins(dest: MergedType, graphs: Mapping[str, str]) -> Iterator[str]:
    for graph, interface in dest.join_implements:
        yield f'@join__implements(graph: {graphs[graph]}, interface: "{interface}")'
    for join in dest.join_types:
        yield f"@join__type({_print_join_type_arguments(join, graphs)})"
    for graph, member in dest.join_members:
        yield f'@join__unionMember(graph: {graphs[graph]}, member: "{member}")'


def _print_join_type_arguments(join: JoinType, graphs: Mapping[str, str]) -> str:
    rows = [f"graph: {graphs[join.graph]}"]
    if join.key is not None:
        rows.append(f"key: {quote_string(join.key)}")
    if join.extension:
        rows.append("extension: true")
    if not join.resolvable:
        rows.append("resolvable: false")
    if join.is_interface_object:
        rows.append("isInterfaceObject: true")
    return ", ".join(rows)


def _print_value(value: MergedElement, dest: MergedType, graphs: Mapping[str, str]) -> str:
    applied = [f"@join__enumValue(graph: {graphs[graph]})" for graph in value.graphs]
    return f"{_print_description(value, '  ')}  {value.name}{_print_directives(value)}" + "".join(
        f" {row}" for row in applied
    )


def _print_field(field: MergedElement, graphs: Mapping[str, str]) -> str:
    arguments = ", ".join(_print_argument(argument) for argument in field.arguments.values())
    printed = f"{field.name}({arguments})" if arguments else field.name
    default = f" = {print_ast(field.default)}" if field.default is not None else ""
    joins = [_print_join_field(join, graphs) for join in field.joins]
    applied = "".join(f" {join}" for join in joins)
    return f"{_print_description(field, '  ')}  {printed}: {field.type}{default}{_print_directives(field)}{applied}"


def _print_argument(argument: MergedElement) -> str:
    default = f" = {print_ast(argument.default)}" if argument.default is not None else ""
    described = f"{quote_string(argument.description)} " if argument.description else ""
    return f"{described}{argument.name}: {argument.type}{default}{_print_directives(argument)}"


def _print_join_field(join: JoinField, graphs: Mapping[str, str]) -> str:
    rows = [f"graph: {graphs[join.graph]}"] if join.graph is not None else []
    for name, text in (("requires", join.requires), ("provides", join.provides), ("type", join.type)):
        if text is not None:
            rows.append(f"{name}: {quote_string(text)}")
    if join.external:
        rows.append("external: true")
    if join.override is not None:
        rows.append(f"override: {quote_string(join.override)}")
    if join.used_overridden:
        rows.append("usedOverridden: true")
    if join.override_label is not None:
        rows.append(f"overrideLabel: {quote_string(join.override_label)}")
    if join.context_arguments:
        arguments = ", ".join(
            f"{{context: {quote_string(row.context)}, name: {quote_string(row.name)}, type: {quote_string(row.type)}, "
            f"selection: {quote_string(row.selection)}}}"
            for row in join.context_arguments
        )
        rows.append(f"contextArguments: [{arguments}]")
    return f"@join__field({', '.join(rows)})" if rows else "@join__field"


def _print_directives(element: MergedElement) -> str:
    return "".join(f" {print_ast(directive)}" for directive in element.directives)


def _print_description(element: MergedElement, indent: str) -> str:
    return f"{indent}{quote_string(element.description)}\n" if element.description else ""
