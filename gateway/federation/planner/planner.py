"""Turns an operation into a query plan, phase by phase.

operation ─▶ items          Normaliser and ContextSupplier (selection.py, contexts.py)
          ─▶ Solution       Solver (paths.py)
          ─▶ FetchGroups    FetchGraph (fetches.py)
          ─▶ QueryPlan      build_plan (waves.py)
"""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import FragmentDefinitionNode, OperationDefinitionNode

from gateway.federation.planner.contexts import ContextSupplier
from gateway.federation.planner.fetches import FetchGraph, FetchGroup, ResponseKeys
from gateway.federation.planner.graph import NO_LABELS, QueryGraph
from gateway.federation.planner.mutation_parts import MutationPart, split_mutation
from gateway.federation.planner.nulls import NullPropagation
from gateway.federation.planner.paths import Solver
from gateway.federation.planner.plan import QueryPlan
from gateway.federation.planner.selection import ALWAYS, Field, Normaliser, SelectionItem
from gateway.federation.planner.solution import Solution
from gateway.federation.planner.waves import build_plan
from gateway.federation.supergraph import Supergraph


class Unplannable(Exception):
    """No subgraph can resolve some part of the operation. Composition refuses such supergraphs as unsatisfiable."""


@dataclass(frozen=True, slots=True)
class PlannedOperation:
    """A plan, and the response keys under which its answers are merged, which the executor needs for the response."""

    plan: QueryPlan
    keys: ResponseKeys
    graph: QueryGraph


@dataclass(frozen=True, slots=True)
class Phases:
    """The result of each phase, for the command that prints them."""

    kind: str
    root_type: str
    items: tuple[SelectionItem, ...]
    solutions: list[Solution]
    """One for a query, one per part for a mutation."""
    groups: list[FetchGroup]
    planned: PlannedOperation


def plan_operation(
    supergraph: Supergraph,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    labels: frozenset[str] = NO_LABELS,
    denied: frozenset[str] = frozenset(),
) -> PlannedOperation:
    """Plans a validated operation without its denied coordinates (`Type.field`). Raises Unplannable and TooComplex.

    `labels` are the active labels of progressive overrides.
    """
    return run_phases(supergraph, operation, fragments, labels, denied).planned


def run_phases(
    supergraph: Supergraph,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    labels: frozenset[str] = NO_LABELS,
    denied: frozenset[str] = frozenset(),
) -> Phases:
    """Like plan_operation, but returns the result of every phase."""
    graph = QueryGraph(supergraph, labels)
    kind = operation.operation.value
    root_type = supergraph.root_types[kind]
    selected = Normaliser(supergraph, fragments, denied).normalise(operation.selection_set, root_type)
    items = ContextSupplier(graph).add_context_values(selected, root_type)
    keys = ResponseKeys(graph)
    fetches = FetchGraph(graph, keys)
    solver = Solver(graph, NullPropagation(graph, items, root_type))
    solutions: list[Solution] = []
    runs: list[list[FetchGroup]] = []
    for part in split_mutation(items, solver.spend) if kind == "mutation" else [MutationPart(ALWAYS, items)]:
        solution = solver.solve_root(root_type, part.items)
        _check_solved(solution)
        solutions.append(solution)
        runs.append(fetches.add_root(kind, root_type, solution, part.conditions))
    planned = PlannedOperation(build_plan(operation, runs), keys, graph)
    return Phases(kind, root_type, items, solutions, fetches.groups, planned)


def _check_solved(solution: Solution) -> None:
    if solution.residual:
        names = ", ".join(item.name if isinstance(item, Field) else item.type_name for item in solution.residual)
        raise Unplannable(f"No subgraph can resolve all of {names}.")
