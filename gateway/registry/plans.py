"""What the operations that clients use most cost before and after a change: the fetches of their plans."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final, NamedTuple

from graphql import FragmentDefinitionNode, GraphQLError, OperationDefinitionNode, parse, validate

from gateway.federation.planner.paths import TooComplex
from gateway.federation.planner.planner import Unplannable, plan_operation
from gateway.federation.supergraph import Supergraph

PLANNING_SECONDS: Final = 5
"""Of CPU, for all operations: what is left then is not told."""


class Cost(NamedTuple):
    """`subgraphs` are those that are asked, each once."""

    fetches: int
    subgraphs: tuple[str, ...]


class PlanCost(NamedTuple):
    """An operation's plan before and after; None where there is none: it is not valid, or cannot be planned."""

    operation: str
    uses: int
    before: Cost | None
    after: Cost | None


def plan_costs(before: Supergraph | None, after: Supergraph, uses: Mapping[str, int]) -> Iterator[PlanCost]:
    """Of operations by their text, most used first."""
    give_up = time.process_time() + PLANNING_SECONDS
    for text, count in sorted(uses.items(), key=lambda row: (-row[1], row[0])):
        if time.process_time() > give_up:
            return
        yield PlanCost(text, count, None if before is None else _cost(before, text), _cost(after, text))


def _cost(supergraph: Supergraph, text: str) -> Cost | None:
    with suppress(GraphQLError, TooComplex, Unplannable):
        document = parse(text, no_location=True)
        if validate(supergraph.api_schema, document):
            return None
        [operation] = (row for row in document.definitions if isinstance(row, OperationDefinitionNode))
        fragments = {row.name.value: row for row in document.definitions if isinstance(row, FragmentDefinitionNode)}
        fetches = plan_operation(supergraph, operation, fragments).plan.fetches
        return Cost(len(fetches), tuple(sorted({fetch.subgraph for fetch in fetches})))
    return None
