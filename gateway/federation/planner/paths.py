"""The cheapest way to each selected field: which subgraph resolves what, and what must be known to go there.

A selection is solved at a node: what the subgraph there resolves stays; for the rest the cheapest set of moves to
other subgraphs is chosen. What nobody resolves from here is handed back to where the object came from, which may ask
for the object elsewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from gateway.federation.planner.graph import Graph, Node
from gateway.federation.planner.nulls import Nulls
from gateway.federation.planner.selection import TYPENAME, Field, Fragment, Item, conflict, merged

CROSSING: Final = 1000
"""The cost of asking one more subgraph, in fields."""

MAX_EVALUATIONS: Final = 15_000
ITEMS_PER_EVALUATION: Final = 20
MAX_TARGETS: Final = 8

Blocked = frozenset[str]
"""Subgraphs that may not be asked about this object: the way to them is what is being looked for."""

_NOTHING: Final[Blocked] = frozenset()


class TooComplex(Exception):
    """Planning the operation would take too long."""


@dataclass(slots=True)
class Placed:
    """A field that is asked at the node, and how what stands inside it is solved."""

    field: Field
    node: Node | None = None
    inside: "Solution | None" = None


@dataclass(slots=True)
class Narrowed:
    """What is asked of the node's objects of one type."""

    node: Node
    solution: "Solution"


@dataclass(slots=True)
class Move:
    """What is asked of the same object elsewhere, or here anew once what `@requires` names is known."""

    node: Node
    key: tuple[Item, ...]
    requirement: tuple[Item, ...]
    required: list["Solution"]
    solution: "Solution"
    alone: bool
    """Whether it waits for more than the key, or takes from a context: then it is a request of its own."""


@dataclass(slots=True)
class Solution:
    cost: int = 0
    fields: list[Placed] = field(default_factory=list)
    fragments: list[Narrowed] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    residual: tuple[Item, ...] = ()

    def add(self, other: "Solution") -> None:
        self.cost += other.cost
        self.fields += other.fields
        self.fragments += other.fragments
        self.moves += other.moves
        self.residual += other.residual


@dataclass(slots=True)
class Option:
    """One way to an item: `rest` is what of it is left over, `required` what a `@requires` needs first."""

    cost: int
    solution: Solution
    rest: Item | None = None
    requirement: tuple[Item, ...] = ()
    required: Solution | None = None
    is_contextual: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A node that the object can be asked at, with the key that leads there; none for a root type."""

    node: Node
    key: tuple[Item, ...] = ()
    required: Solution | None = None

    @property
    def cost(self) -> int:
        return CROSSING + (0 if self.required is None else self.required.cost)


Way = tuple[Target | None, Option]

Where = Node | None
"""Where an object is asked for; None before the first request."""


def weight(items: Iterable[Item]) -> int:
    """How many leaves are asked for."""
    return sum(weight(item.selections) if item.selections else 1 for item in items)


@dataclass
class Solver:
    graph: Graph
    nulls: Nulls
    evaluations: float = 0
    _known: dict[object, Solution] = field(default_factory=dict)
    _active: frozenset[tuple[str, str, str]] = frozenset()
    """The `@requires` that are being resolved: they cannot wait for themselves."""

    def solve(self, node: Node, static: str, items: tuple[Item, ...], blocked: Blocked = _NOTHING) -> Solution:
        """How the items are had of an object at the node, whose type the client knows as `static`."""
        key = (node, static, items, blocked, self._active)
        if key not in self._known:
            self.spend(1)
            if self.graph.is_abstract(node):
                self._known[key] = self._abstract(node, static, items, blocked)
            elif self.graph.is_interface_object(node):
                self._known[key] = self._interface_object(node, static, items, blocked)
            else:
                self._known[key] = self._object(node, static, self.graph.flat(node.type_name, items), blocked)
        return self._known[key]

    def spend(self, evaluations: float) -> None:
        self.evaluations += evaluations
        if self.evaluations > MAX_EVALUATIONS:
            raise TooComplex("The operation is too complex to be planned: ask for less at once.")

    def solve_root(self, type_name: str, items: tuple[Item, ...]) -> Solution:
        """How the items are had of a root type."""
        fields: list[Item] = [item for item in self.graph.flat(type_name, items) if item.name != "__typename"]
        solution = Solution()
        self._move(None, type_name, solution, fields, _NOTHING)
        return solution

    def _object(self, node: Node, static: str, items: Iterable[Item], blocked: Blocked) -> Solution:
        solution = Solution()
        pending: list[Item] = []
        for item in items:
            option = self.local(node, item) if isinstance(item, Field) else None
            if option is None or option.rest is not None or option.cost >= CROSSING:
                pending.append(item)
            else:
                solution.add(option.solution)
        if pending:
            self._move(node, static, solution, pending, blocked)
        return solution

    def _interface_object(self, node: Node, static: str, items: tuple[Item, ...], blocked: Blocked) -> Solution:
        """The subgraph does not know the objects' types: who does must be asked for them."""
        wanted: list[Item] = []
        for item in items:
            if isinstance(item, Field):
                wanted.append(item)
                continue
            if node.type_name in self.graph.supergraph.subtypes(item.type_name):
                wanted += item.selections
                continue
            wanted.append(TYPENAME)
            for inner in item.selections:
                known = isinstance(inner, Field) and self.graph.resolvable(node, inner.name) is not None
                known = known and isinstance(inner, Field) and not self.graph.conflicts(static, inner.name)
                # Asked of every object; those of other types are left out when the answer is shaped.
                wanted.append(inner if known else Fragment(item.type_name, (inner,)))
        return self._object(node, static, merged(wanted), blocked)

    def _abstract(self, node: Node, static: str, items: tuple[Item, ...], blocked: Blocked) -> Solution:
        solution = Solution()
        pending: list[Item] = []
        apart: list[Item] = []
        for item in self._direct(node.type_name, items):
            if isinstance(item, Fragment):
                apart.append(item)
                continue
            option = self.local(node, item) if self._is_common(node, static, item.name) else None
            if option is not None and option.rest is None:
                solution.add(option.solution)
            elif self._is_of_interface_object(node.type_name, item.name):
                pending.append(item)
            else:
                apart.append(item)
        if pending:
            self._move(node, static, solution, pending, blocked)
            apart += solution.residual
            solution.residual = ()
        dearest = 0
        for type_name in self.graph.possible_types(node) if apart else ():
            own = self.graph.flat(type_name, tuple(apart))
            if own:
                at = node._replace(type_name=type_name)
                inside = self.solve(at, static, own, blocked)
                solution.fragments.append(Narrowed(at, inside))
                # Requests for several types to one subgraph travel together: the dearest type counts.
                dearest = max(dearest, inside.cost)
                if inside.residual:
                    solution.residual += (Fragment(type_name, inside.residual),)
        solution.cost += dearest
        return solution

    def _direct(self, type_name: str, items: tuple[Item, ...]) -> Iterable[Item]:
        for item in items:
            if isinstance(item, Fragment) and (
                item.type_name == type_name or type_name in self.graph.supergraph.subtypes(item.type_name)
            ):
                yield from self._direct(type_name, item.selections)
            else:
                yield item

    def _is_common(self, node: Node, static: str, name: str) -> bool:
        """Whether the subgraph resolves the field for whatever object it returns, in one shape."""
        if name == "__typename":
            return True
        if self.graph.resolvable(node, name) is None or self.graph.conflicts(static, name):
            return False
        found = (
            self.graph.resolvable(node._replace(type_name=type_name), name)
            for type_name in self.graph.possible_types(node)
        )
        return all(here is not None and not here.needs_more for here in found)

    def _is_of_interface_object(self, type_name: str, name: str) -> bool:
        subgraphs = self.graph.supergraph.subgraphs_by_field.get((type_name, name), ())
        return any(self.graph.is_interface_object(Node(subgraph, type_name)) for subgraph in subgraphs)

    def local(self, node: Node, item: Field, *, required: bool = False) -> Option | None:
        """The field at this node itself; one that needs more only where what is `required` is known already."""
        if item.name == "__typename":
            if self.graph.is_interface_object(node):
                return None
            return Option(0, Solution(fields=[Placed(item)]))
        here = self.graph.resolvable(node, item.name)
        if here is None or (here.needs_more and not required):
            return None
        if not item.selections:
            return Option(1, Solution(1, [Placed(item)]))
        child = self.graph.child(node, here, item.name)
        static = self.graph.supergraph.field_type(node.type_name, item.name)
        inside = self.solve(child, static or child.type_name, item.selections)
        if inside.residual and weight(inside.residual) >= weight(item.selections):
            return None
        rest = item.narrowed(inside.residual) if inside.residual else None
        cost = 1 + inside.cost
        return Option(cost, Solution(cost, [Placed(item, child, inside)]), rest)

    def _move(self, node: Where, static: str, solution: Solution, pending: list[Item], blocked: Blocked) -> None:
        """Adds the cheapest way to the pending items; what there is no way to becomes the residual."""
        targets = list(self._targets(node, static, pending, blocked))
        chosen = _Choice(self, node, static, pending, blocked, targets).best()
        solution.residual += tuple(chosen.residual)
        moves: list[tuple[Target, Move]] = []
        for target, option in chosen.options:
            if target is None:
                solution.add(option.solution)
                continue
            alone = option.is_contextual or (option.required is not None and option.required.cost >= CROSSING)
            move = _joinable(moves, target, option, alone=alone)
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
            solution.cost += option.solution.cost + _later(target, option)
        solution.moves += [move for _, move in moves]

    def option(self, node: Where, static: str, target: Target, item: Item, blocked: Blocked) -> Option | None:
        """The item at a target; with what a `@requires` there needs, which must be had from `node`."""
        at = target.node
        if isinstance(item, Fragment) or self.graph.is_abstract(at):
            inside = self.solve(at, static, (item,))
            if inside.residual and weight(inside.residual) >= weight((item,)):
                return None
            rest = _like(item, inside.residual)
            return Option(inside.cost, inside, rest)
        here = None if item.name == "__typename" else self.graph.resolvable(at, item.name)
        if here is None:
            return None
        if not here.needs_more:
            # From where it stands the same subgraph would have answered already.
            return None if node is not None and at.subgraph == node.subgraph else self.local(at, item)
        return self._requiring(node, static, target, item, blocked)

    def _requiring(self, node: Where, static: str, target: Target, item: Field, blocked: Blocked) -> Option | None:
        at = target.node
        here = self.graph.resolvable(at, item.name)
        mark = (at.subgraph, at.type_name, item.name)
        if node is None or here is None or mark in self._active:
            return None
        requirement: tuple[Item, ...] = ()
        if here.requires is not None:
            requirement = self.nulls.kept(self.graph.parsed(here.requires, at.type_name), at.type_name, target.key)
        outer = self._active
        self._active = outer | {mark}
        try:
            required = self.solve(node, static, requirement, blocked)
        finally:
            self._active = outer
        option = None if required.residual else self.local(at, item, required=True)
        if option is not None:
            option.requirement, option.required = requirement, required
            option.is_contextual = bool(here.contexts)
        return option

    def _targets(self, node: Where, static: str, pending: list[Item], blocked: Blocked) -> Iterable[Target]:
        for candidate in dict.fromkeys(self._candidates(node, static, pending)):
            if candidate.subgraph in blocked:
                continue
            if candidate.type_name in self.graph.supergraph.root_types.values():
                yield Target(candidate)
            elif node is not None:
                target = self._keyed(node, static, candidate, blocked)
                if target is not None:
                    yield target

    def _candidates(self, node: Where, static: str, pending: list[Item]) -> Iterable[Node]:
        supergraph = self.graph.supergraph
        type_name = static if node is None else node.type_name
        unknown = node is not None and self.graph.is_interface_object(node)
        if unknown:
            for subgraph in supergraph.subgraphs:
                here = supergraph.type_in(subgraph, type_name)
                if here is not None and here.keys and not here.is_interface_object:
                    yield Node(subgraph, type_name)
        for item in pending:
            if isinstance(item, Fragment):
                continue
            for subgraph in supergraph.subgraphs_by_field.get((type_name, item.name), ()):
                at = Node(subgraph, type_name)
                # An abstract node moves as a whole to interface objects alone, its objects each on their own.
                if node is None or not self.graph.is_abstract(node) or self.graph.is_interface_object(at):
                    yield at
            for interface in supergraph.interfaces_of(type_name):
                for subgraph in supergraph.subgraphs_by_field.get((interface, item.name), ()):
                    if self.graph.is_interface_object(Node(subgraph, interface)):
                        yield Node(subgraph, interface)

    def _keyed(self, node: Node, static: str, at: Node, blocked: Blocked) -> Target | None:
        """The target by its cheapest key that can be known at the node."""
        here = self.graph.supergraph.type_in(at.subgraph, at.type_name)
        best: Target | None = None
        for key in here.keys if here is not None else ():
            if not key.resolvable:
                continue
            items = self.graph.parsed(key.fields, at.type_name)
            required = self.solve(node, static, items, blocked | {at.subgraph})
            if not required.residual and (best is None or CROSSING + required.cost < best.cost):
                best = Target(at, items, required)
        return best


def _joinable(moves: Iterable[tuple[Target, Move]], target: Target, option: Option, *, alone: bool) -> Move | None:
    """The move that can take the option along: to the same target, waiting for the same, requiring nothing else."""
    for other, move in moves:
        same = other is target and move.alone is alone and (not alone or move.requirement == option.requirement)
        if same and not conflict(move.requirement, option.requirement):
            return move
    return None


def _like(item: Item, residual: tuple[Item, ...]) -> Item | None:
    """What is left of an item, as one item."""
    if not residual:
        return None
    if isinstance(item, Fragment) and len(residual) == 1 and isinstance(residual[0], Fragment):
        return residual[0]
    if isinstance(item, Field):
        return residual[0] if len(residual) == 1 else item
    return Fragment(item.type_name, residual)


@dataclass(slots=True)
class _Chosen:
    cost: int
    options: list[Way]
    residual: list[Item]

    @property
    def rank(self) -> tuple[int, int]:
        return weight(self.residual), self.cost


@dataclass(slots=True)
class _Choice:
    """The choice of targets for the items that are pending at one node."""

    solver: Solver
    node: Where
    static: str
    pending: list[Item]
    blocked: Blocked
    targets: list[Target]
    _ways: dict[int, tuple[Item, list[Way]]] = field(default_factory=dict)

    def best(self) -> _Chosen:
        ways = [self._ways_to(item) for item in self.pending]
        forced = self._forced(ways)
        useful = {target for rows in ways for target, _ in rows if target is not None}
        others = [target for target in self.targets if target in useful and target not in forced]
        best = self._by(forced)
        if len(others) > MAX_TARGETS:
            return self._greedily(best, forced, others)
        least = sum(_rank(rows[0])[1] for rows in ways if rows) + sum(target.cost for target in forced)
        costs = {target: target.cost for target in others}
        cheapest = sorted(costs.values())
        for size in range(1, len(others) + 1):
            if not best.residual and least + sum(cheapest[:size]) >= best.cost:
                break
            for combination in combinations(others, size):
                if best.residual or least + sum(costs[target] for target in combination) < best.cost:
                    best = min(best, self._by((*forced, *combination)), key=lambda chosen: chosen.rank)
        return best

    def _forced(self, ways: Iterable[list[Way]]) -> tuple[Target, ...]:
        """Targets without which an item cannot be had."""
        only = [rows[0][0] for rows in ways if len(rows) == 1]
        return tuple(dict.fromkeys(target for target in only if target is not None))

    def _greedily(self, best: _Chosen, taken: tuple[Target, ...], others: list[Target]) -> _Chosen:
        while True:
            further = [(self._by((*taken, target)), target) for target in others if target not in taken]
            if not further:
                return best
            chosen, target = min(further, key=lambda row: row[0].rank)
            if chosen.rank >= best.rank:
                return best
            best, taken = chosen, (*taken, target)

    def _by(self, targets: tuple[Target, ...]) -> _Chosen:
        self.solver.spend(len(self.pending) / ITEMS_PER_EVALUATION)
        chosen = _Chosen(sum(target.cost for target in targets), [], [])
        allowed = {None, *targets}
        for item in self.pending:
            rest: Item | None = item
            while rest is not None:
                found = next((way for way in self._ways_to(rest) if way[0] in allowed), None)
                if found is None:
                    break
                chosen.options.append(found)
                chosen.cost += _rank(found)[1]
                rest = found[1].rest
            if rest is not None:
                chosen.residual.append(rest)
        return chosen

    def _ways_to(self, item: Item) -> list[Way]:
        """The cheapest way first; each leaves less over than there was."""
        if id(item) not in self._ways:
            found = ((target, self._option(item, target)) for target in (None, *self.targets))
            ways = [(target, option) for target, option in found if option is not None and _helps(option, item)]
            self._ways[id(item)] = (item, sorted(ways, key=_rank))
        return self._ways[id(item)][1]

    def _option(self, item: Item, target: Target | None) -> Option | None:
        if target is not None:
            return self.solver.option(self.node, self.static, target, item, self.blocked)
        if self.node is not None and isinstance(item, Field) and not self.solver.graph.is_abstract(self.node):
            return self.solver.local(self.node, item)
        return None


def _helps(option: Option, item: Item) -> bool:
    return option.rest is None or weight((option.rest,)) < weight((item,))


def _rank(row: Way) -> tuple[int, int]:
    """What an option leaves over, and its cost: of two ways the one that knows more, earlier, is the cheaper."""
    target, option = row
    left = 0 if option.rest is None else weight((option.rest,))
    return left, option.cost + _later(target, option) + (0 if option.required is None else option.required.cost)


def _later(target: Target | None, option: Option) -> int:
    """What is known only after another answer costs twice."""
    return 0 if target is None or not target.key else option.solution.cost % CROSSING
