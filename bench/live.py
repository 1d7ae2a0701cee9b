"""`python -m bench live`: measures how fast changes reach the subscribers of one process, and whether any is lost."""

import asyncio
import itertools
import random
import resource
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
import orjson
import uvloop
from pymongo import MongoClient
from rich.table import Table

from bench import progress, report
from bench.dataset import DEVELOPMENT_KEY, Dataset
from bench.executor import Failed
from bench.goals import LIVE_P99_MS
from bench.process import Server, start_server
from bench.targets import Target
from gateway.auth.tokens import mint
from resolvers.domain.vocabulary import Role
from resolvers.store.database import Store, connect

AGENCIES: Final = 50
DRAIN_SECONDS: Final = 10.0
SEED: Final = 20261125
OPEN_FILES: Final = 8192
FIELDS: Final = "id revision status title updatedAt holder { id name } clocks { kind dueAt } allowedActions"
INBOX: Final = f"subscription ($id: ID!) {{ deliveries: agencyInbox(agency: $id) {{ {FIELDS} }} }}"
CHANGED: Final = f"subscription ($id: ID!) {{ deliveries: complaintChanged(complaint: $id) {{ {FIELDS} }} }}"


class Plan(NamedTuple):
    """Half of the subscribers follow a complaint each. The others follow inboxes, about ten of them each agency's."""

    subscribers: int
    per_second: float
    seconds: float


@dataclass(slots=True)
class Deliveries:
    """The results that subscribers received."""

    sent_at: dict[tuple[str, int], float] = field(default_factory=dict)
    """By (complaint, revision): when the change was sent to the database."""
    expected: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    together: int = 0
    """Changes that arrived together with a later one of the same complaint."""
    closed: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    subscribers: int
    changes: int
    expected: int
    lost: int
    together: int
    closed: int
    p50_ms: float
    p99_ms: float
    worst_ms: float
    cpu_share: float
    cpu_ms_per_result: float
    resident_mib: float
    kib_per_subscriber: float


class _Subscriber:
    """One websocket with one subscription, which notes when each revision arrives."""

    def __init__(self, deliveries: Deliveries, query: str, key: str, agency: str, revisions: dict[str, int]) -> None:
        self.deliveries, self.query, self.key, self.agency = deliveries, query, key, agency
        self.revisions = dict(revisions)
        self.subscribed = asyncio.Event()

    async def run(self, session: aiohttp.ClientSession, url: str, number: int) -> None:
        async with session.ws_connect(url, protocols=("graphql-transport-ws",), max_msg_size=0) as socket:
            await socket.send_json(
                {"type": "connection_init", "payload": {"authorization": _mint_bearer(self.agency, number)}}
            )
            await socket.receive_json(timeout=60)
            asked = {"query": self.query, "variables": {"id": self.key}}
            await socket.send_json({"id": "s", "type": "subscribe", "payload": asked})
            # Its answer means that the subscription before it is established.
            await socket.send_json({"id": "q", "type": "subscribe", "payload": {"query": "{ viewer { role } }"}})
            async for frame in socket:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    self._note_delivery(orjson.loads(frame.data), time.perf_counter())
            self.deliveries.closed += 1

    def _note_delivery(self, message: dict[str, Any], now: float) -> None:
        if message["id"] == "q":
            self.subscribed.set()
            return
        found = message["payload"]["data"]["deliveries"]
        complaint_id, revision = found["id"], found["revision"]
        # A revision seen before: the process starts with the changes shortly before its own start.
        before = self.revisions.get(complaint_id, revision)
        self.revisions[complaint_id] = revision
        for each in range(before + 1, revision + 1):
            sent_at = self.deliveries.sent_at.get((complaint_id, each))
            if sent_at is not None:
                self.deliveries.latencies_ms.append((now - sent_at) * 1000)
                self.deliveries.together += each != revision


def _mint_bearer(agency: str, number: int) -> str:
    now, lifetime = datetime.now(UTC), timedelta(hours=1)
    token = mint(
        DEVELOPMENT_KEY, role=Role.AGENCY_ADMIN, subject=f"admin-{number}", now=now, lifetime=lifetime, agency=agency
    )
    return f"Bearer {token}"


def measure(dataset: Dataset, target: Target, plan: Plan) -> Result:
    """Raises Failed if the server drops a subscriber."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES, most), most))
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        # Otherwise the server would read the changes of the last run first, and new subscribers would wait.
        client: MongoClient[dict[str, Any]]
        with MongoClient(dataset.uri) as client:
            client[dataset.name].drop_collection("change_tokens")
        server = stack.enter_context(start_server(target.name, target.make_command(dataset), logs / "log"))
        return uvloop.run(_measure_live(dataset, server, plan))


async def _measure_live(dataset: Dataset, server: Server, plan: Plan) -> Result:
    store, deliveries = connect(dataset.uri, dataset.name), Deliveries()
    empty_mib = server.resident_mib()
    try:
        rows = await _find_rows(store, plan.subscribers // 2)
        subscribers = _make_subscribers(deliveries, rows, plan)
        connector = aiohttp.TCPConnector(limit=0)
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
            url = f"ws://127.0.0.1:{server.port}/graphql"
            running = [asyncio.ensure_future(each.run(session, url, n)) for n, each in enumerate(subscribers)]
            try:
                await asyncio.wait_for(asyncio.gather(*(each.subscribed.wait() for each in subscribers)), 120)
                started, before = time.perf_counter(), server.read_cpu_seconds()
                changes = await _write_changes(store, deliveries, rows, subscribers, plan)
                seconds, cpu = time.perf_counter() - started, server.read_cpu_seconds() - before
                await _wait_for_deliveries(deliveries)
                return _make_result(deliveries, plan, changes, seconds, cpu, server.resident_mib(), empty_mib)
            finally:
                for each in running:
                    each.cancel()
                await asyncio.gather(*running, return_exceptions=True)
    finally:
        store.close()


async def _find_rows(store: Store, count: int) -> list[dict[str, Any]]:
    """Returns complaints of the agencies that hold most."""
    stages: list[dict[str, Any]] = [
        {"$group": {"_id": "$holder", "count": {"$sum": 1}}},
        {"$sort": {"count": -1, "_id": 1}},
        {"$limit": AGENCIES},
    ]
    holders = [row["_id"] for row in await store.complaints.aggregate(stages).to_list(None)]
    keys = {"holder": True, "revision": True}
    found = await store.complaints.find({"holder": {"$in": holders}}, keys).sort("_id", 1).limit(count).to_list(count)
    return [dict(row) for row in found]


def _make_subscribers(deliveries: Deliveries, rows: Sequence[dict[str, Any]], plan: Plan) -> list[_Subscriber]:
    agencies = itertools.cycle(sorted({row["holder"] for row in rows}))
    known = {row["_id"]: row["revision"] for row in rows}
    watching = [_Subscriber(deliveries, CHANGED, row["_id"], row["holder"], known) for row in rows]
    inboxes = itertools.islice(agencies, plan.subscribers - len(watching))
    return [*watching, *(_Subscriber(deliveries, INBOX, agency, agency, known) for agency in inboxes)]


async def _write_changes(
    store: Store, deliveries: Deliveries, rows: list[dict[str, Any]], subscribers: Sequence[_Subscriber], plan: Plan
) -> int:
    """Writes changes at an even pace, as another process would, and returns their number."""
    audience: defaultdict[str, int] = defaultdict(int)
    for each in subscribers:
        audience[each.key] += 1
    chance, count = random.Random(SEED), int(plan.seconds * plan.per_second)
    started, writing = time.perf_counter(), set()
    with progress.show_bar(count) as bar:
        for number in range(count):
            bar.step(f"{len(deliveries.latencies_ms)} deliveries")
            row = chance.choice(rows)
            row["revision"] += 1
            deliveries.expected += audience[row["_id"]] + audience[row["holder"]]
            deliveries.sent_at[row["_id"], row["revision"]] = time.perf_counter()
            change = {"$inc": {"revision": 1}, "$set": {"updatedAt": datetime.now(UTC)}}
            task = asyncio.ensure_future(store.complaints.update_one({"_id": row["_id"]}, change))
            writing.add(task)
            task.add_done_callback(writing.discard)
            await asyncio.sleep(started + (number + 1) / plan.per_second - time.perf_counter())
        bar.step("")
    await asyncio.gather(*writing)
    return count


async def _wait_for_deliveries(deliveries: Deliveries) -> None:
    give_up = time.perf_counter() + DRAIN_SECONDS
    while len(deliveries.latencies_ms) < deliveries.expected and time.perf_counter() < give_up:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


def _make_result(
    deliveries: Deliveries, plan: Plan, changes: int, seconds: float, cpu: float, resident_mib: float, empty_mib: float
) -> Result:
    if deliveries.closed:
        raise Failed(f"The server dropped {deliveries.closed} of {plan.subscribers} subscribers.")
    heard = sorted(deliveries.latencies_ms)
    if len(heard) < 2:
        raise Failed("No subscriber received a change.")
    shares = statistics.quantiles(heard, n=100)
    return Result(
        subscribers=plan.subscribers,
        changes=changes,
        expected=deliveries.expected,
        lost=deliveries.expected - len(heard),
        together=deliveries.together,
        closed=deliveries.closed,
        p50_ms=shares[49],
        p99_ms=shares[98],
        worst_ms=heard[-1],
        cpu_share=cpu / seconds,
        cpu_ms_per_result=cpu * 1000 / len(heard),
        resident_mib=resident_mib,
        kib_per_subscriber=(resident_mib - empty_mib) * 1024 / plan.subscribers,
    )


def make_tables(result: Result) -> list[Table]:
    is_met = result.lost == 0 and result.p99_ms < LIVE_P99_MS
    title = f"Live, one process (goal: none lost, p99 under {LIVE_P99_MS} ms{'' if is_met else ' ✗'})"
    rows = [
        ["subscribers, a websocket each", f"{result.subscribers}"],
        ["changes", f"{result.changes}"],
        ["results to be told", f"{result.expected}"],
        ["**lost**", f"**{result.lost}**"],
        ["told with a later change of the same complaint", f"{result.together}"],
        ["p50 from the write's start to the subscriber, ms", f"{result.p50_ms:.1f}"],
        ["**p99**, ms", f"**{result.p99_ms:.1f}**"],
        ["slowest, ms", f"{result.worst_ms:.1f}"],
        ["server CPU, share of a core", f"{result.cpu_share:.0%}"],
        ["server CPU a result, ms", f"{result.cpu_ms_per_result:.2f}"],
        ["server's resident memory, MiB", f"{result.resident_mib:.0f}"],
        ["of it a subscriber, KiB", f"{result.kib_per_subscriber:.0f}"],
    ]
    return [report.make_table(title, ["", ""], rows)]


def result_to_json(result: Result) -> dict[str, Any]:
    return asdict(result) | {"goal_p99_ms": LIVE_P99_MS}
