"""Random supergraphs and operations: the federated answer equals that of one schema over the same data.

Everything follows from a seed. Each object is `(type, number)`; what a field of it holds is computed from that, so
that every subgraph, and the monolith, agree without sharing anything.
"""

import asyncio
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson
from graphql import OperationDefinitionNode, build_schema, execute_sync, parse, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.federation.engine import Engine
from gateway.federation.executor.subgraphs import Caller
from gateway.federation.join import read_supergraph
from gateway.federation.supergraph import Supergraph

OBJECTS = 4
CONDITIONS = ("", "", "", "", " @include(if: $yes)", " @skip(if: $yes)", " @skip(if: $no)")


@dataclass
class Type:
    """A random entity: in which subgraphs it is, and which of them have each of its fields."""

    name: str
    subgraphs: list[str]
    keyed: list[str]
    values: dict[str, list[str]] = field(default_factory=dict)
    links: dict[str, tuple[str, bool, list[str]]] = field(default_factory=dict)
    requiring: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Field to (subgraph, the value that it requires)."""
    is_thing: bool = False


@dataclass
class World:
    """A random supergraph: its types, and the subgraphs of its root fields."""

    subgraphs: list[str]
    types: list[Type]
    roots: dict[str, tuple[str, bool, list[str]]]
    things: list[str]
    """Subgraphs with the root field `things`."""

    def type(self, name: str) -> Type:
        return next(row for row in self.types if row.name == name)


def a_world(seed: int) -> World:
    chance = Random(seed)
    subgraphs = [f"s{number}" for number in range(chance.randint(2, 4))]
    types = []
    for number in range(chance.randint(2, 4)):
        where = chance.sample(subgraphs, chance.randint(1, len(subgraphs)))
        types.append(Type(f"T{number}", where, list(where), is_thing=chance.random() < 0.6))
    for row in types:
        for number in range(chance.randint(1, 4)):
            row.values[f"v{number}"] = chance.sample(row.subgraphs, chance.randint(1, min(2, len(row.subgraphs))))
        for number, other in enumerate(chance.sample(types, chance.randint(0, len(types)))):
            both = [subgraph for subgraph in row.subgraphs if subgraph in other.subgraphs]
            if both:
                some = chance.sample(both, chance.randint(1, len(both)))
                row.links[f"l{number}"] = (other.name, chance.random() < 0.5, some)
        for value, having in row.values.items():
            elsewhere = [subgraph for subgraph in row.subgraphs if subgraph not in having]
            if elsewhere and chance.random() < 0.5:
                row.requiring[f"r_{value}"] = (chance.choice(elsewhere), value)
    roots = {}
    for row in types:
        some = chance.sample(row.subgraphs, chance.randint(1, len(row.subgraphs)))
        roots[f"one{row.name}"] = (row.name, False, some)
        roots[f"all{row.name}"] = (row.name, True, some[:1])
    with_things = {subgraph for row in types if row.is_thing for subgraph in row.subgraphs}
    whole = [s for s in sorted(with_things) if all(s in row.subgraphs for row in types if row.is_thing)]
    return World(subgraphs, types, roots, whole[:1])


def supergraph_sdl(world: World) -> str:
    graphs = " ".join(f'{name.upper()} @join__graph(name: "{name}", url: "http://{name}")' for name in world.subgraphs)
    everywhere = " ".join(f"@join__type(graph: {name.upper()})" for name in world.subgraphs)
    lines = ["schema { query: Query }", f"enum join__Graph {{ {graphs} }}", f"type Query {everywhere} {{"]
    lines += [
        f"  {name}: {f'[{of}]' if many else of} {joined(where)}" for name, (of, many, where) in world.roots.items()
    ]
    lines += [f"  things: [Thing] {joined(world.things)}"] if world.things else []
    lines += ["}"]
    if world.things:
        lines += [f"interface Thing {everywhere} {{ id: ID! }}"]
    for row in world.types:
        keys = " ".join(f'@join__type(graph: {name.upper()}, key: "id")' for name in row.subgraphs)
        thing = row.is_thing and world.things
        implements = " ".join(f'@join__implements(graph: {s.upper()}, interface: "Thing")' for s in row.subgraphs)
        lines += [f"type {row.name} {'implements Thing ' + implements if thing else ''} {keys} {{ id: ID!"]
        for name, having in row.values.items():
            external = [s for s, value in row.requiring.values() if value == name]
            also = "".join(f" @join__field(graph: {s.upper()}, external: true)" for s in dict.fromkeys(external))
            lines += [f"  {name}: Int {joined(having)}{also}"]
        for name, (other, many, where) in row.links.items():
            lines += [f"  {name}: {f'[{other}!]!' if many else other} {joined(where)}"]
        for name, (subgraph, value) in row.requiring.items():
            lines += [f'  {name}: Int @join__field(graph: {subgraph.upper()}, requires: "{value}")']
        lines += ["}"]
    return "\n".join(lines)


def joined(where: list[str]) -> str:
    return " ".join(f"@join__field(graph: {name.upper()})" for name in where)


def plain_sdl(world: World, subgraph: str | None = None) -> str:
    """One subgraph's schema, or the whole in one."""

    def here(where: list[str]) -> bool:
        return subgraph is None or subgraph in where

    lines = ["type Query {"]
    for name, (of, many, where) in world.roots.items():
        lines += [f"  {name}: {f'[{of}]' if many else of}"] if here(where) else []
    if world.things and here(world.things):
        lines += ["  things: [Thing]"]
    types = [row for row in world.types if here(row.subgraphs)]
    if subgraph is not None:
        lines += ["  _entities(representations: [_Any!]!): [_Entity]!" if types else "  _none: Int"]
    lines += ["}", "scalar _Any"]
    if subgraph is not None and types:
        lines += [f"union _Entity = {' | '.join(row.name for row in types)}"]
    if world.things:
        lines += ["interface Thing { id: ID! }"]
    for row in types:
        lines += [f"type {row.name} {'implements Thing' if row.is_thing and world.things else ''} {{ id: ID!"]
        external = [value for s, value in row.requiring.values() if s == subgraph]
        lines += [f"  {name}: Int" for name, having in row.values.items() if here(having) or name in external]
        for name, (other, many, where) in row.links.items():
            lines += [f"  {name}: {f'[{other}!]!' if many else other}"] if here(where) else []
        lines += [f"  {name}: Int" for name, (s, _) in row.requiring.items() if here([s])]
        lines += ["}"]
    return "\n".join(lines)


def number_of(*parts: object) -> int:
    return zlib.crc32(repr(parts).encode())


def value_of(type_name: str, key: str, name: str) -> int | None:
    found = number_of(type_name, key, name) % 1000
    return None if found < 60 else found


@dataclass
class Resolver:
    """What a field of an object holds; in a subgraph, what is required comes from the representation alone."""

    world: World
    subgraph: str | None = None

    def resolve(self, source: Any, info: Any, **arguments: Any) -> Any:
        name, parent = info.field_name, info.parent_type.name
        if name == "_entities":
            return [dict(row) for row in arguments["representations"]]
        if name == "things":
            things = [row.name for row in self.world.types if row.is_thing]
            return [self.made(things[number % len(things)], str(number)) for number in range(OBJECTS)] if things else []
        if parent == "Query":
            of, many, _ = self.world.roots[name]
            return [self.made(of, str(number)) for number in range(OBJECTS)] if many else self.made(of, "0")
        row, key = self.world.type(parent), source["id"]
        if name == "id":
            return key
        if name in row.links:
            other, many, _ = row.links[name]
            first = number_of(parent, key, name)
            if many:
                return [self.made(other, str((first + step) % OBJECTS)) for step in range(first % 3)]
            return None if first % 7 == 0 else self.made(other, str(first % OBJECTS))
        if name in row.requiring:
            _, value = row.requiring[name]
            required = value_of(parent, key, value) if self.subgraph is None else source[value]
            return None if required is None else required * 2 + 1
        return value_of(parent, key, name)

    def made(self, type_name: str, key: str) -> dict[str, Any]:
        return {"__typename": type_name, "id": key}


def an_operation(world: World, seed: int) -> str:  # noqa: C901 - one branch for each thing that can be asked
    chance = Random(seed)
    aliases = iter(range(10_000))

    def selection(type_name: str, depth: int) -> str:
        return "{ " + " ".join(parts(type_name, depth)) + " }"

    def parts(type_name: str, depth: int) -> Iterator[str]:
        if type_name == "Thing":
            yield "id"
            for row in world.types:
                if row.is_thing and chance.random() < 0.7:
                    yield f"... on {row.name} {selection(row.name, depth - 1)}"
            return
        row = world.type(type_name)
        yield chance.choice(["id", "__typename", "key: id"])
        for name in (*row.values, *row.requiring):
            if chance.random() < 0.5:
                alias = f"a{next(aliases)}: " if chance.random() < 0.3 else ""
                yield f"{alias}{name}{condition()}"
        for name, (other, _, _) in row.links.items():
            if depth > 0 and chance.random() < 0.6:
                yield f"b{next(aliases)}: {name}{condition()} {selection(other, depth - 1)}"
                if chance.random() < 0.2:
                    yield f"again{next(aliases)}: {name} {selection(other, depth - 1)}"

    def condition() -> str:
        return chance.choice(CONDITIONS)

    roots = chance.sample(list(world.roots), chance.randint(1, min(3, len(world.roots))))
    asked = [f"{name} {selection(world.roots[name][0], 3)}" for name in roots]
    if world.things and chance.random() < 0.5:
        asked.append(f"things {selection('Thing', 2)}")
    used = "used: __typename @include(if: $yes) @skip(if: $no)"
    return f"query ($yes: Boolean = true, $no: Boolean = false) {{ __typename {used} {' '.join(asked)} }}"


class Federation:
    """A world's engine over its subgraphs, each a schema of its own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.supergraph: Supergraph = read_supergraph(supergraph_sdl(world))
        self.schemas = {name: build_schema(plain_sdl(world, name)) for name in world.subgraphs}
        self.engine = Engine(self.supergraph, self.ask)

    async def ask(self, subgraph: str, body: bytes, kind: str, caller: Caller) -> dict[str, Any]:
        asked = orjson.loads(body)
        document = parse(asked["query"])
        # A plan must be valid for the subgraph that it is sent to.
        invalid = validate(self.schemas[subgraph], document)
        assert not invalid, (invalid, asked["query"])
        resolver = Resolver(self.world, subgraph)
        result = execute_sync(
            self.schemas[subgraph], document, variable_values=asked["variables"], field_resolver=resolver.resolve
        )
        assert not result.errors, result.errors
        return {"data": result.data}

    def run(self, query: str) -> dict[str, Any]:
        document = parse(query)
        assert validate(self.supergraph.api_schema, document) == []
        [operation] = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        prepared = self.engine.prepare(document, operation, {})
        return asyncio.run(self.engine.execute(prepared, {}, {"yes": True, "no": False}))


@settings(max_examples=500, deadline=None)
@given(world_seed=st.integers(0, 2**32), operation_seed=st.integers(0, 2**32))
def test_the_federated_answer_is_the_monoliths(world_seed: int, operation_seed: int) -> None:
    world = a_world(world_seed)
    federation = Federation(world)
    whole = build_schema(plain_sdl(world))
    query = an_operation(world, operation_seed)
    expected = execute_sync(whole, parse(query), field_resolver=Resolver(world).resolve)
    assert expected.errors is None
    answer = federation.run(query)
    assert json.dumps(answer) == json.dumps({"data": expected.data}), (supergraph_sdl(world), query)
