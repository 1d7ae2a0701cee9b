"""`python -m bench`: the measurements, as commands."""

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import typer

from bench import agencies, composers, executor, federation, growth, live, memory, progress, publishing, report
from bench.agreement import Disagreement
from bench.dataset import ROOT, Dataset, run_database
from bench.executor import Failed, Plan
from bench.process import NotServing, pin_load
from bench.targets import PEERS, find_missing_node, name_checkouts, ours
from gateway.mongod import MongodUnavailable

app = typer.Typer(
    name="bench", help="Measure what requests cost.", no_args_is_help=True, pretty_exceptions_enable=False
)

FOLDER: Final = ROOT / ".satugraf" / "bench"
FEWEST: Final = 2000

Complaints = Annotated[
    int, typer.Option(help="Number of synthetic complaints in the database.", min=FEWEST, max=5_000_000)
]
Checkout = Annotated[Path, typer.Option(help="Checkout to measure.", exists=True)]
Baseline = Annotated[
    Path | None,
    typer.Option(help="Another checkout, for example of an older commit, measured in the same rounds.", exists=True),
]
Json = Annotated[Path | None, typer.Option("--json", help="Also write every round to this file.")]
Record = Annotated[bool, typer.Option("--record", help="Record the tables in bench/README.md.")]
Data = Annotated[Path, typer.Option(help="Folder of the private mongod. Seeded data stay there.")]


@contextmanager
def _report_failures() -> Iterator[None]:
    """Ends the command with a message and exit code 1 for expected failures. SIGTERM also ends the servers."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    except (Disagreement, Failed, LookupError, MongodUnavailable, NotServing, ConnectionError) as failure:
        progress.STDERR.print(str(failure), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


@contextmanager
def _run_seeded(data: Path, complaints: int) -> Iterator[Dataset]:
    with run_database(data) as uri:
        dataset = Dataset(uri, complaints)
        dataset.seed()
        try:
            yield dataset
        finally:
            dataset.close()


class Output(NamedTuple):
    """Where the figures are written besides standard output."""

    section: str | None
    """Section of the README; None records nothing."""
    json: Path | None
    checkout: Path


_FILES: Final = {"--json", "--data", "--checkout", "--baseline"}


def _write_output(output: Output, text: str, content: dict[str, Any]) -> None:
    found = report.collect_circumstances(output.checkout) | {"command": _format_command()}
    print(text)
    if output.json:
        report.write_json(output.json, found | content)
    if output.section:
        report.record_tables(output.section, text, found)


def _format_command() -> str:
    """Returns the command line without paths of this machine and without --record."""
    typed = [word for word in sys.argv[1:] if word != "--record"]
    kept = (word for before, word in zip(["", *typed], typed, strict=False) if not {before, word} & _FILES)
    return " ".join(["python -m bench", *kept])


@app.command("executor")
def executor_command(
    complaints: Complaints = 200_000,
    rounds: Annotated[int, typer.Option(help="Interleaved rounds; the median counts.", min=1)] = 3,
    seconds: Annotated[float, typer.Option(help="Seconds of one run of reads.", min=0.1)] = 4,
    writes: Annotated[int, typer.Option(help="Follow-ups that one run of Q5 adds.", min=1)] = 1500,
    only: Annotated[
        list[str] | None, typer.Option(help="Measure only this operation (Q1) or target (rest). Repeatable.")
    ] = None,
    checkout: Checkout = ROOT,
    baseline: Baseline = None,
    json: Json = None,
    record: Record = False,
    data: Data = FOLDER,
) -> None:
    """Measure ours, stock Strawberry, hand-written REST and Node servers: CPU per request, pace, ratios and goals."""
    with _report_failures():
        missing = find_missing_node()
        if missing:
            progress.STDERR.print(f"Without the Node peers: {missing}.", style="yellow")
        targets = [ours(folder, name) for name, folder in name_checkouts(checkout, baseline).items()]
        targets += [peer for peer in PEERS if not missing or peer.words[0] != "node"]
        operations, targets = executor.choose_targets(only or [], targets)
        plan = Plan(operations, targets, rounds, seconds, writes)
        pin_load()
        with _run_seeded(data, complaints) as dataset:
            results = executor.compare(dataset, plan)
        text = report.render_markdown(executor.make_tables(plan, results), executor.judge_goals(results))
        _write_output(
            Output("executor" if record else None, json, checkout), text, executor.results_to_json(plan, results)
        )
        failed = executor.describe_failures(results)
        if failed:
            raise Failed(f"Not answered right: {failed}.")


def _parse_sizes(text: str) -> list[int]:
    if not all(word.isdecimal() and int(word) >= FEWEST for word in text.split(",")):
        raise LookupError(f"--sizes takes numbers of at least {FEWEST}, separated by commas: 20000,200000.")
    return [int(word) for word in text.split(",")]


@app.command("growth")
def growth_command(
    sizes: Annotated[str, typer.Option(help="Numbers of complaints, separated by commas.")] = "20000,200000,1000000",
    rounds: Annotated[int, typer.Option(help="Interleaved rounds; the median counts.", min=1)] = 3,
    seconds: Annotated[float, typer.Option(help="Seconds of one run.", min=0.1)] = 2,
    checkout: Checkout = ROOT,
    json: Json = None,
    record: Record = False,
    data: Data = FOLDER,
) -> None:
    """Measure what more complaints cost: pages, deep pages, the register, counts."""
    with _report_failures(), ExitStack() as stack:
        pin_load()
        uri = stack.enter_context(run_database(data))
        datasets = [Dataset(uri, size) for size in _parse_sizes(sizes)]
        for dataset in datasets:
            dataset.seed()
            stack.callback(dataset.close)
        results = growth.compare(datasets, ours(checkout), rounds, seconds)
        text = report.render_markdown(growth.make_tables(results))
        _write_output(Output("growth" if record else None, json, checkout), text, growth.results_to_json(results))


@app.command("memory")
def memory_command(
    requests: Annotated[int, typer.Option(help="Number of mixed requests.", min=100)] = 100_000,
    complaints: Complaints = 200_000,
    checkout: Checkout = ROOT,
    json: Json = None,
    record: Record = False,
    data: Data = FOLDER,
) -> None:
    """Measure whether the memory of one process stays flat under many mixed requests."""
    with _report_failures():
        pin_load()
        with _run_seeded(data, complaints) as dataset:
            samples = memory.measure_memory(dataset, ours(checkout), requests)
        text = report.render_markdown(memory.make_tables(samples))
        _write_output(Output("memory" if record else None, json, checkout), text, memory.samples_to_json(samples))


@app.command("live")
def live_command(
    subscribers: Annotated[int, typer.Option(help="Number of websockets, each with one subscription.", min=2)] = 1000,
    per_second: Annotated[float, typer.Option(help="Changes per second.", min=0.1)] = 50,
    seconds: Annotated[float, typer.Option(help="Seconds during which changes are written.", min=0.1)] = 60,
    complaints: Complaints = 20_000,
    checkout: Checkout = ROOT,
    json: Json = None,
    record: Record = False,
    data: Data = FOLDER,
) -> None:
    """Measure how fast changes reach the subscribers of one process, and how many are lost."""
    with _report_failures():
        pin_load()
        with _run_seeded(data, complaints) as dataset:
            result = live.measure(dataset, ours(checkout), live.Plan(subscribers, per_second, seconds))
        text = report.render_markdown(live.make_tables(result))
        _write_output(Output("live" if record else None, json, checkout), text, live.result_to_json(result))
        if result.lost:
            raise Failed(f"{result.lost} results were lost.")


@app.command("composers")
def composers_command() -> None:
    """Compose the national and the example agency's graph in other composers, and print Apollo's plan over both."""
    with _report_failures():
        missing = federation.find_missing()
        if missing:
            raise LookupError(missing)
        do_compose, words = composers.check_composers()
        print(words)
        if not do_compose:
            raise Failed("Some composer rejects them.")


@app.command("agencies")
def agencies_command(
    complaints: Complaints = 20_000,
    rounds: Annotated[int, typer.Option(help="Interleaved rounds; the median counts.", min=1)] = 3,
    seconds: Annotated[float, typer.Option(help="Seconds of one run.", min=0.1)] = 4,
    checkout: Checkout = ROOT,
    json: Json = None,
    record: Record = False,
    data: Data = FOLDER,
) -> None:
    """Measure national fields with and without agencies, fields of both graphs, and an agency that hangs."""
    with _report_failures():
        missing = federation.find_missing()
        if missing:
            progress.STDERR.print(f"Without the other gateways: {missing}", style="yellow")
        pin_load()
        with _run_seeded(data, complaints) as dataset:
            results = agencies.measure_all(dataset, ours(checkout), rounds, seconds)
        text = report.render_markdown(agencies.make_tables(results))
        _write_output(Output("agencies" if record else None, json, checkout), text, agencies.results_to_json(results))


@app.command("publishing")
def publishing_command(
    agencies: Annotated[int, typer.Option(help="Number of agencies with a subgraph.", min=1, max=658)] = 658,
    rounds: Annotated[int, typer.Option(help="Versions of one agency that are checked and published.", min=1)] = 5,
    checkout: Checkout = ROOT,
    json: Json = None,
    record: Record = False,
    data: Data = FOLDER,
) -> None:
    """Measure a check and a publication among all agencies' subgraphs, and the delay of other requests."""
    with _report_failures():
        pin_load()
        with _run_seeded(data, FEWEST) as dataset:
            try:
                result = publishing.measure(dataset, ours(checkout), agencies, rounds)
            finally:
                publishing.forget_subgraphs(dataset)
        text = report.render_markdown(publishing.make_tables(result))
        _write_output(Output("publishing" if record else None, json, checkout), text, publishing.result_to_json(result))


@app.command("federation")
def federation_command(
    rounds: Annotated[int, typer.Option(help="Interleaved rounds; the median counts.", min=1)] = 3,
    warm: Annotated[int, typer.Option(help="Warm-up requests for each gateway and operation.")] = 6000,
    requests: Annotated[int, typer.Option(help="Requests in a run.", min=1)] = 3000,
    only: Annotated[
        list[str] | None, typer.Option(help="Measure only this gateway (ours, baseline). Repeatable.")
    ] = None,
    checkout: Checkout = ROOT,
    baseline: Baseline = None,
    json: Json = None,
) -> None:
    """Measure the router and other federation gateways over four subgraphs: CPU and number of subgraph requests."""
    with _report_failures():
        missing = federation.find_missing()
        if missing:
            raise LookupError(missing)
        pin_load()
        checkouts = name_checkouts(checkout, baseline)
        results = federation.compare(federation.Plan(rounds, warm, requests), checkouts, only or ())
        text = report.render_markdown(federation.make_tables(results))
        _write_output(Output(None, json, checkout), text, federation.results_to_json(results))


if __name__ == "__main__":
    app()
