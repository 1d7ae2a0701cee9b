"""The query plans of every list, for every role, at 200 000 complaints: bounded work, whatever is asked.

The commands are those that the resolvers send, taken from the driver's own events and explained as they are.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from support.commands import Commands
from support.portal import ADMIN, CITIZEN, COORDINATOR, LIAISON, NATIONAL, OVERSIGHT, PARTNER, SUBGRAPH, UNIT

from resolvers import policy
from resolvers.agencies import agency, team
from resolvers.complaints import complaint_list, similar
from resolvers.demonstration import synthetic
from resolvers.domain.vocabulary import ComplaintOrder
from resolvers.errors import TookTooLong
from resolvers.paging.listing import Arguments
from resolvers.regulations.holiday_tables import find_calendar
from resolvers.request.context import RequestContext
from resolvers.request.loaders import Loaders
from resolvers.store import database, indexes, pages, seed
from resolvers.store.database import Store, connect
from resolvers.store.register import teams
from resolvers.upkeep import custody, upkeep
from resolvers.viewer import PUBLIC, SYSTEM, Viewer

pytestmark = pytest.mark.timeout(240)  # one file runs in one process: its 200 000 complaints are written once

SEEDED: Final = 4_000
COPIES: Final = 50
"""Each complaint is there so many times, a week apart: made by the database, at a fifth of what seeding all costs."""
WEEK_MS: Final = 7 * 86_400_000 + 61_000
PAGE: Final = 20
BUDGET: Final = 3 * PAGE + 50
DATABASE: Final = "test_plans"

ROLES = (PUBLIC, CITIZEN, LIAISON, ADMIN, COORDINATOR, NATIONAL, OVERSIGHT, PARTNER, SUBGRAPH)
TEAM_ID = next(row["_id"] for row in teams() if row["agency"] == "kab-badung")
LISTS: dict[str, dict[str, Any]] = {
    "all": {},
    "oldest first": {"order_by": ComplaintOrder.RECEIVED_ASC},
    "changed last": {"order_by": ComplaintOrder.UPDATED_DESC},
    "due next": {"order_by": ComplaintOrder.DUE_ASC},
    "open": {"filter": {"open": True}},
    "one status": {"filter": {"status": ["IN_PROGRESS"]}},
    "open, due next": {"filter": {"open": True}, "order_by": ComplaintOrder.DUE_ASC},
    "overdue": {"filter": {"overdue": True, "open": True}, "order_by": ComplaintOrder.DUE_ASC},
    "an agency's": {"within": ("holder", "kab-badung")},
    "an agency's inbox": {
        "within": ("holder", "kab-badung"),
        "filter": {"open": True},
        "order_by": ComplaintOrder.DUE_ASC,
    },
    "an agency's overdue": {
        "within": ("holder", "kab-badung"),
        "filter": {"open": True, "overdue": True},
        "order_by": ComplaintOrder.DUE_ASC,
    },
    "an agency's escalated": {
        "within": ("holder", "kab-badung"),
        "filter": {"open": True, "escalated": True},
        "order_by": ComplaintOrder.DUE_ASC,
    },
    "escalated, due next": {"filter": {"escalated": True}, "order_by": ComplaintOrder.DUE_ASC},
    "escalated, newest first": {"filter": {"escalated": True}},
    "a unit's work": {"filter": {"unit": [UNIT], "open": True}, "order_by": ComplaintOrder.DUE_ASC},
    "an agency's, changed last": {"within": ("holder", "kab-badung"), "order_by": ComplaintOrder.UPDATED_DESC},
    "one holder": {"filter": {"holder": ["kemen-pupr"]}},
    "a province": {"filter": {"region": ["51"]}},
    "a regency": {"filter": {"region": ["51.03"]}},
    "a category": {"filter": {"category": ["ROAD.POTHOLE"]}},
    "a team's": {"within": ("team", TEAM_ID)},
    "a time": {"filter": {"receivedAt": {"from": datetime(2026, 3, 1, tzinfo=UTC)}}},
}


async def _fill(uri: str) -> None:
    store = connect(uri, DATABASE, socketTimeoutMS=0)
    await store.client.drop_database(DATABASE)
    await seed.write_reference_data(store)
    rows = synthetic.generate_complaints(SEEDED, now=datetime(2026, 11, 24, tzinfo=UTC), seed=5)
    await seed.write_complaints(store, rows, SEEDED, 5)
    is_first = {"$eq": ["$copy", 0]}
    another = {"$concat": ["$_id", "-", {"$toString": "$copy"}]}
    earlier = {"$multiply": ["$copy", WEEK_MS]}
    shifted = {key: {"$subtract": [f"${key}", earlier]} for key in ("receivedAt", "updatedAt")}
    copied = {"_id": {"$cond": [is_first, "$_id", another]}, "synthetic": is_first, **shifted}
    pipeline: list[dict[str, Any]] = [
        {"$set": {"copy": {"$range": [0, COPIES]}}},
        {"$unwind": "$copy"},
        {"$set": copied},
        {"$unset": "copy"},
        {"$out": "complaints"},
    ]
    await store.complaints.aggregate(pipeline).to_list(None)
    await indexes.create(store)
    store.close()


@pytest.fixture(scope="module")
def filled(mongodb_uri: str) -> Iterator[str]:
    asyncio.run(_fill(mongodb_uri))
    yield mongodb_uri


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
async def large(filled: str, commands: Commands) -> AsyncIterator[Store]:
    """A store with 200 000 complaints, whose commands are recorded in `commands`."""
    opened = connect(filled, DATABASE, event_listeners=[commands])
    yield opened
    opened.close()


def asking(store: Store, viewer: Viewer) -> RequestContext:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    return RequestContext(store, Loaders(store), now, b"the secret key of the tests", find_calendar, viewer)


async def explained(store: Store, commands: Commands) -> list[dict[str, Any]]:
    """Returns the execution statistics of the recorded finds, and clears the record."""
    finds = [command for command in commands.sent if "find" in command]
    commands.sent.clear()
    kept = ("find", "filter", "projection", "sort", "limit", "hint")
    assert finds
    asked = [{key: command[key] for key in kept if key in command} for command in finds]
    return [await store.database.command("explain", find, verbosity="executionStats") for find in asked]


def stages(plan: Any) -> Iterator[str]:
    if isinstance(plan, dict):
        if "stage" in plan:
            yield plan["stage"]
        for value in plan.values():
            yield from stages(value)
    elif isinstance(plan, list):
        for value in plan:
            yield from stages(value)


def check(explanation: dict[str, Any], *, may_sort: bool = False) -> None:
    """`may_sort`: if few documents match, MongoDB may also read them all and sort, within the same budget."""
    found = set(stages(explanation["queryPlanner"]["winningPlan"]))
    assert not found & ({"COLLSCAN"} if may_sort else {"COLLSCAN", "SORT"}), found
    statistics = explanation["executionStats"]
    assert statistics["totalKeysExamined"] <= BUDGET, statistics["totalKeysExamined"]
    assert statistics["totalDocsExamined"] <= BUDGET, statistics["totalDocsExamined"]


async def test_there_are_two_hundred_thousand_complaints(large: Store) -> None:
    assert await large.complaints.estimated_document_count() == SEEDED * COPIES


@pytest.mark.parametrize("viewer", ROLES, ids=lambda viewer: viewer.role)
@pytest.mark.parametrize("name", LISTS)
async def test_a_list_reads_little_more_than_its_page(
    large: Store, commands: Commands, name: str, viewer: Viewer
) -> None:
    asked = {"filter": {}, "order_by": None, "within": None} | LISTS[name]
    context = asking(large, viewer)

    async def page(**where: Any) -> Any:
        listing = complaint_list.list_complaints(
            context,
            asked["filter"],
            asked["order_by"],
            Arguments(**where),
            within=asked["within"],
            keys=frozenset({"status"}),
        )
        return listing, await listing.fetch_page()

    listing, first = await page(first=PAGE)
    if first.rows:
        await page(first=PAGE, after=listing.write_cursor(first.rows[-1]))
        await page(last=PAGE, before=listing.write_cursor(first.rows[-1]))
    await page(last=PAGE)
    for explanation in await explained(large, commands):
        check(explanation, may_sort="escalated" in name)


@pytest.mark.parametrize("viewer", ROLES, ids=lambda viewer: viewer.role)
@pytest.mark.parametrize("words", ["lubang", "jalan berlubang"])
async def test_a_search_reads_a_page_of_what_is_shown_and_the_viewers_own_at_most(
    large: Store, commands: Commands, words: str, viewer: Viewer
) -> None:
    context = asking(large, viewer)
    listing = complaint_list.list_complaints(context, {"search": words}, None, Arguments(first=PAGE), keys=frozenset())
    await listing.fetch_page()
    custody = {"readers": {"$in": list(policy.list_custody_groups(viewer))}}
    own = 0 if viewer is NATIONAL else await large.complaints.count_documents(custody)
    commands.sent[:] = [command for command in commands.sent if "find" in command]
    for explanation in await explained(large, commands):
        assert not set(stages(explanation["queryPlanner"]["winningPlan"])) & {"COLLSCAN", "SORT"}
        # An agency of the demonstration has ten thousand complaints, and each word is in many of them.
        assert explanation["executionStats"]["totalDocsExamined"] <= BUDGET + own


async def test_what_the_system_has_to_do_next_is_found_by_its_index(large: Store, commands: Commands) -> None:
    context = asking(large, SYSTEM)
    context.now = datetime(2026, 12, 24, tzinfo=UTC)
    rows = await upkeep.find_due(context, PAGE)
    assert len(rows) == PAGE
    await custody.find_due_teams(context, PAGE)
    await custody.find_due_agencies(context, PAGE)
    for explanation in await explained(large, commands):
        check(explanation)


@pytest.mark.parametrize("viewer", (ADMIN, LIAISON), ids=lambda viewer: viewer.role)
async def test_a_liaisons_work_is_found_by_its_index(large: Store, commands: Commands, viewer: Viewer) -> None:
    context = asking(large, viewer)
    filter = {"assignee": f"{TEAM_ID}/4"}
    listing = complaint_list.list_complaints(context, filter, ComplaintOrder.DUE_ASC, Arguments(), keys=frozenset())
    await listing.fetch_page()
    for explanation in await explained(large, commands):
        check(explanation)


@pytest.mark.parametrize(
    "filter",
    [{}, {"connected": True}, {"pilot": True}, {"kinds": ["REGENCY"]}, {"province": "prov-bali"}, {"search": "badung"}],
)
async def test_agencies_are_read_by_index(large: Store, commands: Commands, filter: dict[str, Any]) -> None:
    await agency.list_agencies(asking(large, PUBLIC), filter, Arguments(first=PAGE)).fetch_page()
    [explanation] = await explained(large, commands)
    assert not set(stages(explanation["queryPlanner"]["winningPlan"])) & {"COLLSCAN", "SORT"}
    limit = BUDGET if "search" not in filter else 682 + BUDGET
    assert explanation["executionStats"]["totalKeysExamined"] <= limit


@pytest.mark.parametrize(
    "filter",
    [{}, {"agency": "kab-badung"}, {"kinds": ["MANAGEMENT"]}, {"status": ["ACTIVE"]}, {"province": "prov-bali"}],
)
async def test_teams_are_read_by_index(large: Store, commands: Commands, filter: dict[str, Any]) -> None:
    await team.list_teams(asking(large, PUBLIC), filter, Arguments(first=PAGE)).fetch_page()
    [explanation] = await explained(large, commands)
    check(explanation)


async def test_a_persons_teams_are_read_by_index(large: Store, commands: Commands) -> None:
    assert await team.by_subject(asking(large, LIAISON), LIAISON.subject)
    [explanation] = await explained(large, commands)
    assert "COLLSCAN" not in set(stages(explanation["queryPlanner"]["winningPlan"]))


async def test_what_no_index_bounds_ends_with_a_sentence(large: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MAX_TIME_MS", 1)
    filter = {"unit": [UNIT], "channel": ["LETTER"], "closedAt": {"to": datetime(2000, 1, 1, tzinfo=UTC)}}
    listing = complaint_list.list_complaints(asking(large, NATIONAL), filter, None, Arguments(), keys=frozenset())
    with pytest.raises(TookTooLong, match="narrow the list"):
        await listing.fetch_page()


async def test_a_count_that_takes_too_long_is_null(large: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "COUNT_TIME_MS", 60_000)
    listing = complaint_list.list_complaints(asking(large, NATIONAL), {}, None, Arguments(), keys=frozenset())
    assert await listing.total() == SEEDED * COPIES
    monkeypatch.setattr(pages, "COUNT_TIME_MS", 1)
    assert await listing.total() is None


def figures(plan: Any, name: str) -> Iterator[int]:
    """Returns every value of that name in an explanation, also inside nested pipelines."""
    if isinstance(plan, dict):
        if isinstance(plan.get(name), int):
            yield plan[name]
        for value in plan.values():
            yield from figures(value, name)
    elif isinstance(plan, list):
        for value in plan:
            yield from figures(value, name)


ALIKE: Final = "Jalan Diponegoro di Kecamatan Sukamaju berlubang sejak sebulan, pengendara motor jatuh saat hujan"


@pytest.mark.parametrize("region", [None, "51.03", "51", "73.71"])
@pytest.mark.parametrize("viewer", [PUBLIC, NATIONAL], ids=lambda viewer: viewer.role)
async def test_look_alikes_are_found_by_bounded_work(
    large: Store, commands: Commands, viewer: Viewer, region: str | None
) -> None:
    await similar.find_similar(asking(large, viewer), ALIKE, region=region, first=5)
    asked = [command for command in commands.sent if "aggregate" in command]
    commands.sent.clear()
    examined = 0
    for command in asked:
        kept = {key: command[key] for key in ("aggregate", "pipeline", "cursor", "hint") if key in command}
        explanation = await large.database.command("explain", kept, verbosity="executionStats")
        assert not set(stages(explanation)) & {"COLLSCAN", "SORT"}
        examined += max(figures(explanation, "totalDocsExamined"))
    # MongoDB reports what each branch of the union examines: the largest is bounded, and so is the number of branches.
    assert examined <= similar.PER_STEM + similar.NEARBY


async def test_look_alikes_take_milliseconds(large: Store) -> None:
    """Measured at 200 000 complaints: docs/privacy.md; here with a margin for a busy machine."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        found = await similar.find_similar(asking(large, PUBLIC), ALIKE, region="51.03", first=5)
        times.append(time.perf_counter() - started)
        assert len(found) == 5
    assert min(times) < 0.5
