"""An operation takes few database commands, however many rows it returns."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from support.commands import Commands
from support.portal import NATIONAL

import schema
from resolvers.demonstration import synthetic
from resolvers.regulations.holiday_tables import find_calendar
from resolvers.request.context import RequestContext
from resolvers.request.loaders import Loaders
from resolvers.store.database import Store, connect
from resolvers.viewer import PUBLIC, Viewer

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
async def watched(register: Store, mongodb_uri: str, commands: Commands) -> AsyncIterator[Store]:
    await register.complaints.insert_many(list(synthetic.generate_complaints(400, now=NOW, seed=7)))
    opened = connect(mongodb_uri, register.database.name, event_listeners=[commands])
    await opened.agencies.find_one({})
    commands.sent.clear()
    yield opened
    opened.close()


async def run(store: Store, query: str, viewer: Viewer = PUBLIC) -> Any:
    context = RequestContext(store, Loaders(store), NOW, b"the secret key of the tests", find_calendar, viewer)
    result = await schema.build().execute(query, context_value=context)
    assert result.errors is None
    return result.data


@pytest.mark.parametrize("viewer", [PUBLIC, NATIONAL], ids=lambda viewer: viewer.role)
async def test_fifty_complaints_with_agency_and_team_take_three_commands(
    watched: Store, commands: Commands, viewer: Viewer
) -> None:
    query = """{ complaints(first: 50) { nodes { id title status holder { id name } team { id name }
      clocks { kind dueAt } followUps { nodes { body } } allowedActions } } }"""
    data = await run(watched, query, viewer)
    assert len(data["complaints"]["nodes"]) == 50
    assert len(commands.sent) <= 3


async def test_two_more_depths_are_a_few_more_commands(watched: Store, commands: Commands) -> None:
    query = """{ complaints(first: 50) { nodes { category { name }
      holder { name province { name region { name } } } } } }"""
    await run(watched, query)
    # Regions are read in two batches: first those of provinces that are known, then those of the others.
    assert len(commands.sent) <= 6


async def test_all_provinces_with_their_regencies_and_teams_take_four_commands(
    watched: Store, commands: Commands
) -> None:
    query = """{ agencies(filter: {kinds: [PROVINCE]}, first: 34) { nodes { name regencies { name } teams { name }
      region { name } } } }"""
    data = await run(watched, query)
    assert sum(len(node["regencies"]) for node in data["agencies"]["nodes"]) == 514
    assert len(commands.sent) <= 4


async def test_a_count_costs_when_it_is_asked_for(watched: Store, commands: Commands) -> None:
    await run(watched, "{ complaints { nodes { id } } }")
    assert [next(iter(command)) for command in commands.sent] == ["find"]
    commands.sent.clear()
    await run(watched, "{ complaints { totalCount } }")
    assert [next(iter(command)) for command in commands.sent] == ["aggregate"]


async def test_the_selection_is_the_projection(watched: Store, commands: Commands) -> None:
    await run(watched, "{ complaints { edges { node { ...Part } } } } fragment Part on Complaint { status body }")
    projection = commands.sent[0]["projection"]
    assert {"status", "body", "readers"} <= projection.keys()
    assert not {"followUps", "forwardings", "clocks", "processed", "reporter", "originalTitle"} & projection.keys()


@pytest.mark.parametrize("condition", ["@include(if: false)", "@skip(if: true)"])
async def test_what_is_skipped_is_not_loaded(watched: Store, commands: Commands, condition: str) -> None:
    await run(watched, f"{{ complaints {{ nodes {{ id holder {condition} {{ name }} }} }} }}")
    assert len(commands.sent) == 1


async def test_every_read_gives_up_in_time(watched: Store, commands: Commands) -> None:
    query = """{ complaints { totalCount nodes { holder { region { name } } team { id } category { code } } }
      agencies { nodes { id } } teams { nodes { id } } regions { code } categories { code } }"""
    await run(watched, query)
    assert len(commands.sent) >= 8
    assert all(command.get("maxTimeMS", 0) > 0 for command in commands.sent), commands.sent
