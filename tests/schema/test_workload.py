"""The daily work of a small team takes few operations: what is due, assigned and stuck; and many changes at once."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from support.commands import Commands
from support.examples import a_complaint
from support.portal import ADMIN, UNIT

import schema
from resolvers.regulations.holiday_tables import find_calendar
from resolvers.request.context import RequestContext
from resolvers.request.loaders import Loaders
from resolvers.store.database import Store, connect
from resolvers.store.register import teams

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TEAM = next(row["_id"] for row in teams() if row["agency"] == "kab-badung")
MANY = 20


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
async def watched(register: Store, mongodb_uri: str, commands: Commands) -> AsyncIterator[Store]:
    due = datetime(2026, 11, 20, tzinfo=UTC)
    rows = [a_complaint(_id=f"LP-{number}", nextDueAt=due, escalationLevel=number % 3) for number in range(MANY)]
    rows += [
        a_complaint(_id=f"LP-W{number}", status="IN_PROGRESS", team=TEAM, unit=UNIT, assignee=f"{TEAM}/4")
        for number in range(5)
    ]
    await register.complaints.insert_many(rows)
    opened = connect(mongodb_uri, register.database.name, event_listeners=[commands])
    await opened.agencies.find_one({})
    commands.sent.clear()
    yield opened
    opened.close()


async def run(store: Store, query: str) -> Any:
    context = RequestContext(store, Loaders(store), NOW, b"the secret key of the tests", find_calendar, ADMIN)
    result = await schema.build().execute(query, context_value=context)
    assert result.errors is None
    return result.data


async def test_what_is_due_whose_it_is_and_what_is_stuck_is_one_operation(watched: Store, commands: Commands) -> None:
    fields = "nodes { id title status unit { name } assignee { id role } clocks { kind dueAt } escalationLevel }"
    query = f"""{{ agency(id: "kab-badung") {{ teamHealth {{ daysToExpiry seatsFilled seatsTotal }}
      due: complaints(filter: {{open: true}}, orderBy: DUE_ASC, first: 50) {{ {fields} }}
      mine: complaints(filter: {{assignee: "{TEAM}/4"}}, orderBy: DUE_ASC, first: 50) {{ {fields} }}
      unit: complaints(filter: {{unit: ["{UNIT}"]}}, orderBy: DUE_ASC, first: 50) {{ {fields} }}
      overdue: complaints(filter: {{open: true, overdue: true}}, orderBy: DUE_ASC, first: 50) {{ {fields} }}
      stuck: complaints(filter: {{open: true, escalated: true}}, orderBy: DUE_ASC, first: 50) {{ {fields} }} }} }}"""
    agency = (await run(watched, query))["agency"]
    sizes = {key: len(agency[key]["nodes"]) for key in ("due", "mine", "unit", "overdue", "stuck")}
    assert sizes == {"due": MANY + 5, "mine": 5, "unit": 5, "overdue": MANY, "stuck": 13}
    # The five lists, the agency, its teams twice (by agency and by id); no command per row.
    assert len(commands.sent) <= 9, [next(iter(command)) for command in commands.sent]


async def test_many_are_accepted_in_one_operation_with_what_they_share_read_once(
    watched: Store, commands: Commands
) -> None:
    calls = "\n".join(
        f'a{number}: acceptComplaint(input: {{complaint: "LP-{number}", team: "{TEAM}", unit: "{UNIT}"}})'
        " { complaint { id status team { name } unit { name } } userErrors { code } }"
        for number in range(MANY)
    )
    done = await run(watched, f"mutation {{ {calls} }}")
    assert all(row["userErrors"] == [] and row["complaint"]["status"] == "IN_PROGRESS" for row in done.values())
    sent = Counter(str(next(iter(command))) + f" {next(iter(command.values()))}" for command in commands.sent)
    # Mutations run one after another; each reads its complaint once and writes it in one atomic update.
    assert sent["update complaints"] == MANY
    assert sent["find complaints"] == MANY
    # Team, agency and unit are read once for all complaints.
    assert sent.total() - 2 * MANY <= 4, sent
