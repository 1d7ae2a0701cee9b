"""What an agency's subgraph may say of the national graph: the rules of ownership, each with its sentence.

An agency adds, under its own prefix, and changes nothing that is there: whoever queries only national fields gets what
the national graph alone would give. `national` is the model of the national subgraph, `own` that of the agency's.
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
from gateway.registry.prefixes import Prefix, upper

REQUIRABLE: Final[Mapping[str, frozenset[str]]] = {
    "Complaint": frozenset({"class", "status", "grade", "channel", "receivedAt", "verifiedAt", "closedAt"}),
    "Agency": frozenset({"kind", "code", "connected"}),
    "Region": frozenset({"level", "name", "timeZone"}),
}
"""National fields that an agency may mark @external and name in @requires: nothing that a citizen wrote or is."""

_CLAIMS: Final = {
    "override": "takes what others own: leave it out.",
    "provides": "answers for what others own: leave it out, the graph asks them.",
}

LOCAL_CASE: Final = "LocalCase"
"""The one national interface that agencies implement, each with one type of its own."""


class Violation(NamedTuple):
    """A rule that the subgraph breaks; `coordinate` is the element, as Type or Type.field."""

    rule: str
    coordinate: str
    message: str


def violations(own: SubgraphSchema, national: SubgraphSchema, prefix: Prefix) -> list[Violation]:
    """Every rule that the subgraph breaks, in the order of its types."""
    return list(_Rules(own, national, prefix).all())


@dataclass(frozen=True, slots=True)
class _Rules:
    own: SubgraphSchema
    national: SubgraphSchema
    prefix: Prefix

    def all(self) -> Iterator[Violation]:
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
                yield from self._prefixed_fields(definition, "root-prefix")
            elif definition.name in SPECIFIED_SCALARS:
                continue
            elif (there := self.national.types.get(definition.name)) is not None:
                yield from self._national(definition, there)
            else:
                yield from self._new(definition)

    def _new(self, definition: TypeDefinition) -> Iterator[Violation]:
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
            elif name != f"{self.prefix.type}{LOCAL_CASE}" or _keys(definition) != {("id", True)}:
                yield Violation(
                    "local-case",
                    name,
                    f'{LOCAL_CASE} is implemented by one type: {self.prefix.type}{LOCAL_CASE} @key(fields: "id").',
                )
        for member in definition.members:
            if member in self.national.types:
                yield Violation("national-member", name, f"{member} is a national type: no union of yours may hold it.")
        for field in definition.fields.values():
            yield from _taken(definition, field)

    def _national(self, definition: TypeDefinition, there: TypeDefinition) -> Iterator[Violation]:
        name = definition.name
        yield from _plain(definition, name, allowed=("key",))
        if definition.kind != there.kind:
            yield Violation("same-kind", name, f"{name} is {_article(there.kind)} in the national graph.")
        elif definition.kind == "OBJECT" and there.has("key"):
            yield from self._entity(definition, there)
        elif definition.kind == "INTERFACE" and name == LOCAL_CASE:
            yield from _same(definition, there)
        elif definition.kind == "ENUM":
            if set(definition.values) != set(there.values):
                yield Violation(
                    "same-enum", name, f"{name} has other values in the national graph: repeat all of them."
                )
            for value in definition.values.values():
                yield from _plain(value, f"{name}.{value.name}")
        elif definition.kind != "SCALAR":
            yield Violation(
                "national-type",
                name,
                f"{name} belongs to the national graph: refer to it by an entity, or leave it out.",
            )

    def _entity(self, definition: TypeDefinition, there: TypeDefinition) -> Iterator[Violation]:
        name, keys = definition.name, {key for key, _ in _keys(there)}
        stated = ", ".join(f'@key(fields: "{key}")' for key in sorted(keys))
        if {key for key, _ in _keys(definition)} != keys:
            yield Violation("national-key", name, f"{name} is extended by the national key alone: {stated}.")
        for interface in definition.interfaces:
            yield Violation("national-interface", name, f"That {name} implements {interface} is not yours to say.")
        for field in definition.fields.values():
            coordinate = f"{name}.{field.name}"
            if field.name in keys:
                yield from _plain(field, coordinate, allowed=("external",))
            elif field.name in there.fields:
                yield from _plain(field, coordinate, allowed=("external",))
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
                yield self._misnamed(coordinate, field, "field-prefix")
            else:
                yield from _taken(definition, field)
                yield from _failing(coordinate, field)

    def _prefixed_fields(self, definition: TypeDefinition, rule: str) -> Iterator[Violation]:
        for field in definition.fields.values():
            if not self.prefix.owns_field(field.name):
                yield self._misnamed(f"{definition.name}.{field.name}", field, rule)
            yield from _taken(definition, field)
            yield from _failing(f"{definition.name}.{field.name}", field)

    def _misnamed(self, coordinate: str, field: Element, rule: str) -> Violation:
        better = f"{self.prefix.field}{upper(field.name)}"
        return Violation(rule, coordinate, f"{coordinate} must begin with {self.prefix.field}: for example {better}.")


def _failing(coordinate: str, field: Element) -> Iterator[Violation]:
    """While a subgraph does not answer, its field is null; where it may not be, the national object would be."""
    if field.type.endswith("!"):
        better = field.type.removesuffix("!")
        yield Violation("nullable", coordinate, f"{coordinate} must be nullable, for subgraphs fail: {better}.")


def _taken(definition: TypeDefinition, field: Element) -> Iterator[Violation]:
    """What a field of the agency's own may not claim."""
    for directive, sentence in _CLAIMS.items():
        if field.has(directive):
            coordinate = f"{definition.name}.{field.name}"
            yield Violation(f"no-{directive}", coordinate, f"{coordinate}: @{directive} {sentence}")


def _plain(element: Element, coordinate: str, allowed: Collection[str] = ()) -> Iterator[Violation]:
    """National elements carry no directive but those allowed, and no description of somebody else's."""
    for directive in element.directives:
        if directive not in allowed:
            yield Violation(
                "national-directive", coordinate, f"{coordinate} is national: @{directive} is not yours to set."
            )
    if element.description is not None:
        yield Violation("national-description", coordinate, f"{coordinate} is described by the national graph alone.")


def _same(definition: TypeDefinition, there: TypeDefinition) -> Iterator[Violation]:
    written = {name: field.type for name, field in definition.fields.items()}
    expected = {name: field.type for name, field in there.fields.items()}
    if written != expected or definition.interfaces:
        fields = " ".join(f"{name}: {type_}" for name, type_ in expected.items())
        yield Violation(
            "same-interface", definition.name, f"Repeat it as it is: interface {definition.name} {{ {fields} }}."
        )
    for field in definition.fields.values():
        yield from _plain(field, f"{definition.name}.{field.name}")


def _keys(definition: TypeDefinition) -> set[tuple[str, bool]]:
    """Key fields, and whether by them an entity is resolved."""
    return {_key(applied) for applied in definition.list_applied("key")}


def _key(applied: AppliedDirective) -> tuple[str, bool]:
    fields = " ".join(str(applied.arguments.get("fields", "")).replace(",", " ").split())
    return fields, applied.arguments.get("resolvable") is not False


def _article(kind: str) -> str:
    word = kind.lower().replace("_", " ")
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
