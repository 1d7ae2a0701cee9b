"""Reads a subgraph's `@link`s: the specifications it uses and its local names for their directives and scalars."""

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
    """One `@link`. `identity` is the URL without the version; `name` prefixes elements that are not imported."""

    url: str
    identity: str
    name: str
    version: Version
    imports: dict[str, str]
    """The element's name in the specification by its local name; a directive's names begin with `@`."""
    purpose: str = ""
    """`SECURITY` or `EXECUTION` where a router that does not enforce the directive must refuse the supergraph."""

    @property
    def specification(self) -> str:
        return self.identity.rsplit("/", 1)[-1]

    @property
    def is_own_specification(self) -> bool:
        """Whether it defines directives that Federation defines too, such as `https://specs.apollo.dev/tag`."""
        is_known = self.specification in OWN_SPECIFICATIONS and self.version[0] == 0
        return is_known and self.identity.startswith("https://specs.apollo.dev/")


class SubgraphLinks(NamedTuple):
    """All `@link`s of a subgraph, and the names that follow from them."""

    version: Version | None
    """The linked version of Federation; None for a Federation 1 subgraph."""
    names: Mapping[str, str]
    """The specification's name of a directive, by its local name: `{"federation__key": "key"}`."""
    scalars: frozenset[str]
    """Local names of Federation's scalars."""
    entries: tuple[Link, ...]
    problems: tuple[CompositionError, ...] = ()

    @property
    def known_version(self) -> Version:
        """The version whose definitions apply. Federation 1 subgraphs may use arguments that Federation 2 added."""
        return self.version or LATEST


def read_links(document: DocumentNode) -> SubgraphLinks:
    """Reads and checks all links of a document. Messages and subgraphs of `problems` lack the subgraph's name."""
    links, problems = _read_link_directives(document)
    federation = next((link for link in links if link.identity == FEDERATION), None)
    names = {name: name for name in BUILT_IN_DIRECTIVES}
    # A subgraph that does not link Federation 2 is a Federation 1 subgraph.
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


def is_from_specification(node: Any, links: SubgraphLinks) -> bool:
    """Whether the node defines an element of a specification, which a `_service` SDL may repeat."""
    name = getattr(getattr(node, "name", None), "value", "")
    if isinstance(node, DirectiveDefinitionNode):
        return name in links.names or name in ("link", "core") or name.startswith("federation__")
    if name.startswith(("federation__", "link__", "core__")) or name in ("_Any", "_Entity", "_Service"):
        return True
    return isinstance(node, ScalarTypeDefinitionNode) and name in links.scalars


def find_scalar_names(links: SubgraphLinks) -> dict[str, str]:
    """Returns the local names of the linked Federation's scalars, by their names in Federation."""
    link = next((link for link in links.entries if link.identity == FEDERATION), None)
    return {} if link is None else {name: local for local, name in _list_names(link, "", SCALARS)}


def _list_names(link: Link, mark: str, elements: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yields (local name, the specification's name) of each element; `mark` is `@` for directives, else empty.

    # @link(url: ".../federation/v2.9", import: [{name: "@key", as: "@id"}]) → (id, key), (federation__key, key)
    """
    imported = {name: local for local, name in link.imports.items()}
    for element in elements:
        local = imported.get(mark + element)
        if local is not None:
            yield local.removeprefix("@"), element
        yield f"{link.name}__{element}", element


def _list_own_names(link: Link) -> Iterator[tuple[str, str]]:
    """Yields the names of a specification linked by itself: its main directive has the link's name or alias."""
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
    if federation is None:
        has_name_already = link.name in FED1_DIRECTIVES or link.name == "inaccessible"
    else:
        has_name_already = f"@{link.name}" in federation.imports
    if has_name_already:
        yield _make_error(
            f'Please import "@{link.name}" from the feature "{FEDERATION}" instead of linking "{link.url}": '
            "the same name must not come from both."
        )


def _check_imports(link: Link, known: set[str]) -> Iterator[CompositionError]:
    for element in link.imports.values():
        if element not in known:
            near = suggestion_list(element, sorted(known))
            advice = f" Did you mean {' or '.join(repr(name) for name in near[:2])}?" if near else ""
            yield _make_error(f'Cannot import unknown element "{element}".{advice}')


def _read_link_directives(document: DocumentNode) -> tuple[list[Link], list[CompositionError]]:
    """Returns the valid links and the errors of the others.

    Without a link to Federation or to the link specification itself, `@link` is a directive of the subgraph's own
    and there are no links.
    """
    applications = [
        {argument.name.value: value_from_ast_untyped(argument.value) for argument in directive.arguments or ()}
        for node in document.definitions
        if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode)
        for directive in node.directives or ()
        if directive.name.value == "link"
    ]
    urls = [str(arguments.get("url")) for arguments in applications]
    if not any(url == FEDERATION or url.startswith((f"{FEDERATION}/", f"{LINK}/")) for url in urls):
        return [], []
    problems: list[CompositionError] = []
    links = [link for arguments in applications if (link := _read_link(arguments, problems)) is not None]
    problems += _check_conflicts(links)
    return links, problems


def _check_conflicts(links: list[Link]) -> Iterator[CompositionError]:
    """Yields an error for each name that two links give to different elements."""
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
        for local in link.imports:
            other = imported.setdefault(local, link)
            if other is not link:
                yield _make_error(
                    f'Cannot import "{local}" from "{link.url}": it is imported from "{other.url}" already.'
                )
            # `tag__x` is the element x of a specification linked as `tag`: no import of another may have that name.
            prefix = local.removeprefix("@").split("__")[0]
            named = aliases.get(prefix)
            if named is not None and named is not link and not _is_reported_elsewhere(named, link):
                yield _make_error(
                    f'Cannot import "{local}" from "{link.url}" since it can be confused with a name of "{named.url}".'
                )


def _is_reported_elsewhere(named: Link, importing: Link) -> bool:
    """Whether `_check_own_specification` reports the two links: the import of `@tag` beside a link to tag/v0.3."""
    return importing.identity == FEDERATION and named.is_own_specification


def _read_link(arguments: dict[str, Any], problems: list[CompositionError]) -> Link | None:
    """Returns the link; adds to `problems`, and returns None where the URL or the alias is not valid."""
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
    elements = arguments.get("import") or ()
    if not isinstance(elements, list | tuple):
        problems.append(_make_error(f"Invalid value {elements!r} for @link(import:): it must be a list."))
        elements = ()
    for row in elements:
        refusal = _add_import(row, imports)
        if refusal is not None:
            problems.append(_make_error(refusal))
    return Link(str(url), identity, name, version, imports, str(arguments.get("for") or ""))


def _add_import(row: Any, imports: dict[str, str]) -> str | None:
    """Adds one import to `imports`; returns the error message where it is not valid."""
    local, element = (row.get("as", row.get("name")), row.get("name")) if isinstance(row, dict) else (row, row)
    if (
        not isinstance(local, str)
        or not isinstance(element, str)
        or (isinstance(row, dict) and row.keys() - {"name", "as"})
    ):
        return f"Invalid sub-value for @link(import:) argument: {row!r} is neither a name nor {{name:, as:}}."
    if local.startswith("@") != element.startswith("@"):
        return f'Invalid @link import renaming: "{element}" and "{local}" must both start with "@", or neither.'
    if not _NAME.match(local.removeprefix("@")):
        return f'Invalid @link import: "{local}" is not a GraphQL name.'
    if imports.get(local, element) != element:
        return f'Cannot import "{element}" as "{local}" since "{imports[local]}" is imported by that name.'
    if any(known == element and other != local for other, known in imports.items()):
        return f'Cannot import "{element}" as "{local}" since it is imported by another name already.'
    imports[local] = element
    return None


def _split_url(url: object) -> tuple[str, Version | None]:
    """`https://specs.apollo.dev/tag/v0.3` → (`https://specs.apollo.dev/tag`, (0, 3)); no version: not valid."""
    if not isinstance(url, str):
        return "", None
    identity, _, version = re.split(r"[?#]", url)[0].rpartition("/")
    match = _VERSION.match(version)
    if not identity or match is None:
        return url, None
    return identity, (int(match[1]), int(match[2]))
