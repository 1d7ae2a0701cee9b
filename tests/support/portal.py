"""A portal's side of the wire: GraphQL over HTTP, as a role."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from gateway.auth.tokens import mint
from resolvers.domain.vocabulary import Role
from resolvers.viewer import PUBLIC, Viewer

DEVELOPMENT_KEY = "a development key of the tests, not a secret"
UNIT = "kab-badung/dinas-pupr"

CITIZEN = Viewer(Role.CITIZEN, "wayan")
OTHER_CITIZEN = Viewer(Role.CITIZEN, "made")
LIAISON = Viewer(Role.LIAISON, "demo-liaison", "kab-badung", UNIT)
ADMIN = Viewer(Role.AGENCY_ADMIN, "demo-admin", "kab-badung")
OTHER_ADMIN = Viewer(Role.AGENCY_ADMIN, "admin-sleman", "kab-sleman")
COORDINATOR = Viewer(Role.PROVINCE_COORDINATOR, "demo-coordinator", "prov-bali")
NATIONAL = Viewer(Role.NATIONAL_ADMIN, "desk")
OVERSIGHT = Viewer(Role.OVERSIGHT, "ombudsman")
PARTNER = Viewer(Role.PARTNER, "partner")
SUBGRAPH = Viewer(Role.SUBGRAPH, "system-badung", "kab-badung")

EVERYONE = (
    PUBLIC,
    CITIZEN,
    OTHER_CITIZEN,
    LIAISON,
    ADMIN,
    OTHER_ADMIN,
    COORDINATOR,
    NATIONAL,
    OVERSIGHT,
    PARTNER,
    SUBGRAPH,
)


def bearer(viewer: Viewer) -> dict[str, str]:
    """The Authorization header of a viewer; none for the public."""
    if viewer is PUBLIC:
        return {}
    token = mint(
        DEVELOPMENT_KEY,
        role=viewer.role,
        subject=viewer.subject or "",
        now=datetime.now(UTC),
        lifetime=timedelta(hours=1),
        agency=viewer.agency,
        unit=viewer.unit,
    )
    return {"authorization": f"Bearer {token}"}


@dataclass(frozen=True, slots=True)
class Portal:
    """One HTTP session against the running gateway."""

    session: aiohttp.ClientSession
    url: str

    async def ask(self, query: str, variables: dict[str, Any] | None = None, viewer: Viewer = PUBLIC) -> dict[str, Any]:
        """The response's body, whatever is in it."""
        asked = {"query": query, "variables": variables or {}}
        async with self.session.post(f"{self.url}/graphql", json=asked, headers=bearer(viewer)) as response:
            body: dict[str, Any] = await response.json()
            return body

    async def data(self, query: str, variables: dict[str, Any] | None = None, viewer: Viewer = PUBLIC) -> Any:
        """The response's data; fails the test where there are errors."""
        body = await self.ask(query, variables, viewer)
        assert "errors" not in body, body
        return body["data"]

    async def do(
        self, mutation: str, viewer: Viewer, select: str = "complaint { id status revision }", **given: Any
    ) -> dict[str, Any]:
        """A mutation's payload, refusals included; `class_` stands for the input's `class`."""
        given = {name.rstrip("_"): value for name, value in given.items()}
        type_name = mutation[0].upper() + mutation[1:] + "Input"
        selected = f"{select} userErrors {{ code message field }}"
        query = f"mutation ($input: {type_name}!) {{ done: {mutation}(input: $input) {{ {selected} }} }}"
        payload: dict[str, Any] = (await self.data(query, {"input": given}, viewer))["done"]
        return payload

    async def done(self, mutation: str, viewer: Viewer, select: str = "id status revision", **given: Any) -> Any:
        """The complaint after a mutation that must not be refused."""
        payload = await self.do(mutation, viewer, f"complaint {{ {select} }}", **given)
        assert payload["userErrors"] == [], payload
        return payload["complaint"]

    async def refused(self, mutation: str, viewer: Viewer, **given: Any) -> str:
        """The code of the one refusal; fails the test where there is none."""
        return await self.refused_in(mutation, viewer, "complaint { id status revision }", **given)

    async def refused_in(self, mutation: str, viewer: Viewer, select: str, **given: Any) -> str:
        """The same, of a mutation on something else than a complaint."""
        payload = await self.do(mutation, viewer, select, **given)
        assert len(payload["userErrors"]) == 1, payload
        code: str = payload["userErrors"][0]["code"]
        return code
