"""What compiled executors have been known to get wrong, each by its name."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from support.commands import Commands
from support.examples import a_complaint
from support.portal import ADMIN, CITIZEN, EVERYONE, NATIONAL

import schema
from gateway.executor.answer import OperationResult, execute_operation
from gateway.executor.reference import ReferenceRequest, execute_reference
from gateway.executor.run import Program
from gateway.observability import metrics
from gateway.operation.document import CACHED_BYTES, Documents
from gateway.operation.prepare import BoundOperation, prepare
from resolvers.request.context import RequestContext
from resolvers.request.loaders import Loaders
from resolvers.store import indexes
from resolvers.store.database import Store, connect
from resolvers.store.reference_data import ReferenceData
from resolvers.viewer import Viewer

BUILT = schema.build()._schema
DOCUMENTS = Documents(BUILT)
NOW = datetime(2026, 11, 24, tzinfo=UTC)

ContextOf = Callable[..., RequestContext]


def operation(text: str, variables: dict[str, Any] | None = None) -> BoundOperation:
    return prepare(DOCUMENTS, text, None, variables or {}, 10**9)


async def answer(context: RequestContext, text: str, variables: dict[str, Any] | None = None) -> OperationResult:
    prepared = operation(text, variables)
    request = ReferenceRequest(prepared.compiled.document, None, variables or {})
    return await execute_operation(BUILT, prepared.program, prepared.variables, request, context)


async def check(
    context_of: ContextOf, text: str, variables: dict[str, Any] | None = None, **further: Any
) -> OperationResult:
    """The compiled answer, after it has been compared with the reference executor's."""
    viewer: Viewer = further.get("viewer", NATIONAL)
    document = operation(text, variables).compiled.document
    expected = await execute_reference(
        BUILT, ReferenceRequest(document, None, variables or {}), context_of(viewer, NOW)
    )
    found = await answer(context_of(viewer, NOW), text, variables)
    assert orjson.dumps(found.data) == orjson.dumps(expected.data)
    assert [error.formatted for error in found.errors] == [error.formatted for error in expected.errors or ()]
    return found


@pytest.mark.parametrize("default", ["true", "false"])
@pytest.mark.parametrize("given", [{}, {"c": True}, {"c": False}, {"c": None}])
@pytest.mark.parametrize("directive", ["skip", "include"])
async def test_a_condition_that_is_not_sent_has_its_default(
    context_of: ContextOf, default: str, given: dict[str, Any], directive: str
) -> None:
    await check(
        context_of, f"query ($c: Boolean = {default}) {{ viewer {{ role subject @{directive}(if: $c) }} }}", given
    )


async def test_conditions_under_a_skipped_parent_belong_to_the_program(context_of: ContextOf) -> None:
    text = """query ($outer: Boolean!, $inner: Boolean!) { viewer { role } again: viewer @skip(if: $outer) {
      role ...Inner @include(if: $inner) } } fragment Inner on Viewer { subject agency @skip(if: $inner) { id } }"""
    answers = [
        (await check(context_of, text, {"outer": outer, "inner": inner})).data
        for outer in (True, False)
        for inner in (True, False)
    ]
    assert len({orjson.dumps(data) for data in answers}) == 3


async def test_a_list_that_is_null_is_an_error_with_its_path(register: Store, context_of: ContextOf) -> None:
    await register.complaints.insert_many([a_complaint(_id="LP-A", clocks=None), a_complaint(_id="LP-B")])
    found = await check(context_of, "{ complaints { nodes { id clocks { kind } } } }")
    assert found.data is None
    [error] = found.errors
    assert error.path is not None
    assert error.path[-1] == "clocks"


async def test_a_mutations_write_is_never_repeated_when_completion_falls_back(
    register: Store, mongodb_uri: str, context_of: ContextOf
) -> None:
    commands = Commands()
    watched = connect(mongodb_uri, register.database.name, event_listeners=[commands])
    context = context_of(CITIZEN, NOW)
    context.store, context.loaders = watched, Loaders(watched)
    await register.agencies.update_one({"_id": "kemenpanrb"}, {"$set": {"kind": "NO_SUCH_KIND"}})
    text = """mutation ($i: SubmitComplaintInput!) {
      a: submitComplaint(input: $i) { complaint { id holder { id kind } } userErrors { code } }
      b: submitComplaint(input: $i) { complaint { id } userErrors { code } } }"""
    given = {"i": {"class": "COMPLAINT", "title": "Jalan rusak", "body": "x" * 30}}
    try:
        found = await answer(context, text, given)
    finally:
        watched.close()
    assert [error.path for error in found.errors] == [["a", "complaint", "holder", "kind"]]
    inserts = [command for command in commands.sent if "insert" in command]
    assert len(inserts) == 2, inserts
    assert await register.complaints.count_documents({}) == 2


async def test_an_argument_may_have_any_name_when_calls_are_replayed(register: Store, context_of: ContextOf) -> None:
    """A list of regions by their parent became null, where something beside it was broken."""
    await register.categories.update_one({"_id": "ROAD"}, {"$set": {"sensitive": None}})
    text = '{ regions(parent: "51") { code } category(code: "ROAD") { sensitive } }'
    found = await check(context_of, text)
    assert found.data is not None
    assert len(found.data["regions"]) == 9


async def test_a_missing_sort_key_is_the_same_error_however_the_page_was_read(
    register: Store, context_of: ContextOf
) -> None:
    """Without what is skipped, an index answers the page, and tells a missing name as null."""
    await indexes.create(register)
    await register.teams.update_many({}, {"$unset": {"name": True}})
    text = "query ($shown: Boolean!) { teams { edges { cursor node @include(if: $shown) { termTo } } } }"
    for shown in (False, True):
        found = await check(context_of, text, {"shown": shown})
        assert [error.message for error in found.errors] == ["'name'"]


async def test_instants_that_are_only_printed_have_their_zone_where_the_reference_executor_completes(
    register: Store, context_of: ContextOf
) -> None:
    """Lists are read without the zone, which only the answer has to say."""
    rows = [a_complaint(), a_complaint(status="IN_PROGRESS"), a_complaint(status="ROUTED")]
    await register.complaints.insert_many(rows)
    text = """query ($all: Boolean!) { complaints {
      nodes { id receivedAt updatedAt closedAt overdue @include(if: $all) }
      pageInfo { startCursor endCursor } edges { cursor node { verifiedAt class } } } }"""
    for shown in (False, True):
        assert not (await check(context_of, text, {"all": shown})).errors
    broken: list[dict[str, Any]] = [{"class": "NONE"}, {"receivedAt": "today"}, {"updatedAt": None}, {"closedAt": 7}]
    for changes in broken:
        await register.complaints.update_one({"_id": rows[1]["_id"]}, {"$set": changes})
        for shown in (False, True):
            assert (await check(context_of, text, {"all": shown})).errors
        await register.complaints.replace_one({"_id": rows[1]["_id"]}, rows[1])


async def test_a_look_up_of_which_nothing_is_selected_asks_who_may_know(register: Store, context_of: ContextOf) -> None:
    row, hidden = a_complaint(), a_complaint(confidential=True)
    await register.complaints.insert_many([row, hidden])
    for root in ("complaint", "node"):
        text = f"""{{ a: {root}(id: "{row["_id"]}") {{ id @skip(if: true) }}
          b: {root}(id: "{hidden["_id"]}") {{ id @skip(if: true) }} }}"""
        found = await check(context_of, text, viewer=Viewer())
        assert found == ({"a": {}, "b": None}, ())


async def test_look_ups_that_are_refused_or_find_nothing_stand_beside_those_that_find(
    register: Store, context_of: ContextOf
) -> None:
    row, hidden = a_complaint(), a_complaint(confidential=True)
    await register.complaints.insert_many([row, hidden])
    text = f"""{{ a: complaint(id: "{row["_id"]}") {{ id title }} b: complaint(id: "none") {{ id title }}
      c: complaint(id: "{hidden["_id"]}") {{ id title }}
      d: complaint(id: "{row["_id"]}", secret: "wrong") {{ id title }} }}"""
    found = await check(context_of, text, viewer=Viewer())
    assert found.data is not None
    assert [found.data[key] and found.data[key]["id"] for key in "abcd"] == [row["_id"], None, None, row["_id"]]

    def by_get(viewer: Viewer, now: datetime | None = None) -> RequestContext:
        context = context_of(viewer, now)
        context.takes_secrets = False
        return context

    refused = await check(by_get, text, viewer=Viewer())
    assert [error.path for error in refused.errors] == [["d"]]
    assert refused.data == {**found.data, "d": None}


async def test_a_look_up_of_a_broken_document_spoils_none_beside_it(register: Store, context_of: ContextOf) -> None:
    whole, broken, unproven = a_complaint(), a_complaint(), a_complaint()
    del broken["readers"], unproven["secretHash"]
    await register.complaints.insert_many([whole, broken, unproven])
    text = f"""{{ a: complaint(id: "{whole["_id"]}") {{ id }} b: complaint(id: "{broken["_id"]}") {{ id }}
      c: complaint(id: "{unproven["_id"]}", secret: "x") {{ id }} }}"""
    found = await check(context_of, text)
    assert found.data == {"a": {"id": whole["_id"]}, "b": None, "c": None}
    assert [error.path for error in found.errors] == [["b"], ["c"]]


async def test_variables_inside_a_literal_input_are_put_in(register: Store, context_of: ContextOf) -> None:
    await register.complaints.insert_many([a_complaint(), a_complaint(status="IN_PROGRESS")])
    text = """query ($status: ComplaintStatus = CLOSED_RESOLVED, $open: Boolean) {
      complaints(filter: {status: [$status, IN_PROGRESS], open: $open}) { totalCount nodes { status } } }"""
    given: list[dict[str, Any]] = [{"status": "ROUTED"}, {"status": "ROUTED", "open": None}, {"open": False}, {}]
    for variables in given:
        await check(context_of, text, variables)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
async def test_a_float_that_json_cannot_say_is_an_error(register: Store, context_of: ContextOf, number: float) -> None:
    location = {"text": None, "region": "51.03", "latitude": number, "longitude": 115.0}
    await register.complaints.insert_one(a_complaint(location=location))
    found = await check(context_of, "{ complaints { nodes { location { latitude longitude } } } }")
    assert found.data is not None
    assert found.data["complaints"]["nodes"][0]["location"]["latitude"] is None
    assert len(found.errors) == 1


async def test_what_is_kept_of_documents_is_bounded() -> None:
    documents = Documents(BUILT)
    for number in range(700):
        fields = " ".join(f"f{number}_{alias}: role" for alias in range(40))
        prepare(
            documents, f"query ($c: Boolean!) {{ viewer {{ {fields} subject @skip(if: $c) }} }}", None, {"c": True}, 99
        )
    assert documents._checked.held_bytes <= CACHED_BYTES
    assert len(documents._checked) <= 500
    kept = operation("query ($a: Boolean!) { viewer { role @skip(if: $a) } }", {"a": True}).compiled
    assert len(kept.programs) == 1


async def test_sixty_four_requests_that_share_a_program_share_nothing_else(
    register: Store, context_of: ContextOf
) -> None:
    rows = [a_complaint(_id=f"LP-{number}", confidential=number % 2 == 0) for number in range(8)]
    await register.complaints.insert_many(rows)
    text = """query ($id: ID!, $n: Int) { viewer { role subject } node(id: $id) { id }
      complaints(first: $n) { nodes { id body holder { name } } } }"""
    asked = [(EVERYONE[number % len(EVERYONE)], {"id": "kab-badung", "n": 1 + number % 7}) for number in range(64)]
    programs = {id(operation(text, variables).program) for _, variables in asked}
    assert len(programs) == 1
    alone = [orjson.dumps((await answer(context_of(viewer, NOW), text, given)).data) for viewer, given in asked]
    at_once = await asyncio.gather(*(answer(context_of(viewer, NOW), text, given) for viewer, given in asked))
    assert [orjson.dumps(found.data) for found in at_once] == alone


async def test_twenty_look_ups_in_one_operation_are_one_command(
    register: Store, mongodb_uri: str, context_of: ContextOf
) -> None:
    rows = [a_complaint() for _ in range(20)]
    await register.complaints.insert_many(rows)
    commands = Commands()
    watched = connect(mongodb_uri, register.database.name, event_listeners=[commands])
    context = context_of(ADMIN, NOW)
    context.store, context.loaders = watched, Loaders(watched)
    fields = " ".join(f'a{index}: complaint(id: "{row["_id"]}") {{ id title }}' for index, row in enumerate(rows))
    try:
        found = await answer(context, f"{{ {fields} }}")
    finally:
        watched.close()
    assert found.data is not None
    assert [found.data[f"a{index}"]["id"] for index in range(20)] == [row["_id"] for row in rows]
    assert [name for command in commands.sent if (name := next(iter(command))) != "endSessions"] == ["find"]
    assert "followUps" not in commands.sent[0]["projection"]


async def test_answers_that_are_kept_are_those_of_agencies_as_they_are_now(
    register: Store, context_of: ContextOf
) -> None:
    await register.complaints.insert_many([a_complaint(), a_complaint()])
    held = ReferenceData()
    for name in ("agencies", "regions", "categories", "teams"):
        held._rows[name] = {row["_id"]: row async for row in register.database[name].find()}
    held.set_current()
    text = """{ complaints { nodes { holder { id name } } }
      agencies(filter: {kinds: [PROVINCE]}, first: 50) { nodes { name regencies { id name } } } }"""

    async def asked(executed: Callable[..., Any]) -> bytes:
        context = context_of(NATIONAL, NOW)
        context.loaders = Loaders(register, held)
        return orjson.dumps((await executed(context)).data)

    document = operation(text).compiled.document
    request = ReferenceRequest(document, None, {})
    for name in ("Pertama", "Kedua"):
        row = dict((held.rows("agencies") or {})["kab-badung"])
        held.apply_write("agencies", row | {"name": name, "revision": row["revision"] + 1})
        expected = await asked(lambda context: execute_reference(BUILT, request, context))
        assert expected.count(name.encode()) == 3
        for _ in range(2):
            assert await asked(lambda context: answer(context, text)) == expected


async def test_what_the_reference_executor_answers_is_counted_by_reason(context_of: ContextOf) -> None:
    before = metrics.referred_operations.labels("introspection")._value.get()
    await check(context_of, "{ __schema { queryType { name } } viewer { role } }")
    assert metrics.referred_operations.labels("introspection")._value.get() == before + 1
    assert isinstance(operation("{ viewer { role } }").program, Program)
