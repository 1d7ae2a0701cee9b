"""Counts of used fields and operations by day, over the real store."""

from datetime import UTC, date, datetime, timedelta

from resolvers.registry import usage
from resolvers.store import indexes
from resolvers.store.database import Store

TODAY = datetime(2026, 11, 25, 3, tzinfo=UTC)


async def test_uses_add_up_over_days_and_processes(store: Store) -> None:
    await indexes.create(store)
    await usage.add_counts(store, TODAY - timedelta(days=3), {"Query.node": 5}, {"a": 5}, {"a": "{node}"})
    await usage.add_counts(
        store, TODAY, {"Query.node": 2, "Agency.id": 1}, {"a": 2, "b": 9}, {"a": "{node}", "b": "{x}"}
    )
    await usage.add_counts(store, TODAY, {"Query.node": 1}, {}, {})
    assert await usage.count_fields(store, date(2026, 11, 25)) == {"Query.node": 3, "Agency.id": 1}
    assert await usage.count_fields(store, date(2026, 11, 20)) == {"Query.node": 8, "Agency.id": 1}
    assert list((await usage.find_hottest_operations(store, date(2026, 11, 20))).items()) == [("{x}", 9), ("{node}", 7)]


async def test_a_month_later_it_is_forgotten(store: Store) -> None:
    await indexes.create(store)
    await usage.add_counts(store, TODAY, {"Query.node": 1}, {}, {})
    row = await store.field_usage.find_one({})
    assert row is not None
    assert row["until"] == TODAY + timedelta(days=30)
    assert (await store.field_usage.index_information())["until"]["expireAfterSeconds"] == 0
