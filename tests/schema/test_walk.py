"""Every root and every field, as every role: nobody reads what is not theirs, and what is hidden cannot be told from
what does not exist, by answers, errors, commands or query plans.
"""

import asyncio
import inspect
import itertools
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from graphql import DocumentNode, ExecutionResult, execute, parse, subscribe, validate
from support.commands import Commands
from support.examples import RECEIVED, a_complaint
from support.portal import ADMIN, CITIZEN, EVERYONE, OTHER_ADMIN, OTHER_CITIZEN, PARTNER, UNIT
from support.selections import (
    BUILT,
    MUTATIONS,
    QUERIES,
    SUBSCRIPTIONS,
    find_input_fields,
    make_arguments,
    make_value,
    select_everything,
    write_operation,
)

from resolvers import policy
from resolvers.complaints import live
from resolvers.documents import ComplaintDoc
from resolvers.domain import tracking_id
from resolvers.errors import NotReadable, RequestError
from resolvers.regulations.holiday_tables import find_calendar
from resolvers.request.context import RequestContext
from resolvers.request.loaders import Loaders
from resolvers.store.database import Document, Store, connect
from resolvers.store.fan_out import FanOut, Subscriber
from resolvers.vault import vault
from resolvers.viewer import PUBLIC, Viewer

pytestmark = pytest.mark.timeout(400)  # a few hundred operations that ask for everything

NOW = datetime(2026, 11, 24, tzinfo=UTC)
OUTSIDERS = (PUBLIC, PARTNER, OTHER_CITIZEN, OTHER_ADMIN)
NOBODYS = tracking_id.make_id("LP", bytes(range(16)))
BADUNG: Any = {"_id": "kab-badung", "province": "prov-bali"}
REFUSAL = "{ complaint { id title } userErrors { code message field } }"


def follow_up(number: int, mark: str, visibility: str, **further: Any) -> Document:
    return {
        "id": f"LP-X/{number}",
        "kind": "NOTE",
        "body": mark,
        "visibility": visibility,
        "byAgency": "kab-badung",
        "byRole": "LIAISON",
        "bySubject": None,
        "commitment": {"action": mark, "unit": mark, "dueOn": None},
        "closureCode": None,
        "evidence": [mark],
        "approved": True,
        "rejection": None,
        "at": RECEIVED,
        **further,
    }


def marked(**further: Any) -> ComplaintDoc:
    """A complaint whose private texts name their readers: CUSTODY, REPORTED (also the reporter), INTERNAL."""
    return a_complaint(
        title="Jalan REPORTEDTITLE 081234567890",
        body="REPORTEDBODY petugas bernama Budi REPORTED, 0812-3456-7890",
        redactedTitle="Jalan [telepon]",
        redactedBody="petugas bernama [nama], [telepon]",
        words=["jalan", "!reportedbody"],
        location={"text": "REPORTED gang", "region": "51.03", "latitude": -8.723811, "longitude": 115.175213},
        hold={"reason": "REPORTED hold", "reviewOn": "2026-12-01"},
        rating={"stars": 1, "comment": "REPORTED comment", "at": RECEIVED},
        closure={
            "code": "FIXED",
            "evidence": ["REPORTED photo"],
            "archiveReason": None,
            "referral": "REPORTED referral",
            "ground": "REPORTED ground",
            "alternative": "REPORTED alternative",
            "at": RECEIVED,
        },
        followUps=[
            follow_up(1, "INTERNAL note", "INTERNAL"),
            follow_up(2, "INTERNAL draft", "PUBLIC", approved=False, kind="FINAL"),
            follow_up(3, "REPORTED answer", "REPORTER"),
        ],
        forwardings=[
            {
                "sequence": 1,
                "from": "kemenpanrb",
                "to": "kab-badung",
                "action": "VERIFY",
                "reason": None,
                "suggested": None,
                "note": "REPORTED note",
                "noteSalt": "INTERNALsalt",
                "noteDigest": "INTERNALdigest",
                "byRole": "NATIONAL_ADMIN",
                "bySubject": "INTERNALsubject",
                "at": RECEIVED,
                "previousHash": None,
                "hash": "0" * 64,
            }
        ],
        secretHash="INTERNALhash",
        unit=UNIT,
        team=None,
        **further,
    )


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
async def watched(register: Store, mongodb_uri: str, commands: Commands) -> AsyncIterator[Store]:
    opened = connect(mongodb_uri, register.database.name, event_listeners=[commands])
    await opened.agencies.find_one({})
    commands.sent.clear()
    yield opened
    opened.close()


@cache
def checked(document: str) -> DocumentNode:
    """Parses and validates a document, and caches it: an operation that asks for everything is long."""
    parsed = parse(document)
    assert validate(BUILT, parsed) == []
    return parsed


async def ask(store: Store, document: str, variables: dict[str, Any], viewer: Viewer) -> dict[str, Any]:
    """Returns data and errors as the schema returns them."""
    context = RequestContext(store, Loaders(store), NOW, b"the secret key of the tests", find_calendar, viewer)
    context.purpose = "Uji"
    running = execute(BUILT, checked(document), variable_values=variables, context_value=context)
    result = running if isinstance(running, ExecutionResult) else await running
    assert result.data is not None, result.errors
    errors = [(error.message, error.path) for error in result.errors or ()]
    return {"data": result.data, "errors": errors}


async def test_no_field_below_any_root_shows_anybody_what_is_not_theirs(register: Store) -> None:
    rows = [marked(), marked(confidential=True), marked(reporterSubject="made"), marked(verifiedAt=None)]
    given = {"name": "NAMEMARK", "email": "mailmark@mail.id", "phone": "0811PHONEMARK", "nik": "5103NIKMARK"}
    for row in rows:
        owner = RequestContext(register, Loaders(register), NOW, b"the secret key of the tests", find_calendar)
        row["reporter"] = await vault.seal(owner, row["_id"], given)
    await register.complaints.insert_many(rows)
    of_one = {name: field for name, field in QUERIES.items() if {"complaint", "id"} & field.args.keys()}
    for viewer in EVERYONE:
        answers = ""
        for name, field in QUERIES.items():
            for row in rows if name == "complaint" else rows[: 2 if name in of_one else 1]:
                document, variables = write_operation("query", name, field, make_arguments(field, row["_id"]))
                answer = json.dumps(await ask(register, document, variables, viewer), default=str)
                answers += answer
                if name in ("complaint", "node"):
                    check_one(viewer, row, answer)
        own = any(policy.has_custody(viewer, row) for row in rows)
        assert own or "REPORTED" not in answers, viewer
        assert "INTERNALhash" not in answers
        assert "INTERNALsubject" not in answers


async def told(
    store: Store,
    stream: FanOut,
    witnesses: Mapping[str, Subscriber],
    name: str,
    rows: list[ComplaintDoc],
    viewer: Viewer,
) -> str:
    """Returns everything that a subscription to all fields sends about the rows, after one change of each.

    A witness receives every change of its complaint: what the viewer has not received soon after is never sent.
    """
    field, answers = SUBSCRIPTIONS[name], ""
    for row in rows:
        async with asyncio.timeout(20):
            while stream.count() > len(witnesses):  # noqa: ASYNC110 - until the subscription before has ended
                await asyncio.sleep(0.001)
        document, variables = write_operation("subscription", name, field, make_arguments(field, row["_id"]))
        context = RequestContext(store, Loaders(store), NOW, b"the secret key of the tests", find_calendar, viewer)
        context.purpose, context.live = "Uji", stream
        events = subscribe(BUILT, checked(document), variable_values=variables, context_value=context)
        events = await events if inspect.isawaitable(events) else events
        if isinstance(events, ExecutionResult):
            answers += str(events)
            continue
        asked = asyncio.ensure_future(anext(events, None))
        while stream.count() == len(witnesses) and not asked.done():  # noqa: ASYNC110 - until it stands, or is refused
            await asyncio.sleep(0.01)
        await store.complaints.update_one({"_id": row["_id"]}, {"$inc": {"revision": 1}})
        async with asyncio.timeout(20):
            await witnesses[row["_id"]].next()
        is_told = policy.may_know(viewer, row) and (
            name == "complaintChanged" or policy.may_watch_inbox(viewer, BADUNG)
        )
        try:
            async with asyncio.timeout(20 if is_told else 0.05):
                event = await asked
            answers += json.dumps(getattr(event, "data", None), default=str)
        except (TimeoutError, RequestError) as nothing:
            assert not is_told
            answers += type(nothing).__name__
        if isinstance(events, AsyncGenerator):
            await events.aclose()
    return answers


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
async def test_no_field_below_a_subscription_shows_anybody_what_is_not_theirs(register: Store, name: str) -> None:
    rows = [marked(), marked(confidential=True), marked(reporterSubject="made"), marked(verifiedAt=None)]
    await register.complaints.insert_many(rows)
    stream = FanOut(register)
    running = asyncio.create_task(stream.run())
    shown: dict[Viewer, bool] = {}
    heard = ExitStack()
    try:
        await stream.wait_until_begun()
        witnesses = {
            row["_id"]: heard.enter_context(stream.subscribe(frozenset({"revision"}), complaint=row["_id"]))
            for row in rows
        }
        for viewer in EVERYONE:
            answers = await told(register, stream, witnesses, name, rows, viewer)
            shown[viewer] = "REPORTED" in answers
            assert not shown[viewer] or any(policy.has_custody(viewer, row) for row in rows), viewer
            for row in rows:
                assert policy.may_know(viewer, row) or row["_id"] not in answers, viewer
            for mark in ("INTERNALhash", "INTERNALsubject", "INTERNALsalt"):
                assert mark not in answers
    finally:
        heard.close()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert shown[ADMIN]
    assert not any(shown[viewer] for viewer in (PUBLIC, PARTNER, OTHER_ADMIN))


def check_one(viewer: Viewer, row: ComplaintDoc, answer: str) -> None:
    own = policy.is_reporter(viewer, row)
    custody = policy.has_custody(viewer, row)
    assert (row["_id"] in answer) == policy.may_know(viewer, row), viewer
    assert ("REPORTED" in answer) == custody, viewer
    assert ("INTERNAL note" in answer) == ("INTERNAL draft" in answer) == (custody and not own), viewer
    fields = policy.list_reporter_fields(viewer, row) or frozenset()
    for key, mark in (("name", "NAMEMARK"), ("email", "mailmark"), ("phone", "PHONEMARK")):
        assert (mark in answer) == (key in fields), (viewer, mark)
    assert "NIKMARK" not in answer


LISTS = (
    "{ complaints { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }",
    '{ complaints(filter: {search: "rahasiaku"}) { totalCount nodes { id } } }',
    '{ complaints(filter: {search: "jalan lubang"}) { totalCount edges { cursor } } }',
    '{ complaints(filter: {region: ["51"]}, orderBy: DUE_ASC) { totalCount nodes { id } } }',
    '{ complaints(filter: {holder: ["kab-badung"]}, orderBy: UPDATED_DESC, last: 3) { nodes { id } } }',
    "{ complaints(filter: {overdue: true, open: true}, orderBy: RECEIVED_ASC) { totalCount } }",
    '{ agency(id: "kab-badung") { complaints { totalCount nodes { id } } } }',
    '{ similarComplaints(text: "jalan lubang rahasiaku di pasar", region: "51.03", first: 10) { id } }',
    '{ similarComplaints(text: "jalan lubang rahasiaku di pasar", first: 10) { id } }',
    "{ identityReads { totalCount nodes { complaint } } }",
)


def shapes(sent: list[Document], complaint_id: str) -> list[str]:
    """Returns the commands without session values, and with one name for the complaint's id."""
    session = ("lsid", "$", "txn")
    kept = [{key: part for key, part in command.items() if not key.startswith(session)} for command in sent]
    written = [json.dumps(command, default=str, sort_keys=True) for command in kept]
    return sorted(text.replace(complaint_id, "ID") for text in written)


async def plans(store: Store, sent: list[Document]) -> list[str]:
    """Returns the stages of the winning plan of each find."""
    kept = ("find", "filter", "projection", "sort", "limit", "hint")
    found = []
    for command in [command for command in sent if "find" in command]:
        explained = await store.database.command("explain", {key: command[key] for key in kept if key in command})
        text = json.dumps(explained["queryPlanner"]["winningPlan"], default=str)
        found.append(" ".join(part for part in text.split('"') if part.isupper() or "_" in part))
    return sorted(found)


@pytest.mark.parametrize("viewer", OUTSIDERS, ids=lambda viewer: viewer.role + str(viewer.subject))
async def test_a_list_is_the_same_whether_there_is_something_hidden_or_not(
    watched: Store, commands: Commands, viewer: Viewer
) -> None:
    await watched.complaints.insert_many(
        [a_complaint(body=f"Lubang di jalan pasar nomor {number}") for number in range(5)]
    )
    seen = []
    for hidden in (False, True):
        if hidden:
            body = "Lubang di jalan pasar, rahasiaku"
            await watched.complaints.insert_many(
                [a_complaint(body=body, confidential=True, receivedAt=NOW, nextDueAt=RECEIVED) for _ in range(7)]
            )
        answers = []
        for document in LISTS:
            commands.sent.clear()
            answer = await ask(watched, document, {}, viewer)
            sent = list(commands.sent)
            answers.append((answer, shapes(sent, "-"), await plans(watched, sent)))
        seen.append(answers)
    assert seen[0] == seen[1]


async def test_by_id_what_is_hidden_is_what_does_not_exist(watched: Store, commands: Commands) -> None:
    hidden = marked(confidential=True)
    await watched.complaints.insert_one(hidden)
    named = {name: field for name, field in QUERIES.items() if {"complaint", "id"} & field.args.keys()}
    assert {"complaint", "node", "auditLog", "verifyAudit", "identityReads", "reporterRecord"} <= named.keys()
    for viewer, (name, field) in itertools.product(OUTSIDERS, named.items()):
        seen = []
        for complaint_id in (hidden["_id"], NOBODYS):
            commands.sent.clear()
            document, variables = write_operation("query", name, field, make_arguments(field, complaint_id))
            answer = json.dumps(await ask(watched, document, variables, viewer), default=str)
            seen.append((answer.replace(complaint_id, "ID"), shapes(commands.sent, complaint_id)))
        assert seen[0] == seen[1], (viewer, name)


async def test_a_subscription_does_the_same_for_what_is_hidden_and_for_what_does_not_exist(
    watched: Store, register: Store, commands: Commands
) -> None:
    hidden = marked(confidential=True)
    await register.complaints.insert_one(hidden)
    stream = FanOut(register)
    running = asyncio.create_task(stream.run())
    try:
        for viewer, secret in itertools.product(OUTSIDERS, (None, "0" * 32)):
            seen = []
            for complaint_id in (hidden["_id"], NOBODYS):
                commands.sent.clear()
                context = RequestContext(
                    watched, Loaders(watched), NOW, b"the secret key of the tests", find_calendar, viewer
                )
                context.live = stream
                source = live.watch_complaint(context, complaint_id, secret=secret, keys=frozenset({"title"}))
                with pytest.raises(NotReadable) as refused:
                    await anext(source)
                seen.append((str(refused.value), shapes(commands.sent, complaint_id)))
            assert seen[0] == seen[1], viewer
            assert len(seen[0][1]) == 1
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_no_mutation_tells_what_is_hidden_from_what_does_not_exist(watched: Store, commands: Commands) -> None:
    hidden = marked(confidential=True)
    await watched.complaints.insert_one(hidden)
    named = {name: field for name, field in MUTATIONS.items() if "complaint" in find_input_fields(field)}
    for viewer, (name, field) in itertools.product(OUTSIDERS, named.items()):
        seen = []
        for complaint_id in (hidden["_id"], NOBODYS):
            commands.sent.clear()
            given = {"input": make_value("input", field.args["input"].type, complaint_id)}
            document = f"mutation ($input: {field.args['input'].type}) {{ asked: {name}(input: $input) {REFUSAL} }}"
            answer = json.dumps(await ask(watched, document, given, viewer), default=str)
            seen.append((answer.replace(complaint_id, "ID"), shapes(commands.sent, complaint_id)))
        assert seen[0] == seen[1], (viewer, name)
        assert "NOT_FOUND" in seen[0][0] or "INVALID_INPUT" in seen[0][0], (viewer, name)
    assert await watched.complaints.find_one({"_id": hidden["_id"]}) == hidden


async def test_the_walk_reaches_every_field_of_a_complaint_and_of_the_logs() -> None:
    for name in ("Complaint", "Reporter", "AuditEntry", "IdentityRead", "FollowUp", "Forwarding"):
        fields = BUILT.type_map[name].fields  # type: ignore[attr-defined]
        asked = select_everything(BUILT.type_map[name])
        assert all(f" {field} " in asked or f" {field}" in asked for field in fields)


def test_those_who_may_know_are_not_among_the_outsiders() -> None:
    hidden = marked(confidential=True)
    assert not any(policy.may_know(viewer, hidden) for viewer in OUTSIDERS)
    assert policy.may_know(ADMIN, hidden)
    assert policy.may_know(CITIZEN, hidden)
