"""A reporter's rights over HTTP: to see what is kept and who read it, to correct it, to be gone."""

from typing import Any

import pytest
from support.portal import (
    ADMIN,
    CITIZEN,
    EVERYONE,
    LIAISON,
    NATIONAL,
    OTHER_ADMIN,
    OTHER_CITIZEN,
    OVERSIGHT,
    Portal,
    bearer,
)
from support.stories import answered, routed, submitted, verified

from resolvers.store.database import Store
from resolvers.viewer import PUBLIC, Viewer

GIVEN = {"name": "Wayan Sudana", "email": "wayan@mail.id", "phone": "081234567890", "nik": "5103010101010001"}
INCLUSION = {"sex": "MALE", "ageBand": "AGE_25_39", "disability": True, "inclusionConsent": True}
WHO = "query ($id: ID!, $secret: String) { complaint(id: $id, secret: $secret) { reporter { name email phone } } }"
RECORD = """query ($id: ID!, $secret: String) { reporterRecord(complaint: $id, secret: $secret) {
  name email phone nik sex ageBand disability consentAt erasedAt } }"""
READS = """query ($id: ID, $secret: String) { identityReads(complaint: $id, secret: $secret) {
  totalCount nodes { complaint role at subject purpose agency { id } } } }"""


async def asked(portal: Portal, query: str, variables: Any, viewer: Viewer, purpose: str | None = None) -> Any:
    headers = bearer(viewer) | ({"x-purpose": purpose} if purpose else {})
    body = {"query": query, "variables": variables}
    async with portal.session.post(f"{portal.url}/graphql", json=body, headers=headers) as response:
        return await response.json()


async def test_who_reported_is_told_to_whom_the_matrix_names(portal: Portal) -> None:
    complaint_id = await routed(portal, reporter=GIVEN | INCLUSION)
    told: dict[str, Any] = {"name": "Wayan Sudana", "email": "wayan@mail.id", "phone": "081234567890"}
    for viewer in EVERYONE:
        answer = await asked(portal, WHO, {"id": complaint_id}, viewer, "Klarifikasi")
        expected: Any = told if viewer in (CITIZEN, ADMIN, NATIONAL) else None
        if viewer is LIAISON:
            expected = told | {"name": None}
        if viewer.role == "SUBGRAPH":
            expected = dict.fromkeys(told)
        assert answer["data"]["complaint"]["reporter"] == expected, viewer


async def test_the_national_desk_is_asked_for_its_purpose(portal: Portal) -> None:
    complaint_id = await routed(portal, reporter=GIVEN)
    answer = await asked(portal, WHO, {"id": complaint_id}, NATIONAL)
    assert answer["data"]["complaint"] == {"reporter": None}
    assert answer["errors"][0]["extensions"]["code"] == "PURPOSE_REQUIRED"


async def test_the_reporter_sees_role_and_time_and_the_overseers_all(portal: Portal) -> None:
    complaint_id = await routed(portal, reporter=GIVEN)
    await asked(portal, WHO, {"id": complaint_id}, ADMIN, "Klarifikasi lapangan")
    own = await portal.data(READS, {"id": complaint_id}, CITIZEN)
    [row] = own["identityReads"]["nodes"]
    assert row.pop("at")
    assert row == {
        "complaint": complaint_id,
        "role": "AGENCY_ADMIN",
        "subject": None,
        "purpose": None,
        "agency": None,
    }
    full = {"subject": "demo-admin", "purpose": "Klarifikasi lapangan", "agency": {"id": "kab-badung"}}
    for viewer in (ADMIN, NATIONAL):
        for variables in ({"id": complaint_id}, {}):
            [row] = (await portal.data(READS, variables, viewer))["identityReads"]["nodes"]
            assert row | full == row
    [row] = (await portal.data(READS, {}, OVERSIGHT))["identityReads"]["nodes"]
    assert row | full == row
    for viewer in (PUBLIC, OTHER_CITIZEN, OTHER_ADMIN, LIAISON):
        for variables in ({"id": complaint_id}, {}):
            found = await portal.data(READS, variables, viewer)
            assert found["identityReads"] == {"totalCount": 0, "nodes": []}


async def test_a_reporter_reads_and_corrects_what_is_kept(portal: Portal) -> None:
    complaint_id, secret = await submitted(portal, PUBLIC, reporter=GIVEN | INCLUSION)
    own = {"id": complaint_id, "secret": secret}
    found = (await portal.data(RECORD, own))["reporterRecord"]
    assert found.pop("consentAt")
    assert found == {**GIVEN, "sex": "MALE", "ageBand": "AGE_25_39", "disability": True, "erasedAt": None}
    await portal.done("correctReporter", PUBLIC, complaint=complaint_id, secret=secret, reporter={"phone": "0899"})
    found = (await portal.data(RECORD, own))["reporterRecord"]
    assert (found["phone"], found["name"]) == ("0899", "Wayan Sudana")
    for viewer in EVERYONE:
        assert (await portal.data(RECORD, {"id": complaint_id}, viewer))["reporterRecord"] is None


async def test_consent_that_is_withdrawn_takes_its_data_with_it(portal: Portal) -> None:
    complaint_id, _ = await submitted(portal, reporter=GIVEN | INCLUSION)
    await portal.done("withdrawConsent", CITIZEN, complaint=complaint_id)
    found = (await portal.data(RECORD, {"id": complaint_id}, CITIZEN))["reporterRecord"]
    assert (found["sex"], found["ageBand"], found["disability"], found["consentAt"]) == (None, None, None, None)
    assert found["name"] == "Wayan Sudana"


async def test_an_erased_reporter_is_gone_and_the_complaint_keeps_its_history(portal: Portal, register: Store) -> None:
    complaint_id = await answered(portal, reporter=GIVEN | INCLUSION)
    await portal.done("disputeAnswer", CITIZEN, complaint=complaint_id, reason="Masih bolong.")
    backup = await register.reporters.find_one({"complaint": complaint_id})
    history = "query ($id: ID!) { complaint(id: $id) { status followUps { nodes { kind } } forwardings { hash } } }"
    before = await portal.data(history, {"id": complaint_id}, NATIONAL)
    done = await portal.done("eraseReporter", CITIZEN, "id", complaint=complaint_id, idempotencyKey="gone")
    assert done == {"id": complaint_id}
    assert await portal.data(history, {"id": complaint_id}, NATIONAL) == before
    answer = await asked(portal, WHO, {"id": complaint_id}, NATIONAL, "Pemeriksaan")
    assert answer["data"]["complaint"]["reporter"] == {"name": None, "email": None, "phone": None}
    assert backup is not None
    assert await register.reporter_keys.find_one({"_id": backup["_id"]}) is None
    stored = str([await collection.find({}).to_list(None) for collection in (register.reporters, register.complaints)])
    assert "wayan" not in stored.lower()
    again = await portal.done("eraseReporter", CITIZEN, "id", complaint=complaint_id, idempotencyKey="gone")
    assert again == {"id": complaint_id}


@pytest.mark.parametrize("mutation", ["eraseReporter", "withdrawConsent", "correctReporter"])
async def test_nobody_else_decides_for_the_reporter(portal: Portal, mutation: str) -> None:
    complaint_id = await routed(portal, reporter=GIVEN)
    given: dict[str, Any] = {"reporter": {"name": "Made"}} if mutation == "correctReporter" else {}
    for viewer in EVERYONE:
        if viewer is not CITIZEN:
            assert await portal.refused(mutation, viewer, complaint=complaint_id, **given) == "NOT_ALLOWED"
    hidden, _ = await submitted(portal, reporter=GIVEN)
    assert await portal.refused(mutation, OTHER_CITIZEN, complaint=hidden, **given) == "NOT_FOUND"
    assert await portal.refused(mutation, CITIZEN, complaint=hidden, expectedRevision=9, **given) == "CHANGED_MEANWHILE"


async def test_the_submitter_is_told_what_the_scan_found(portal: Portal) -> None:
    """And a complaint that names a person is confidential, unless the reporter says otherwise."""
    select = "complaint { id confidential } personalData { field kind count }"
    given = {
        "class_": "COMPLAINT",
        "title": "Petugas loket kasar",
        "body": "Petugas bernama Budi Hartanto membentak saya, hubungi 0812-3456-7890.",
        "location": {"region": "51.03"},
    }
    payload = await portal.do("submitComplaint", CITIZEN, select, **given)
    assert payload["complaint"]["confidential"] is True
    assert payload["personalData"] == [
        {"field": "body", "kind": "NAME", "count": 1},
        {"field": "body", "kind": "PHONE", "count": 1},
    ]
    open_ = await portal.do("submitComplaint", CITIZEN, select, confidential=False, **given)
    assert open_["complaint"]["confidential"] is False
    on_behalf = await portal.do("submitComplaint", ADMIN, select, confidential=False, channel="COUNTER", **given)
    assert on_behalf["complaint"]["confidential"] is True
    harmless = await portal.do("submitComplaint", CITIZEN, select, **given | {"body": "Loket tutup sebelum jam kerja."})
    assert (harmless["complaint"]["confidential"], harmless["personalData"]) == (False, [])


async def test_a_title_that_verification_writes_is_scanned_too(portal: Portal) -> None:
    complaint_id, _ = await submitted(portal)
    done = await verified(portal, complaint_id, title="Aduan tentang Pak Hendra Gunawan")
    assert done
    found = await portal.data("query ($id: ID!) { complaint(id: $id) { title } }", {"id": complaint_id})
    assert found == {"complaint": None}
    assert (await portal.data("query ($id: ID!) { complaint(id: $id) { confidential } }", {"id": complaint_id}, ADMIN))[
        "complaint"
    ] == {"confidential": True}
