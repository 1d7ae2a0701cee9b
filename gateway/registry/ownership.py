"""The ownership rules for an agency's subgraph, each with the sentence that a violation gets.

An agency adds names under its own prefix and changes nothing else: a query of national fields alone gets the same
answer with and without it. `national` is the model of the national subgraph, `own` the model of the agency's.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.federation.subgraph import (
    ROOTS,
    SPECIFIED_SCALARS,
    AppliedDirective,
    Element,
    SubgraphSchema,
    TypeDefinition,
)
from gateway.registry.prefixes import Prefix, capitalize

REQUIRABLE: Final[Mapping[str, frozenset[str]]] = {
    "Complaint": frozenset({"class", "status", "grade", "channel", "receivedAt", "verifiedAt", "closedAt"}),
    "Agency": frozenset({"kind", "code", "connected"}),
    "Region": frozenset({"level", "name", "timeZone"}),
}
"""National fields that an agency may mark @external and name in @requires: no personal data, no citizen's text."""

_CLAIMS: Final = {
    "override": "takes what others own: leave it out.",
    "provides": "answers for what others own: leave it out, the graph asks them.",
}

LOCAL_CASE: Final = "LocalCase"
"""The one national interface that agencies implement, each with one type of its own."""


class Violation(NamedTuple):
    """A broken rule. `coordinate` is the element: Type or Type.field."""

    rule: str
    coordinate: str
    message: str


def find_violations(own: SubgraphSchema, national: SubgraphSchema, prefix: Prefix) -> list[Violation]:
    """Returns every violation of the rules, in the order of the subgraph's types."""
    return list(_Rules(own, national, prefix).check_all())


@dataclass(frozen=True, slots=True)
class _Rules:
    own: SubgraphSchema
    national: SubgraphSchema
    prefix: Prefix

    def check_all(self) -> Iterator[Violation]:
        if self.own.is_fed1:
            yield Violation(
                "federation-2",
                "schema",
                'Link Federation 2: extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", …); '
                "a schema without the link shares its fields with everyone.",
            )
        if self.own.composed_directives:
            yield Violation(
                "no-composed-directives", "schema", "@composeDirective changes the graph for everyone: leave it out."
            )
        for definition in self.own.types.values():
            if definition.name in ROOTS.values():
                yield from self._check_prefixes(definition, "root-prefix")
            elif definition.name in SPECIFIED_SCALARS:
                continue
            elif (there := self.national.types.get(definition.name)) is not None:
                yield from self._check_national_type(definition, there)
            else:
                yield from self._check_new_type(definition)

    def _check_new_type(self, definition: TypeDefinition) -> Iterator[Violation]:
        name = definition.name
        if not self.prefix.owns_type(name):
            yield Violation(
                "type-prefix", name, f"The type {name} is yours only if its name begins with {self.prefix.type}."
            )
        for interface in definition.interfaces:
            if interface not in self.national.types:
                continue
            if interface != LOCAL_CASE:
                yield Violation(
                    "national-interface", name, f"{interface} is a national interface; implement {LOCAL_CASE} alone."
                )
            elif name != f"{self.prefix.type}{LOCAL_CASE}" or _read_keys(definition) != {("id", True)}:
                yield Violation(
                    "local-case",
                    name,
                    f'{LOCAL_CASE} is implemented by one type: {self.prefix.type}{LOCAL_CASE} @key(fields: "id").',
                )
        for member in definition.members:
            if member in self.national.types:
                yield Violation("national-member", name, f"{member} is a national type: no union of yours may hold it.")
        for field in definition.fields.values():
            yield from _check_claims(definition, field)

    def _check_national_type(self, definition: TypeDefinition, there: TypeDefinition) -> Iterator[Violation]:
        name = definition.name
        yield from _check_plain(definition, name, allowed=("key",))
        if definition.kind != there.kind:
            yield Violation("same-kind", name, f"{name} is {_describe_kind(there.kind)} in the national graph.")
        elif definition.kind == "OBJECT" and there.has("key"):
            yield from self._check_entity(definition, there)
        elif definition.kind == "INTERFACE" and name == LOCAL_CASE:
            yield from _check_interface(definition, there)
        elif definition.kind == "ENUM":
            if set(definition.values) != set(there.values):
                yield Violation(
                    "same-enum", name, f"{name} has other values in the national graph: repeat all of them."
                )
            for value in definition.values.values():
                yield from _check_plain(value, f"{name}.{value.name}")
        elif definition.kind != "SCALAR":
            yield Violation(
                "national-type",
                name,
                f"{name} belongs to the national graph: refer to it by an entity, or leave it out.",
            )

    def _check_entity(self, definition: TypeDefinition, there: TypeDefinition) -> Iterator[Violation]:
        name, keys = definition.name, {key for key, _ in _read_keys(there)}
        stated = ", ".join(f'@key(fields: "{key}")' for key in sorted(keys))
        if {key for key, _ in _read_keys(definition)} != keys:
            yield Violation("national-key", name, f"{name} is extended by the national key alone: {stated}.")
        for interface in definition.interfaces:
            yield Violation("national-interface", name, f"That {name} implements {interface} is not yours to say.")
        for field in definition.fields.values():
            coordinate = f"{name}.{field.name}"
            if field.name in keys:
                yield from _check_plain(field, coordinate, allowed=("external",))
            elif field.name in there.fields:
                yield from _check_plain(field, coordinate, allowed=("external",))
                if not field.has("external"):
                    yield Violation(
                        "national-field", coordinate, f"{coordinate} is the national graph's: mark it @external."
                    )
                elif field.name not in REQUIRABLE.get(name, ()):
                    open_fields = ", ".join(sorted(REQUIRABLE.get(name, ()))) or "none"
                    yield Violation(
                        "external-allowed", coordinate, f"{coordinate} is not handed out; of {name} are: {open_fields}."
                    )
            elif not self.prefix.owns_field(field.name):
                yield self._report_misnamed(coordinate, field, "field-prefix")
            else:
                yield from _check_claims(definition, field)
                yield from _check_nullable(coordinate, field)

    def _check_prefixes(self, definition: TypeDefinition, rule: str) -> Iterator[Violation]:
        for field in definition.fields.values():
            if not self.prefix.owns_field(field.name):
                yield self._report_misnamed(f"{definition.name}.{field.name}", field, rule)
            yield from _check_claims(definition, field)
            yield from _check_nullable(f"{definition.name}.{field.name}", field)

    def _report_misnamed(self, coordinate: str, field: Element, rule: str) -> Violation:
        better = f"{self.prefix.field}{capitalize(field.name)}"
        return Violation(rule, coordinate, f"{coordinate} must begin with {self.prefix.field}: for example {better}.")


def _check_nullable(coordinate: str, field: Element) -> Iterator[Violation]:
    """An agency's field must be nullable: while its subgraph fails, a non-null field would null the national object."""
    if field.type.endswith("!"):
        better = field.type.removesuffix("!")
        yield Violation("nullable", coordinate, f"{coordinate} must be nullable, for subgraphs fail: {better}.")


def _check_claims(definition: TypeDefinition, field: Element) -> Iterator[Violation]:
    """An agency's own field must not claim what other subgraphs own."""
    for directive, sentence in _CLAIMS.items():
        if field.has(directive):
            coordinate = f"{definition.name}.{field.name}"
            yield Violation(f"no-{directive}", coordinate, f"{coordinate}: @{directive} {sentence}")


def _check_plain(element: Element, coordinate: str, allowed: Collection[str] = ()) -> Iterator[Violation]:
    """A national element may have the allowed directives only, and no description."""
    for directive in element.directives:
        if directive not in allowed:
            yield Violation(
                "national-directive", coordinate, f"{coordinate} is national: @{directive} is not yours to set."
            )
    if element.description is not None:
        yield Violation("national-description", coordinate, f"{coordinate} is described by the national graph alone.")


def _check_interface(definition: TypeDefinition, there: TypeDefinition) -> Iterator[Violation]:
    written = {name: field.type for name, field in definition.fields.items()}
    expected = {name: field.type for name, field in there.fields.items()}
    if written != expected or definition.interfaces:
        fields = " ".join(f"{name}: {type_}" for name, type_ in expected.items())
        yield Violation(
            "same-interface", definition.name, f"Repeat it as it is: interface {definition.name} {{ {fields} }}."
        )
    for field in definition.fields.values():
        yield from _check_plain(field, f"{definition.name}.{field.name}")


def _read_keys(definition: TypeDefinition) -> set[tuple[str, bool]]:
    """Returns the fields of each @key, and whether the key is resolvable."""
    return {_read_key(applied) for applied in definition.list_applied("key")}


def _read_key(applied: AppliedDirective) -> tuple[str, bool]:
    fields = " ".join(str(applied.arguments.get("fields", "")).replace(",", " ").split())
    return fields, applied.arguments.get("resolvable") is not False


def _describe_kind(kind: str) -> str:
    word = kind.lower().replace("_", " ")
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
