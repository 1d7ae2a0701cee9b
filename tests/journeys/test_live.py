"""Live: who is told of what as it happens, by role; and what ends a stream. Over real websockets."""

from live import INBOX, connected
from portal import (
    ADMIN,
    COORDINATOR,
    LIAISON,
    NATIONAL,
    OVERSIGHT,
    SUBGRAPH,
    UNIT,
    Portal,
)
from stories import submitted, team_of, verified

from resolvers.domain import tracking_id

NOBODYS = tracking_id.new("LP", bytes(range(16)))
WATCHERS = (LIAISON, ADMIN, COORDINATOR, NATIONAL, OVERSIGHT, SUBGRAPH)


async def test_an_agency_hears_of_what_comes_changes_and_leaves(portal: Portal) -> None:
    async with connected(portal, ADMIN) as socket:
        await socket.standing(INBOX, agency="kab-badung")
        complaint_id, _ = await submitted(portal)
        await verified(portal, complaint_id)
        seen = await socket.event()
        assert (seen["id"], seen["status"], seen["revision"]) == (complaint_id, "ROUTED", 2)
        await portal.done("acceptComplaint", ADMIN, complaint=complaint_id, team=await team_of(portal), unit=UNIT)
        seen = await socket.event()
        assert (seen["status"], seen["revision"]) == ("IN_PROGRESS", 3)
        await portal.done("returnComplaint", ADMIN, complaint=complaint_id, reason="WRONG_REGION", note="Bukan kami.")
        seen = await socket.event()
        assert (seen["id"], seen["holder"]["id"], seen["status"]) == (complaint_id, "prov-bali", "RETURNED")
