"""What publishing would do, and the proof that the national graph stays as it is."""

import asyncio
import multiprocessing
import signal

import pytest

from gateway.federation.composition import SubgraphSource
from gateway.federation.subgraph import SubgraphSchema
from gateway.registry import check as checking
from gateway.registry.check import Checker, PublishedSubgraph, add_local_cases, find_local_case
from gateway.registry.composer import ComposerProcess
from gateway.registry.prefixes import Prefix
from resolvers.request.composer import PublishedGraph

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires"])\n'
)
NATIONAL = SubgraphSource(
    "national",
    "http://national",
    LINK.replace(', "@external"', "")
    + """
type Query { complaint(id: ID!): Complaint }
interface LocalCase { id: ID! number: String unit: String url: String }
enum Status { OPEN CLOSED }
type Complaint @key(fields: "id") { id: ID! status: Status! localCase: LocalCase }
""",
)
CASE = """
interface LocalCase { id: ID! number: String unit: String url: String }
type %sLocalCase implements LocalCase @key(fields: "id") { id: ID! number: String unit: String url: String }
"""
SURVEY = 'type Complaint @key(fields: "id") { id: ID! %sSurvey: Int }\n'


def badung(sdl: str) -> PublishedSubgraph:
    return PublishedSubgraph(
        SubgraphSource("kab-badung", "https://api.badungkab.go.id/", LINK + sdl), Prefix("kabBadung")
    )


def semarang(sdl: str) -> PublishedSubgraph:
    return PublishedSubgraph(
        SubgraphSource("kota-semarang", "https://api.semarang.go.id/", LINK + sdl), Prefix("kotaSemarang")
    )


def test_an_agency_adds_its_fields_and_its_kind_of_local_case() -> None:
    done = Checker().check(
        NATIONAL, [semarang(CASE % "KotaSemarang")], badung(SURVEY % "kabBadung" + CASE % "KabBadung")
    )
    assert done.ok
    assert not done.findings
    assert "kabBadungSurvey: Int" in done.api_schema
    assert "type KabBadungLocalCase implements LocalCase" in done.api_schema
    assert "join__Graph" in done.supergraph_sdl


def test_a_new_version_takes_the_place_of_the_old_one() -> None:
    before = badung(SURVEY % "kabBadung")
    standing = PublishedGraph(Checker().check(NATIONAL, [before], None).api_schema)
    done = Checker().check(NATIONAL, [before], badung("type Query { kabBadungVisits: Int }"), standing)
    assert done.ok
    assert "kabBadungSurvey" not in done.api_schema
    assert [(row.kind, row.code) for row in done.findings] == [("BREAKING", "FIELD_REMOVED")]
    assert "Complaint.kabBadungSurvey" in done.findings[0].message


def test_a_broken_rule_is_found_before_anything_is_composed() -> None:
    done = Checker().check(NATIONAL, [], badung("type Query { visits: Int }"))
    assert not done.ok
    assert [(row.kind, row.code, row.coordinate) for row in done.findings] == [("RULE", "root-prefix", "Query.visits")]


def test_what_does_not_compose_is_said_in_compositions_words() -> None:
    done = Checker().check(
        NATIONAL, [], badung('type Query { kabBadungX: KabBadungX } type KabBadungX @key(fields: "no") { id: ID! }')
    )
    assert [(row.kind, row.code) for row in done.findings] == [("COMPOSITION", "KEY_INVALID_FIELDS")]
    assert [row.code for row in Checker().check(NATIONAL, [], badung("type Query {")).findings] == ["INVALID_GRAPHQL"]


@pytest.mark.parametrize(
    "sdl",
    [
        "type Query { visits: Int }",
        "type Visit { a: Int } type Query { kabBadungVisit: Visit }",
        'type Complaint @key(fields: "id") { id: ID! visits: Int }',
        "enum Status { OPEN CLOSED STUCK } type Query { kabBadungX: Status }",
    ],
)
def test_the_proof_holds_without_the_rules(sdl: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(own: SubgraphSchema, national: SubgraphSchema, prefix: Prefix) -> list[object]:
        return []

    monkeypatch.setattr(checking, "find_violations", none)
    done = Checker().check(NATIONAL, [], badung(sdl))
    assert not done.ok
    assert [row.code for row in done.findings if row.kind == "RULE"] == ["national-graph-unchanged"]


def test_a_national_field_that_another_answers_is_found_without_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "find_violations", lambda own, national, prefix: [])
    link = LINK.replace('"@key"', '"@key", "@override"')
    sdl = 'type Complaint @key(fields: "id") { id: ID! status: Status! @override(from: "national") }'
    taking = badung("")._replace(
        source=SubgraphSource("kab-badung", "https://a/", link + sdl + " enum Status { OPEN CLOSED }")
    )
    done = Checker().check(NATIONAL, [], taking)
    assert not done.ok
    assert "Others would be asked for national fields: Complaint.status." in {row.message for row in done.findings}


def test_an_agency_whose_name_begins_a_national_one_publishes_as_others_do() -> None:
    """The broadcasting commission, `kpi`, was refused whatever it published: KpiId was taken for its own."""
    national = NATIONAL._replace(sdl=NATIONAL.sdl + "enum KpiId { CSAT } extend type Query { kpi(id: KpiId!): Int }")
    kpi = PublishedSubgraph(SubgraphSource("kpi", "https://api.kpi.go.id/", LINK + SURVEY % "kpi"), Prefix("kpi"))
    assert Checker().check(national, [], kpi).ok
    assert Checker().check(national, [kpi], badung(SURVEY % "kabBadung")).ok
    wider = kpi._replace(source=kpi.source._replace(sdl=LINK + "enum KpiId { CSAT MORE } type Query { kpiX: KpiId }"))
    assert [row.code for row in Checker().check(national, [], wider).findings] == ["same-enum"]


WORST = "type Query { kabBadungWorst: Complaint } "
NEEDING = """enum Status { OPEN CLOSED }
type Complaint @key(fields: "id") { id: ID! status: Status! @external kabBadungSurvey: Int @requires(fields: "status") }
"""


def test_what_the_hottest_operations_cost_is_told_before_and_after() -> None:
    checker = Checker()
    standing = checker.check(NATIONAL, [], badung(WORST + SURVEY % "kabBadung"))
    uses = {
        "{kabBadungWorst{kabBadungSurvey}}": 7,
        '{complaint(id:""){status kabBadungSurvey}}': 9,
        "{kabBadungWorst{kabBadungGone}}": 1,
    }
    before = PublishedGraph(standing.api_schema, standing.supergraph_sdl, uses)
    expected = [
        (
            '{complaint(id:""){status kabBadungSurvey}}',
            9,
            (2, ("kab-badung", "national")),
            (2, ("kab-badung", "national")),
        ),
        ("{kabBadungWorst{kabBadungSurvey}}", 7, (1, ("kab-badung",)), (3, ("kab-badung", "national"))),
        ("{kabBadungWorst{kabBadungGone}}", 1, None, None),
    ]
    for each in (checker, Checker()):
        done = each.check(NATIONAL, [badung(WORST + SURVEY % "kabBadung")], badung(WORST + NEEDING), before)
        assert done.ok, done.findings
        assert list(done.plans) == expected
    first = Checker().check(NATIONAL, [], badung(WORST + NEEDING), PublishedGraph(uses={"{kabBadungWorst{id}}": 1}))
    assert list(first.plans) == [("{kabBadungWorst{id}}", 1, None, (1, ("kab-badung",)))]


def test_the_national_graph_names_each_agencys_local_case_by_id_alone() -> None:
    published = [semarang(CASE % "KotaSemarang"), badung(SURVEY % "kabBadung")]
    assert [find_local_case(row) for row in published] == ["KotaSemarangLocalCase", None]
    stubbed = add_local_cases(NATIONAL, published).sdl
    assert stubbed.count("resolvable: false") == 1
    assert "type KotaSemarangLocalCase implements LocalCase" in stubbed


async def test_composition_runs_in_a_child_and_one_that_takes_too_long_is_refused() -> None:
    composer = ComposerProcess()
    try:
        assert (await composer.check(NATIONAL, [], badung(SURVEY % "kabBadung"))).ok
        composer.deadline_seconds = 0.001
        done = await composer.check(NATIONAL, [], badung(SURVEY % "kabBadung"))
        assert [row.code for row in done.findings] == ["TOO_COMPLEX"]
        composer.deadline_seconds = 30
        assert (await composer.check(NATIONAL, [], badung(SURVEY % "kabBadung"))).ok
    finally:
        composer.close()


async def test_whoever_stops_waiting_leaves_no_composition_running_for_ever() -> None:
    composer = ComposerProcess()
    try:
        assert (await composer.check(NATIONAL, [], badung(SURVEY % "kabBadung"))).ok
        [child] = multiprocessing.active_children()
        composer.deadline_seconds = 0.001
        asking = asyncio.create_task(composer.check(NATIONAL, [], badung(SURVEY % "kabBadung")))
        for _ in range(2):
            await asyncio.sleep(0)
        asking.cancel()
        composer.deadline_seconds = 30
        # The next one waits for the one before, and gets a child of its own.
        assert (await composer.check(NATIONAL, [], badung(SURVEY % "kabBadung"))).ok
        assert asking.cancelled()
        child.join(5)
        assert child.exitcode == -signal.SIGKILL
    finally:
        composer.close()
