"""`python -m bench`: the measurements as commands."""

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import typer

from bench import agencies, composers, executor, federation, growth, live, memory, progress, publishing, report
from bench.agreement import Disagreement
from bench.dataset import ROOT, Dataset, database
from bench.executor import Failed, Plan
from bench.process import NotServing, pin_load
from bench.targets import PEERS, named_checkouts, node_is_missing, ours
from gateway.mongod import MongodUnavailable

app = typer.Typer(
    name="bench", help="What a request costs, measured.", no_args_is_help=True, pretty_exceptions_enable=False
)

FOLDER: Final = ROOT / ".satugraf" / "bench"
FEWEST: Final = 2000

Complaints = Annotated[int, typer.Option(help="Synthetic complaints in the database.", min=FEWEST, max=5_000_000)]
Checkout = Annotated[Path, typer.Option(help="The checkout whose `satugraf serve` is measured.", exists=True)]
Baseline = Annotated[
    Path | None, typer.Option(help="Another checkout of this project, measured in the same rounds.", exists=True)
]
Json = Annotated[Path | None, typer.Option("--json", help="Also write everything to this file.")]
Record = Annotated[bool, typer.Option("--record", help="Put the tables into bench/README.md.")]
Data = Annotated[Path, typer.Option(help="The folder of the private mongod; seeded data stay there.")]


@contextmanager
def _told() -> Iterator[None]:
    """What a person can mend ends in a sentence and exit code 1; a signal ends the servers too."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    except (Disagreement, Failed, LookupError, MongodUnavailable, NotServing, ConnectionError) as failure:
        progress.STDERR.print(str(failure), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


@contextmanager
def _seeded(data: Path, complaints: int) -> Iterator[Dataset]:
    with database(data) as uri:
        dataset = Dataset(uri, complaints)
        dataset.seed()
        try:
            yield dataset
        finally:
            dataset.close()


class Output(NamedTuple):
    """Where the figures go besides standard output."""

    section: str | None
    """Of the README; None where nothing is recorded."""
    json: Path | None
    checkout: Path


_FILES: Final = {"--json", "--data", "--checkout", "--baseline"}


def _tell(output: Output, text: str, content: dict[str, Any]) -> None:
    found = report.circumstances(output.checkout) | {"command": _command()}
    print(text)
    if output.json:
        report.write_json(output.json, found | content)
    if output.section:
        report.record(output.section, text, found)


def _command() -> str:
    """What was typed, but for the files of this machine, and for recording it."""
    typed = [word for word in sys.argv[1:] if word != "--record"]
    kept = (word for before, word in zip(["", *typed], typed, strict=False) if not {before, word} & _FILES)
    return " ".join(["python -m bench", *kept])


@app.command("executor")
def executor_command(
    complaints: Complaints = 200_000,
    rounds: Annotated[int, typer.Option(help="Interleaved rounds; the median counts.", min=1)] = 3,
    seconds: Annotated[float, typer.Option(help="How long one run of reads takes.", min=0.1)] = 4,
    writes: Annotated[int, typer.Option(help="How many follow-ups one run of Q5 adds.", min=1)] = 1500,
    only: Annotated[list[str] | None, typer.Option(help="An operation (Q1) or target (rest); repeat it.")] = None,
    checkout: Checkout = ROOT,
    baseline: Baseline = None,
    json: Json = None,
    record: Record = False,
    data: Data = FOLDER,
) -> None:
    """Ours beside stock Strawberry, hand-written REST and Node servers: CPU per request, paces, ratios and goals."""
    with _told():
        missing = node_is_missing()
        if missing:
            progress.STDERR.print(f"Without the Node peers: {missing}.", style="yellow")
        targets = [ours(folder, name) for name, folder in named_checkouts(checkout, baseline).items()]
        targets += [peer for peer in PEERS if not missing or peer.words[0] != "node"]
        operations, targets = executor.chosen(only or [], targets)
        plan = Plan(operations, targets, rounds, seconds, writes)
        pin_load()
        with _seeded(data, complaints) as dataset:
            results = executor.compare(dataset, plan)
        text = report.markdown(executor.tables(plan, results), executor.verdict(results))
        _tell(Output("executor" if record else None, json, checkout), text, executor.as_json(plan, results))
        failed = executor.failures(results)
        if failed:
            raise Failed(f"Not answered right: {failed}.")


def _numbers(text: str) -> list[int]:
    if not all(word.isdecimal() and int(word) >= FEWEST for word in text.split(",")):
        raise LookupError(f"--sizes takes numbers of at least {FEWEST} with commas between: 20000,200000.")
    return [int(word) for word in text.split(",")]


@app.command("growth")
def growth_command(
    sizes: Annotated[str, typer.Option(help="Numbers of complaints, with commas between.")] = "20000,200000,1000000",
    rounds: Annotated[int, typer.Option(help="Interleaved rounds; the median counts.", min=1)] = 3,
    seconds: Annotated[float, typer.Option(help="How long one run takes.", min=0.1)] = 2,
    checkout: Checkout = ROOT,
    json: Json = None,
    record: Record = False,
    data: Data = FOLDER,
) -> None:
    """What more complaints cost: pages, deep pages, the register, counts."""
    with _told(), ExitStack() as stack:
        pin_load()
        uri = stack.enter_context(database(data))
        datasets = [Dataset(uri, size) for size in _numbers(sizes)]
        for dataset in datasets:
            dataset.seed()
            stack.callback(dataset.close)
        results = growth.compare(datasets, ours(checkout), rounds, seconds)
        text = report.markdown(growth.tables(results))
        _tell(Output("growth" if record else None, json, checkout), text, growth.as_json(results))


@app.command("memory")
def memory_command(
    requests: Annotated[int, typer.Option(help="Mixed requests in all.", min=100)] = 100_000,
    complaints: Complaints = 200_000,
    checkout: Checkout = ROOT,
    json: Json = None,
    record: Record = False,
    data: Data = FOLDER,
) -> None:
    """One process under many mixed requests: its resident memory over time, flat or not."""
    with _told():
        pin_load()
        with _seeded(data, complaints) as dataset:
            samples = memory.watch(dataset, ours(checkout), requests)
        text = report.markdown(memory.tables(samples))
        _tell(Output("memory" if record else None, json, checkout), text, memory.as_json(samples))


@app.command("live")
def live_command(
    subscribers: Annotated[int, typer.Option(help="Websockets, each with one subscription.", min=2)] = 1000,
    per_second: Annotated[float, typer.Option(help="Changes a second.", min=0.1)] = 50,
    seconds: Annotated[float, typer.Option(help="How long changes are made.", min=0.1)] = 60,
    complaints: Complaints = 20_000,
    checkout: Checkout = ROOT,
    json: Json = None,
    record: Record = False,
    data: Data = FOLDER,
) -> None:
    """Changes to subscribers of one process: how many are lost, and how long each takes."""
    with _told():
        pin_load()
        with _seeded(data, complaints) as dataset:
            result = live.measure(dataset, ours(checkout), live.Plan(subscribers, per_second, seconds))
        text = report.markdown(live.tables(result))
        _tell(Output("live" if record else None, json, checkout), text, live.as_json(result))
        if result.lost:
            raise Failed(f"{result.lost} results were lost.")


@app.command("composers")
def composers_command() -> None:
    """Whether the national graph and the example agency's compose in other composers, and Apollo's plan over both."""
    with _told():
        missing = federation.is_missing()
        if missing:
            raise LookupError(missing)
        do_compose, words = composers.composed()
        print(words)
        if not do_compose:
            raise Failed("Not everyone composes them.")


@app.command("agencies")
def agencies_command(
    complaints: Complaints = 20_000,
    rounds: Annotated[int, typer.Option(help="Interleaved rounds; the median counts.", min=1)] = 3,
    seconds: Annotated[float, typer.Option(help="How long one run takes.", min=0.1)] = 4,
    checkout: Checkout = ROOT,
    json: Json = None,
    record: Record = False,
    data: Data = FOLDER,
) -> None:
    """National fields with agencies and without, fields of both graphs beside other gateways, an agency that hangs."""
    with _told():
        missing = federation.is_missing()
        if missing:
            progress.STDERR.print(f"Without the other gateways: {missing}", style="yellow")
        pin_load()
        with _seeded(data, complaints) as dataset:
            results = agencies.measure_all(dataset, ours(checkout), rounds, seconds)
        text = report.markdown(agencies.tables(results))
        _tell(Output("agencies" if record else None, json, checkout), text, agencies.as_json(results))


@app.command("publishing")
def publishing_command(
    agencies: Annotated[int, typer.Option(help="Agencies whose subgraphs are in the graph.", min=1, max=658)] = 658,
    rounds: Annotated[int, typer.Option(help="Versions of one agency's that are checked and published.", min=1)] = 5,
    checkout: Checkout = ROOT,
    json: Json = None,
    record: Record = False,
    data: Data = FOLDER,
) -> None:
    """A check and a publication among all agencies' subgraphs, and what others feel of it."""
    with _told():
        pin_load()
        with _seeded(data, FEWEST) as dataset:
            try:
                result = publishing.measure(dataset, ours(checkout), agencies, rounds)
            finally:
                publishing.forget(dataset)
        text = report.markdown(publishing.tables(result))
        _tell(Output("publishing" if record else None, json, checkout), text, publishing.as_json(result))


@app.command("federation")
def federation_command(
    rounds: Annotated[int, typer.Option(help="Interleaved rounds; the median counts.", min=1)] = 3,
    warm: Annotated[int, typer.Option(help="Requests before the first round, for each gateway and operation.")] = 6000,
    requests: Annotated[int, typer.Option(help="Requests in a run.", min=1)] = 3000,
    only: Annotated[list[str] | None, typer.Option(help="A gateway (ours, baseline); repeat it.")] = None,
    checkout: Checkout = ROOT,
    baseline: Baseline = None,
    json: Json = None,
) -> None:
    """The router beside other federation gateways, over the same four subgraphs: CPU and subgraph requests."""
    with _told():
        missing = federation.is_missing()
        if missing:
            raise LookupError(missing)
        pin_load()
        checkouts = named_checkouts(checkout, baseline)
        results = federation.compare(federation.Plan(rounds, warm, requests), checkouts, only or ())
        text = report.markdown(federation.tables(results))
        _tell(Output(None, json, checkout), text, federation.as_json(results))


if __name__ == "__main__":
    app()
