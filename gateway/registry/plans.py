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
"""CPU time for all operations; those that are left then are not in the result."""


class FetchCount(NamedTuple):
    """The size of a plan. `subgraphs` are distinct and sorted."""

    fetches: int
    subgraphs: tuple[str, ...]


class PlanChange(NamedTuple):
    """An operation's plan before and after a publication; None if the operation is invalid or cannot be planned."""

    operation: str
    uses: int
    before: FetchCount | None
    after: FetchCount | None


def compare_plans(before: Supergraph | None, after: Supergraph, uses: Mapping[str, int]) -> Iterator[PlanChange]:
    """Yields the changes of plans, most used operations first. `uses` counts operations by their text."""
    give_up = time.process_time() + PLANNING_SECONDS
    for text, count in sorted(uses.items(), key=lambda row: (-row[1], row[0])):
        if time.process_time() > give_up:
            return
        yield PlanChange(
            text, count, None if before is None else _count_fetches(before, text), _count_fetches(after, text)
        )


def _count_fetches(supergraph: Supergraph, text: str) -> FetchCount | None:
    with suppress(GraphQLError, TooComplex, Unplannable):
        document = parse(text, no_location=True)
        if validate(supergraph.api_schema, document):
            return None
        [operation] = (row for row in document.definitions if isinstance(row, OperationDefinitionNode))
        fragments = {row.name.value: row for row in document.definitions if isinstance(row, FragmentDefinitionNode)}
        fetches = plan_operation(supergraph, operation, fragments).plan.fetches
        return FetchCount(len(fetches), tuple(sorted({fetch.subgraph for fetch in fetches})))
    return None
