"""The measurements run: every server gives the same data, and every figure is there; no time is judged."""

import dataclasses
from collections.abc import Iterator

import pytest
from pymongo import MongoClient

from bench import agencies, composers, executor, federation, growth, live, memory, publishing
from bench.agreement import Disagreement
from bench.dataset import ROOT, Dataset
from bench.executor import Plan
from bench.operations import OPERATIONS, WITH_BARE
from bench.targets import PEERS, REST, Target, find_missing_node, name_checkouts, ours

pytestmark = pytest.mark.timeout(300)

COMPLAINTS = 2000
PYTHON = [peer for peer in PEERS if peer.words[0] != "node"]
NODE = [peer for peer in PEERS if peer.words[0] == "node"]


@pytest.fixture(scope="module")
def dataset(mongodb_uri: str) -> Iterator[Dataset]:
    seeded = Dataset(mongodb_uri, COMPLAINTS)
    seeded.seed()
    yield seeded
    seeded.close()
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        client.drop_database(seeded.name)


def measured(dataset: Dataset, targets: list[Target]) -> executor.Results:
    plan = Plan(list(WITH_BARE.values()), targets, rounds=1, seconds=0.05, writes=4, connections=2)
    results = executor.compare(dataset, plan)
    print(*executor.make_tables(plan, results))  # noqa: T201 - shown with -s, never judged
    return results


def test_every_python_server_gives_the_same_data_and_gets_its_figures(dataset: Dataset) -> None:
    targets = [ours(ROOT), *PYTHON]
    results = measured(dataset, targets)
    assert results.keys() == {(name, target.name) for name in WITH_BARE for target in targets}
    for result in results.values():
        assert [cost.requests > 0 and cost.per_second > 0 and cost.failed == 0 for cost in result.rounds] == [True]


def test_every_node_server_gives_the_same_data(dataset: Dataset) -> None:
    missing = find_missing_node()
    if missing:
        pytest.skip(missing)
    assert len(measured(dataset, [REST, *NODE])) == len(WITH_BARE) * (1 + len(NODE))


def test_a_server_that_answers_otherwise_ends_the_run(dataset: Dataset) -> None:
    """The other server's document asks for something else under the name of the revision."""
    operation = OPERATIONS["Q3"]
    document = operation.document.replace("revision", "revision: escalationLevel")
    plan = Plan([dataclasses.replace(operation, document=document)], [REST, PYTHON[0]], 1, seconds=0.05, writes=1)
    with pytest.raises(Disagreement, match=r"stock differs from rest: Q3\.0\.complaints\.nodes\.0\.revision"):
        executor.compare(dataset, plan)


def test_growth_and_memory_get_their_figures(dataset: Dataset) -> None:
    points = growth.compare([dataset], ours(ROOT), rounds=1, seconds=0.05)
    assert all(point.p50_ms > 0 for [point] in points.values())
    assert growth.compute_growth(points, "Q2", COMPLAINTS, COMPLAINTS) == 1
    samples = memory.measure_memory(dataset, ours(ROOT), requests=2 * memory.SAMPLES)
    assert [sample.requests for sample in samples] == list(range(0, 2 * memory.SAMPLES + 1, 2))
    assert all(10 < sample.resident_mib < 1000 for sample in samples)


def test_every_change_reaches_its_subscribers(dataset: Dataset) -> None:
    result = live.measure(dataset, ours(ROOT), live.Plan(subscribers=20, per_second=20, seconds=1))
    assert (result.changes, result.lost, result.closed) == (20, 0, 0)
    assert result.expected >= 20
    assert 0 < result.p50_ms <= result.p99_ms
    assert result.resident_mib > 10


def test_agencies_subgraphs_are_measured_beside_other_gateways(dataset: Dataset) -> None:
    missing = federation.find_missing()
    if missing:
        pytest.skip(missing)
    results = agencies.measure_all(dataset, ours(ROOT), rounds=1, seconds=0.05)
    assert {name for name, _ in results.national} == set(agencies.NATIONAL)
    assert ("one", "apollo-gateway") in results.crossing
    assert {what for _, what in results.hung} == {"answers", "hangs"}
    assert len(agencies.make_tables(results)) == 3


def test_the_router_is_measured_beside_its_baseline() -> None:
    missing = federation.find_missing()
    if missing:
        pytest.skip(missing)
    checkouts = name_checkouts(ROOT, ROOT)
    results = federation.compare(federation.Plan(rounds=1, warm=1, requests=2), checkouts, ["ours", "baseline"])
    assert results.keys() == {(name, target) for name in federation.OPERATIONS for target in ("ours", "baseline")}
    for result in results.values():
        assert [(cost.requests, cost.failed) for cost in result.measured.rounds] == [(2, 0)]
    with pytest.raises(LookupError, match="There is no gateway theirs: choose from ours, apollo-gateway, "):
        federation.choose(["theirs"], federation.list_gateways(ROOT, {"ours": ROOT}))


def test_no_server_under_measurement_does_upkeep(dataset: Dataset) -> None:
    assert all(
        target.make_command(dataset).environment["SATUGRAF_WORKER"] == "false" for target in [ours(ROOT), *PEERS]
    )


def test_a_version_more_is_measured(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "FREED_SECONDS", 0.1)
    result = publishing.measure(dataset, ours(ROOT), agencies=5, rounds=1)
    publishing.forget_subgraphs(dataset)
    assert len(result.checks) == len(result.exchanges) == 1
    assert result.exchange_ms
    assert result.idle_ms
    assert result.freeing_ms


def test_other_composers_take_the_national_graph_and_an_agencys() -> None:
    missing = federation.find_missing()
    if missing:
        pytest.skip(missing)
    do_compose, words = composers.check_composers()
    assert do_compose, words
    assert words.count(": composes") == 2
    assert 'Fetch(service: "kab-badung")' in words
