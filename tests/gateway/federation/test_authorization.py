"""`@authenticated`, `@requiresScopes`, `@policy`: a denied field is null and no subgraph is asked for it."""

import asyncio
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse
from support.supergraphs import supergraph_of

from gateway.federation.authorization import ANONYMOUS, Claims, decide_policies, find_denied_fields, find_policies
from gateway.federation.composition import SubgraphSource, compose
from gateway.federation.engine import Engine
from gateway.federation.executor.subgraphs import Caller, SubgraphRequest
from gateway.federation.join import read_supergraph

CLINIC = """
scalar Secret
type Query @join__type(graph: A) @join__type(graph: B) {
  patient: Patient @join__field(graph: A)
  strict: Patient! @join__field(graph: A) @authenticated
  audit: Audit @join__field(graph: B)
}
type Audit @join__type(graph: B) @policy(policies: [["auditor"]]) { id: ID! }
type Patient @join__type(graph: A, key: "nik") @join__type(graph: B, key: "nik") {
  nik: ID! @authenticated
  name: String @join__field(graph: A)
  diagnosis: String @join__field(graph: A) @join__field(graph: B, external: true)
    @requiresScopes(scopes: [["read:health", "read:all"], ["doctor"]])
  therapy: String @join__field(graph: B, requires: "diagnosis")
  ward: String @join__field(graph: B)
}
"""
SUPERGRAPH = supergraph_of(CLINIC, "a", "b")
RENAMED = """schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/authenticated/v0.1", as: "known", for: SECURITY)
  @link(url: "https://specs.apollo.dev/policy/v0.1", import: [{ name: "@policy", as: "@ward" }], for: SECURITY)
{ query: Query }
directive @known on FIELD_DEFINITION
directive @ward(policies: [[policy__Policy!]!]!) on FIELD_DEFINITION
scalar policy__Policy
enum join__Graph { A @join__graph(name: "a", url: "http://a") }
type Query @join__type(graph: A) { open: Int secret: Int @known ward: Int @ward(policies: [["nurse"]]) }
"""
DOCTOR = Claims(authenticated=True, scopes=frozenset({"doctor"}))


class Hospital:
    """A subgraph that answers every request and records it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, subgraph: str, request: SubgraphRequest, caller: Caller) -> dict[str, Any]:
        self.asked.append(request.document)
        if subgraph == "a":
            row = {"nik": "51", "name": "Wayan", "diagnosis": "flu"}
            return {"data": {"patient": row, "strict": row}}
        return {"data": {"_entities": [{"therapy": "rest", "ward": "3"}], "audit": {"id": "1"}}}


def run(query: str, claims: Claims) -> tuple[dict[str, Any], list[str]]:
    hospital = Hospital()
    engine = Engine(SUPERGRAPH, hospital.ask)
    document = parse(query)
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    prepared = engine.prepare(document, operation, {}, claims)
    return asyncio.run(engine.execute(prepared, {}, {})), hospital.asked


def paths(answer: dict[str, Any]) -> list[list[str]]:
    assert all(error["extensions"] == {"code": "UNAUTHORIZED_FIELD_OR_TYPE"} for error in answer.get("errors", []))
    return [error["path"] for error in answer.get("errors", [])]


def test_who_may_have_everything_gets_it() -> None:
    answer, _ = run("{ patient { nik name diagnosis therapy } }", DOCTOR)
    assert answer == {"data": {"patient": {"nik": "51", "name": "Wayan", "diagnosis": "flu", "therapy": "rest"}}}


def test_what_is_denied_is_not_asked_for() -> None:
    answer, asked = run("{ patient { name diagnosis } }", ANONYMOUS)
    assert answer["data"] == {"patient": {"name": "Wayan", "diagnosis": None}}
    assert paths(answer) == [["patient", "diagnosis"]]
    assert not any("diagnosis" in document for document in asked)


def test_what_requires_the_denied_is_denied() -> None:
    answer, asked = run("{ patient { name t: therapy } }", Claims(authenticated=True))
    assert answer["data"] == {"patient": {"name": "Wayan", "t": None}}
    assert paths(answer) == [["patient", "t"]]
    assert len(asked) == 1


def test_a_key_that_is_fetched_for_us_is_not_shown_to_who_may_not_have_it() -> None:
    answer, _ = run("{ patient { ward name } }", ANONYMOUS)
    assert answer["data"] == {"patient": {"ward": "3", "name": "Wayan"}}
    answer, asked = run("{ patient { nik ward } }", ANONYMOUS)
    assert "nik" in asked[0]
    assert answer["data"] == {"patient": None}
    assert paths(answer) == [["patient", "nik"]]


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [(set(), False), ({"read:health"}, False), ({"read:health", "read:all"}, True), ({"doctor"}, True)],
)
def test_all_of_any_set_of_scopes(scopes: set[str], allowed: bool) -> None:
    denied = find_denied_fields(SUPERGRAPH, Claims(True, frozenset(scopes)))
    assert ("Patient.diagnosis" in denied) is not allowed
    assert ("Patient.therapy" in denied) is not allowed


def test_a_type_that_is_denied_denies_the_fields_that_return_it() -> None:
    answer, asked = run("{ audit { id } }", DOCTOR)
    assert answer["data"] == {"audit": None}
    assert asked == []
    answer, _ = run("{ audit { id } }", Claims(policies=frozenset({"auditor"})))
    assert answer == {"data": {"audit": {"id": "1"}}}


def test_a_null_where_none_may_be_nulls_what_is_around_it() -> None:
    answer, asked = run("{ strict { name } }", ANONYMOUS)
    assert answer["data"] is None
    assert paths(answer) == [["strict"]]
    assert asked == []


WARDS = """
type Query @join__type(graph: A) @join__type(graph: B) { found: [Person] @join__field(graph: A) }
interface Person @join__type(graph: A, key: "id") @join__type(graph: B, key: "id", isInterfaceObject: true) {
  id: ID!
  name: String @join__field(graph: A)
  notes: String @join__field(graph: B) @requiresScopes(scopes: [["notes"]])
}
type Nurse implements Person @join__type(graph: A, key: "id") @join__implements(graph: A, interface: "Person") {
  id: ID!
  name: String @join__field(graph: A)
  notes: String @join__field
}
type Child implements Person @join__type(graph: A, key: "id") @join__implements(graph: A, interface: "Person") {
  id: ID!
  name: String @join__field(graph: A) @policy(policies: [["guardian", "ward"], ["court"]])
  notes: String @join__field
}
"""


def of_wards(query: str, claims: Claims) -> tuple[dict[str, Any], list[str]]:
    asked: list[str] = []

    async def ask(subgraph: str, request: SubgraphRequest, caller: Caller) -> dict[str, Any]:
        asked.append(request.document)
        if subgraph == "b":
            return {"data": {"_entities": [{"notes": "calm"}, {"notes": "shy"}]}}
        nurse = {"__typename": "Nurse", "id": "1", "name": "Sri", "name__Nurse": "Sri"}
        child = {"__typename": "Child", "id": "2"} | ({"name": "Budi"} if "Child" not in asked[-1] else {})
        return {"data": {"found": [nurse, child]}}

    engine = Engine(supergraph_of(WARDS, "a", "b"), ask)
    document = parse(query)
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    prepared = engine.prepare(document, operation, {}, claims)
    return asyncio.run(engine.execute(prepared, {}, {})), asked


def test_what_one_implementation_guards_is_not_fetched_through_the_interface() -> None:
    answer, asked = of_wards("{ found { name } }", ANONYMOUS)
    assert asked == ["query { found { __typename ... on Nurse { __typename name } } }"]
    assert answer["data"] == {"found": [{"name": "Sri"}, {"name": None}]}
    assert paths(answer) == [["found", "name"]]


@pytest.mark.parametrize(
    ("policies", "allowed"), [({"guardian"}, False), ({"guardian", "ward"}, True), ({"court"}, True)]
)
def test_all_policies_of_any_set(policies: set[str], allowed: bool) -> None:
    answer, _ = of_wards("{ found { name } }", Claims(policies=frozenset(policies)))
    assert (answer["data"]["found"][1]["name"] is not None) is allowed


def test_an_interface_objects_field_is_guarded_on_every_type() -> None:
    answer, asked = of_wards("{ found { id ... on Nurse { notes } } }", ANONYMOUS)
    assert len(asked) == 1
    assert paths(answer) == [["found", "notes"]]
    answer, asked = of_wards("{ found { id ... on Nurse { notes } } }", Claims(scopes=frozenset({"notes"})))
    assert answer["data"]["found"][0] == {"id": "1", "notes": "calm"}


def test_the_caller_is_part_of_what_a_plan_is_kept_by() -> None:
    hospital = Hospital()
    engine = Engine(SUPERGRAPH, hospital.ask)
    document = parse("{ patient { name diagnosis } }")
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    for claims, fetched in ((DOCTOR, True), (ANONYMOUS, False), (DOCTOR, True)):
        hospital.asked.clear()
        asyncio.run(engine.execute(engine.prepare(document, operation, {}, claims), {}, {}))
        assert ("diagnosis" in hospital.asked[0]) is fetched


def test_the_hook_is_asked_about_the_policies_that_count_alone() -> None:
    supergraph = supergraph_of(WARDS, "a", "b")

    def operation(text: str) -> OperationDefinitionNode:
        [found] = parse(text).definitions
        assert isinstance(found, OperationDefinitionNode)
        return found

    assert find_policies(supergraph, operation("{ found { id } }"), {}) == set()
    asked: list[frozenset[str]] = []

    async def court(policies: frozenset[str]) -> frozenset[str]:
        asked.append(policies)
        return frozenset({"court", "never asked for"})

    for text in ("{ found { id } }", "{ found { name } }"):
        claims = asyncio.run(decide_policies(supergraph, operation(text), {}, Claims(authenticated=True), court))
    assert asked == [{"guardian", "ward", "court"}]
    assert claims == Claims(authenticated=True, policies=frozenset({"court"}))


@pytest.mark.parametrize(("holds", "audit"), [({"auditor"}, {"id": "1"}), (set(), None)])
def test_what_a_hosts_hook_says_of_a_policy_decides_what_is_fetched(holds: set[str], audit: Any) -> None:
    async def host(policies: frozenset[str]) -> frozenset[str]:
        assert policies == {"auditor"}
        return policies & holds

    [operation] = parse("{ audit { id } }").definitions
    assert isinstance(operation, OperationDefinitionNode)
    claims = asyncio.run(decide_policies(SUPERGRAPH, operation, {}, ANONYMOUS, host))
    answer, asked = run("{ audit { id } }", claims)
    assert answer["data"] == {"audit": audit}
    assert paths(answer) == ([] if audit else [["audit"]])
    assert bool(asked) is bool(audit)


def test_a_guard_holds_under_whatever_name_it_is_linked() -> None:
    supergraph = read_supergraph(RENAMED)
    assert find_denied_fields(supergraph, ANONYMOUS) == {"Query.secret", "Query.ward"}
    assert find_denied_fields(supergraph, Claims(authenticated=True)) == {"Query.ward"}
    assert set(supergraph.api_schema.query_type.fields) == {"open", "secret", "ward"}  # type: ignore[union-attr]


def test_what_is_composed_here_is_guarded_as_what_others_composed() -> None:
    sdl = """extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@authenticated"])
    type Query { open: Int secret: Int @authenticated }"""
    made = compose([SubgraphSource("a", "http://a", sdl)])
    assert made.supergraph is not None, made.errors
    assert find_denied_fields(made.supergraph, ANONYMOUS) == {"Query.secret"}
