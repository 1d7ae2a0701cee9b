"""The registry's composer: members to findings and a supergraph, and whose host a URL is."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.federation.composition import SubgraphSource
from gateway.registry.addresses import ForbiddenAddress, check_url
from gateway.registry.check import NATIONAL, Finding, Published
from gateway.registry.composer import Composer
from gateway.registry.ownership import prefix_of
from gateway.registry.proof import is_proven, place, proof
from resolvers.composer import Member, Outcome
from resolvers.errors import InvalidInput

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

    async def compose(self, members: Sequence[Member], candidate: Member | None, before: str) -> Outcome:
        agency_ids = await self.agency_ids()
        published = [_published(member, agency_ids) for member in members]
        checked = await self.composer.check(
            SubgraphSource(NATIONAL, _IN_PROCESS, self.national_sdl),
            published,
            None if candidate is None else _published(candidate, agency_ids),
            before,
        )
        return Outcome([_finding(row) for row in checked.findings], checked.supergraph_sdl, checked.api_schema)

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


def _published(member: Member, agency_ids: Collection[str]) -> Published:
    return Published(SubgraphSource(member.agency, member.url, member.sdl), prefix_of(member.agency, agency_ids))


def _finding(finding: Finding) -> dict[str, Any]:
    return finding._asdict() | {"uses": None}
