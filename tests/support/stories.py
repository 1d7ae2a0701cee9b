"""How complaints come to where a test begins: over HTTP, by those whose part it is."""

from typing import Any

from support.portal import ADMIN, CITIZEN, LIAISON, NATIONAL, UNIT, Portal

from resolvers.viewer import Viewer

BODY = "Lubang besar di jalan depan pasar Kuta sejak dua bulan, sudah ada yang jatuh."


async def submitted(portal: Portal, viewer: Viewer = CITIZEN, **further: Any) -> tuple[str, str]:
    """The id and the secret of a new complaint."""
    given = {"class_": "COMPLAINT", "title": "Jalan berlubang di Kuta", "body": BODY, "location": {"region": "51.03"}}
    payload = await portal.do("submitComplaint", viewer, "secret complaint { id }", **(given | further))
    assert payload["userErrors"] == [], payload
    return payload["complaint"]["id"] if payload["complaint"] else "", payload["secret"]


async def routed(portal: Portal, holder: str = "kab-badung", **further: Any) -> str:
    complaint_id, _ = await submitted(portal, **further)
    await verified(portal, complaint_id, holder)
    return complaint_id


async def verified(portal: Portal, complaint_id: str, holder: str = "kab-badung", **further: Any) -> Any:
    given = {"class_": "COMPLAINT", "category": "ROAD.POTHOLE", "grade": "NORMATIVE", "holder": holder}
    return await portal.done("verifyComplaint", NATIONAL, complaint=complaint_id, **(given | further))


async def team_of(portal: Portal, agency: str = "kab-badung") -> str:
    found = await portal.data("query ($id: ID!) { agency(id: $id) { teams(activeOnly: true) { id } } }", {"id": agency})
    team_id: str = found["agency"]["teams"][0]["id"]
    return team_id


async def in_progress(portal: Portal, **further: Any) -> str:
    complaint_id = await routed(portal, **further)
    await portal.done("acceptComplaint", ADMIN, complaint=complaint_id, team=await team_of(portal), unit=UNIT)
    return complaint_id


async def drafted(portal: Portal, **further: Any) -> tuple[str, str]:
    """The ids of a complaint and of the liaison's draft of its answer."""
    complaint_id = await in_progress(portal, **further)
    complaint = await portal.done(
        "addFollowUp",
        LIAISON,
        "followUps { nodes { id } }",
        complaint=complaint_id,
        kind="FINAL",
        body="Lubang ditutup pada 12-11-2026 oleh Dinas PUPR; foto terlampir.",
        closureCode="FIXED",
        evidence=["foto-sesudah"],
    )
    return complaint_id, complaint["followUps"]["nodes"][-1]["id"]


async def answered(portal: Portal, **further: Any) -> str:
    complaint_id, follow_up_id = await drafted(portal, **further)
    await portal.done("approveFollowUp", ADMIN, complaint=complaint_id, followUp=follow_up_id)
    return complaint_id
