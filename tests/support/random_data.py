"""What the fields of random subgraphs hold: the same for every subgraph, and for one schema over everything.

An object is its type and number; what a field of it holds follows from them. A subgraph's resolver refuses what it
would not know: fields that are external, overridden, or require what the representation does not bring.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    InlineFragmentNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    SchemaExtensionNode,
    SelectionNode,
    build_ast_schema,
    parse,
    value_from_ast_untyped,
)
from support.random_graphs import Spec, World
from support.random_sdl import subgraph_sdl

from gateway.federation.fields import parse_fields

OBJECTS = 4
COLORS = ("RED", "GREEN", "BLUE")
KEY_FIELDS = ("id", "sku", "a", "b", "k", "own")

Object = dict[str, Any]


class Unknowable(AssertionError):
    """A subgraph was asked for what it cannot know."""


class Sour(Exception):
    """What a resolver cannot tell."""


def executable(world: World, subgraph: str) -> GraphQLSchema:
    """The subgraph's schema with `_entities`."""
    own: list[Any] = []
    for definition in parse(subgraph_sdl(world, subgraph)).definitions:
        if isinstance(definition, ObjectTypeExtensionNode):
            definition = ObjectTypeDefinitionNode(**{key: getattr(definition, key) for key in definition.keys})
        if not isinstance(definition, SchemaExtensionNode):
            own.append(definition)
    entities = [kind.name for kind in world.kinds.values() if _is_entity(world, kind.name, subgraph)]
    text = "scalar _Any "
    if entities:
        text += f"union _Entity = {' | '.join(entities)} "
        text += "extend type Query { _entities(representations: [_Any!]!): [_Entity]! }"
    own += parse(text).definitions
    return build_ast_schema(DocumentNode(definitions=tuple(own)), assume_valid_sdl=True)


def _is_entity(world: World, name: str, subgraph: str) -> bool:
    kind = world.kinds[name]
    if subgraph in kind.object_in:
        return bool(kind.list_fields(subgraph))
    return any(resolvable for _, resolvable in kind.keys.get(subgraph, ()))


def number_of(*parts: object) -> int:
    return zlib.crc32(json.dumps(parts, sort_keys=True).encode())


@dataclass
class Resolver:
    """Resolves fields for one subgraph, or for the whole; `log` has the mutations in the order of their calls."""

    world: World
    subgraph: str | None = None
    log: list[Any] = field(default_factory=list)

    def type_of(self, value: Object, info: Any, abstract: Any) -> str:
        name = str(value["t"])
        return name if self.subgraph is None else self.world.object_for(name, self.subgraph)

    def resolve(self, source: Any, info: Any, **arguments: Any) -> Any:
        name = info.field_name
        if name == "_entities":
            return [self.entity(row) for row in arguments["representations"]]
        if info.parent_type.name in ("Query", "Mutation"):
            source = {"t": info.parent_type.name, "n": 0}
        if info.parent_type.name == "Mutation":
            self.log.append([name, arguments])
        return self.field(source, name, arguments)

    def field(self, source: Object, name: str, arguments: Object) -> Any:
        kind, number = self.world.kinds[source["t"]], source["n"]
        if kind.name == "KT":
            return number if name == "a" else number + 100
        if kind.category == "entity" and name in KEY_FIELDS:
            self.check_known(source, kind.fields[name])
            return self.key_field(kind.name, number, name)
        spec = self.world.spec(kind.name, name)
        self.check_known(source, spec)
        if spec.requires:
            known = self.required(source, spec)
            return number_of(kind.name, number, name, known) % 1000
        provided = list(self.provided(source.get("provided", ()), kind.name, name))
        if self.subgraph in spec.provides:
            provided += parse_fields(spec.provides[self.subgraph]).selections
        seed = number_of(kind.name, number, name, arguments)
        if name == "sour" and seed % 3 == 0:
            raise Sour(f"{kind.name}:{number}")
        is_strict = bool(spec.stricter)
        return self.value(spec, spec.wrap, seed, is_strict, provided)

    def key_field(self, type_name: str, number: int, name: str) -> Any:
        if name == "k":
            return {"t": "KT", "n": number}
        if name == "own":
            return {"t": self.world.kinds[type_name].fields["own"].of, "n": number}
        return {"id": f"{type_name}:{number}", "sku": f"sku-{number}", "a": number, "b": number + 100}[name]

    def value(self, spec: Spec, wrap: str, seed: int, is_strict: bool, provided: Sequence[SelectionNode]) -> Any:
        if wrap.endswith("!") and not spec.may_break:
            wrap = wrap[:-1]
        elif not is_strict and seed % 7 == 0:
            return None
        wrap = wrap.removesuffix("!")
        if wrap.startswith("["):
            rows = [number_of(seed, position) for position in range(seed % 4)]
            return [self.value(spec, wrap[1:-1], row, False, provided) for row in rows]
        return self.one(spec, seed // 7, provided)

    def one(self, spec: Spec, seed: int, provided: Sequence[SelectionNode]) -> Any:
        match spec.of:
            case "Int":
                return seed % 1000
            case "String":
                return f"text {seed % 1000}"
            case "Color":
                return COLORS[seed % 3]
            case "Query":
                return {"t": "Query", "n": 0}
        kind, name = self.world.kinds[spec.of], spec.of
        if kind.is_abstract:
            allowed = self.world.find_common_types(spec)
            if not allowed:
                raise Sour(spec.name)
            name = allowed[seed % len(allowed)]
        return {"t": name, "n": seed // 5 % OBJECTS, "provided": provided}

    def check_known(self, source: Object, spec: Spec) -> None:
        """What a subgraph is not the owner of it knows of keys and on provided paths alone."""
        if self.subgraph is None:
            return
        stands_for = self.world.object_for(source["t"], self.subgraph) if source["t"] in self.world.kinds else ""
        is_known = self.subgraph in spec.owners or (stands_for != source["t"] and spec.name == "id")
        if spec.override is not None and self.subgraph in spec.override[:2]:
            new, _, label = spec.override
            is_known = (self.subgraph == new) is (not label or self.world.labels[label])
        if not is_known and not any(True for _ in self.named(source.get("provided", ()), source["t"], spec.name)):
            raise Unknowable(f"{self.subgraph} does not know {source['t']}.{spec.name}")

    def named(self, selections: Sequence[SelectionNode], type_name: str, name: str) -> Iterator[FieldNode]:
        for selection in selections:
            if isinstance(selection, FieldNode) and selection.name.value == name:
                yield selection
            elif isinstance(selection, InlineFragmentNode) and _applies(selection, type_name):
                yield from self.named(selection.selection_set.selections, type_name, name)

    def provided(self, selections: Sequence[SelectionNode], type_name: str, name: str) -> Iterator[SelectionNode]:
        for field_node in self.named(selections, type_name, name):
            if field_node.selection_set is not None:
                yield from field_node.selection_set.selections

    def required(self, source: Object, spec: Spec) -> Any:
        selections = parse_fields(spec.requires).selections
        if self.subgraph is None:
            return _read(selections, source, self.truth)
        if "representation" not in source:
            raise Unknowable(f"{spec.name} was asked without what it requires")
        return _read(selections, source["representation"], _represented)

    def truth(self, source: Object, field_node: FieldNode) -> Any:
        name = field_node.name.value
        given = {row.name.value: value_from_ast_untyped(row.value) for row in field_node.arguments or ()}
        spec = self.world.spec(source["t"], name)
        return self.field(source, name, {"x": 3} | given if spec.arguments else {})

    def entity(self, representation: Object) -> Object:
        """The object that a representation identifies, by a key that this subgraph takes."""
        name = representation["__typename"]
        kind = self.world.kinds[name]
        if kind.is_keyed:
            name = representation["id"].split(":")[0]
        elif not any(
            resolvable and _covers(representation, parse_fields(text).selections)
            for text, resolvable in kind.keys.get(str(self.subgraph), ())
        ):
            raise Unknowable(f"{self.subgraph} does not take {representation}")
        return {"t": name, "n": _number(representation), "representation": representation}


def _applies(fragment: InlineFragmentNode, type_name: str) -> bool:
    return fragment.type_condition is None or fragment.type_condition.name.value == type_name


def _covers(representation: Object, selections: Sequence[SelectionNode]) -> bool:
    return all(
        isinstance(row, FieldNode)
        and representation.get(row.name.value) is not None
        and (row.selection_set is None or _covers(representation[row.name.value], row.selection_set.selections))
        for row in selections
    )


def _number(representation: Object) -> int:
    match representation:
        case {"id": str(found)}:
            return int(found.split(":")[1])
        case {"sku": str(found)}:
            return int(found.split("-")[1])
        case {"a": int(found)} | {"k": {"a": int(found)}}:
            return found
        case {"own": {"id": str(found)}}:
            return int(found.split(":")[1])
    raise Unknowable(f"No key in {representation}")


def _represented(source: Object, field_node: FieldNode) -> Any:
    if field_node.name.value not in source:
        raise Unknowable(f"{field_node.name.value} is missing in {source}")
    return source[field_node.name.value]


def _read(selections: Sequence[SelectionNode], source: Any, get: Any) -> Any:
    """What a selection says of an object, or of lists of them."""
    if source is None:
        return None
    if isinstance(source, list):
        return [_read(selections, row, get) for row in source]
    found: Object = {}
    for selection in selections:
        if isinstance(selection, FieldNode):
            value = get(source, selection)
            inside = selection.selection_set
            found[selection.name.value] = value if inside is None else _read(inside.selections, value, get)
        elif isinstance(selection, InlineFragmentNode):
            own = source["t"] if "t" in source else source["__typename"]
            if _applies(selection, own):
                found |= _read(selection.selection_set.selections, source, get)
    return found
