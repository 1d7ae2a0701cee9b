"""Serves the registry's mutations: checks and composes members, and verifies that an agency controls its URL's host."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.federation.composition import SubgraphSource
from gateway.registry.addresses import ForbiddenAddress, check_url
from gateway.registry.check import NATIONAL, Finding, PublishedSubgraph
from gateway.registry.composer import ComposerProcess
from gateway.registry.plans import PlanChange
from gateway.registry.prefixes import Prefix, assign_prefixes
from gateway.registry.proof import is_proven, make_proof, make_proof_url
from resolvers.errors import InvalidInput
from resolvers.request.composer import CompositionOutcome, Member, PublishedGraph
from resolvers.results import OperationPlanCostResult, SubgraphFindingResult

_IN_PROCESS: Final = "http://national.invalid/"
"""The national subgraph runs in this process, but a supergraph needs a URL for each subgraph."""


@dataclass(frozen=True, slots=True)
class Registrar:
    """`agency_ids` returns the ids of all agencies, also of those without a subgraph: their prefixes are reserved."""

    composer: ComposerProcess
    national_sdl: str
    agency_ids: Callable[[], Awaitable[Collection[str]]]
    secret: bytes
    development: bool = False

    async def compose(
        self, members: Sequence[Member], candidate: Member | None, before: PublishedGraph
    ) -> CompositionOutcome:
        all_members = members if candidate is None else (*members, candidate)
        own = assign_prefixes({*await self.agency_ids(), *(member.agency for member in all_members)})
        checked = await self.composer.check(
            SubgraphSource(NATIONAL, _IN_PROCESS, self.national_sdl),
            [_to_published(member, own) for member in members],
            None if candidate is None else _to_published(candidate, own),
            before,
        )
        findings, plans = (
            [_finding_to_dict(row) for row in checked.findings],
            [_plan_to_dict(row) for row in checked.plans],
        )
        return CompositionOutcome(findings, checked.supergraph_sdl, checked.api_schema, plans)

    async def prove(self, agency: str, url: str) -> None:
        try:
            check_url(url, development=self.development)
        except ForbiddenAddress as failure:
            raise InvalidInput(str(failure), field=("input", "url")) from None
        expected, where = make_proof(self.secret, agency, url), make_proof_url(agency, url)
        if not self.development and not await is_proven(expected, where):
            raise InvalidInput(
                f"{where} does not serve the text {expected}: put it there to prove that the host belongs to {agency}.",
                field=("input", "url"),
            )


def _to_published(member: Member, own: Mapping[str, Prefix]) -> PublishedSubgraph:
    """`own` are the prefixes by agency."""
    return PublishedSubgraph(SubgraphSource(member.agency, member.url, member.sdl), own[member.agency])


def _finding_to_dict(finding: Finding) -> SubgraphFindingResult:
    return {
        "kind": finding.kind,
        "code": finding.code,
        "message": finding.message,
        "coordinate": finding.coordinate,
        "uses": None,
    }


def _plan_to_dict(cost: PlanChange) -> OperationPlanCostResult:
    before, after = cost.before, cost.after
    return {
        "operation": cost.operation,
        "uses": cost.uses,
        "fetchesBefore": None if before is None else before.fetches,
        "fetchesAfter": None if after is None else after.fetches,
        "subgraphsBefore": None if before is None else list(before.subgraphs),
        "subgraphsAfter": None if after is None else list(after.subgraphs),
    }
