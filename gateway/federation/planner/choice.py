"""Chooses the cheapest set of moves for the items that a node cannot resolve itself.

It is a set cover: each target resolves some items at a price, and a request to it is paid once. The search tries
forced targets alone, then with one more, with two more, and so on, and stops once a lower bound on the cost of all
larger sets reaches the best cost found. With many targets (MAX_TARGETS) it adds greedily instead.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from gateway.federation.planner.selection import SelectionItem
from gateway.federation.planner.solution import CROSSING, Option, Target, Way, count_leaves

ITEMS_PER_EVALUATION: Final = 20
MAX_TARGETS: Final = 8

FindOption = Callable[[SelectionItem, Target | None], Option | None]
"""Returns how an item is resolved at a target (None: without a move), or None if it is not."""


@dataclass(slots=True)
class Combination:
    """A set of targets, evaluated: the ways that it takes, and the items that it leaves unresolved."""

    cost: int
    ways: list[Way]
    residual: list[SelectionItem]

    @property
    def rank(self) -> tuple[int, int]:
        """Smaller is better: resolve the most first, then the cheapest."""
        return count_leaves(self.residual), self.cost


@dataclass(slots=True)
class MoveChoice:
    """The choice for the `pending` items of one node. `spend` counts the effort and raises TooComplex."""

    pending: list[SelectionItem]
    targets: list[Target]
    find_option: FindOption
    spend: Callable[[float], None]
    _ways: dict[int, tuple[SelectionItem, list[Way]]] = field(default_factory=dict)

    def choose(self) -> Combination:
        ways = [self._find_ways(item) for item in self.pending]
        forced = _find_forced(ways)
        useful = {target for rows in ways for target, _ in rows if target is not None}
        others = [target for target in self.targets if target in useful and target not in forced]
        best = self._evaluate(forced)
        if len(others) > MAX_TARGETS:
            return self._search_greedily(best, forced, others)
        # Lower bound: every item by its own cheapest way, plus the price of the targets that are taken.
        least = sum(rank_way(rows[0])[1] for rows in ways if rows) + sum(target.cost for target in forced)
        costs = {target: target.cost for target in others}
        cheapest = sorted(costs.values())
        for size in range(1, len(others) + 1):
            if not best.residual and least + sum(cheapest[:size]) >= best.cost:
                break
            for targets in combinations(others, size):
                if best.residual or least + sum(costs[target] for target in targets) < best.cost:
                    best = min(best, self._evaluate((*forced, *targets)), key=lambda row: row.rank)
        return best

    def _search_greedily(self, best: Combination, taken: tuple[Target, ...], others: list[Target]) -> Combination:
        """Adds the target that improves most, until none improves."""
        while True:
            further = [(self._evaluate((*taken, target)), target) for target in others if target not in taken]
            if not further:
                return best
            combination, target = min(further, key=lambda row: row[0].rank)
            if combination.rank >= best.rank:
                return best
            best, taken = combination, (*taken, target)

    def _evaluate(self, targets: tuple[Target, ...]) -> Combination:
        """Takes for each item the best allowed way. If a way leaves a rest, the rest is resolved in the same manner."""
        self.spend(len(self.pending) / ITEMS_PER_EVALUATION)
        combination = Combination(sum(target.cost for target in targets), [], [])
        allowed = {None, *targets}
        for item in self.pending:
            rest: SelectionItem | None = item
            while rest is not None:
                way = next((way for way in self._find_ways(rest) if way[0] in allowed), None)
                if way is None:
                    break
                combination.ways.append(way)
                combination.cost += rank_way(way)[1]
                rest = way[1].rest
            if rest is not None:
                combination.residual.append(rest)
        return combination

    def _find_ways(self, item: SelectionItem) -> list[Way]:
        """Returns the ways to an item, best first. Each leaves less unresolved than the item itself."""
        # The item is kept beside its ways, so that its id() is not reused while it is a key.
        if id(item) not in self._ways:
            options = ((target, self.find_option(item, target)) for target in (None, *self.targets))
            ways = [(target, option) for target, option in options if option is not None and _helps(option, item)]
            self._ways[id(item)] = (item, sorted(ways, key=rank_way))
        return self._ways[id(item)][1]


def _find_forced(ways: Iterable[list[Way]]) -> tuple[Target, ...]:
    """Returns the targets that are the only way to some item."""
    only = [rows[0][0] for rows in ways if len(rows) == 1]
    return tuple(dict.fromkeys(target for target in only if target is not None))


def _helps(option: Option, item: SelectionItem) -> bool:
    return option.rest is None or count_leaves((option.rest,)) < count_leaves((item,))


def rank_way(way: Way) -> tuple[int, int]:
    """Returns (leaves that stay unresolved, cost); smaller is better."""
    target, option = way
    left = 0 if option.rest is None else count_leaves((option.rest,))
    return left, option.cost + count_late_fields(target, option) + (
        0 if option.required is None else option.required.cost
    )


def count_late_fields(target: Target | None, option: Option) -> int:
    """Returns the extra cost of fields that are known only after another answer: they count twice.

    So of two ways with equally many requests, the one that resolves more fields in the earlier request wins.
    """
    return 0 if target is None or not target.key else option.solution.cost % CROSSING
