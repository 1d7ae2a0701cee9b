"""`satugraf seed`, `migrate`, `doctor`: what is in the database."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from gateway import settings
from gateway.cli.failure import fail, told
from gateway.settings import Settings
from resolvers.regulations import holiday_tables
from resolvers.request.context import RequestContext
from resolvers.request.loaders import loaders
from resolvers.store.database import Store, connect
from resolvers.viewer import SYSTEM

SEED: Final = 7
SELECTION_MS: Final = 5000

Complaints = Annotated[int, typer.Option(help="How many synthetic complaints.", min=0, max=5_000_000)]


def seed(complaints: Complaints = 0) -> None:
    """Write reference data, and synthetic complaints where asked for.

    The register's 682 agencies, the regions, categories and teams; what an operator changed since stays. Synthetic
    complaints of an earlier run are replaced.

    [bold]Example[/bold]: SATUGRAF_MONGODB_URI=mongodb://localhost/?replicaSet=rs0 satugraf seed --complaints 20000
    """
    with_store(lambda store, configured: fill(store, complaints))


def migrate() -> None:
    """Bring an existing database to what this release reads: indexes, and what documents gained. Safe to run again.

    [bold]Example[/bold]: SATUGRAF_MONGODB_URI=mongodb://localhost/?replicaSet=rs0 satugraf migrate
    """
    from resolvers.migrations import migrations
    from resolvers.store import indexes
    from resolvers.store import migrations as stored

    async def run(store: Store, configured: Settings) -> None:
        await indexes.create(store)
        await stored.run(store)
        for name, count in await migrations.run(store, lambda: context(store, configured).key_ring):
            Console().print(f"{name}: {count} documents")

    with_store(run)


def holiday(
    day: Annotated[datetime, typer.Argument(help="The day, as 2026-05-15.", formats=["%Y-%m-%d"])],
    decree: Annotated[str, typer.Option(help="The decree that changes it.")],
    name: Annotated[str | None, typer.Option(help="Of the holiday; left out: the day is worked after all.")] = None,
) -> None:
    """Enter a day that a decree has made a holiday, or a working day, and count the due times anew.

    Due times that have passed stay. Running gateways know the day within half a minute.

    [bold]Example[/bold]: satugraf holiday 2026-05-15 --name "Cuti bersama" --decree "SKB 3 Menteri 2026"
    """
    with_store(lambda store, configured: _declared(store, day.date(), name, decree))


async def _declared(store: Store, day: date, name: str | None, decree: str) -> None:
    from resolvers.regulations import regulations
    from resolvers.upkeep.recount import recount

    await regulations.declare(store, day, name=name, decree=decree)
    in_force = regulations.Regulations(store)
    await in_force.read()
    changed = await recount(in_force, datetime.now(UTC))
    Console().print(f"{day} is {'a working day' if name is None else name}; {changed} complaints are due anew.")


def doctor() -> None:
    """Check the settings, the database and its data, and say what to mend; exit code 1 where something is wrong."""
    faults: list[str] = []

    async def examine(store: Store, configured: Settings) -> None:
        faults.extend(await _faults(store, configured))

    with_store(examine)
    if faults:
        fail("\n".join(faults))
    Console().print("Everything is in order.", style="green")


async def _faults(store: Store, configured: Settings) -> list[str]:
    from resolvers.store import migrations

    hello = await store.client.admin.command("hello")
    checks = {
        "The database is no replica set: transactions and change streams need one.": "setName" in hello,
        "There are no agencies: run `satugraf seed`.": await store.agencies.find_one({}) is not None,
        "Indexes are missing: run `satugraf migrate`.": len(await store.complaints.index_information()) > 1,
        "Its data are of an earlier version: run `satugraf migrate`.": not await migrations.missing(store),
        "SATUGRAF_SECRET_KEY is not set: make one with `openssl rand -hex 32`.": configured.secret_key is not None,
    }
    return [sentence for sentence, holds in checks.items() if not holds]


def with_store(work: Callable[[Store, Settings], Awaitable[None]]) -> None:
    with told():
        configured = settings.load()
        if configured.mongodb_uri is None:
            fail("SATUGRAF_MONGODB_URI is not set: this command works on a running replica set.")
        uri = configured.mongodb_uri

        async def run() -> None:
            # An index over millions of complaints takes minutes: no socket timeout here.
            store = connect(uri, configured.mongodb_database, serverSelectionTimeoutMS=SELECTION_MS, socketTimeoutMS=0)
            try:
                await work(store, configured)
            finally:
                store.close()

        asyncio.run(run())


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:,.0f}/s")


async def fill(store: Store, count: int) -> None:
    """Reference data and `count` synthetic complaints, with a progress bar; nothing where they are there already."""
    from resolvers.store import indexes, migrations
    from resolvers.store import seed as seeding

    await seeding.reference_data(store)
    await migrations.run(store)
    if count > 0 and not await seeding.is_complete(store, count, SEED):
        await _synthetic(store, count)
    # Last: over rows that are there already indexes take a fraction of what they take row by row.
    with Console(stderr=True).status("Indexes"):
        await indexes.create(store)


async def _synthetic(store: Store, count: int) -> None:
    from resolvers.demonstration import synthetic
    from resolvers.store import seed as seeding

    columns = (
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("Synthetic complaints", total=count)
        rows = synthetic.complaints(count, now=datetime.now(UTC).replace(microsecond=0), seed=SEED)
        await seeding.complaints(store, rows, count, SEED, lambda done, total: bar.update(task, completed=done))


def context(store: Store, configured: Settings, purpose: str | None = None) -> RequestContext:
    """An operator's command as a request of the system's."""
    return RequestContext(
        store=store,
        loaders=loaders(store),
        now=datetime.now(UTC).replace(microsecond=0),
        secret_key=configured.secret_key_bytes,
        calendar=holiday_tables.calendar,
        viewer=SYSTEM,
        purpose=purpose,
        vault_keys=configured.vault_ring,
    )
