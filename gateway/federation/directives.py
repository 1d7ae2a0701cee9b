"""Directives that subgraphs may use: their definitions, since which version, and the names a `@link` gives them."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from graphql import (
    DirectiveDefinitionNode,
    DocumentNode,
    ScalarTypeDefinitionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    parse,
    value_from_ast_untyped,
)
from graphql.pyutils import suggestion_list

from gateway.federation.hints import CompositionError

FEDERATION: Final = "https://specs.apollo.dev/federation"
LINK: Final = "https://specs.apollo.dev/link"
LATEST: Final = (2, 11)


class Definition(NamedTuple):
    """A directive's arguments and locations, and the first version of Federation that has it."""

    signature: str
    since: tuple[int, int] = (2, 0)


_ANYWHERE: Final = (
    "FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | "
    "INPUT_FIELD_DEFINITION"
)
_PROTECTED: Final = "FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"

DIRECTIVES: Final = {
    "key": Definition("(fields: federation__FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE"),
    "requires": Definition("(fields: federation__FieldSet!) on FIELD_DEFINITION"),
    "provides": Definition("(fields: federation__FieldSet!) on FIELD_DEFINITION"),
    "external": Definition("(reason: String) on OBJECT | FIELD_DEFINITION"),
    "tag": Definition(f"(name: String!) repeatable on {_ANYWHERE} | SCHEMA"),
    "extends": Definition(" on OBJECT | INTERFACE"),
    "shareable": Definition(" repeatable on OBJECT | FIELD_DEFINITION"),
    "inaccessible": Definition(f" on {_ANYWHERE}"),
    "override": Definition("(from: String!, label: String) on FIELD_DEFINITION"),
    "composeDirective": Definition("(name: String) repeatable on SCHEMA", (2, 1)),
    "interfaceObject": Definition(" on OBJECT", (2, 3)),
    "authenticated": Definition(f" on {_PROTECTED}", (2, 5)),
    "requiresScopes": Definition(f"(scopes: [[federation__Scope!]!]!) on {_PROTECTED}", (2, 5)),
    "policy": Definition(f"(policies: [[federation__Policy!]!]!) on {_PROTECTED}", (2, 6)),
    "context": Definition("(name: String!) repeatable on INTERFACE | OBJECT | UNION", (2, 8)),
    "fromContext": Definition("(field: federation__ContextFieldValue) on ARGUMENT_DEFINITION", (2, 8)),
    "cost": Definition(
        "(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR",
        (2, 9),
    ),
    "listSize": Definition(
        "(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], "
        "requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION",
        (2, 9),
    ),
}
"""Federation's directives by name."""

_SCALARS: Final = {"FieldSet": (2, 0), "Scope": (2, 5), "Policy": (2, 6), "ContextFieldValue": (2, 8)}
_FED1: Final = ("key", "requires", "provides", "external", "tag", "extends", "inaccessible")
_OWN_SPECIFICATIONS: Final = {
    "tag": ("tag",),
    "inaccessible": ("inaccessible",),
    "authenticated": ("authenticated",),
    "requiresScopes": ("requiresScopes",),
    "policy": ("policy",),
    "cost": ("cost", "listSize"),
}
"""Directives of specifications that may also be linked by themselves."""

MERGED: Final = (
    *("tag", "inaccessible", "authenticated", "requiresScopes", "policy", "cost", "listSize"),
    *("deprecated", "specifiedBy", "oneOf"),
)
"""Directives whose applications go into the supergraph."""

_BUILT_IN: Final = frozenset({"deprecated", "specifiedBy", "oneOf", "skip", "include"})


class Link(NamedTuple):
    """A linked specification: `imports` are names there (`@` for directives), by the name here."""

    url: str
    identity: str
    name: str
    version: tuple[int, int]
    imports: dict[str, str]
    """The element's name in the specification, by its name here."""


class Linked(NamedTuple):
    """What the links of a subgraph make of names: `names` gives the specification's directive by its name here."""

    version: tuple[int, int] | None
    """Of Federation; None for a subgraph of Federation 1."""
    names: Mapping[str, str]
    scalars: frozenset[str]
    links: tuple[Link, ...]
    problems: tuple[CompositionError, ...] = ()


def linked(document: DocumentNode) -> Linked:
    """The links of a document; problems are without the subgraph's name."""
    links, problems = _read_links(document)
    federation = next((link for link in links if link.identity == FEDERATION), None)
    names = {name: name for name in _BUILT_IN}
    if federation is None:
        names |= {name: name for name in _FED1}
        scalars = {"_FieldSet", "FieldSet"}
    else:
        problems += _check_federation(federation)
        names |= dict(_names(federation, "@", _directives_of(federation.version)))
        scalars = {local for local, _ in _names(federation, "", _scalars_of(federation.version))}
    for link in links:
        known = _OWN_SPECIFICATIONS.get(link.identity.rsplit("/", 1)[-1], ())
        names |= dict(_names(link, "@", known))
    version = None if federation is None else federation.version
    return Linked(version, names, frozenset(scalars), tuple(links), tuple(problems))


@cache
def definitions(names: tuple[tuple[str, str], ...]) -> tuple[Any, ...]:
    """Definitions of the directives under their names here, as nodes; the types they mention are plain scalars."""
    lines = [f"directive @{local}{DIRECTIVES[name].signature}" for local, name in names if name in DIRECTIVES]
    lines += [f"scalar federation__{name}" for name in _SCALARS]
    return parse("\n".join(lines), no_location=True).definitions


def is_machinery(node: Any, federation: Linked) -> bool:
    """Whether the definition is of a specification, not of the subgraph: any `_service` SDL may repeat those."""
    name = getattr(getattr(node, "name", None), "value", "")
    if isinstance(node, DirectiveDefinitionNode):
        return name in federation.names or name in ("link", "core") or name.startswith("federation__")
    if name.startswith(("federation__", "link__", "core__")) or name in ("_Any", "_Entity", "_Service"):
        return True
    return isinstance(node, ScalarTypeDefinitionNode) and name in federation.scalars


def _directives_of(version: tuple[int, int]) -> list[str]:
    return [name for name, definition in DIRECTIVES.items() if definition.since <= version]


def _scalars_of(version: tuple[int, int]) -> list[str]:
    return [name for name, since in _SCALARS.items() if since <= version]


def _names(link: Link, mark: str, elements: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(name here, name there) of the elements of a linked specification."""
    imported = {there: here for here, there in link.imports.items()}
    for element in elements:
        here = imported.get(mark + element)
        if here is not None:
            yield here.removeprefix("@"), element
        elif mark and element == link.name:
            yield element, element
        else:
            yield f"{link.name}__{element}", element


def _check_federation(link: Link) -> list[CompositionError]:
    if link.version[0] != 2 or link.version > LATEST:
        message = f'Invalid version v{link.version[0]}.{link.version[1]} for the federation feature in "{link.url}": '
        return [CompositionError("UNKNOWN_FEDERATION_LINK_VERSION", f"{message}known are v2.0 to v2.{LATEST[1]}.")]
    known = {f"@{name}" for name in _directives_of(link.version)} | set(_scalars_of(link.version))
    problems = []
    for there in link.imports.values():
        if there not in known:
            near = suggestion_list(there, sorted(known))
            advice = f" Did you mean {' or '.join(repr(name) for name in near[:2])}?" if near else ""
            message = f'Cannot import unknown element "{there}".{advice}'
            problems.append(CompositionError("INVALID_LINK_DIRECTIVE_USAGE", message))
    return problems


def _read_links(document: DocumentNode) -> tuple[list[Link], list[CompositionError]]:
    links: list[Link] = []
    problems: list[CompositionError] = []
    for node in document.definitions:
        if not isinstance(node, SchemaDefinitionNode | SchemaExtensionNode):
            continue
        for directive in node.directives or ():
            if directive.name.value in ("link", "core"):
                arguments = {
                    argument.name.value: value_from_ast_untyped(argument.value)
                    for argument in directive.arguments or ()
                }
                link = _link(arguments, problems)
                if link is not None:
                    links.append(link)
    seen: set[str] = set()
    for link in links:
        if link.identity in seen:
            message = f'Duplicate inclusion of feature "{link.identity}".'
            problems.append(CompositionError("INVALID_LINK_DIRECTIVE_USAGE", message))
        seen.add(link.identity)
    return links, problems


def _link(arguments: dict[str, Any], problems: list[CompositionError]) -> Link | None:
    url = arguments.get("url", arguments.get("feature"))
    identity, version = _identity(url)
    if version is None:
        message = f'Invalid @link url {url!r}: it must end with a name and a version, as in "{FEDERATION}/v2.9".'
        problems.append(CompositionError("INVALID_LINK_IDENTIFIER", message))
        return None
    imports: dict[str, str] = {}
    for row in arguments.get("import") or ():
        here, there = (row.get("as", row.get("name")), row.get("name")) if isinstance(row, dict) else (row, row)
        if not isinstance(here, str) or not isinstance(there, str):
            message = f"Invalid sub-value for @link(import:) argument: {row!r} is neither a name nor {{name:, as:}}."
            problems.append(CompositionError("INVALID_LINK_DIRECTIVE_USAGE", message))
        elif here.startswith("@") != there.startswith("@"):
            message = f'Invalid @link import renaming: "{there}" and "{here}" must both start with "@", or neither.'
            problems.append(CompositionError("INVALID_LINK_DIRECTIVE_USAGE", message))
        else:
            imports[here] = there
    return Link(str(url), identity, arguments.get("as") or identity.rsplit("/", 1)[-1], version, imports)


def _identity(url: object) -> tuple[str, tuple[int, int] | None]:
    if not isinstance(url, str) or "/" not in url:
        return "", None
    identity, _, version = url.rstrip("/").rpartition("/")
    major, _, minor = version.removeprefix("v").partition(".")
    if not version.startswith("v") or not (major + minor).isdigit():
        return url, None
    return identity, (int(major), int(minor or 0))
