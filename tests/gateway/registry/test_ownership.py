"""What an agency's subgraph may say of the national graph, rule by rule."""

import pytest

from gateway.federation.subgraph import SubgraphSchema, parse_subgraph
from gateway.registry.ownership import find_violations
from gateway.registry.prefixes import Prefix, PrefixIndex, assign_prefixes
from resolvers.store.register import agencies

NATIONAL = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Query { complaint(id: ID!): Complaint }
interface Node { id: ID! }
interface LocalCase { id: ID! number: String unit: String url: String }
enum Status { OPEN CLOSED }
input Filter { open: Boolean }
union Found = Complaint | Agency
type Place { text: String }
type Complaint implements Node @key(fields: "id") {
  id: ID! title: String! status: Status! receivedAt: String! place: Place holder: Agency
}
type Agency @key(fields: "id") { id: ID! code: String name: String! }
"""
LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", '
    '"@shareable", "@override", "@provides", "@inaccessible", "@interfaceObject", "@authenticated", '
    '"@tag"])\n'
)
BADUNG = Prefix("kabBadung")
LOCAL_CASE = "interface LocalCase { id: ID! number: String unit: String url: String }\n"


def read(sdl: str) -> SubgraphSchema:
    parsed = parse_subgraph("x", "http://x", sdl)
    assert parsed.schema is not None, parsed.errors
    return parsed.schema


def broken(sdl: str, prefix: Prefix = BADUNG, *, link: str = LINK) -> set[str]:
    return {row.rule for row in find_violations(read(link + sdl), read(NATIONAL), prefix)}


@pytest.mark.parametrize(
    "sdl",
    [
        'type Complaint @key(fields: "id") { id: ID! kabBadungSurvey: String }',
        'extend type Complaint @key(fields: "id") { id: ID! @external kabBadungSurvey(first: Int = 5): [String!] }',
        'type Complaint @key(fields: "id") { id: ID! status: Status! @external '
        'kabBadungLate: Boolean @requires(fields: "status") } enum Status { OPEN CLOSED }',
        'type Agency @key(fields: "id", resolvable: false) { id: ID! }\n'
        "type KabBadungVisit { agency: Agency by: String } type Query { kabBadungVisits: [KabBadungVisit!] }",
        LOCAL_CASE + 'type KabBadungLocalCase implements LocalCase @key(fields: "id") '
        "{ id: ID! number: String unit: String url: String kabBadungExtra: Int visits: [Int!] }",
        "scalar KabBadungDate enum KabBadungKind { A B } input KabBadungFilter { kind: KabBadungKind } "
        "type Query { kabBadungList(filter: KabBadungFilter): [KabBadungDate] }",
        "type Mutation { kabBadungPlan(day: String!): Boolean } type Query { kabBadung: Int }",
    ],
)
def test_what_an_agency_adds_under_its_prefix_is_its_own(sdl: str) -> None:
    assert broken(sdl) == set()


@pytest.mark.parametrize(
    ("sdl", "rule"),
    [
        ('type Complaint @key(fields: "id") { id: ID! survey: String }', "field-prefix"),
        ('type Complaint @key(fields: "id") { id: ID! kabBadungish: String }', "field-prefix"),
        ('type Complaint @key(fields: "id") { id: ID! title: String! }', "national-field"),
        ('type Complaint @key(fields: "id") { id: ID! title: String! @external }', "external-allowed"),
        ('type Complaint @key(fields: "id") { id: ID! title: String! @shareable }', "national-directive"),
        ('type Complaint @key(fields: "id") { id: ID! title: String! @override(from: "national") }', "national-field"),
        ('type Complaint @key(fields: "id") { id: ID! @inaccessible kabBadungX: Int }', "national-directive"),
        ('type Complaint @key(fields: "id") @inaccessible { id: ID! kabBadungX: Int }', "national-directive"),
        ('type Complaint @key(fields: "id") @authenticated { id: ID! kabBadungX: Int }', "national-directive"),
        ('type Complaint @key(fields: "id") @tag(name: "x") { id: ID! kabBadungX: Int }', "national-directive"),
        ('"Ours." type Complaint @key(fields: "id") { id: ID! kabBadungX: Int }', "national-description"),
        ('type Complaint @key(fields: "kabBadungNo") { kabBadungNo: ID! }', "national-key"),
        ('type Complaint @key(fields: "id") @key(fields: "kabBadungNo") { id: ID! kabBadungNo: ID! }', "national-key"),
        ("type Complaint { kabBadungX: Int }", "national-key"),
        (LOCAL_CASE + 'type Complaint implements LocalCase @key(fields: "id") '
         "{ id: ID! number: String unit: String url: String }", "national-interface"),
        ('type Complaint @key(fields: "id") { id: ID! kabBadungX: Int @override(from: "b") }', "no-override"),
        ('type Complaint @key(fields: "id") { id: ID! status: String @external } '
         'type Query { kabBadungX: Complaint @provides(fields: "status") }', "no-provides"),
        ("type Visit { by: String } type Query { kabBadungVisit: Visit }", "type-prefix"),
        ("type kabBadungVisit { by: String } type Query { kabBadungVisit: kabBadungVisit }", "type-prefix"),
        ("type Query { visits: Int }", "root-prefix"),
        ("type Mutation { submitComplaint: Int } type Query { kabBadungX: Int }", "root-prefix"),
        ("schema { query: Q } type Q { visits: Int }", "root-prefix"),
        ("enum Status { OPEN CLOSED STUCK } type Query { kabBadungX: Status }", "same-enum"),
        ("enum Status { OPEN } type Query { kabBadungX(status: Status): Int }", "same-enum"),
        ("enum Status { OPEN @inaccessible CLOSED } type Query { kabBadungX: Status }", "national-directive"),
        ("input Filter { open: Boolean kabBadungX: Int } type Query { kabBadungX(f: Filter): Int }", "national-type"),
        ("type KabBadungX { a: Int } union Found = KabBadungX type Query { kabBadungX: Found }", "national-type"),
        ('type Complaint @key(fields: "id") { id: ID! } union KabBadungAny = Complaint '
         "type Query { kabBadungX: KabBadungAny }", "national-member"),
        ("type Place @shareable { text: String kabBadungX: Int } type Query { kabBadungX: Place }", "national-type"),
        ("interface Node { id: ID! kabBadungX: Int } type Query { kabBadungX: Node }", "national-type"),
        ('type Node @key(fields: "id") @interfaceObject { id: ID! kabBadungX: Int }', "same-kind"),
        ('interface Node { id: ID! } type KabBadungX implements Node @key(fields: "id") { id: ID! }',
         "national-interface"),
        ("interface LocalCase { id: ID! number: String unit: String url: String kabBadungX: Int } "
         "type Query { kabBadungX: LocalCase }", "same-interface"),
        ("interface LocalCase { id: ID! number: String! unit: String url: String } "
         "type Query { kabBadungX: LocalCase }", "same-interface"),
        (LOCAL_CASE + 'type KabBadungCase implements LocalCase @key(fields: "id") '
         "{ id: ID! number: String unit: String url: String }", "local-case"),
        (LOCAL_CASE + "type KabBadungLocalCase implements LocalCase "
         "{ id: ID! number: String unit: String url: String }", "local-case"),
        (LOCAL_CASE + 'type KabBadungLocalCase implements LocalCase @key(fields: "id", resolvable: false) '
         "{ id: ID! number: String unit: String url: String }", "local-case"),
    ],
)  # fmt: skip
def test_what_is_not_an_agencys_is_refused(sdl: str, rule: str) -> None:
    assert rule in broken(sdl)


def test_renaming_a_directive_hides_nothing() -> None:
    link = (
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", '
        'import: ["@key", {name: "@shareable", as: "@ours"}])\n'
    )
    sdl = 'type Complaint @key(fields: "id") { id: ID! title: String! @ours }'
    assert broken(sdl, link=link) == {"national-field", "national-directive"}


def test_a_schema_without_the_link_is_refused() -> None:
    assert "federation-2" in broken('extend type Complaint @key(fields: "id") { id: ID! kabBadungX: Int }', link="")


def test_a_directive_for_everyones_graph_is_refused() -> None:
    link = (
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@composeDirective"]) '
        '@link(url: "https://badung.go.id/x/v1.0", import: ["@x"]) @composeDirective(name: "@x")\n'
        "directive @x on FIELD_DEFINITION\n"
    )
    assert broken("type Query { kabBadungX: Int @x }", link=link) == {"no-composed-directives"}


def test_a_longer_prefix_of_another_agency_is_not_owned() -> None:
    bangka = assign_prefixes(["kab-bangka", "kab-bangka-barat", "kota-bangkalan"])["kab-bangka"]
    assert bangka == Prefix("kabBangka", ("kabBangkaBarat",))
    owners = PrefixIndex.of([bangka, Prefix("kpi")])
    assert owners.owns_field("kabBangkaVisits")
    assert owners.owns_field("kabBangka")
    assert owners.owns_type("KpiLocalCase")
    for name in ("kabBangkaBaratVisits", "kabBangkalan", "kabBang", "kpisVisits", "KabBangka", ""):
        assert not owners.owns_field(name)
    assert not owners.owns_type("kpiVisits")
    assert broken("type Query { kabBangkaVisits: Int }", bangka) == set()
    assert broken("type Query { kabBangkaBaratVisits: Int }", bangka) == {"root-prefix"}
    assert broken("type KabBangkaBaratX { a: Int } type Query { kabBangkaX: KabBangkaBaratX }", bangka) == {
        "type-prefix"
    }


def test_every_agency_has_a_prefix_of_its_own_and_none_has_a_national_name() -> None:
    ids = [row["_id"] for row in agencies()]
    own_prefixes = assign_prefixes(ids)
    assert len({prefix.field for prefix in own_prefixes.values()}) == len(ids)
    for agency_id in ("kab-bangka", "kemenpanrb", "kota-semarang"):
        own = own_prefixes[agency_id]
        claimants = [other for other, prefix in own_prefixes.items() if prefix.owns_field(f"{own.field}Visits")]
        assert claimants == [agency_id]
        assert [other for other, prefix in own_prefixes.items() if prefix.owns_type(f"{own.type}LocalCase")] == [
            agency_id
        ]


@pytest.mark.parametrize(
    "sdl",
    [
        'type Complaint @key(fields: "id") { id: ID! kabBadungSurvey: Int! }',
        "type Query { kabBadungVisits: [Int!]! }",
    ],
)
def test_a_field_whose_failure_would_take_national_data_along_is_refused(sdl: str) -> None:
    assert broken(sdl) == {"nullable"}
