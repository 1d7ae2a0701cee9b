"""Federation's directives: their definitions, and the version of Federation that introduced each."""

from functools import cache
from typing import Any, Final, NamedTuple

from graphql import parse

Version = tuple[int, int]
LATEST: Final = (2, 14)
"""The newest version of Federation that a subgraph may link."""


class FederationDirective(NamedTuple):
    """A directive's arguments and locations, and the first version of Federation that has it."""

    signature: str
    since: Version = (2, 0)


_ANYWHERE: Final = (
    "FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | "
    "INPUT_FIELD_DEFINITION"
)
_PROTECTED: Final = "FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"

DIRECTIVES: Final = {
    "key": FederationDirective(
        "(fields: federation__FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE"
    ),
    "requires": FederationDirective("(fields: federation__FieldSet!) on FIELD_DEFINITION"),
    "provides": FederationDirective("(fields: federation__FieldSet!) on FIELD_DEFINITION"),
    "external": FederationDirective("(reason: String) on OBJECT | FIELD_DEFINITION"),
    "tag": FederationDirective(f"(name: String!) repeatable on {_ANYWHERE} | SCHEMA"),
    "extends": FederationDirective(" on OBJECT | INTERFACE"),
    "shareable": FederationDirective(" repeatable on OBJECT | FIELD_DEFINITION"),
    "inaccessible": FederationDirective(f" on {_ANYWHERE}"),
    "override": FederationDirective("(from: String!, label: String) on FIELD_DEFINITION"),
    "composeDirective": FederationDirective("(name: String) repeatable on SCHEMA", (2, 1)),
    "interfaceObject": FederationDirective(" on OBJECT", (2, 3)),
    "authenticated": FederationDirective(f" on {_PROTECTED}", (2, 5)),
    "requiresScopes": FederationDirective(f"(scopes: [[federation__Scope!]!]!) on {_PROTECTED}", (2, 5)),
    "policy": FederationDirective(f"(policies: [[federation__Policy!]!]!) on {_PROTECTED}", (2, 6)),
    "context": FederationDirective("(name: String!) repeatable on INTERFACE | OBJECT | UNION", (2, 8)),
    "fromContext": FederationDirective("(field: federation__ContextFieldValue) on ARGUMENT_DEFINITION", (2, 8)),
    "cacheTag": FederationDirective("(format: String!) repeatable on OBJECT | FIELD_DEFINITION", (2, 12)),
    "cost": FederationDirective(
        "(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR",
        (2, 9),
    ),
    "listSize": FederationDirective(
        "(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], "
        "requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION",
        (2, 9),
    ),
}
"""Federation's directives by name."""

_EARLIER_SIGNATURES: Final[tuple[tuple[str, Version, str], ...]] = (
    ("tag", (2, 3), f"(name: String!) repeatable on {_ANYWHERE}"),
    ("shareable", (2, 2), " on OBJECT | FIELD_DEFINITION"),
    ("override", (2, 7), "(from: String!) on FIELD_DEFINITION"),
)
"""(directive, version, signature that the directive had before this version)."""

SCALARS: Final = {"FieldSet": (2, 0), "Scope": (2, 5), "Policy": (2, 6), "ContextFieldValue": (2, 8)}
"""Federation's scalars by name, with the version that introduced each."""
FED1_DIRECTIVES: Final = ("key", "requires", "provides", "external", "tag", "extends")
"""Directives that a Federation 1 subgraph may use without a `@link`."""
OWN_SPECIFICATIONS: Final = {
    "tag": ("tag",),
    "inaccessible": ("inaccessible",),
    "authenticated": ("authenticated",),
    "requiresScopes": ("requiresScopes",),
    "policy": ("policy",),
    "cost": ("cost", "listSize"),
}
"""Specifications that a subgraph may also link apart from Federation, with their directives."""

GUARDS: Final = ("authenticated", "requiresScopes", "policy")
"""Directives that restrict who may read an element."""

MERGED_DIRECTIVES: Final = (
    *("tag", "inaccessible", *GUARDS, "cost", "listSize"),
    *("deprecated", "specifiedBy", "oneOf"),
)
"""Directives that composition copies into the supergraph where a subgraph applies them."""

BUILT_IN_DIRECTIVES: Final = frozenset({"deprecated", "specifiedBy", "oneOf", "skip", "include"})


_LINK: Final = (
    "directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA"
)


@cache
def build_definitions(names: tuple[tuple[str, str], ...], version: Version) -> tuple[Any, ...]:
    """Returns definition nodes for (local name, Federation's name) pairs, and for the types that they mention.

    graphql-core needs them to validate a subgraph's SDL, which usually applies directives without defining them.
    """
    lines = [f"directive @{local}{find_signature(name, version)}" for local, name in names if name in DIRECTIVES]
    # Only the names of these types matter: composition checks the values itself.
    lines += [f"scalar federation__{name}" for name in SCALARS]
    lines += [_LINK, "scalar link__Import enum link__Purpose { SECURITY EXECUTION }"]
    return parse("\n".join(lines), no_location=True).definitions


def find_signature(name: str, version: Version) -> str:
    """Returns the directive's arguments and locations in the given version of Federation."""
    return next(
        (earlier for directive, until, earlier in _EARLIER_SIGNATURES if directive == name and version < until),
        DIRECTIVES[name].signature,
    )


def list_directives(version: Version) -> list[str]:
    return [name for name, definition in DIRECTIVES.items() if definition.since <= version]


def list_scalars(version: Version) -> list[str]:
    return [name for name, since in SCALARS.items() if since <= version]


def find_first_version(name: str) -> Version:
    return DIRECTIVES[name].since
