"""Custody of an agency whose team's term ends: days of grace, a custodian, and back to a new team."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from support.examples import a_complaint

from resolvers.agencies import reference
from resolvers.request.context import RequestContext
from resolvers.store.database import NEVER, Store
from resolvers.upkeep import custody
from resolvers.viewer import SYSTEM

ContextOf = Callable[..., RequestContext]
TERM_TO = date(2026, 12, 31)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 5, tzinfo=UTC)


def after_term(days: int) -> datetime:
    return noon(TERM_TO + timedelta(days=days))


async def ends(store: Store, agency: str, term_to: date | None = TERM_TO) -> None:
    """The agency's team ends, as if its decree had said so from the start."""
    set_ = {"termTo": term_to and term_to.isoformat(), "wakeAt": noon(TERM_TO - timedelta(days=61))}
    await store.teams.update_one({"agency": agency}, {"$set": set_})


async def kept(context_of: ContextOf, now: datetime) -> list[str]:
    """Everything that is due by now, and again after the agencies have settled."""
    done: list[str] = []
    for moment in (now, now, now + custody.SETTLING):
        context = context_of(SYSTEM, moment)
        noted = [await custody.note_standing(context, team) for team in await custody.find_due_teams(context, 100)]
        settled = [
            await custody.settle_custody(context, agency) for agency in await custody.find_due_agencies(context, 100)
        ]
        done += [step for step in (*noted, *settled) if step is not None]
    return done


async def found(store: Store, collection: str, key: dict[str, Any]) -> dict[str, Any]:
    return await store.database[collection].find_one(key) or {}


async def test_a_term_is_noticed_before_it_ends_when_it_ends_and_when_grace_is_over(
    register: Store, context_of: ContextOf
) -> None:
    await ends(register, "kab-badung")
    steps: dict[int, list[str]] = {}
    for day in range(-62, 20):
        done = await kept(context_of, after_term(day))
        steps |= {day: done} if done else {}
    assert steps == {-60: ["team_EXPIRING"], 1: ["team_IN_GRACE"], 15: ["team_OVER", "custody"]}
    assert (await found(register, "agencies", {"_id": "kab-badung"}))["custodian"] == "prov-bali"
    assert (await found(register, "teams", {"agency": "kab-badung"}))["wakeAt"] == NEVER


async def test_open_complaints_get_the_custodian_and_lose_it_with_a_new_term(
    register: Store, context_of: ContextOf
) -> None:
    rows = [a_complaint(_id=f"LP-{number}", confidential=number % 2 == 0) for number in range(5)]
    rows += [a_complaint(_id="LP-CLOSED", status="CLOSED_RESOLVED"), a_complaint(_id="LP-OTHER", holder="kab-gianyar")]
    await register.complaints.insert_many(rows)
    await ends(register, "kab-badung")
    await kept(context_of, after_term(20))
    stored = {row["_id"]: row for row in await register.complaints.find({}).to_list(None)}
    given = {key for key, row in stored.items() if row["custodian"] == "prov-bali"}
    assert given == {"LP-0", "LP-1", "LP-2", "LP-3", "LP-4"}
    assert all("agency:prov-bali" in stored[key]["readers"] and stored[key]["revision"] == 2 for key in given)
    await ends(register, "kab-badung", term_to=None)
    await kept(context_of, after_term(30))
    assert await register.complaints.count_documents({"custodian": {"$ne": None}}) == 0
    assert await register.complaints.count_documents({"readers": "agency:prov-bali"}) == 0


async def test_more_complaints_than_a_batch_are_all_set_right(
    register: Store, context_of: ContextOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(custody, "BATCH", 3)
    await register.complaints.insert_many([a_complaint() for _ in range(10)])
    await ends(register, "kab-badung")
    for _ in range(4):
        await kept(context_of, after_term(20))
    assert await register.complaints.count_documents({"custodian": "prov-bali"}) == 10
    assert (await found(register, "agencies", {"_id": "kab-badung"}))["wakeAt"] == NEVER


async def test_a_province_that_cannot_work_either_leaves_it_to_the_desk(register: Store, context_of: ContextOf) -> None:
    await ends(register, "kab-badung")
    await kept(context_of, after_term(20))
    await ends(register, "prov-bali")
    await kept(context_of, after_term(21))
    for agency in ("kab-badung", "prov-bali"):
        assert (await found(register, "agencies", {"_id": agency}))["custodian"] == "kemenpanrb"


async def test_the_desk_itself_and_agencies_with_a_team_have_no_custodian(
    register: Store, context_of: ContextOf
) -> None:
    await ends(register, "kemenpanrb")
    await kept(context_of, after_term(20))
    assert await register.agencies.count_documents({"custodian": {"$ne": None}}) == 0


async def test_what_is_handed_over_later_has_the_custodian_from_the_start(
    register: Store, context_of: ContextOf
) -> None:
    await ends(register, "kab-badung")
    await kept(context_of, after_term(20))
    holder = await reference.find_holding_agency(context_of(), "kab-badung")
    assert reference.make_holder_keys(holder, ())["custodian"] == "prov-bali"


async def test_what_changed_while_it_was_looked_at_is_looked_at_again(register: Store, context_of: ContextOf) -> None:
    await ends(register, "kab-badung")
    context = context_of(SYSTEM, after_term(20))
    [team] = await custody.find_due_teams(context, 10)
    await register.teams.update_one({"_id": team["_id"]}, {"$inc": {"revision": 1}})
    await custody.note_standing(context, team)
    assert [row["_id"] for row in await custody.find_due_teams(context, 10)] == [team["_id"]]


async def test_a_fresh_register_asks_for_nothing(register: Store, context_of: ContextOf) -> None:
    assert await kept(context_of, datetime(2026, 11, 24, tzinfo=UTC)) == []
    assert await custody.find_due_teams(context_of(SYSTEM, datetime(2028, 10, 1, tzinfo=UTC)), 10) == []
