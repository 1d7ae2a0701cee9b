"""What the subgraph registry needs of the federation engine."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


class Member(NamedTuple):
    """An agency's subgraph at a version."""

    agency: str
    url: str
    sdl: str


class Outcome(NamedTuple):
    """What composing gave; without a supergraph nothing can be published, and `findings` says why.

    Findings have the keys of SubgraphFinding.
    """

    findings: list[dict[str, Any]]
    supergraph: str
    api_schema: str


class Composer(Protocol):
    """What the registry needs of the federation engine."""

    async def compose(self, members: Sequence[Member], candidate: Member | None, before: str) -> Outcome:
        """`candidate` in place of the member of its agency; `before` is the API schema that clients know now."""
        ...

    async def prove(self, agency: str, url: str) -> None:
        """Raises InvalidInput where the host of the URL does not show that it is the agency's."""
        ...
