"""Many requests change complaints at once: few commands, and each change is made exactly once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from pymongo.errors import PyMongoError
from support.commands import Commands
from support.portal import ADMIN
from support.states import NOW, in_status

from resolvers.audit_log import audit_trail
from resolvers.complaints import audit, follow_up
from resolvers.documents import ComplaintDoc, apply_changes
from resolvers.domain.vocabulary import ComplaintStatus, FollowUpKind, Visibility
from resolvers.errors import ChangedMeanwhile
from resolvers.request.context import RequestContext
from resolvers.request.loaders import Loaders
from resolvers.request.update import Attempt
from resolvers.store import indexes
from resolvers.store.batching import Batcher
from resolvers.store.database import Store, connect

ContextOf = Callable[..., RequestContext]
WORDS = follow_up.FollowUpDraft(FollowUpKind.PROGRESS, "Bahan sudah dipesan.", Visibility.PUBLIC, None, None, ())


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
async def watched(store: Store, mongodb_uri: str, commands: Commands) -> AsyncIterator[Store]:
    opened = connect(mongodb_uri, store.database.name, event_listeners=[commands])
    await opened.complaints.find_one({})
    commands.sent.clear()
    yield opened
    opened.close()


async def in_progress(store: Store, count: int) -> list[ComplaintDoc]:
    await indexes.create(store)
    rows = [in_status(ComplaintStatus.IN_PROGRESS) for _ in range(count)]
    await store.complaints.insert_many(rows)
    return rows


async def add(context_of: ContextOf, store: Store, row: ComplaintDoc, revision: int | None = None) -> Any:
    context = replace(context_of(ADMIN, NOW), store=store, loaders=Loaders(store))
    attempt = Attempt("addFollowUp", "digest", revision)
    try:
        return await follow_up.add(context, attempt, row["_id"], WORDS)
    except ChangedMeanwhile as refused:
        return refused


def names(commands: Commands) -> list[str]:
    return [next(iter(command)) for command in commands.sent]


async def test_a_follow_up_is_one_read_and_one_conditional_update(
    watched: Store, commands: Commands, context_of: ContextOf
) -> None:
    [row] = await in_progress(watched, 1)
    commands.sent.clear()
    done = await add(context_of, watched, row, row["revision"])
    assert names(commands) == ["find", "update"]
    stored = await watched.complaints.find_one({"_id": row["_id"]})
    assert stored == done
    assert stored is not None
    assert stored["revision"] == row["revision"] + 1


async def test_many_follow_ups_at_once_share_their_commands(
    watched: Store, commands: Commands, context_of: ContextOf
) -> None:
    rows = await in_progress(watched, 32)
    commands.sent.clear()
    done = await asyncio.gather(*(add(context_of, watched, row, row["revision"]) for row in rows))
    assert len(commands.sent) <= 8, names(commands)
    found = {row["_id"]: row for row in await watched.complaints.find({}).to_list(None)}
    assert {row["_id"]: row for row in done} == found
    assert [await audit.verify_stored(watched, row["_id"]) for row in rows] == [(1, None, True)] * 32


async def test_who_was_overtaken_learns_it_and_the_others_do_not_suffer(watched: Store, context_of: ContextOf) -> None:
    """If some updates of a command did not match, each caller looks up in the audit whether its own was made."""
    rows = await in_progress(watched, 12)
    asked = [row for row in rows for _ in range(3)]
    outcomes = await asyncio.gather(*(add(context_of, watched, row, row["revision"]) for row in asked))
    refused = [outcome for outcome in outcomes if isinstance(outcome, ChangedMeanwhile)]
    assert len(refused) == 24
    stored = await watched.complaints.find({}).to_list(None)
    assert {(row["revision"], len(row["followUps"])) for row in stored} == {(2, 2)}


async def test_without_a_revision_each_of_many_is_added_once(watched: Store, context_of: ContextOf) -> None:
    rows = await in_progress(watched, 6)
    outcomes = await asyncio.gather(*(add(context_of, watched, row) for row in rows for _ in range(4)))
    added = sum(not isinstance(outcome, ChangedMeanwhile) for outcome in outcomes)
    stored = await watched.complaints.find({}).to_list(None)
    assert sum(len(row["followUps"]) - 1 for row in stored) == added
    assert sum(row["revision"] - 1 for row in stored) == added


async def test_a_change_that_has_moved_to_the_audit_is_known_to_be_made(store: Store, context_of: ContextOf) -> None:
    [row] = await in_progress(store, 1)
    context = context_of(ADMIN, NOW)
    done: Any = await follow_up.add(context, Attempt("addFollowUp", "digest"), row["_id"], WORDS)
    record = audit_trail.AuditRecord(context, "FOLLOW_UP")
    never = record.keys(row, apply_changes(row, {"status": "ANSWERED"}))
    assert (await record.is_written(done), await record.is_written(never)) == (True, False)
    await audit_trail.move_entries(store)
    assert (await record.is_written(done), await record.is_written(never)) == (True, False)


async def test_who_stops_waiting_stops_nobody_else() -> None:
    may_go, sent = asyncio.Event(), []

    async def send(asked: Any) -> Any:
        sent.append(list(asked))
        await may_go.wait()
        return [number * 2 for number in asked]

    batcher: Batcher[int, int] = Batcher(send, str)
    waiting = [asyncio.create_task(batcher.submit(number)) for number in range(3)]
    await asyncio.sleep(0.01)
    waiting[1].cancel()
    may_go.set()
    await asyncio.wait(waiting)
    assert waiting[1].cancelled()
    assert (waiting[0].result(), waiting[2].result()) == (0, 4)
    assert sent == [[0, 1, 2]]


async def test_what_fails_fails_for_all_that_went_together_and_for_nobody_after() -> None:
    async def send(asked: Any) -> Any:
        if 1 in asked:
            raise PyMongoError("away")
        return list(asked)

    batcher: Batcher[int, int] = Batcher(send, str)
    failed = await asyncio.gather(batcher.submit(1), batcher.submit(2), return_exceptions=True)
    assert [type(outcome) for outcome in failed] == [PyMongoError, PyMongoError]
    assert await batcher.submit(3) == 3


async def test_each_id_is_once_in_a_command() -> None:
    sent: list[list[str]] = []

    async def send(asked: Any) -> Any:
        sent.append(list(asked))
        return [object() for _ in asked]

    batcher: Batcher[str, object] = Batcher(send, str)
    found = await asyncio.gather(*(batcher.submit("a") for _ in range(3)))
    assert sent == [["a"], ["a"], ["a"]]
    assert len(set(map(id, found))) == 3
