"""Operation to plan: the phases in their order."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import FragmentDefinitionNode, OperationDefinitionNode

from gateway.federation.planner.fetches import FetchGraph, Group, Keys
from gateway.federation.planner.graph import NO_LABELS, Graph
from gateway.federation.planner.optimize import plan_of
from gateway.federation.planner.paths import Solution, Solver
from gateway.federation.planner.plan import QueryPlan
from gateway.federation.planner.selection import Field, Normaliser
from gateway.federation.supergraph import Supergraph


class Unplannable(Exception):
    """No subgraph resolves a part of the operation: the supergraph is not satisfiable."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and the keys under which its answers are merged: what shapes the response needs both."""

    plan: QueryPlan
    keys: Keys
    graph: Graph


def plan(
    supergraph: Supergraph,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    labels: frozenset[str] = NO_LABELS,
    denied: frozenset[str] = frozenset(),
) -> Planned:
    """A validated operation's plan, without the coordinates that are denied. Raises Unplannable and TooComplex."""
    graph = Graph(supergraph, labels)
    root_type = supergraph.root_types[operation.operation.value]
    items = Normaliser(supergraph, fragments, denied).items(operation.selection_set, root_type)
    keys = Keys(graph)
    fetches = FetchGraph(graph, keys)
    kind = operation.operation.value
    solver = Solver(graph)
    runs: list[list[Group]] = []
    for part in [(item,) for item in items] if kind == "mutation" else [items]:
        solution = solver.solve_root(root_type, part)
        _check(solution)
        runs.append(fetches.add_root(kind, root_type, solution))
    return Planned(plan_of(operation, runs), keys, graph)


def _check(solution: Solution) -> None:
    if solution.residual:
        names = ", ".join(item.name if isinstance(item, Field) else item.type_name for item in solution.residual)
        raise Unplannable(f"No subgraph can resolve all of {names}.")
