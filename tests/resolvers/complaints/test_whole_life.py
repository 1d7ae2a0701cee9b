"""Random actors do random things to complaints in the real store, which fails before and after writes at random.

SATUGRAF_TEST_STEPS and SATUGRAF_TEST_SEED make it longer and another; docs/testing.md has the long run.
"""

import asyncio
import dataclasses
import os
import random
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final, cast

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from support import promises
from support.actions import DO, Call
from support.failing import FailingCollection, When
from support.portal import ADMIN, CITIZEN, COORDINATOR, EVERYONE, LIAISON, OTHER_CITIZEN, OVERSIGHT, PARTNER
from support.states import NOW, in_status, register_of_bali

from resolvers import policy
from resolvers.complaints import complaint as complaints
from resolvers.complaints import intake
from resolvers.complaints.transition import list_allowed_actions
from resolvers.documents import ComplaintDoc
from resolvers.domain.lifecycle import TRANSITIONS, Actor
from resolvers.domain.vocabulary import Channel, ComplaintClass, ComplaintStatus, Role, UnlistedAction
from resolvers.domain.vocabulary import ComplaintAction as Action
from resolvers.errors import Refused
from resolvers.regulations.holiday_tables import find_calendar
from resolvers.request.context import RequestContext
from resolvers.request.loaders import Loaders
from resolvers.request.update import Attempt
from resolvers.store import batching, indexes
from resolvers.store.database import Collection, PyMongoError, Store, connect
from resolvers.viewer import PUBLIC, Viewer

STEPS: Final = int(os.environ.get("SATUGRAF_TEST_STEPS", "1000"))
SEED: Final = int(os.environ.get("SATUGRAF_TEST_SEED", "11"))
STEPS_A_LIFE: Final = 50

SECOND_ADMIN = Viewer(Role.AGENCY_ADMIN, "second-admin", "kab-badung")
SYSTEM = Viewer(Role.SYSTEM)
ACTORS = (
    *EVERYONE,
    SECOND_ADMIN,
    SYSTEM,
    Viewer(Role.AGENCY_ADMIN, "admin-gianyar", "kab-gianyar"),
    Viewer(Role.AGENCY_ADMIN, "admin-bali", "prov-bali"),
    Viewer(Role.PROVINCE_COORDINATOR, "coordinator-diy", "prov-di-yogyakarta"),
)
# What ends a life, or leaves it where it is, comes up less often, so that lives get somewhere.
RARE = (Action.SET_PRIVACY, Action.ESCALATE, Action.WITHDRAW, Action.ARCHIVE, Action.MERGE)

Fault = When | None
FAULTS = st.sampled_from((None, None, When.BEFORE, When.AFTER))

REACHES = {(row.action, row.source, row.target) for row in TRANSITIONS}
KEY = b"the secret key of the tests"


class World:
    """The store of one run of the test, the loop that drives it, and how many steps were made in it."""

    def __init__(self, uri: str) -> None:
        self.runner = asyncio.Runner()
        self.database = f"test_{uuid.uuid4().hex[:16]}"
        self.store = self.runner.run(self._opened(uri))
        self.failing = FailingCollection(self.store.complaints)
        self.faulty = dataclasses.replace(self.store, complaints=cast("Collection[ComplaintDoc]", self.failing))
        object.__setattr__(self.faulty, "complaint_updates", batching.batch_updates(self.failing.update_documents))
        self.steps = self.done = self.faults = 0
        self.rows_taken: set[tuple[str, str]] = set()

    async def _opened(self, uri: str) -> Store:
        store = connect(uri, self.database)
        await indexes.create(store)
        await register_of_bali(store)
        return store

    def close(self) -> None:
        self.runner.run(self._closed())
        self.runner.close()

    async def _closed(self) -> None:
        await self.store.client.drop_database(self.database)
        self.store.close()

    def context(self, viewer: Viewer, now: datetime, store: Store) -> RequestContext:
        return RequestContext(store, Loaders(store), now, KEY, find_calendar, viewer)


@pytest.fixture
def world(mongodb_uri: str) -> Iterator[World]:
    opened = World(mongodb_uri)
    try:
        yield opened
    finally:
        opened.close()


class WholeLife(RuleBasedStateMachine):
    world: World

    @initialize(taken_in=st.booleans())
    def begin(self, taken_in: bool) -> None:
        self.now = NOW
        self.rows: dict[str, ComplaintDoc] = {}
        self.touched: set[str] = set()
        self.total: dict[str, timedelta] = {}
        self._submit(CITIZEN, confidential=None)
        self._submit(ADMIN if taken_in else OTHER_CITIZEN, confidential=None)

    @precondition(lambda self: len(self.rows) < 4)
    @rule(viewer=st.sampled_from((CITIZEN, OTHER_CITIZEN, ADMIN)), confidential=st.sampled_from((None, True)))
    def submit(self, viewer: Viewer, confidential: bool | None) -> None:
        self._submit(viewer, confidential)

    def _submit(self, viewer: Viewer, confidential: bool | None) -> None:
        given = intake.Submission(
            class_=ComplaintClass.COMPLAINT,
            title="Jalan berlubang di Kuta",
            body="Lubang besar di jalan depan pasar Kuta sejak dua bulan.",
            category="ROAD.POTHOLE",
            location={"text": None, "region": "51.03", "latitude": None, "longitude": None},
            occurred_on=None,
            named_agency=None,
            anonymous=False,
            confidential=confidential,
            channel=Channel.COUNTER if viewer is ADMIN else Channel.WEB,
            reporter=None,
        )
        attempt = Attempt("submitComplaint", "digest", None, str(uuid.uuid4()))
        context = self.world.context(viewer, self.now, self.world.store)
        made, _ = self.world.runner.run(intake.submit(context, attempt, given))
        self.touched = {made["_id"]}

    @rule(hours=st.sampled_from((1, 9, 30, 80, 300)))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(
        action=st.sampled_from(tuple(DO)),
        viewer=st.sampled_from(ACTORS),
        which=st.integers(0, 3),
        seed=st.integers(0, 9999),
        fault=FAULTS,
    )
    def act(self, action: Action | UnlistedAction, viewer: Viewer, which: int, seed: int, fault: Fault) -> None:
        self._act(action, viewer, which, seed, fault)

    @rule(which=st.integers(0, 3), seed=st.integers(0, 9999), fault=FAULTS)
    def act_as_offered(self, which: int, seed: int, fault: Fault) -> None:
        """What `allowedActions` offers to somebody; it may still be refused for what is said with it."""
        self._act_as_offered(which, seed, fault)

    @rule(which=st.integers(0, 3), seed=st.integers(0, 9999), hours=st.sampled_from((1, 30)), fault=FAULTS)
    def act_as_offered_later(self, which: int, seed: int, hours: int, fault: Fault) -> None:
        self.now += timedelta(hours=hours)
        self._act_as_offered(which, seed, fault)

    def _act_as_offered(self, which: int, seed: int, fault: Fault) -> None:
        row, world = self._row(which), self.world
        offered: list[tuple[Viewer, Action | UnlistedAction]] = [
            (viewer, action)
            for viewer in ACTORS
            for action in list_allowed_actions(world.context(viewer, self.now, world.store), row)
        ]
        offered += [(SYSTEM, UnlistedAction.LAPSE)] if row["status"] in ("NEEDS_INFO", "ANSWERED") else []
        if offered:
            weights = [1 if action in RARE else 6 for _, action in offered]
            [(viewer, action)] = random.Random(seed).choices(offered, weights)
            self._act(action, viewer, which, seed, fault)

    def _row(self, which: int) -> ComplaintDoc:
        return list(self.rows.values())[which % len(self.rows)]

    def _act(self, action: Action | UnlistedAction, viewer: Viewer, which: int, seed: int, fault: Fault) -> None:
        row, world = self._row(which), self.world
        into = self._row(which + 1)["_id"]
        attempt = Attempt(action, "digest", None, str(uuid.uuid4()))
        self.now += timedelta(seconds=1)
        if fault is not None:
            # Merging writes twice; either write fails.
            world.failing.armed = (fault, seed % 2 if action is Action.MERGE else 0)

        def tried(store: Store) -> Any:
            call = Call(world.context(viewer, self.now, store), attempt, row, into, random.Random(seed))
            return world.runner.run(_awaited(DO[action](call)))

        try:
            try:
                done = tried(world.faulty)
            except PyMongoError:
                world.faults += 1
                world.failing.armed = None
                done = tried(world.store)
            assert tried(world.store)["revision"] == done["revision"], "the same key did its work twice"
        except Refused:
            self.touched = set()
            return
        finally:
            world.failing.armed = None
        world.done += 1
        world.rows_taken.add((action, row["status"]))
        self.touched = {row["_id"], into} if action is Action.MERGE else {row["_id"]}
        self._check_step(action, viewer, row, done)

    def _check_step(
        self, action: Action | UnlistedAction, viewer: Viewer, before: ComplaintDoc, after: ComplaintDoc
    ) -> None:
        assert (action, before["status"], after["status"]) in REACHES
        assert not policy.find_actors(viewer, before).isdisjoint(_row_of(action, before["status"]).actors)
        assert policy.may_know(viewer, before)
        if action is Action.APPROVE:
            approved = [new for old, new in zip(before["followUps"], after["followUps"], strict=True) if old != new]
            assert [draft["bySubject"] != viewer.subject for draft in approved] == [True]
        if action is Action.CONSENT_TO_CLOSURE:
            assert before["proposal"] is not None
            assert before["proposal"]["bySubject"] != viewer.subject
        if after["confidential"] < before["confidential"] or after["anonymous"] < before["anonymous"]:
            assert policy.find_actors(viewer, before) & {Actor.REPORTER, Actor.NATIONAL_ADMIN}

    @invariant()
    def everything_holds(self) -> None:
        self.world.steps += 1
        self.world.runner.run(self._check())

    async def _check(self) -> None:
        ids = [*self.rows, *self.touched]
        found = {row["_id"]: row async for row in self.world.store.complaints.find({"_id": {"$in": ids}})}
        for complaint_id in list(self.rows):
            self._check_change(self.rows[complaint_id], found[complaint_id])
        for row in found.values():
            promises.check(row, found)
            self._check_total(row)
        self.rows = {**{key: found[key] for key in self.rows}, **found}
        self.touched = set()
        await self._check_visibility()

    def _check_change(self, before: ComplaintDoc, after: ComplaintDoc) -> None:
        if before["_id"] not in self.touched:
            assert before == after, "a refusal, or something done to another, changed it"
            return
        assert after["revision"] - before["revision"] == 1
        for key in ("forwardings", "clocks", "followUps", "holders"):
            assert len(after[key]) >= len(before[key])
        links = len(before["forwardings"])
        assert after["forwardings"][:links] == before["forwardings"]
        assert [row["id"] for row in after["followUps"]][: len(before["followUps"])] == [
            row["id"] for row in before["followUps"]
        ]

    def _check_total(self, row: ComplaintDoc) -> None:
        run = promises.total_run(row, self.now)
        assert run >= self.total.get(row["_id"], timedelta()), "the total clock ran backwards"
        self.total[row["_id"]] = run

    async def _check_visibility(self) -> None:
        viewer = (PUBLIC, PARTNER, OTHER_CITIZEN, OVERSIGHT, LIAISON)[self.world.steps % 5]
        context = self.world.context(viewer, self.now, self.world.store)
        found = await asyncio.gather(*(complaints.by_id(context, key) for key in self.rows))
        shown = {row["_id"] for row in found if row is not None}
        listed = self.world.store.complaints.find(
            {"_id": {"$in": list(self.rows)}, "readers": {"$in": list(policy.list_groups(viewer))}}, {"_id": True}
        )
        assert {row["_id"] async for row in listed} == shown
        for key in shown if viewer in (PUBLIC, PARTNER) else ():
            row = self.rows[key]
            assert row["verifiedAt"] is not None
            assert not row["confidential"]
            assert row["status"] != "WITHDRAWN"
            assert not policy.has_custody(viewer, row)


def _row_of(action: Action | UnlistedAction, status: str) -> Any:
    return next(row for row in TRANSITIONS if row.action is action and row.source == status)


async def test_who_handed_it_on_and_lost_the_answer_still_learns_that_it_was_done(
    store: Store, context_of: Callable[..., RequestContext]
) -> None:
    """A coordinator refused a closure, the connection broke, and the repeated call said NOT_FOUND."""
    row = in_status(ComplaintStatus.IN_PROGRESS, confidential=True)
    await store.complaints.insert_one(row)
    attempt = Attempt("consentToClosure", "digest", None, "once")
    for _ in range(2):
        call = Call(context_of(COORDINATOR, NOW), attempt, row)
        assert (await DO[UnlistedAction.REFUSE_CLOSURE](call))["revision"] == row["revision"] + 1
    assert await complaints.by_id(context_of(COORDINATOR, NOW), row["_id"]) is None


async def _awaited(doing: Any) -> Any:
    return await doing


def test_no_life_breaks_a_promise(world: World) -> None:
    machine = type("WholeLife", (WholeLife,), {"world": world})
    lives = STEPS * 6 // (STEPS_A_LIFE * 5)  # some lives are shorter
    run_state_machine_as_test(
        hypothesis.seed(SEED)(machine),
        settings=hypothesis.settings(
            max_examples=lives,
            stateful_step_count=STEPS_A_LIFE,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
    taken = f"{len(world.rows_taken)} of {len(TRANSITIONS)} rows"
    print(f"{world.steps} steps, {world.done} actions over {taken}, {world.faults} faults, seed {SEED}")  # noqa: T201
    assert world.steps >= STEPS
    assert world.done > world.steps / 5
    assert world.faults > world.steps / 20
