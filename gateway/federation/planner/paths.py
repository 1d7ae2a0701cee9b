"""Path finding: for each selected field the cheapest subgraph, and the keys and requirements that lead there.

The solver works recursively, with memory (dynamic programming over node and items). At a node it first keeps what the
node's own subgraph resolves; for the rest it chooses the cheapest set of moves to other subgraphs (choice.py). Items
that no move reaches become the residual: the node that the object came from may fetch them another way.
    # { product { name price } }: "shop" has product and name, "prices" has price with @key(fields: "id")
    # at (shop, Query): product stays; at (shop, Product): name stays, price moves to (prices, Product) by id
The effort is bounded: MAX_EVALUATIONS, then TooComplex.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from gateway.federation.planner.choice import MoveChoice, count_late_fields
from gateway.federation.planner.graph import Node, QueryGraph
from gateway.federation.planner.nulls import NullPropagation
from gateway.federation.planner.selection import (
    TYPENAME,
    Field,
    Fragment,
    SelectionItem,
    has_conflict,
    merge_items,
)
from gateway.federation.planner.solution import (
    CROSSING,
    Move,
    Option,
    Origin,
    Solution,
    SolvedField,
    SolvedFragment,
    Target,
    count_leaves,
)

MAX_EVALUATIONS: Final = 15_000

Blocked = frozenset[str]
"""Subgraphs that may not be asked: while the key for a move to S is being solved, S itself may not supply it."""

_NONE_BLOCKED: Final[Blocked] = frozenset()


class TooComplex(Exception):
    """Planning the operation would take too long."""


@dataclass
class Solver:
    """Solves the selections of one operation. Remembers every solution that it has found."""

    graph: QueryGraph
    nulls: NullPropagation
    evaluations: float = 0
    _solutions: dict[object, Solution] = field(default_factory=dict)
    _active: frozenset[tuple[str, str, str]] = frozenset()
    """The `@requires` fields (subgraph, type, name) that are being solved: a cycle must not wait for itself."""

    def solve(
        self, node: Node, static_type: str, items: tuple[SelectionItem, ...], blocked: Blocked = _NONE_BLOCKED
    ) -> Solution:
        """Solves the items on an object at the node. `static_type` is the type of the field that leads to it."""
        key = (node, static_type, items, blocked, self._active)
        if key not in self._solutions:
            self.spend(1)
            if self.graph.is_abstract(node):
                self._solutions[key] = self._solve_abstract(node, static_type, items, blocked)
            elif self.graph.is_interface_object(node):
                self._solutions[key] = self._solve_interface_object(node, static_type, items, blocked)
            else:
                fields = self.graph.flatten(node.type_name, items)
                self._solutions[key] = self._solve_object(node, static_type, fields, blocked)
        return self._solutions[key]

    def spend(self, evaluations: float) -> None:
        """Counts planning effort. Raises TooComplex."""
        self.evaluations += evaluations
        if self.evaluations > MAX_EVALUATIONS:
            raise TooComplex("The operation is too complex to plan: ask for less at once.")

    def solve_root(self, type_name: str, items: tuple[SelectionItem, ...]) -> Solution:
        """Solves the items of a root type. Every field needs a move, as no subgraph has been asked yet."""
        fields: list[SelectionItem] = [
            item for item in self.graph.flatten(type_name, items) if item.name != "__typename"
        ]
        solution = Solution()
        self._add_moves(None, type_name, solution, fields, _NONE_BLOCKED)
        return solution

    def _solve_object(self, node: Node, static_type: str, items: Iterable[SelectionItem], blocked: Blocked) -> Solution:
        solution = Solution()
        pending: list[SelectionItem] = []
        for item in items:
            option = self._resolve_locally(node, item) if isinstance(item, Field) else None
            # A local field whose inside needs further requests may be cheaper elsewhere: the choice weighs both.
            if option is None or option.rest is not None or option.cost >= CROSSING:
                pending.append(item)
            else:
                solution.add(option.solution)
        if pending:
            self._add_moves(node, static_type, solution, pending, blocked)
        return solution

    def _solve_interface_object(
        self, node: Node, static_type: str, items: tuple[SelectionItem, ...], blocked: Blocked
    ) -> Solution:
        """The subgraph does not know the objects' concrete types. If they matter, another subgraph is asked."""
        wanted: list[SelectionItem] = []
        for item in items:
            if isinstance(item, Field):
                wanted.append(item)
                continue
            if node.type_name in self.graph.supergraph.subtypes(item.type_name):
                wanted += item.selections
                continue
            wanted.append(TYPENAME)
            for inner in item.selections:
                known = isinstance(inner, Field) and self.graph.find_field(node, inner.name) is not None
                known = (
                    known and isinstance(inner, Field) and not self.graph.has_conflicting_types(static_type, inner.name)
                )
                # A known field is fetched for every object; the executor drops it from objects of other types.
                wanted.append(inner if known else Fragment(item.type_name, (inner,)))
        return self._solve_object(node, static_type, merge_items(wanted), blocked)

    def _solve_abstract(
        self, node: Node, static_type: str, items: tuple[SelectionItem, ...], blocked: Blocked
    ) -> Solution:
        """Asks the interface for what all its objects resolve, and solves the rest for each object type.

        # node { id ... on Car { wheels } }, id everywhere → id on the interface, wheels in a fragment on Car
        """
        solution = Solution()
        pending: list[SelectionItem] = []
        by_type: list[SelectionItem] = []
        for item in self._inline_fragments(node.type_name, items):
            if isinstance(item, Fragment):
                by_type.append(item)
                continue
            option = self._resolve_locally(node, item) if self._is_common(node, static_type, item.name) else None
            if option is not None and option.rest is None:
                solution.add(option.solution)
            elif self._is_of_interface_object(node.type_name, item.name):
                pending.append(item)
            else:
                by_type.append(item)
        if pending:
            self._add_moves(node, static_type, solution, pending, blocked)
            by_type += solution.residual
            solution.residual = ()
        highest = 0
        for type_name in self.graph.find_possible_types(node) if by_type else ():
            own = self.graph.flatten(type_name, tuple(by_type))
            if own:
                at = node._replace(type_name=type_name)
                inside = self.solve(at, static_type, own, blocked)
                solution.fragments.append(SolvedFragment(at, inside))
                # Requests to one subgraph for several types are sent as one, so only the dearest type is paid for.
                highest = max(highest, inside.cost)
                if inside.residual:
                    solution.residual += (Fragment(type_name, inside.residual),)
        solution.cost += highest
        return solution

    def _inline_fragments(self, type_name: str, items: tuple[SelectionItem, ...]) -> Iterable[SelectionItem]:
        """Replaces fragments that apply to every object of the type by their items."""
        for item in items:
            if isinstance(item, Fragment) and (
                item.type_name == type_name or type_name in self.graph.supergraph.subtypes(item.type_name)
            ):
                yield from self._inline_fragments(type_name, item.selections)
            else:
                yield item

    def _is_common(self, node: Node, static_type: str, name: str) -> bool:
        """Whether the subgraph resolves the field on every object that it returns, and with the same type."""
        if name == "__typename":
            return True
        if self.graph.find_field(node, name) is None or self.graph.has_conflicting_types(static_type, name):
            return False
        fields = (
            self.graph.find_field(node._replace(type_name=type_name), name)
            for type_name in self.graph.find_possible_types(node)
        )
        return all(here is not None and not here.needs_more for here in fields)

    def _is_of_interface_object(self, type_name: str, name: str) -> bool:
        subgraphs = self.graph.supergraph.subgraphs_by_field.get((type_name, name), ())
        return any(self.graph.is_interface_object(Node(subgraph, type_name)) for subgraph in subgraphs)

    def _resolve_locally(self, node: Node, item: Field, *, required: bool = False) -> Option | None:
        """Resolves the field at this node, or returns None.

        A field with `@requires` or contextual arguments is resolved only if `required`: they are fetched already.
        """
        if item.name == "__typename":
            if self.graph.is_interface_object(node):
                return None
            return Option(0, Solution(fields=[SolvedField(item)]))
        here = self.graph.find_field(node, item.name)
        if here is None or (here.needs_more and not required):
            return None
        if not item.selections:
            return Option(1, Solution(1, [SolvedField(item)]))
        child = self.graph.find_child(node, here, item.name)
        static_type = self.graph.supergraph.field_type(node.type_name, item.name)
        inside = self.solve(child, static_type or child.type_name, item.selections)
        if inside.residual and count_leaves(inside.residual) >= count_leaves(item.selections):
            return None
        rest = item.narrow(inside.residual) if inside.residual else None
        cost = 1 + inside.cost
        return Option(cost, Solution(cost, [SolvedField(item, child, inside)]), rest)

    def _add_moves(
        self, node: Origin, static_type: str, solution: Solution, pending: list[SelectionItem], blocked: Blocked
    ) -> None:
        """Adds the cheapest moves for the pending items. Items without any become the residual."""
        targets = list(self._find_targets(node, static_type, pending, blocked))
        find_option = partial(self._find_option, node, static_type, blocked)
        chosen = MoveChoice(pending, targets, find_option, self.spend).choose()
        solution.residual += tuple(chosen.residual)
        moves: list[tuple[Target, Move]] = []
        for target, option in chosen.ways:
            if target is None:
                solution.add(option.solution)
                continue
            alone = option.is_contextual or (option.required is not None and option.required.cost >= CROSSING)
            move = _find_joinable(moves, target, option, alone=alone)
            if move is None:
                required = [] if target.required is None else [target.required]
                move = Move(target.node, target.key, (), required, Solution(), alone)
                solution.cost += target.cost
                moves.append((target, move))
            if option.required is not None and option.required not in move.required:
                move.required.append(option.required)
                move.requirement += option.requirement
                solution.cost += option.required.cost
            move.solution.add(option.solution)
            solution.cost += option.solution.cost + count_late_fields(target, option)
        solution.moves += [move for _, move in moves]

    def _find_option(
        self, node: Origin, static_type: str, blocked: Blocked, item: SelectionItem, target: Target | None
    ) -> Option | None:
        """Resolves an item at a target, or at the node itself if the target is None. None: it cannot."""
        if target is None:
            if node is not None and isinstance(item, Field) and not self.graph.is_abstract(node):
                return self._resolve_locally(node, item)
            return None
        at = target.node
        if isinstance(item, Fragment) or self.graph.is_abstract(at):
            inside = self.solve(at, static_type, (item,))
            if inside.residual and count_leaves(inside.residual) >= count_leaves((item,)):
                return None
            return Option(inside.cost, inside, _rebuild_item(item, inside.residual))
        here = None if item.name == "__typename" else self.graph.find_field(at, item.name)
        if here is None:
            return None
        if not here.needs_more:
            # A move back to the node's own subgraph helps only fields that need more: others were resolved there.
            return None if node is not None and at.subgraph == node.subgraph else self._resolve_locally(at, item)
        return self._find_requiring_option(node, static_type, target, item, blocked)

    def _find_requiring_option(
        self, node: Origin, static_type: str, target: Target, item: Field, blocked: Blocked
    ) -> Option | None:
        """Resolves a field with `@requires` at a target. The requirement must be solvable from the node of origin.

        # {a @requires(b)} → fetch b from B, then move to A with the key and b in the representation, then a from A
        """
        at = target.node
        here = self.graph.find_field(at, item.name)
        mark = (at.subgraph, at.type_name, item.name)
        if node is None or here is None or mark in self._active:
            return None
        requirement: tuple[SelectionItem, ...] = ()
        if here.requires is not None:
            parsed = self.graph.parse_items(here.requires, at.type_name)
            requirement = self.nulls.protect(parsed, at.type_name, target.key)
        outer = self._active
        self._active = outer | {mark}
        try:
            required = self.solve(node, static_type, requirement, blocked)
        finally:
            self._active = outer
        option = None if required.residual else self._resolve_locally(at, item, required=True)
        if option is not None:
            option.requirement, option.required = requirement, required
            option.is_contextual = bool(here.contexts)
        return option

    def _find_targets(
        self, node: Origin, static_type: str, pending: list[SelectionItem], blocked: Blocked
    ) -> Iterable[Target]:
        for candidate in dict.fromkeys(self._find_candidates(node, static_type, pending)):
            if candidate.subgraph in blocked:
                continue
            if candidate.type_name in self.graph.supergraph.root_types.values():
                yield Target(candidate)
            elif node is not None:
                target = self._find_keyed_target(node, static_type, candidate, blocked)
                if target is not None:
                    yield target

    def _find_candidates(self, node: Origin, static_type: str, pending: list[SelectionItem]) -> Iterable[Node]:
        """Yields every node that declares a pending field; whether a key leads there is not checked here."""
        supergraph = self.graph.supergraph
        type_name = static_type if node is None else node.type_name
        if node is not None and self.graph.is_interface_object(node):
            # Only a subgraph that has the real interface knows the objects' concrete types.
            for subgraph in supergraph.subgraphs:
                here = supergraph.type_in(subgraph, type_name)
                if here is not None and here.keys and not here.is_interface_object:
                    yield Node(subgraph, type_name)
        for item in pending:
            if isinstance(item, Fragment):
                continue
            for subgraph in supergraph.subgraphs_by_field.get((type_name, item.name), ()):
                at = Node(subgraph, type_name)
                # Objects at an abstract node move by their own types' keys. Only an interface object takes them all.
                if node is None or not self.graph.is_abstract(node) or self.graph.is_interface_object(at):
                    yield at
            for interface in supergraph.interfaces_of(type_name):
                for subgraph in supergraph.subgraphs_by_field.get((interface, item.name), ()):
                    if self.graph.is_interface_object(Node(subgraph, interface)):
                        yield Node(subgraph, interface)

    def _find_keyed_target(self, node: Node, static_type: str, at: Node, blocked: Blocked) -> Target | None:
        """Returns the target with its cheapest key that can be fetched at the node."""
        here = self.graph.supergraph.type_in(at.subgraph, at.type_name)
        best: Target | None = None
        for key in here.keys if here is not None else ():
            if not key.resolvable:
                continue
            items = self.graph.parse_items(key.fields, at.type_name)
            # Asking the target for its own key would need the key: blocked while the key is being solved.
            required = self.solve(node, static_type, items, blocked | {at.subgraph})
            if not required.residual and (best is None or CROSSING + required.cost < best.cost):
                best = Target(at, items, required)
        return best


def _find_joinable(moves: Iterable[tuple[Target, Move]], target: Target, option: Option, *, alone: bool) -> Move | None:
    """Returns a move to the same target that can take the option along: one request instead of two.

    It cannot if it would wait for other answers, or if the two requirements contradict each other.
    """
    for other, move in moves:
        same = other is target and move.alone is alone and (not alone or move.requirement == option.requirement)
        if same and not has_conflict(move.requirement, option.requirement):
            return move
    return None


def _rebuild_item(item: SelectionItem, residual: tuple[SelectionItem, ...]) -> SelectionItem | None:
    """Returns the unresolved part of an item as one item; None if all was resolved."""
    if not residual:
        return None
    if isinstance(item, Fragment) and len(residual) == 1 and isinstance(residual[0], Fragment):
        return residual[0]
    if isinstance(item, Field):
        return residual[0] if len(residual) == 1 else item
    return Fragment(item.type_name, residual)
