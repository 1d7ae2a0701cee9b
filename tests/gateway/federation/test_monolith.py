"""Random subgraphs and operations: the federated answer equals the answer of one schema over the same data.

Every request is validated against the schema of the subgraph that it goes to, and a subgraph refuses what it cannot
know. FEDERATION_EXAMPLES sets how many examples are run, FEDERATION_SEED which ones; docs/testing.md has the long run.
"""

import asyncio
import json
import os
from collections.abc import Sequence
from random import Random, SystemRandom
from typing import Any, Final

import orjson
import pytest
from graphql import (
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    execute_sync,
    parse,
    validate,
)
from support.random_data import Resolver, Unknowable, executable
from support.random_graphs import World, make_world
from support.random_operations import write_random_operation
from support.random_sdl import LINK, subgraph_sdl

from gateway.federation.composition import CompositionResult, SubgraphSource, compose
from gateway.federation.engine import Engine
from gateway.federation.executor.subgraphs import Caller, SubgraphRequest
from gateway.federation.join import read_supergraph

EXAMPLES: Final = int(os.environ.get("FEDERATION_EXAMPLES", "50"))
OPERATIONS: Final = 3
"""How many operations each set of subgraphs is asked."""
DIRECTIVES: Final = ("@requires", "@provides", "@override", "label:", "@interfaceObject", "@inaccessible", "@external")
VARIABLES = {"yes": True, "no": False, "x": 2}


class Federation:
    """The engine of a random world, whose subgraphs are executable schemas."""

    def __init__(self, world: World, composed: CompositionResult, *, is_read: bool) -> None:
        assert composed.supergraph is not None
        self.world = world
        self.supergraph = read_supergraph(composed.supergraph_sdl) if is_read else composed.supergraph
        self.schemas = {name: executable(world, name) for name in world.subgraphs}
        self.engine = Engine(self.supergraph, self.ask)
        self.log: list[Any] = []
        self.asked: list[str] = []

    async def ask(self, subgraph: str, request: SubgraphRequest, caller: Caller) -> dict[str, Any]:
        asked = orjson.loads(request.encode())
        self.asked.append(f"{subgraph}: {asked}")
        document = parse(asked["query"])
        invalid = validate(self.schemas[subgraph], document)
        assert not invalid, (subgraph, invalid, asked["query"])
        resolver = Resolver(self.world, subgraph, self.log)
        result = execute_sync(
            self.schemas[subgraph],
            document,
            variable_values=asked["variables"],
            field_resolver=resolver.resolve,
            type_resolver=resolver.type_of,
        )
        for error in result.errors or ():
            if isinstance(error.original_error, Unknowable | KeyError | AttributeError):
                raise AssertionError(f"{error} in {self.asked[-1]}") from error.original_error
        return dict(result.formatted)

    def run(self, query: str) -> dict[str, Any]:
        document = parse(query)
        fragments = {row.name.value: row for row in document.definitions if isinstance(row, FragmentDefinitionNode)}
        operation = document.definitions[0]
        assert isinstance(operation, OperationDefinitionNode)
        labels = frozenset(label for label, is_active in self.world.labels.items() if is_active)
        prepared = self.engine.prepare(document, operation, fragments, labels=labels)
        return asyncio.run(self.engine.execute(prepared, {}, VARIABLES))


UNANSWERABLE = {"SATISFIABILITY_ERROR", "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES"}
"""Codes of errors that a random set of subgraphs may have."""


def a_federation(seed: int) -> Federation:
    """Returns the first world from this seed on that composes; not every random set of subgraphs does."""
    while True:
        world = make_world(seed)
        composed = compose([SubgraphSource(name, "", subgraph_sdl(world, name)) for name in world.subgraphs])
        if composed.ok:
            return Federation(world, composed, is_read=seed % 2 == 0)
        assert {error.code for error in composed.errors} <= UNANSWERABLE, (seed, composed.errors)
        seed += 1


def differences(federation: Federation, operation_seed: int) -> str:
    """Returns a description of the differences; an empty string if the answers are equal."""
    schema = federation.supergraph.api_schema
    query = write_random_operation(schema, operation_seed)
    whole = Resolver(federation.world)
    expected = execute_sync(schema, parse(query), field_resolver=whole.resolve, type_resolver=whole.type_of)
    federation.log, federation.asked = [], []
    try:
        answer = federation.run(query)
    except (AssertionError, GraphQLError, ExceptionGroup) as failure:
        return f"{failure!r}\n{query}\n" + "\n".join(federation.asked)
    same = json.dumps(answer["data"]) == json.dumps(expected.data) and _are_paths(answer, expected.errors or ())
    # After a null has reached the top, graphql-core starts no further mutation; the specification allows both.
    done = federation.log[: len(whole.log)] if expected.data is None else federation.log
    if same and bool(answer.get("errors")) == bool(expected.errors) and done == whole.log:
        return ""
    return "\n".join(
        [
            query,
            f"expected {json.dumps(expected.data)} {expected.errors}",
            f"answered {json.dumps(answer['data'])} {answer.get('errors')}",
            *federation.asked,
            str((whole.log, federation.log)),
        ]
    )


def _are_paths(answer: dict[str, Any], expected: Sequence[GraphQLError]) -> bool:
    """Whether each error has the path of a failed field, with the client's aliases."""
    found = {json.dumps(error.get("path")) for error in answer.get("errors", ())}
    return {json.dumps(error.path) for error in expected} <= found


def choose_seed() -> int:
    """Returns the same seed each time, so that no run fails by chance; a longer run draws one."""
    drawn = SystemRandom().getrandbits(32) if "FEDERATION_EXAMPLES" in os.environ else 20261125
    return int(os.environ.get("FEDERATION_SEED", drawn))


def find_directives(world: World) -> set[str]:
    sdls = " ".join(subgraph_sdl(world, name).replace(LINK, "") for name in world.subgraphs)
    return {directive for directive in DIRECTIVES if directive in sdls}


@pytest.mark.timeout(60 + EXAMPLES * 3)
def test_the_federated_answer_is_the_monoliths() -> None:
    seed = choose_seed()
    chance, written = Random(seed), set[str]()
    print(f"{EXAMPLES} examples of seed {seed}")  # noqa: T201 - shown where it fails
    for _ in range(EXAMPLES):
        world_seed = chance.getrandbits(32)
        federation = a_federation(world_seed)
        written |= find_directives(federation.world)
        for operation_seed in (chance.getrandbits(32) for _ in range(OPERATIONS)):
            found = differences(federation, operation_seed)
            assert found == "", f"world {world_seed}, operation {operation_seed}\n{found}"
    assert written == set(DIRECTIVES), "a directive is in no example"
