"""The registry's composer: members to findings and a supergraph, and whose host a URL is."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.federation.composition import SubgraphSource
from gateway.registry.addresses import ForbiddenAddress, check_url
from gateway.registry.check import NATIONAL, Finding, Published
from gateway.registry.composer import Composer
from gateway.registry.plans import Cost, PlanCost
from gateway.registry.prefixes import Prefix, prefixes
from gateway.registry.proof import is_proven, place, proof
from resolvers.errors import InvalidInput
from resolvers.request.composer import Member, Outcome, Standing

_IN_PROCESS: Final = "http://national.invalid/"
"""The national subgraph is not asked over a network; supergraphs want a URL for it all the same."""


@dataclass(frozen=True, slots=True)
class Registrar:
    """`national_sdl` is the national subgraph's, `agency_ids` gives all agencies', whose prefixes are kept apart."""

    composer: Composer
    national_sdl: str
    agency_ids: Callable[[], Awaitable[Collection[str]]]
    secret: bytes
    development: bool = False

    async def compose(self, members: Sequence[Member], candidate: Member | None, before: Standing) -> Outcome:
        all_members = members if candidate is None else (*members, candidate)
        own = prefixes({*await self.agency_ids(), *(member.agency for member in all_members)})
        checked = await self.composer.check(
            SubgraphSource(NATIONAL, _IN_PROCESS, self.national_sdl),
            [_published(member, own) for member in members],
            None if candidate is None else _published(candidate, own),
            before,
        )
        findings, plans = [_finding(row) for row in checked.findings], [_plan_cost(row) for row in checked.plans]
        return Outcome(findings, checked.supergraph_sdl, checked.api_schema, plans)

    async def prove(self, agency: str, url: str) -> None:
        try:
            check_url(url, development=self.development)
        except ForbiddenAddress as failure:
            raise InvalidInput(str(failure), field=("input", "url")) from None
        expected, where = proof(self.secret, agency, url), place(agency, url)
        if not self.development and not await is_proven(expected, where):
            raise InvalidInput(
                f"{where} does not serve the text {expected}: put it there, it shows that the host is {agency}'s.",
                field=("input", "url"),
            )


def _published(member: Member, own: Mapping[str, Prefix]) -> Published:
    """`own` has the prefixes by agency."""
    return Published(SubgraphSource(member.agency, member.url, member.sdl), own[member.agency])


def _finding(finding: Finding) -> dict[str, Any]:
    return finding._asdict() | {"uses": None}


def _plan_cost(cost: PlanCost) -> dict[str, Any]:
    of_before, of_after = _of_cost("Before", cost.before), _of_cost("After", cost.after)
    return {"operation": cost.operation, "uses": cost.uses} | of_before | of_after


def _of_cost(when: str, cost: Cost | None) -> dict[str, Any]:
    fetches, subgraphs = (None, None) if cost is None else (cost.fetches, list(cost.subgraphs))
    return {f"fetches{when}": fetches, f"subgraphs{when}": subgraphs}
