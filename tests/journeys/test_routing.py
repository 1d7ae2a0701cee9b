"""Routing over HTTP: previewed with reasons, recorded on a chain that verifies."""

from typing import Any

import pytest
from support.portal import ADMIN, CITIZEN, COORDINATOR, NATIONAL, OTHER_ADMIN, OTHER_CITIZEN, PARTNER, Portal
from support.stories import routed, submitted, verified

from resolvers.store.database import Store
from resolvers.viewer import PUBLIC, Viewer

PREVIEW = """query ($input: RoutingPreviewInput!) {
  routingPreview(input: $input) { candidates { agency { id } score reason rule } decided { id } } }"""
CHAIN = """query ($id: ID!, $secret: String) {
  verifyRoutingChain(complaint: $id, secret: $secret) { valid length firstInvalidSequence } }"""
WASTE: dict[str, Any] = {
    "title": "Sampah tidak diangkut",
    "body": "Sampah di TPS desa tidak diangkut dua minggu.",
    "category": "WASTE.COLLECTION",
    "region": "51.03",
}


async def preview(portal: Portal, viewer: Viewer = PUBLIC, **given: Any) -> Any:
    return (await portal.data(PREVIEW, {"input": WASTE | given}, viewer))["routingPreview"]


@pytest.mark.parametrize("viewer", [PUBLIC, CITIZEN, NATIONAL, PARTNER], ids=lambda viewer: viewer.role)
async def test_a_preview_says_who_would_hold_it_and_why(portal: Portal, viewer: Viewer) -> None:
    found = await preview(portal, viewer)
    assert found["decided"] == {"id": "kab-badung"}
    assert found["candidates"][0] == {
        "agency": {"id": "kab-badung"},
        "score": 0.95,
        "reason": "WASTE.COLLECTION is the affair of the government of the place.",
        "rule": "AFFAIRS",
    }
    assert found["candidates"][-1]["rule"] == "NATIONAL_DESK"


async def test_what_is_sensitive_stays_with_the_desk(portal: Portal) -> None:
    found = await preview(portal, category="SAFETY.CHILD", namedAgency="kab-badung")
    assert found["decided"] is None
    assert (found["candidates"][0]["agency"]["id"], found["candidates"][0]["rule"]) == ("kemenpanrb", "PROTECTED")


async def test_for_a_place_that_is_not_connected_its_province_stands_in(portal: Portal, register: Store) -> None:
    off = await register.agencies.find_one({"connected": False, "kind": "REGENCY", "province": "prov-papua"})
    assert off is not None
    found = await preview(portal, region=off["region"])
    assert found["decided"] == {"id": "prov-papua"}
    assert "custodian" in found["candidates"][0]["reason"]


@pytest.mark.parametrize(
    "given",
    [
        {"category": "NOTHING"},
        {"region": "99.99"},
        {"namedAgency": "nobody"},
        {"title": " "},
        {"body": "\x00"},
        {"title": "x" * 201},
        {"body": "x" * 10_001},
    ],
)
async def test_a_preview_of_nonsense_is_refused_in_a_sentence(portal: Portal, given: dict[str, Any]) -> None:
    body = await portal.ask(PREVIEW, {"input": WASTE | given})
    assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]
    assert "xxx" not in str(body)


async def test_the_chain_verifies_for_all_who_may_know_and_is_null_for_others(portal: Portal) -> None:
    complaint_id, secret = await submitted(portal)
    for viewer, secret_given in ((PUBLIC, None), (OTHER_CITIZEN, None), (OTHER_ADMIN, None), (PUBLIC, "0" * 32)):
        asked = await portal.data(CHAIN, {"id": complaint_id, "secret": secret_given}, viewer)
        assert asked["verifyRoutingChain"] is None
    assert (await portal.data(CHAIN, {"id": "LP-NONE"}, NATIONAL))["verifyRoutingChain"] is None
    empty = {"valid": True, "length": 0, "firstInvalidSequence": None}
    assert (await portal.data(CHAIN, {"id": complaint_id, "secret": secret}))["verifyRoutingChain"] == empty
    await verified(portal, complaint_id)
    await portal.done("returnComplaint", ADMIN, complaint=complaint_id, reason="NOT_COMPETENT", note="Bukan kami.")
    await portal.done("forwardComplaint", COORDINATOR, complaint=complaint_id, to="kab-gianyar")
    for viewer in (PUBLIC, CITIZEN, NATIONAL):
        asked = await portal.data(CHAIN, {"id": complaint_id}, viewer)
        assert asked["verifyRoutingChain"] == {"valid": True, "length": 3, "firstInvalidSequence": None}


@pytest.mark.parametrize(
    ("tampering", "first_invalid"),
    [
        ({"$set": {"forwardings.1.to": "kab-sleman"}}, 2),
        ({"$set": {"forwardings.0.byRole": "SYSTEM"}}, 1),
        ({"$set": {"forwardings.2.ruleId": "AFFAIRS", "forwardings.2.ruleVersion": "1"}}, 3),
        ({"$unset": {"forwardings.0": 1}}, 1),
        ({"$pop": {"forwardings": -1}}, 1),
        ({"$pop": {"forwardings": 1}}, 3),
    ],
)
async def test_a_chain_that_was_tampered_with_names_its_first_bad_link(
    portal: Portal, register: Store, tampering: dict[str, Any], first_invalid: int
) -> None:
    complaint_id = await routed(portal)
    await portal.done("returnComplaint", ADMIN, complaint=complaint_id, reason="NOT_COMPETENT", note="Bukan kami.")
    await portal.done("forwardComplaint", COORDINATOR, complaint=complaint_id, to="kab-gianyar")
    await register.complaints.update_one({"_id": complaint_id}, tampering)
    if "$unset" in tampering:
        await register.complaints.update_one({"_id": complaint_id}, {"$pull": {"forwardings": None}})
    asked = await portal.data(CHAIN, {"id": complaint_id}, CITIZEN)
    assert asked["verifyRoutingChain"]["valid"] is False
    assert asked["verifyRoutingChain"]["firstInvalidSequence"] == first_invalid


async def test_an_agency_in_conflict_of_interest_never_gets_it_back_alone(portal: Portal) -> None:
    complaint_id = await routed(portal)
    note = "Terlapor adalah kepala dinas kami."
    await portal.done("returnComplaint", ADMIN, complaint=complaint_id, reason="CONFLICT_OF_INTEREST", note=note)
    for viewer in (COORDINATOR, NATIONAL):
        refused = await portal.refused("forwardComplaint", viewer, complaint=complaint_id, to="kab-badung")
        assert refused == "NOT_ALLOWED"
    await portal.done("forwardComplaint", NATIONAL, complaint=complaint_id, to="prov-bali")


async def test_after_three_hand_overs_the_national_desk_alone_assigns_and_that_binds(portal: Portal) -> None:
    complaint_id = await routed(portal)
    given: dict[str, Any] = {"complaint": complaint_id, "reason": "NOT_COMPETENT", "note": "Bukan kami."}
    await portal.done("returnComplaint", ADMIN, **given)
    await portal.done("forwardComplaint", COORDINATOR, complaint=complaint_id, to="kab-badung")
    await portal.done("returnComplaint", ADMIN, **given)
    await portal.done("forwardComplaint", COORDINATOR, complaint=complaint_id, to="kab-badung")
    assert await portal.refused("returnComplaint", ADMIN, **given) == "LIMIT_REACHED"
    assert (
        await portal.refused("forwardComplaint", COORDINATOR, complaint=complaint_id, to="prov-bali") == "LIMIT_REACHED"
    )
    await portal.done("forwardComplaint", NATIONAL, complaint=complaint_id, to="prov-bali")
