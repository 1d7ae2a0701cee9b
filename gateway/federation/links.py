"""What the `@link`s of a subgraph make of names: the specifications it uses, and how it calls their elements."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from graphql import (
    DirectiveDefinitionNode,
    DocumentNode,
    ScalarTypeDefinitionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    value_from_ast_untyped,
)
from graphql.pyutils import suggestion_list

from gateway.federation.directives import (
    BUILT_IN_DIRECTIVES,
    FED1_DIRECTIVES,
    LATEST,
    OWN_SPECIFICATIONS,
    SCALARS,
    Version,
    list_directives,
    list_scalars,
)
from gateway.federation.hints import CompositionError

FEDERATION: Final = "https://specs.apollo.dev/federation"
LINK: Final = "https://specs.apollo.dev/link"

_NAME: Final = re.compile(r"^[_A-Za-z]\w*$", re.ASCII)
_VERSION: Final = re.compile(r"^v(\d{1,9})\.(\d{1,9})$", re.ASCII)
_USAGE: Final = "INVALID_LINK_DIRECTIVE_USAGE"
_IDENTIFIER: Final = "INVALID_LINK_IDENTIFIER"


class Link(NamedTuple):
    """A linked specification: `imports` are names there (`@` for directives), by the name here."""

    url: str
    identity: str
    name: str
    version: Version
    imports: dict[str, str]
    """The element's name in the specification, by its name here."""
    purpose: str = ""
    """`SECURITY` or `EXECUTION` where whoever serves the directive must enforce it."""

    @property
    def specification(self) -> str:
        return self.identity.rsplit("/", 1)[-1]

    @property
    def is_own_specification(self) -> bool:
        """Whether it is one of the specifications whose directives Federation has too."""
        is_known = self.specification in OWN_SPECIFICATIONS and self.version[0] == 0
        return is_known and self.identity.startswith("https://specs.apollo.dev/")


class SubgraphLinks(NamedTuple):
    """What the links of a subgraph make of names: `names` gives the specification's directive by its name here."""

    version: Version | None
    """Of Federation; None for a subgraph of Federation 1."""
    names: Mapping[str, str]
    scalars: frozenset[str]
    entries: tuple[Link, ...]
    problems: tuple[CompositionError, ...] = ()

    @property
    def known_version(self) -> Version:
        """The version whose definitions apply: Federation 1 knows what the later ones added to its directives."""
        return self.version or LATEST


def read_links(document: DocumentNode) -> SubgraphLinks:
    """The links of a document; problems are without the subgraph's name."""
    links, problems = _read_link_directives(document)
    federation = next((link for link in links if link.identity == FEDERATION), None)
    names = {name: name for name in BUILT_IN_DIRECTIVES}
    if federation is None:
        names |= {name: name for name in FED1_DIRECTIVES}
        scalars = {"_FieldSet", "FieldSet"}
    else:
        problems += _check_federation(federation)
        names |= dict(_list_names(federation, "@", list_directives(federation.version)))
        scalars = {local for local, _ in _list_names(federation, "", list_scalars(federation.version))}
    for link in links:
        if link.is_own_specification:
            names |= dict(_list_own_names(link))
            problems += _check_own_specification(link, federation)
    version = None if federation is None else federation.version
    return SubgraphLinks(version, names, frozenset(scalars), tuple(links), tuple(problems))


def is_from_specification(node: Any, federation: SubgraphLinks) -> bool:
    """Whether the definition is of a specification, not of the subgraph: any `_service` SDL may repeat those."""
    name = getattr(getattr(node, "name", None), "value", "")
    if isinstance(node, DirectiveDefinitionNode):
        return name in federation.names or name in ("link", "core") or name.startswith("federation__")
    if name.startswith(("federation__", "link__", "core__")) or name in ("_Any", "_Entity", "_Service"):
        return True
    return isinstance(node, ScalarTypeDefinitionNode) and name in federation.scalars


def find_scalar_names(federation: SubgraphLinks) -> dict[str, str]:
    """Names here of the scalars that the linked Federation defines, by their names there."""
    link = next((link for link in federation.entries if link.identity == FEDERATION), None)
    return {} if link is None else {there: here for here, there in _list_names(link, "", SCALARS)}


def _list_names(link: Link, mark: str, elements: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(name here, name there) of the elements of a linked specification."""
    imported = {there: here for here, there in link.imports.items()}
    for element in elements:
        here = imported.get(mark + element)
        if here is not None:
            yield here.removeprefix("@"), element
        yield f"{link.name}__{element}", element


def _list_own_names(link: Link) -> Iterator[tuple[str, str]]:
    """The directive that a specification is named after has the specification's name here."""
    yield link.name, OWN_SPECIFICATIONS[link.specification][0]
    yield from _list_names(link, "@", OWN_SPECIFICATIONS[link.specification])


def _make_error(message: str, code: str = _USAGE) -> CompositionError:
    return CompositionError(code, message, (), "schema")


def _check_federation(link: Link) -> list[CompositionError]:
    if link.version[0] != 2 or link.version > LATEST:
        message = f'Invalid version v{link.version[0]}.{link.version[1]} for the federation feature in "{link.url}": '
        return [_make_error(f"{message}known are v2.0 to v2.{LATEST[1]}.", "UNKNOWN_FEDERATION_LINK_VERSION")]
    known = {f"@{name}" for name in list_directives(link.version)} | set(list_scalars(link.version))
    return list(_check_imports(link, known))


def _check_own_specification(link: Link, federation: Link | None) -> Iterator[CompositionError]:
    directives = OWN_SPECIFICATIONS[link.specification]
    known = {f"@{name}" for name in directives} | {"requiresScopes": {"Scope"}, "policy": {"Policy"}}.get(
        link.specification, set()
    )
    yield from _check_imports(link, known)
    is_double = link.name in FED1_DIRECTIVES or link.name == "inaccessible" if federation is None else False
    if federation is not None:
        is_double = any(f"@{link.name}" == here for here in federation.imports)
    if is_double:
        yield _make_error(
            f'Please import "@{link.name}" from the feature "{FEDERATION}" instead of linking "{link.url}": '
            "the same name must not come from both."
        )


def _check_imports(link: Link, known: set[str]) -> Iterator[CompositionError]:
    for there in link.imports.values():
        if there not in known:
            near = suggestion_list(there, sorted(known))
            advice = f" Did you mean {' or '.join(repr(name) for name in near[:2])}?" if near else ""
            yield _make_error(f'Cannot import unknown element "{there}".{advice}')


def _read_link_directives(document: DocumentNode) -> tuple[list[Link], list[CompositionError]]:
    """None where nothing is linked that says what a link is: then `@link` is an unknown word, which is let pass."""
    applied = [
        {argument.name.value: value_from_ast_untyped(argument.value) for argument in directive.arguments or ()}
        for node in document.definitions
        if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode)
        for directive in node.directives or ()
        if directive.name.value == "link"
    ]
    urls = [str(arguments.get("url")) for arguments in applied]
    if not any(url == FEDERATION or url.startswith((f"{FEDERATION}/", f"{LINK}/")) for url in urls):
        return [], []
    problems: list[CompositionError] = []
    links = [link for arguments in applied if (link := _read_link(arguments, problems)) is not None]
    problems += _check_conflicts(links)
    return links, problems


def _check_conflicts(links: list[Link]) -> Iterator[CompositionError]:
    seen: dict[str, Link] = {}
    aliases: dict[str, Link] = {}
    for link in links:
        if link.identity in seen or (link.identity == LINK and link.version != (1, 0)):
            yield _make_error(f'Cannot link feature "{link.identity}" since it has already been linked in the schema.')
        elif link.name in aliases:
            yield _make_error(
                f'Cannot link feature "{link.identity}" as "{link.name}": another feature has that alias.'
            )
        seen[link.identity] = aliases[link.name] = link
    imported: dict[str, Link] = {}
    for link in links:
        for here in link.imports:
            other = imported.setdefault(here, link)
            if other is not link:
                yield _make_error(
                    f'Cannot import "{here}" from "{link.url}": it is imported from "{other.url}" already.'
                )
            prefix = here.removeprefix("@").split("__")[0]
            named = aliases.get(prefix)
            if named is not None and named is not link and not _is_reported_elsewhere(named, link):
                yield _make_error(
                    f'Cannot import "{here}" from "{link.url}" since it can be confused with a name of "{named.url}".'
                )


def _is_reported_elsewhere(named: Link, importing: Link) -> bool:
    return importing.identity == FEDERATION and named.is_own_specification


def _read_link(arguments: dict[str, Any], problems: list[CompositionError]) -> Link | None:
    url = arguments.get("url")
    identity, version = _split_url(url)
    if version is None:
        message = f'Invalid @link url {url!r}: it must end with a name and a version, as in "{FEDERATION}/v2.9".'
        problems.append(_make_error(message, _IDENTIFIER))
        return None
    name = str(arguments.get("as") or identity.rsplit("/", 1)[-1])
    if arguments.get("as") and (not _NAME.match(name) or "__" in name):
        message = f'Cannot link feature "{identity}" as "{name}": an alias must be a GraphQL name without "__".'
        problems.append(_make_error(message))
        return None
    imports: dict[str, str] = {}
    given = arguments.get("import") or ()
    if not isinstance(given, list | tuple):
        problems.append(_make_error(f"Invalid value {given!r} for @link(import:): it must be a list."))
        given = ()
    for row in given:
        refusal = _add_import(row, imports)
        if refusal is not None:
            problems.append(_make_error(refusal))
    return Link(str(url), identity, name, version, imports, str(arguments.get("for") or ""))


def _add_import(row: Any, imports: dict[str, str]) -> str | None:
    """Adds the import to the others, or says why not."""
    here, there = (row.get("as", row.get("name")), row.get("name")) if isinstance(row, dict) else (row, row)
    if (
        not isinstance(here, str)
        or not isinstance(there, str)
        or (isinstance(row, dict) and row.keys() - {"name", "as"})
    ):
        return f"Invalid sub-value for @link(import:) argument: {row!r} is neither a name nor {{name:, as:}}."
    if here.startswith("@") != there.startswith("@"):
        return f'Invalid @link import renaming: "{there}" and "{here}" must both start with "@", or neither.'
    if not _NAME.match(here.removeprefix("@")):
        return f'Invalid @link import: "{here}" is not a GraphQL name.'
    if imports.get(here, there) != there:
        return f'Cannot import "{there}" as "{here}" since "{imports[here]}" is imported by that name.'
    if any(known == there and local != here for local, known in imports.items()):
        return f'Cannot import "{there}" as "{here}" since it is imported by another name already.'
    imports[here] = there
    return None


def _split_url(url: object) -> tuple[str, Version | None]:
    if not isinstance(url, str):
        return "", None
    identity, _, version = re.split(r"[?#]", url)[0].rpartition("/")
    found = _VERSION.match(version)
    if not identity or found is None:
        return url, None
    return identity, (int(found[1]), int(found[2]))
