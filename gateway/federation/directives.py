"""The directives that subgraphs may use: their definitions, and since which version of Federation there are."""

from functools import cache
from typing import Any, Final, NamedTuple

from graphql import parse

Version = tuple[int, int]
LATEST: Final = (2, 14)


class Definition(NamedTuple):
    """A directive's arguments and locations, and the first version of Federation that has it."""

    signature: str
    since: Version = (2, 0)


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
    "cacheTag": Definition("(format: String!) repeatable on OBJECT | FIELD_DEFINITION", (2, 12)),
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

_BEFORE: Final[tuple[tuple[str, Version, str], ...]] = (
    ("tag", (2, 3), f"(name: String!) repeatable on {_ANYWHERE}"),
    ("shareable", (2, 2), " on OBJECT | FIELD_DEFINITION"),
    ("override", (2, 7), "(from: String!) on FIELD_DEFINITION"),
)
"""Signatures that a directive had before a version."""

SCALARS: Final = {"FieldSet": (2, 0), "Scope": (2, 5), "Policy": (2, 6), "ContextFieldValue": (2, 8)}
FED1: Final = ("key", "requires", "provides", "external", "tag", "extends")
"""Directives that a subgraph of Federation 1 has without any link."""
OWN_SPECIFICATIONS: Final = {
    "tag": ("tag",),
    "inaccessible": ("inaccessible",),
    "authenticated": ("authenticated",),
    "requiresScopes": ("requiresScopes",),
    "policy": ("policy",),
    "cost": ("cost", "listSize"),
}
"""Directives of specifications that may also be linked by themselves."""

GUARDS: Final = ("authenticated", "requiresScopes", "policy")
"""Directives that say who may have an element."""

MERGED: Final = (
    *("tag", "inaccessible", *GUARDS, "cost", "listSize"),
    *("deprecated", "specifiedBy", "oneOf"),
)
"""Directives whose applications go into the supergraph."""

BUILT_IN: Final = frozenset({"deprecated", "specifiedBy", "oneOf", "skip", "include"})


_LINK: Final = (
    "directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA"
)


@cache
def definitions(names: tuple[tuple[str, str], ...], version: Version) -> tuple[Any, ...]:
    """Definitions of the directives under their names here, as nodes; the types they mention are plain scalars."""
    lines = [f"directive @{local}{signature(name, version)}" for local, name in names if name in DIRECTIVES]
    lines += [f"scalar federation__{name}" for name in SCALARS]
    lines += [_LINK, "scalar link__Import enum link__Purpose { SECURITY EXECUTION }"]
    return parse("\n".join(lines), no_location=True).definitions


def signature(name: str, version: Version) -> str:
    """The directive's arguments and locations as of the version."""
    return next(
        (earlier for directive, until, earlier in _BEFORE if directive == name and version < until),
        DIRECTIVES[name].signature,
    )


def directives_of(version: Version) -> list[str]:
    return [name for name, definition in DIRECTIVES.items() if definition.since <= version]


def scalars_of(version: Version) -> list[str]:
    return [name for name, since in SCALARS.items() if since <= version]


def since(name: str) -> Version:
    return DIRECTIVES[name].since
