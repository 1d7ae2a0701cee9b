"""What outsiders learn of a complaint, by id, in lists, in counts and by its secret."""

import json
from typing import Any

import pytest
from support.portal import (
    ADMIN,
    CITIZEN,
    COORDINATOR,
    EVERYONE,
    LIAISON,
    NATIONAL,
    OTHER_ADMIN,
    OTHER_CITIZEN,
    OVERSIGHT,
    PARTNER,
    UNIT,
    Portal,
    bearer,
)
from support.stories import BODY, answered, in_progress, routed, submitted, team_of, verified

from resolvers.viewer import PUBLIC, Viewer

OUTSIDERS = (PUBLIC, OTHER_CITIZEN, OTHER_ADMIN, OVERSIGHT, PARTNER)
BY_ID = "query ($id: ID!, $secret: String) { complaint(id: $id, secret: $secret) { id title body } }"
TITLE = "Jalan berlubang di Kuta"
LIST = "{ complaints { totalCount nodes { id title body } edges { cursor node { id } } } }"


@pytest.mark.parametrize("viewer", OUTSIDERS, ids=lambda viewer: viewer.role)
async def test_nothing_is_known_before_verification(portal: Portal, viewer: Viewer) -> None:
    complaint_id, _ = await submitted(portal)
    assert await portal.data(BY_ID, {"id": complaint_id}, viewer) == {"complaint": None}
    assert (await portal.data(LIST, None, viewer))["complaints"] == {"totalCount": 0, "nodes": [], "edges": []}
    by_node = await portal.data("query ($id: ID!) { node(id: $id) { id } }", {"id": complaint_id}, viewer)
    assert by_node == {"node": None}


@pytest.mark.parametrize("viewer", OUTSIDERS, ids=lambda viewer: viewer.role)
async def test_what_is_confidential_stays_unknown(portal: Portal, viewer: Viewer) -> None:
    complaint_id, _ = await submitted(portal, confidential=True)
    await verified(portal, complaint_id)
    assert await portal.data(BY_ID, {"id": complaint_id}, viewer) == {"complaint": None}
    query = """query ($region: [ID!]) { complaints(filter: {region: $region}) { totalCount }
      agency(id: "kab-badung") { complaints { totalCount nodes { id } } } }"""
    found = await portal.data(query, {"region": ["51.03"]}, viewer)
    assert found == {"complaints": {"totalCount": 0}, "agency": {"complaints": {"totalCount": 0, "nodes": []}}}


@pytest.mark.parametrize("viewer", OUTSIDERS, ids=lambda viewer: viewer.role)
async def test_outside_custody_personal_data_are_masked_and_nothing_else_of_the_reporter_is_read(
    portal: Portal, viewer: Viewer
) -> None:
    place = {"region": "51.03", "text": "Gang Buntu 7", "latitude": -8.7238114, "longitude": 115.1752132}
    said = f"{BODY} Hubungi Pak Hendra Gunawan, 0812-3456-7890."
    complaint_id = await answered(portal, location=place, body=said, confidential=False)
    await portal.done("disputeAnswer", CITIZEN, complaint=complaint_id, reason="Masih bolong.", stars=1)
    query = """query ($id: ID!) { complaint(id: $id) { title body location { text latitude longitude }
      followUps(first: 50) { nodes { body } totalCount } rating { stars comment } assignee { id }
      hold { reason } forwardings { note } closure { evidence } } }"""
    found = (await portal.data(query, {"id": complaint_id}, viewer))["complaint"]
    assert found["title"] == TITLE
    assert found["body"] == f"{BODY} Hubungi Pak [nama], [telepon]."
    assert found["location"] == {"text": None, "latitude": -8.724, "longitude": 115.175}
    assert found["followUps"] == {"nodes": [], "totalCount": 0}
    text = json.dumps(found)
    assert all(word not in text for word in ("Hendra", "7890", "Gang Buntu", "Masih bolong", "foto-sesudah"))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("NAME", {"body": "Kami sudah bertemu HENDRA GUNAWAN di lokasi."}),
        ("PHONE", {"body": "Kami sudah menelepon 0812 34567890."}),
        ("PHONE", {"body": "Sudah dijadwalkan.", "commitment": {"action": "Telepon 081234567890"}}),
    ],
)
async def test_an_agency_does_not_publish_what_is_masked_in_the_complaint(
    portal: Portal, kind: str, words: dict[str, Any]
) -> None:
    said = f"{BODY} Hubungi Pak Hendra Gunawan, 0812-3456-7890."
    told = {"complaint": await in_progress(portal, body=said, confidential=False), "kind": "PROGRESS", **words}
    payload = await portal.do("addFollowUp", LIAISON, visibility="PUBLIC", **told)
    [error] = payload["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID_INPUT", ["input", "body"])
    assert f"({kind})" in error["message"]
    await portal.done("addFollowUp", LIAISON, visibility="REPORTER", **told)
    told |= {"body": "Dinas PUPR (0361-246000) menambal jalan.", "commitment": None}
    await portal.done("addFollowUp", LIAISON, visibility="PUBLIC", **told)


@pytest.mark.parametrize("viewer", [CITIZEN, ADMIN, LIAISON, NATIONAL], ids=lambda viewer: viewer.role)
async def test_custody_and_the_reporter_read_it_in_full(portal: Portal, viewer: Viewer) -> None:
    complaint_id = await routed(portal)
    found = await portal.data(BY_ID, {"id": complaint_id}, viewer)
    assert found["complaint"] == {"id": complaint_id, "title": TITLE, "body": BODY}


async def test_a_former_holder_keeps_reading(portal: Portal) -> None:
    complaint_id = await routed(portal)
    await portal.done("forwardComplaint", COORDINATOR, complaint=complaint_id, to="kab-gianyar")
    found = await portal.data(BY_ID, {"id": complaint_id}, ADMIN)
    assert found["complaint"]["body"] == BODY


async def test_lists_and_look_ups_agree_for_everyone(portal: Portal) -> None:
    """Every viewer sees in the list exactly what the same viewer sees by id."""
    ids = [(await submitted(portal))[0], await routed(portal), await answered(portal)]
    secret, _ = await submitted(portal, confidential=True)
    await verified(portal, secret)
    ids.append(secret)
    for viewer in EVERYONE:
        listed = await portal.data(LIST, None, viewer)
        by_id = {
            complaint_id
            for complaint_id in ids
            if (await portal.data(BY_ID, {"id": complaint_id}, viewer))["complaint"] is not None
        }
        assert {node["id"] for node in listed["complaints"]["nodes"]} == by_id, viewer
        assert listed["complaints"]["totalCount"] == len(by_id), viewer


async def test_the_secret_opens_one_complaint_without_an_account(portal: Portal) -> None:
    complaint_id, secret = await submitted(portal, PUBLIC)
    other_id, _ = await submitted(portal, PUBLIC)
    opened = await portal.data(BY_ID, {"id": complaint_id, "secret": secret})
    assert opened["complaint"]["body"] == BODY
    assert await portal.data(BY_ID, {"id": other_id, "secret": secret}) == {"complaint": None}
    assert await portal.data(BY_ID, {"id": complaint_id, "secret": secret[:-1] + "x"}) == {"complaint": None}
    assert await portal.data(BY_ID, {"id": complaint_id, "secret": ""}) == {"complaint": None}


async def test_the_secrets_bearer_acts_as_the_reporter(portal: Portal) -> None:
    complaint_id, secret = await submitted(portal, PUBLIC)
    assert await portal.refused("withdrawComplaint", PUBLIC, complaint=complaint_id, secret="guess") == "NOT_FOUND"
    done = await portal.done("withdrawComplaint", PUBLIC, "status body", complaint=complaint_id, secret=secret)
    assert done == {"status": "WITHDRAWN", "body": BODY}


async def test_a_get_request_takes_no_secret(portal: Portal) -> None:
    complaint_id, secret = await submitted(portal, PUBLIC)
    asked = {"query": BY_ID, "variables": json.dumps({"id": complaint_id, "secret": secret})}
    async with portal.session.get(f"{portal.url}/graphql", params=asked) as response:
        body = await response.json()
    assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert body["data"] == {"complaint": None}


async def test_a_tracking_id_is_read_as_people_write_it(portal: Portal) -> None:
    complaint_id = await routed(portal)
    for written in (complaint_id.lower(), complaint_id.replace("-", " "), complaint_id.replace("-", "")):
        assert (await portal.data(BY_ID, {"id": written}))["complaint"]["id"] == complaint_id
    letter = "3" if complaint_id[3] == "2" else "2"
    slip = complaint_id[:3] + letter + complaint_id[4:]
    assert await portal.data(BY_ID, {"id": slip}) == {"complaint": None}


async def test_a_filter_does_not_tell_who_is_assigned(portal: Portal) -> None:
    complaint_id, team = await routed(portal), await team_of(portal)
    units = (await portal.data('{ agency(id: "kab-badung") { units { id liaisons { id } } } }'))["agency"]["units"]
    liaison = next(unit["liaisons"][0]["id"] for unit in units if unit["id"] == UNIT)
    await portal.done("acceptComplaint", ADMIN, complaint=complaint_id, team=team, liaison=liaison)
    query = "query ($assignee: ID) { complaints(filter: {assignee: $assignee}) { totalCount } }"
    counts = {
        viewer.subject: (await portal.data(query, {"assignee": liaison}, viewer))["complaints"]["totalCount"]
        for viewer in (PUBLIC, OTHER_ADMIN, ADMIN, LIAISON)
    }
    assert counts == {None: 0, "admin-sleman": 0, "demo-admin": 1, "demo-liaison": 1}


async def test_a_draft_and_an_internal_note_are_for_custody_alone(portal: Portal) -> None:
    complaint_id = await answered(portal)
    await portal.done("disputeAnswer", CITIZEN, complaint=complaint_id, reason="Belum selesai.")
    await portal.done("addFollowUp", LIAISON, complaint=complaint_id, kind="NOTE", body="Tunggu cuaca.")
    query = "query ($id: ID!) { complaint(id: $id) { followUps(first: 50) { totalCount nodes { kind } } } }"
    shown = {
        viewer.subject: [
            node["kind"]
            for node in (await portal.data(query, {"id": complaint_id}, viewer))["complaint"]["followUps"]["nodes"]
        ]
        for viewer in (PUBLIC, CITIZEN, ADMIN)
    }
    assert shown == {None: [], "wayan": ["FINAL", "REPLY"], "demo-admin": ["FINAL", "REPLY", "NOTE"]}


async def test_the_viewer_is_told_who_it_is(portal: Portal) -> None:
    query = "{ viewer { subject role agency { id } teams { agency { id } } } }"
    assert (await portal.data(query))["viewer"] == {"subject": None, "role": "PUBLIC", "agency": None, "teams": []}
    liaison = (await portal.data(query, None, LIAISON))["viewer"]
    assert liaison == {
        "subject": "demo-liaison",
        "role": "LIAISON",
        "agency": {"id": "kab-badung"},
        "teams": [{"agency": {"id": "kab-badung"}}],
    }


async def test_a_token_that_is_not_valid_is_refused_not_ignored(portal: Portal) -> None:
    asked = {"query": "{ viewer { role } }"}
    for header in ("Bearer nonsense", "Basic abc", "Bearer ", bearer(ADMIN)["authorization"][:-3] + "abc"):
        headers = {"authorization": header}
        async with portal.session.post(f"{portal.url}/graphql", headers=headers, json=asked) as response:
            assert response.status == 401
            assert "WWW-Authenticate" in response.headers
            assert (await response.json())["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
