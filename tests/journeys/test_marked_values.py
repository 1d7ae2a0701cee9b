"""A complaint's whole life with marked words: they are in the complaint and the vault, and nowhere else.

Searched: what the process prints, every answer to outsiders, errors and headers, cursors, metrics, and every
collection of the database outside the vault and the complaints.
"""

import asyncio
import base64
import json
import re
from typing import Any

import pytest
from support.live import CHANGED, INBOX, connected
from support.portal import ADMIN, CITIZEN, LIAISON, NATIONAL, OTHER_ADMIN, OVERSIGHT, PARTNER, UNIT, Portal, bearer
from support.stories import team_of, verified

from resolvers.complaints import audit_check
from resolvers.store.database import Store
from resolvers.viewer import PUBLIC, Viewer

MARK = "zqx"
"""Begins every marked word; nothing else has it."""
WORDS = {
    "title": "Jalan zqxjudul rusak di Kuta",
    "body": "Petugas bernama Zqxbudi Hartanto, NIK 5103010101010001, hubungi 0812-3456-7890, zqx@mail.id. Zqxbadan.",
}
REPORTER = {"name": "Zqxname", "email": "zqxmail@mail.id", "phone": "081234567890", "nik": "5103010101010001"}
NUMBERS = re.compile("5103010101010001|81234567890|(?<![0-9a-f.])7890(?![0-9a-f])")
"""The marked numbers; a number's last digits count where they stand by themselves, not in a time or a digest."""
LIST = """query ($search: String, $after: String) { complaints(first: 1, after: $after, filter: {search: $search}) {
  totalCount edges { cursor node { id title body followUps(first: 1) { edges { cursor } pageInfo { endCursor } } } }
  pageInfo { endCursor } } }"""


class Heard:
    """Everything that outsiders were answered, headers included."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.texts: list[str] = []

    async def ask(self, query: str, variables: Any, viewer: Viewer = PUBLIC, method: str = "POST") -> Any:
        url, headers = f"{self.portal.url}/graphql", bearer(viewer)
        body = {"query": query, "variables": variables if method == "POST" else json.dumps(variables)}
        given: dict[str, Any] = {"json": body} if method == "POST" else {"params": body}
        async with self.portal.session.request(method, url, headers=headers, **given) as response:
            self.texts += [await response.text(), str(response.headers)]
            return json.loads(self.texts[-2])


async def lived(portal: Portal) -> str:
    """From submission to a disputed answer, a marked word at each step."""
    given = {"class_": "COMPLAINT", **WORDS, "reporter": REPORTER, "confidential": False}
    place = {"region": "51.03", "text": "Gang zqxtempat 7"}
    payload = await portal.do("submitComplaint", CITIZEN, "complaint { id }", location=place, **given)
    complaint_id: str = payload["complaint"]["id"]
    await portal.done("requestInformation", NATIONAL, complaint=complaint_id, question="zqxtanya di mana?")
    await portal.done("supplyInformation", CITIZEN, complaint=complaint_id, text="zqxjawab di pasar")
    await verified(portal, complaint_id, note="zqxcatatan")
    await portal.done("acceptComplaint", ADMIN, complaint=complaint_id, team=await team_of(portal), unit=UNIT)
    await portal.done("addFollowUp", LIAISON, complaint=complaint_id, kind="NOTE", body="zqxinternal")
    answer = {"kind": "FINAL", "closureCode": "FIXED", "evidence": ["zqxfoto"], "body": "zqxtanggapan ditutup."}
    done = await portal.done("addFollowUp", LIAISON, "followUps { nodes { id } }", complaint=complaint_id, **answer)
    draft = done["followUps"]["nodes"][-1]["id"]
    await portal.done("approveFollowUp", ADMIN, complaint=complaint_id, followUp=draft)
    await portal.done("disputeAnswer", CITIZEN, complaint=complaint_id, reason="zqxsanggah masih bolong", stars=1)
    who = "query ($id: ID!) { complaint(id: $id) { reporter { name phone } } }"
    await portal.data(who, {"id": complaint_id}, ADMIN)
    return complaint_id


async def outsiders(heard: Heard, complaint_id: str) -> None:
    """What the public, a partner and another agency may ask, and what they may not."""
    everything = """query ($id: ID!) { complaint(id: $id) { title body location { text } followUps { nodes { body } }
      forwardings { note } rating { comment } closure { evidence } reporter { name } hold { reason } } }"""
    for viewer in (PUBLIC, PARTNER, OTHER_ADMIN):
        await heard.ask(everything, {"id": complaint_id}, viewer)
        await heard.ask(LIST, {"search": "rusak"}, viewer)
        await heard.ask(LIST, {}, viewer)
        await heard.ask("query ($id: ID!) { auditLog(complaint: $id) { totalCount } }", {"id": complaint_id}, viewer)
        await heard.ask("{ identityReads { totalCount } }", {}, viewer)
        await heard.ask('{ similarComplaints(text: "jalan rusak di kuta") { id title body } }', {}, viewer)
    async with connected(heard.portal, PARTNER) as socket:
        await socket.subscribe(CHANGED, id=complaint_id, secret="zqxsecret")
        heard.texts.append(str(await socket.message()))
    refuse = """mutation ($input: DisputeAnswerInput!) { disputeAnswer(input: $input) { userErrors { message } } }"""
    await heard.ask(refuse, {"input": {"complaint": complaint_id, "reason": "bukan saya"}}, OTHER_ADMIN)


async def broken(portal: Portal) -> list[str]:
    """Requests that fail with marked words in them: what is answered may quote the request, what is logged never."""
    heard = Heard(portal)
    submit = "mutation ($input: SubmitComplaintInput!) { submitComplaint(input: $input) { userErrors { message } } }"
    await heard.ask(submit, {"input": {"class": "COMPLAINT", "title": "zqxjudul", "body": "zqxpendek"}})
    await heard.ask(submit, {"input": {"class": "COMPLAINT", "title": "zqx\u0000", "body": "zqx" * 20}})
    await heard.ask(submit, {"input": {"class": "COMPLAINT", "title": "x", "body": "zqx " * 3000}})
    return heard.texts


def opened(text: str) -> str:
    """The text with what its cursors say in clear."""
    tokens = re.findall(r"[A-Za-z0-9_-]{24,}", text)
    return text + "".join(
        base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("latin-1") for token in tokens
    )


def is_clean(text: str) -> bool:
    return MARK not in text.lower() and NUMBERS.search(text) is None


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("hubungi 0812-3456-7890.", False),
        ("hubungi ****7890", False),
        ("hubungi +6281234567890", False),
        ("NIK 5103010101010001", False),
        ("nama ZQXbudi", False),
        ("satugraf_refused_created 1.795777890396e+09", True),
        ("sha256:9f7890ab", True),
    ],
)
def test_marked_values_are_told_from_chance(text: str, clean: bool) -> None:
    assert is_clean(text) is clean


async def test_marked_words_are_nowhere_but_in_the_complaint_and_the_vault(
    portal: Portal, register: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = Heard(portal)
    async with connected(portal, OVERSIGHT) as overseer, connected(portal, ADMIN) as admin:
        for socket in (overseer, admin):
            await socket.standing(INBOX, agency="kab-badung")
        complaint_id = await lived(portal)
        told = [str(await overseer.message()) for _ in range(5)]
        assert MARK in str([await admin.message() for _ in range(5)]).lower()
    heard.texts += told
    await outsiders(heard, complaint_id)
    while not await register.database["change_tokens"].find_one({}):  # noqa: ASYNC110 - kept every few seconds
        await asyncio.sleep(0.1)
    for text in heard.texts:
        # The title's and the body's own words are public; what names somebody in them is not.
        shown = text.replace("zqxjudul", "").replace("Zqxbadan", "")
        assert is_clean(opened(shown)), text
    assert any("[nama]" in text and "[telepon]" in text for text in heard.texts)
    assert all(is_clean(text) for text in await broken(portal))
    async with portal.session.get(f"{portal.url}/metrics") as metrics:
        assert is_clean(await metrics.text())
    for name in await register.database.list_collection_names():
        if name not in ("complaints", "reporters", "reporter_keys"):
            assert is_clean(str(await register.database[name].find({}).to_list(None))), name
    assert is_clean(str([entry async for entry in audit_check.list_entries(register)]))
    sealed = await register.reporters.find({}).to_list(None)
    assert len(sealed) == 1
    assert is_clean(str(sealed))
    printed = capfd.readouterr()
    assert is_clean(printed.out + printed.err)


async def test_a_masked_word_finds_nothing_for_those_who_may_not_read_it(portal: Portal) -> None:
    complaint_id = await lived(portal)
    for viewer, words, found in (
        (PUBLIC, "rusak", 1),
        (PUBLIC, "zqxbudi", 0),
        (PUBLIC, "7890", 0),
        (OTHER_ADMIN, "zqxbudi", 0),
        (PARTNER, "hartanto", 0),
        (ADMIN, "zqxbudi", 1),
        (CITIZEN, "hartanto rusak", 1),
        (NATIONAL, "zqxbudi", 1),
    ):
        answer = (await portal.data(LIST, {"search": words}, viewer))["complaints"]
        assert answer["totalCount"] == found, (viewer, words)
        assert [edge["node"]["id"] for edge in answer["edges"]] == [complaint_id] * found
