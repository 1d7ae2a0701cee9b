"""The result of path finding: which subgraph resolves each selected field, and the moves that lead there.

A solution is a tree. For { me { name orders { id } } } with `me` and `name` in "users", `orders` in "orders":
    # Solution(moves=[Move(users, Query) → Solution(fields=[me → Solution(
    #     fields=[name], moves=[Move(orders, User, key=id) → Solution(fields=[orders …])])])])
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from gateway.federation.planner.graph import Node
from gateway.federation.planner.selection import Field, SelectionItem

CROSSING: Final = 1000
"""The cost of one more request. A field costs 1, so no plan saves fields at the price of a request."""


@dataclass(slots=True)
class SolvedField:
    """A field that is resolved at its node. `inside` solves its selection at `node`, the node that it leads to."""

    field: Field
    node: Node | None = None
    inside: "Solution | None" = None


@dataclass(slots=True)
class SolvedFragment:
    """The solution for the objects of one type at an abstract node."""

    node: Node
    solution: "Solution"


@dataclass(slots=True)
class Move:
    """A further request about the same object: to another subgraph, or back to this one after a `@requires`.

    `key` identifies the object there; `requirement` is what `@requires` there needs besides; `required` are the
    solutions that fetch both from the node before the move.
    # {a @requires(b)}: a in A, b in B → Move(A, key=id, requirement=b, required=[solution for b, with a Move to B])
    """

    node: Node
    key: tuple[SelectionItem, ...]
    requirement: tuple[SelectionItem, ...]
    required: list["Solution"]
    solution: "Solution"
    alone: bool
    """Whether it must be a request of its own: it waits for more than the key, or has contextual arguments."""


@dataclass(slots=True)
class Solution:
    """How a selection is resolved at a node."""

    cost: int = 0
    fields: list[SolvedField] = field(default_factory=list)
    fragments: list[SolvedFragment] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    residual: tuple[SelectionItem, ...] = ()
    """The items that cannot be resolved from here. The node that the object came from may move elsewhere for them."""

    def add(self, other: "Solution") -> None:
        self.cost += other.cost
        self.fields += other.fields
        self.fragments += other.fragments
        self.moves += other.moves
        self.residual += other.residual


@dataclass(slots=True)
class Option:
    """One way to resolve an item: `rest` is the part that stays unresolved, `required` fetches its `@requires`."""

    cost: int
    solution: Solution
    rest: SelectionItem | None = None
    requirement: tuple[SelectionItem, ...] = ()
    required: Solution | None = None
    is_contextual: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A node that the object can be moved to, with the key that identifies it there; a root type needs no key."""

    node: Node
    key: tuple[SelectionItem, ...] = ()
    required: Solution | None = None
    """How the key is fetched before the move."""

    @property
    def cost(self) -> int:
        return CROSSING + (0 if self.required is None else self.required.cost)


Way = tuple[Target | None, Option]
"""An option with the target that it needs; None: it is resolved without a move."""

Origin = Node | None
"""The node that an object is at before a move; None before the first request."""


def count_leaves(items: Iterable[SelectionItem]) -> int:
    return sum(count_leaves(item.selections) if item.selections else 1 for item in items)
