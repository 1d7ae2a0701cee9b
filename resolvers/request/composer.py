"""What the subgraph registry needs of the federation engine."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol


class Member(NamedTuple):
    """An agency's subgraph at a version."""

    agency: str
    url: str
    sdl: str


class LocalCases(NamedTuple):
    """The types of LocalCase that agencies' subgraphs bring."""

    by_agency: Mapping[str, str]
    entities: frozenset[str]
    """The types whose id is a complaint's: these, and Complaint."""


def local_cases(by_agency: Mapping[str, str]) -> LocalCases:
    return LocalCases(dict(by_agency), frozenset(("Complaint", *by_agency.values())))


NO_LOCAL_CASES: Final = local_cases({})


class Standing(NamedTuple):
    """What clients know: API schema and supergraph; `uses`, by text, of the operations whose plans to compare."""

    api_schema: str = ""
    supergraph: str = ""
    uses: Mapping[str, int] = {}


NOTHING_STANDS: Final = Standing()


class Outcome(NamedTuple):
    """What composing gave; without a supergraph nothing can be published, and `findings` says why.

    Findings have the keys of SubgraphFinding, plans those of OperationPlanCost.
    """

    findings: list[dict[str, Any]]
    supergraph: str
    api_schema: str
    plans: list[dict[str, Any]]


class Composer(Protocol):
    """What the registry needs of the federation engine."""

    async def compose(self, members: Sequence[Member], candidate: Member | None, before: Standing) -> Outcome:
        """`candidate` in place of the member of its agency."""
        ...

    async def prove(self, agency: str, url: str) -> None:
        """Raises InvalidInput where the host of the URL does not show that it is the agency's."""
        ...
