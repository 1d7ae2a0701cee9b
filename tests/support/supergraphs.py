"""Small supergraphs in the join specification: plans of operations on them, and answers."""

import asyncio
from typing import Any

from graphql import parse, validate

from gateway.federation.engine import Engine
from gateway.federation.executor.subgraphs import ANONYMOUS_CALLER, Caller, SubgraphRequest
from gateway.federation.join import read_supergraph
from gateway.federation.planner.plan import QueryPlan
from gateway.federation.planner.planner import plan_operation
from gateway.federation.supergraph import Supergraph
from gateway.operation.document import Documents


def supergraph_of(sdl: str, *subgraphs: str) -> Supergraph:
    """Reads a supergraph with subgraphs of these names; its SDL calls them the same in capitals."""
    graphs = " ".join(f'{name.upper()} @join__graph(name: "{name}", url: "http://{name}")' for name in subgraphs)
    root = "schema { query: Query mutation: Mutation }" if "type Mutation" in sdl else "schema { query: Query }"
    return read_supergraph(f"{root} enum join__Graph {{ {graphs} }} {sdl}")


def plan_document(supergraph: Supergraph, operation: str, *labels: str) -> QueryPlan:
    """Validates the document and plans its only operation."""
    document = parse(operation)
    assert validate(supergraph.api_schema, document) == []
    checked = Documents(supergraph.api_schema).check(operation)
    [definition] = checked.operations.values()
    return plan_operation(supergraph, definition, checked.fragments, frozenset(labels)).plan


def print_fetches(plan: QueryPlan) -> list[str]:
    """Prints each fetch on one line: subgraph, the fetches that it waits for, document."""
    return [
        f"{fetch.subgraph}{list(fetch.after) if fetch.after else ''}: {fetch.document}".replace(
            "query($r0: [_Any!]!) { _entities(representations: $r0)", "entities"
        )
        for fetch in plan.fetches
    ]


def execute_operation(
    supergraph: Supergraph, operation: str, answers: dict[str, list[dict[str, Any]]], **variables: Any
) -> tuple[dict[str, Any], list[Any]]:
    """Executes the document; returns the response and the representations that were sent.

    `answers` holds each subgraph's answers in the order in which they are given.
    """
    sent: list[Any] = []

    async def ask(subgraph: str, request: SubgraphRequest, caller: Caller = ANONYMOUS_CALLER) -> dict[str, Any]:
        asked = request.variables
        representations = [value for name, value in asked.items() if name not in variables]
        sent.extend(representations)
        return {"data": answers[subgraph].pop(0)}

    checked = Documents(supergraph.api_schema).check(operation)
    [definition] = checked.operations.values()
    engine = Engine(supergraph, ask)
    prepared = engine.prepare(checked.document, definition, checked.fragments)
    answer = asyncio.run(engine.execute(prepared, variables, variables))
    assert not any(answers.values()), answers
    return answer, sent
