"""What publishing would do, and the proof that the national graph stays as it is."""

import pytest

from gateway.federation.composition import SubgraphSource
from gateway.federation.subgraph import SubgraphSchema
from gateway.registry import check as checking
from gateway.registry.check import Published, breaking_changes, check, local_case, with_local_cases
from gateway.registry.composer import Composer
from gateway.registry.ownership import Prefix

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


def badung(sdl: str) -> Published:
    return Published(SubgraphSource("kab-badung", "https://api.badungkab.go.id/", LINK + sdl), Prefix("kabBadung"))


def semarang(sdl: str) -> Published:
    return Published(SubgraphSource("kota-semarang", "https://api.semarang.go.id/", LINK + sdl), Prefix("kotaSemarang"))


def test_an_agency_adds_its_fields_and_its_kind_of_local_case() -> None:
    done = check(NATIONAL, [semarang(CASE % "KotaSemarang")], badung(SURVEY % "kabBadung" + CASE % "KabBadung"))
    assert done.ok
    assert not done.findings
    assert "kabBadungSurvey: Int" in done.api_schema
    assert "type KabBadungLocalCase implements LocalCase" in done.api_schema
    assert "join__Graph" in done.supergraph_sdl


def test_a_new_version_takes_the_place_of_the_old_one() -> None:
    before = badung(SURVEY % "kabBadung")
    done = check(NATIONAL, [before], badung("type Query { kabBadungVisits: Int }"))
    assert done.ok
    assert "kabBadungSurvey" not in done.api_schema
    lost = breaking_changes(check(NATIONAL, [before], None).api_schema, done.api_schema)
    assert [(row.kind, row.code) for row in lost] == [("BREAKING", "FIELD_REMOVED")]
    assert "Complaint.kabBadungSurvey" in lost[0].message


def test_a_broken_rule_is_found_before_anything_is_composed() -> None:
    done = check(NATIONAL, [], badung("type Query { visits: Int }"))
    assert not done.ok
    assert [(row.kind, row.code, row.coordinate) for row in done.findings] == [("RULE", "root-prefix", "Query.visits")]


def test_what_does_not_compose_is_said_in_compositions_words() -> None:
    done = check(
        NATIONAL, [], badung('type Query { kabBadungX: KabBadungX } type KabBadungX @key(fields: "no") { id: ID! }')
    )
    assert [(row.kind, row.code) for row in done.findings] == [("COMPOSITION", "KEY_INVALID_FIELDS")]
    assert [row.code for row in check(NATIONAL, [], badung("type Query {")).findings] == ["INVALID_GRAPHQL"]


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

    monkeypatch.setattr(checking, "violations", none)
    done = check(NATIONAL, [], badung(sdl))
    assert not done.ok
    assert [row.code for row in done.findings if row.kind == "RULE"] == ["national-graph-unchanged"]


def test_the_national_graph_names_each_agencys_local_case_by_id_alone() -> None:
    published = [semarang(CASE % "KotaSemarang"), badung(SURVEY % "kabBadung")]
    assert [local_case(row) for row in published] == ["KotaSemarangLocalCase", None]
    stubbed = with_local_cases(NATIONAL, published).sdl
    assert stubbed.count("resolvable: false") == 1
    assert "type KotaSemarangLocalCase implements LocalCase" in stubbed


async def test_composition_runs_in_a_child_and_one_that_takes_too_long_is_refused() -> None:
    composer = Composer()
    try:
        assert (await composer.check(NATIONAL, [], badung(SURVEY % "kabBadung"))).ok
        composer.deadline_seconds = 0.001
        done = await composer.check(NATIONAL, [], badung(SURVEY % "kabBadung"))
        assert [row.code for row in done.findings] == ["TOO_COMPLEX"]
        composer.deadline_seconds = 30
        assert (await composer.check(NATIONAL, [], badung(SURVEY % "kabBadung"))).ok
    finally:
        composer.close()
