"""Operation to plan: the phases in their order."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import FragmentDefinitionNode, OperationDefinitionNode

from gateway.federation.planner.contexts import Supplier
from gateway.federation.planner.fetches import FetchGraph, Group, Keys
from gateway.federation.planner.graph import NO_LABELS, Graph
from gateway.federation.planner.nulls import Nulls
from gateway.federation.planner.optimize import plan_of
from gateway.federation.planner.paths import Solution, Solver
from gateway.federation.planner.plan import QueryPlan
from gateway.federation.planner.selection import ALWAYS, Field, Item, Normaliser
from gateway.federation.planner.series import Part, in_series
from gateway.federation.supergraph import Supergraph


class Unplannable(Exception):
    """No subgraph resolves a part of the operation: the supergraph is not satisfiable."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and the keys under which its answers are merged: what shapes the response needs both."""

    plan: QueryPlan
    keys: Keys
    graph: Graph


@dataclass(frozen=True, slots=True)
class Phases:
    """What each phase has made, for those who want to see it."""

    kind: str
    root_type: str
    items: tuple[Item, ...]
    solutions: list[Solution]
    """One for a query, one for each part of a mutation."""
    groups: list[Group]
    planned: Planned


def plan(
    supergraph: Supergraph,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    labels: frozenset[str] = NO_LABELS,
    denied: frozenset[str] = frozenset(),
) -> Planned:
    """A validated operation's plan, without the coordinates that are denied. Raises Unplannable and TooComplex."""
    return phases(supergraph, operation, fragments, labels, denied).planned


def phases(
    supergraph: Supergraph,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    labels: frozenset[str] = NO_LABELS,
    denied: frozenset[str] = frozenset(),
) -> Phases:
    """As `plan`, with all that it went through."""
    graph = Graph(supergraph, labels)
    kind = operation.operation.value
    root_type = supergraph.root_types[kind]
    asked = Normaliser(supergraph, fragments, denied).items(operation.selection_set, root_type)
    items = Supplier(graph).supplied(asked, root_type)
    keys = Keys(graph)
    fetches = FetchGraph(graph, keys)
    solver = Solver(graph, Nulls(graph, items, root_type))
    solutions: list[Solution] = []
    runs: list[list[Group]] = []
    for part in in_series(items, solver.spend) if kind == "mutation" else [Part(ALWAYS, items)]:
        solution = solver.solve_root(root_type, part.items)
        _check(solution)
        solutions.append(solution)
        runs.append(fetches.add_root(kind, root_type, solution, part.conditions))
    planned = Planned(plan_of(operation, runs), keys, graph)
    return Phases(kind, root_type, items, solutions, fetches.groups, planned)


def _check(solution: Solution) -> None:
    if solution.residual:
        names = ", ".join(item.name if isinstance(item, Field) else item.type_name for item in solution.residual)
        raise Unplannable(f"No subgraph can resolve all of {names}.")
