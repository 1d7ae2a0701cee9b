"""The interface between the subgraph registry and the federation engine, which composes subgraphs into one graph."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from resolvers.results import OperationPlanCostResult, SubgraphFindingResult


class Member(NamedTuple):
    """An agency's subgraph at one version."""

    agency: str
    url: str
    sdl: str


class LocalCases(NamedTuple):
    """The object types of the interface LocalCase that agencies' subgraphs bring."""

    by_agency: Mapping[str, str]
    """The type's name, by agency."""
    entities: frozenset[str]
    """The types whose id is the id of a complaint: Complaint and the types above."""


def build_local_cases(by_agency: Mapping[str, str]) -> LocalCases:
    return LocalCases(dict(by_agency), frozenset(("Complaint", *by_agency.values())))


NO_LOCAL_CASES: Final = build_local_cases({})


class PublishedGraph(NamedTuple):
    """The graph before a publication, with which a composition is compared."""

    api_schema: str = ""
    supergraph: str = ""
    uses: Mapping[str, int] = {}
    """How often clients sent each of the operations whose plans to compare, by the operation's text."""


NO_GRAPH: Final = PublishedGraph()


class CompositionOutcome(NamedTuple):
    """The result of a composition. If `supergraph` is empty, nothing can be published and `findings` say why."""

    findings: list[SubgraphFindingResult]
    supergraph: str
    api_schema: str
    plans: list[OperationPlanCostResult]


class SubgraphComposer(Protocol):
    """The federation engine, as the subgraph registry uses it."""

    async def compose(
        self, members: Sequence[Member], candidate: Member | None, before: PublishedGraph
    ) -> CompositionOutcome:
        """Compose the members, with `candidate` in place of the member of the same agency."""
        ...

    async def prove(self, agency: str, url: str) -> None:
        """Raises InvalidInput if the host of the URL does not prove that it belongs to the agency."""
        ...
