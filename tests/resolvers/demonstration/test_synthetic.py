"""Synthetic complaints obey every rule that real ones do."""

from collections import Counter
from datetime import UTC, datetime
from typing import get_type_hints

import pytest

from resolvers import policy
from resolvers.demonstration import synthetic
from resolvers.documents import ComplaintDoc
from resolvers.domain import custody_chain, lifecycle, tracking_id
from resolvers.store import seed
from resolvers.store.database import Store

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def rows() -> list[ComplaintDoc]:
    return list(synthetic.generate_complaints(3000, now=NOW, seed=7))


def test_each_has_the_stored_shape_and_is_marked(rows: list[ComplaintDoc]) -> None:
    keys = get_type_hints(ComplaintDoc).keys() - {"creation"}
    for row in rows:
        assert row.keys() == keys
        assert row["synthetic"] is True
        assert tracking_id.parse_id(row["_id"]) == row["_id"]
    assert len({row["_id"] for row in rows}) == len(rows)


def test_readers_and_chains_are_what_the_rules_make_of_them(rows: list[ComplaintDoc]) -> None:
    for row in rows:
        assert row["readers"] == policy.compute_readers(row)
        assert custody_chain.find_first_broken(row["forwardings"]) is None
        assert row["holders"][-1] == row["holder"]


def test_time_runs_forward_and_open_ones_have_clocks(rows: list[ComplaintDoc]) -> None:
    for row in rows:
        assert row["receivedAt"] <= row["updatedAt"] <= NOW
        is_open = row["status"] in lifecycle.OPEN
        assert is_open == (row["closedAt"] is None)
        assert is_open == any(clock["stoppedAt"] is None for clock in row["clocks"])


def test_the_shapes_are_those_of_the_published_figures(rows: list[ComplaintDoc]) -> None:
    statuses = Counter(row["status"] for row in rows)
    assert statuses.keys() >= {"SUBMITTED", "ROUTED", "IN_PROGRESS", "ANSWERED", "CLOSED_RESOLVED", "ARCHIVED"}
    held = Counter(row["holderKind"] in ("MINISTRY", "INSTITUTION") for row in rows if row["verifiedAt"])
    assert 0.45 < held[True] / held.total() < 0.65


def test_the_same_seed_gives_the_same_complaints() -> None:
    first, second = (list(synthetic.generate_complaints(50, now=NOW, seed=3)) for _ in range(2))
    assert [row["_id"] for row in first] == [row["_id"] for row in second]
    assert [row["status"] for row in first] == [row["status"] for row in second]


async def test_seeding_that_broke_off_starts_anew_and_a_complete_one_is_kept(store: Store) -> None:
    rows = list(synthetic.generate_complaints(60, now=NOW, seed=7))
    await store.complaints.insert_many(rows[:25])
    assert not await seed.is_complete(store, 60, 7)
    done: list[int] = []
    await seed.write_complaints(store, rows, 60, 7, lambda count, total: done.append(count))
    assert await store.complaints.count_documents({}) == 60
    assert done[-1] == 60
    assert await seed.is_complete(store, 60, 7)
    assert await seed.is_complete(store, 10, 7)
    assert not await seed.is_complete(store, 61, 7)
    assert not await seed.is_complete(store, 60, 8)
