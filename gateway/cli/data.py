"""`satugraf seed`, `migrate`, `holiday` and `doctor`: the documents in the database."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from gateway import settings
from gateway.cli.failure import fail, report_failures
from gateway.settings import Settings
from resolvers.regulations import holiday_tables
from resolvers.request.context import RequestContext
from resolvers.request.loaders import Loaders
from resolvers.store.database import PyMongoError, Store, connect
from resolvers.viewer import SYSTEM

if TYPE_CHECKING:
    from resolvers.migrations.chain import ChainState

SEED: Final = 7
SELECTION_MS: Final = 5000
START_SELECTION_MS: Final = 2000
"""How long a server waits for the database before it starts without having checked the migrations."""

Complaints = Annotated[int, typer.Option(help="The number of synthetic complaints.", min=0, max=5_000_000)]


def seed(complaints: Complaints = 0) -> None:
    """Write the reference data and, with --complaints, synthetic complaints.

    The reference data are the register's 682 agencies, the regions, categories, teams, action plans and service
    policies. Documents that an operator has changed since stay. Synthetic complaints of an earlier run are replaced. A
    database of an earlier release is migrated first.

    [bold]Example[/bold]: SATUGRAF_MONGODB_URI=mongodb://localhost/?replicaSet=rs0 satugraf seed --complaints 20000
    """
    run_with_store(lambda store, configured: seed_database(store, configured, complaints))


def migrate() -> None:
    """Bring a database of an earlier release to the shape that this release reads: indexes, then migrations.

    Prints what each migration changed. Safe to run again, and by several processes at once: one migrates and the others
    wait for it. When a process is killed, the next one repeats the migration that was interrupted.

    [bold]Example[/bold]: SATUGRAF_MONGODB_URI=mongodb://localhost/?replicaSet=rs0 satugraf migrate
    """
    run_with_store(_migrate)


async def _migrate(store: Store, configured: Settings) -> None:
    from resolvers.migrations.chain import read_state
    from resolvers.store import indexes

    _check(await read_state(store), is_serving=False)
    with Console(stderr=True).status("Indexes"):
        await indexes.create(store)
    await _apply_chain(store, configured)
    state = await read_state(store)
    Console().print(f"The database is at migration {state.version:03}.", highlight=False)


async def _apply_chain(store: Store, configured: Settings) -> None:
    """Applies the missing migrations and shows their progress; prints one line for each that was applied."""
    from resolvers.migrations import runner
    from resolvers.migrations.chain import UnreadableDatabase
    from resolvers.migrations.migration import AppliedMigration, Migration

    with Console(stderr=True).status("Migrations") as status:

        class ShownProgress(runner.MigrationProgress):
            def wait(self, holder: str) -> None:
                status.update(f"Migrations: {holder} is migrating the database; waiting for it")

            def count(self, migration: Migration, changed: int) -> None:
                status.update(f"{migration.id}: {changed:,} documents")

            def finish(self, applied: AppliedMigration) -> None:
                skipped = f"; {applied.skipped:,} skipped, {applied.skip_reason}" if applied.skipped else ""
                sentence = f"{applied.id}: {applied.changed:,} documents changed{skipped}"
                Console().print(sentence, highlight=False, markup=False, soft_wrap=True)

        try:
            await runner.run(store, lambda: make_context(store, configured).key_ring, ShownProgress())
        except UnreadableDatabase as failure:
            fail(str(failure))


def holiday(
    day: Annotated[datetime, typer.Argument(help="The day, as 2026-05-15.", formats=["%Y-%m-%d"])],
    decree: Annotated[str, typer.Option(help="The decree that changes the day.")],
    name: Annotated[
        str | None, typer.Option(help="The name of the holiday. Without it the day becomes a working day.")
    ] = None,
) -> None:
    """Enter a day that a decree has made a holiday or a working day, and compute the due times again.

    Due times that have passed stay. Running gateways know the day within half a minute.

    [bold]Example[/bold]: satugraf holiday 2026-05-15 --name "Cuti bersama" --decree "SKB 3 Menteri 2026"
    """
    run_with_store(lambda store, configured: _declare(store, day.date(), name, decree))


async def _declare(store: Store, day: date, name: str | None, decree: str) -> None:
    from resolvers.regulations import regulations
    from resolvers.upkeep.recount import recount_due_times

    await regulations.declare_day(store, day, name=name, decree=decree)
    in_force = regulations.Regulations(store)
    await in_force.read()
    changed = await recount_due_times(in_force, datetime.now(UTC))
    Console().print(f"{day} is {'a working day' if name is None else name}; {changed} complaints are due anew.")


def doctor() -> None:
    """Check the settings, the database, its migrations and its data, and say how to mend each fault.

    Exit code 1 when there is a fault.
    """
    faults: list[str] = []

    async def examine(store: Store, configured: Settings) -> None:
        from resolvers.migrations.chain import read_state

        state = await read_state(store)
        faults.extend(await _find_faults(store, configured))
        faults.extend(_find_chain_faults(state))
        for note in _list_chain_notes(state):
            Console(stderr=True).print(note, highlight=False, markup=False, soft_wrap=True)

    run_with_store(examine)
    if faults:
        fail("\n".join(faults))
    Console().print("Everything is in order.", style="green")


async def _find_faults(store: Store, configured: Settings) -> list[str]:
    hello = await store.client.admin.command("hello")
    checks = {
        "The database is no replica set: transactions and change streams need one.": "setName" in hello,
        "There are no agencies: run `satugraf seed`.": await store.agencies.find_one({}) is not None,
        "Indexes are missing: run `satugraf migrate`.": len(await store.complaints.index_information()) > 1,
        "SATUGRAF_SECRET_KEY is not set: make one with `openssl rand -hex 32`.": configured.secret_key is not None,
    }
    return [sentence for sentence, holds in checks.items() if not holds]


def _find_chain_faults(state: "ChainState") -> list[str]:
    from resolvers.migrations.chain import UnreadableDatabase

    try:
        state.check_not_newer()
    except UnreadableDatabase as failure:
        return [str(failure)]
    names = ", ".join(migration.id for migration in state.missing)
    if state.missing and state.holder is not None:
        return [f"{state.holder} is migrating the database. Not applied yet: {names}."]
    return [f"Migrations are missing: {names}. Run `satugraf migrate`."] if state.missing else []


def _list_chain_notes(state: "ChainState") -> list[str]:
    """Sentences on what is worth knowing about the chain, but is no fault."""
    newer = [
        f'A newer release, SatuGraf {row.get("release", "(unknown)")}, has applied migration "{row["_id"]}". This '
        "release can serve the database."
        for row in state.unknown
    ]
    skipped = [
        f'Migration "{row["_id"]}" skipped {row["skipped"]:,} documents, {row.get("skipReason")}.'
        for row in state.skipped
    ]
    return [*(newer if not _find_chain_faults(state) else []), *skipped]


def run_with_store(work: Callable[[Store, Settings], Awaitable[None]]) -> None:
    """Runs `work` on the database that the settings name, and ends the command with a sentence where it fails."""
    with report_failures():
        configured = settings.load()
        if configured.mongodb_uri is None:
            fail("SATUGRAF_MONGODB_URI is not set: this command works on a running replica set.")
        # An index over millions of complaints takes minutes: no socket timeout here.
        asyncio.run(_run_connected(work, configured, configured.mongodb_uri, SELECTION_MS, socketTimeoutMS=0))


async def _run_connected(
    work: Callable[[Store, Settings], Awaitable[None]],
    configured: Settings,
    uri: str,
    selection_ms: int,
    **options: int,
) -> None:
    store = connect(uri, configured.mongodb_database, serverSelectionTimeoutMS=selection_ms, **options)
    try:
        await work(store, configured)
    finally:
        store.close()


def check_migrations(configured: Settings, uri: str) -> None:
    """Ends the command with a sentence where this release cannot serve the database at its present migration.

    A database that does not answer is no fault: a server starts without it and is ready when it comes back.
    """

    async def check(store: Store, configured: Settings) -> None:
        from resolvers.migrations.chain import read_state

        _check(await read_state(store), is_serving=True)

    with suppress(PyMongoError):
        asyncio.run(_run_connected(check, configured, uri, START_SELECTION_MS))


def _check(state: "ChainState", *, is_serving: bool) -> None:
    from resolvers.migrations.chain import UnreadableDatabase

    try:
        if is_serving:
            state.check_readable()
        else:
            state.check_not_newer()
    except UnreadableDatabase as failure:
        fail(str(failure))


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:,.0f}/s")


async def seed_database(store: Store, configured: Settings, count: int) -> None:
    """Migrates the database, then writes reference data, `count` synthetic complaints and indexes.

    Documents that are there already stay. Shows progress bars.
    """
    from resolvers.store import indexes
    from resolvers.store import seed as seeding

    await _apply_chain(store, configured)
    await seeding.write_reference_data(store)
    if count > 0 and not await seeding.is_complete(store, count, SEED):
        await _write_synthetic(store, count)
    # Last: an index takes a fraction of the time when its documents are there already.
    with Console(stderr=True).status("Indexes"):
        await indexes.create(store)


async def _write_synthetic(store: Store, count: int) -> None:
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
        rows = synthetic.generate_complaints(count, now=datetime.now(UTC).replace(microsecond=0), seed=SEED)
        await seeding.write_complaints(store, rows, count, SEED, lambda done, total: bar.update(task, completed=done))


def make_context(store: Store, configured: Settings, purpose: str | None = None) -> RequestContext:
    """The context of an operator's command, which acts as the system."""
    return RequestContext(
        store=store,
        loaders=Loaders(store),
        now=datetime.now(UTC).replace(microsecond=0),
        secret_key=configured.secret_key_bytes,
        calendar=holiday_tables.find_calendar,
        viewer=SYSTEM,
        purpose=purpose,
        vault_keys=configured.vault_ring,
    )
