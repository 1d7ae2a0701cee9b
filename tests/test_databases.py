"""Databases that tests borrow: nobody sees what a test before wrote, and nothing but that is written anew."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import ASCENDING, MongoClient
from pymongo.database import Database
from support.databases import Pool, make_state, read_hashes

SEED: dict[str, list[dict[str, Any]]] = {
    "agencies": [{"_id": "kab-badung", "name": "Badung"}, {"_id": "kab-gianyar", "name": "Gianyar"}],
    "regions": [{"_id": "51"}],
}


@pytest.fixture
def pool(mongo: MongoClient[Any], run_name: str) -> Iterator[Pool]:
    name = f"{run_name}_small_seed"

    def fill() -> None:
        for collection, rows in SEED.items():
            mongo[name][collection].insert_many(rows)
        mongo[name]["agencies"].create_index("name", unique=True)
        mongo[name]["complaints"].create_index([("holder", ASCENDING), ("_id", ASCENDING)], sparse=True)

    made = Pool(mongo, f"{run_name}_small", make_state(mongo, name, fill), rest=0)
    yield made
    made.close()


def read_all(database: Database[Any]) -> dict[str, list[dict[str, Any]]]:
    names = sorted(database.list_collection_names())
    rows = {name: database[name].find().sort("_id").to_list() for name in names}
    return {name: found for name, found in rows.items() if found}


def lend_again(pool: Pool, mongo: MongoClient[Any], name: str) -> None:
    """The same database, as it was at first, with the indexes that it had."""
    with pool.lend() as again:
        assert again == name
        assert read_all(mongo[again]) == SEED
        assert read_hashes(mongo[again]) == pool.state.hashes
        assert mongo[again]["agencies"].index_information()["name_1"]["unique"]
        assert mongo[again]["complaints"].index_information().keys() == {"_id_", "holder_1__id_1"}


def test_what_was_changed_added_and_removed_is_put_back(pool: Pool, mongo: MongoClient[Any]) -> None:
    with pool.lend() as name:
        assert read_all(mongo[name]) == SEED
        mongo[name]["agencies"].update_one({"_id": "kab-badung"}, {"$set": {"name": "Other"}})
        mongo[name]["agencies"].delete_one({"_id": "kab-gianyar"})
        mongo[name]["agencies"].insert_one({"_id": "kab-new", "name": "Badung"})
        mongo[name]["complaints"].insert_many([{"_id": number} for number in range(10)])
        mongo[name]["anything"].insert_one({"_id": "else"})
    lend_again(pool, mongo, name)


def test_a_collection_that_was_emptied_is_filled_again(pool: Pool, mongo: MongoClient[Any]) -> None:
    with pool.lend() as name:
        mongo[name]["regions"].delete_many({})
    lend_again(pool, mongo, name)


def test_many_documents_go_too(pool: Pool, mongo: MongoClient[Any]) -> None:
    with pool.lend() as name:
        for collection in ("complaints", "anything"):
            mongo[name][collection].insert_many([{"_id": number} for number in range(2_000)])
    lend_again(pool, mongo, name)


def test_a_write_that_comes_after_the_end_is_found_too(pool: Pool, mongo: MongoClient[Any]) -> None:
    with pool.lend() as name:
        pass
    mongo[name]["audit"].insert_one({"_id": "late"})
    lend_again(pool, mongo, name)


@pytest.mark.parametrize("collection", ["agencies", "complaints", "anything"])
def test_a_database_with_other_indexes_is_not_lent_again(pool: Pool, mongo: MongoClient[Any], collection: str) -> None:
    with pool.lend() as name:
        mongo[name][collection].create_index("further")
    with pool.lend() as again:
        assert again != name
        assert read_all(mongo[again]) == SEED


@pytest.mark.parametrize("collection", ["agencies", "complaints"])
def test_a_database_that_lost_indexes_is_not_lent_again(pool: Pool, mongo: MongoClient[Any], collection: str) -> None:
    with pool.lend() as name:
        mongo[name][collection].drop()
    with pool.lend() as again:
        assert again != name
        assert read_all(mongo[again]) == SEED


def test_two_at_once_are_two(pool: Pool) -> None:
    with pool.lend() as one, pool.lend() as other:
        assert one != other


def test_a_database_rests_before_it_is_used_again(mongo: MongoClient[Any], run_name: str) -> None:
    pool, names = Pool(mongo, f"{run_name}_resting", rest=2), []
    for _ in range(6):
        with pool.lend() as name:
            names.append(name)
    assert names[:3] == names[3:]
    assert len(set(names)) == 3
    pool.close()
