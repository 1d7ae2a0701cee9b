"""The plan cache: one plan for equal operations, and a plan of its own for callers with other rights."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode
from support.supergraphs import supergraph_of

from gateway.federation.engine import CompiledPlan, Engine
from gateway.federation.executor.subgraphs import Caller, SubgraphRequest
from gateway.federation.labels import find_active_labels, is_drawn_by_percent
from gateway.federation.plan_cache import PlanCache, digest_operation
from gateway.operation.document import CheckedDocument, Documents

SUPERGRAPH = supergraph_of(
    """
    type Query @join__type(graph: A) @join__type(graph: B) { item: Item @join__field(graph: A) }
    type Item @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
      id: ID!
      name: String @join__field(graph: A)
      price: Int @join__field(graph: A, usedOverridden: true, overrideLabel: "new")
        @join__field(graph: B, override: "a", overrideLabel: "new")
      stock: Int @join__field(graph: A, usedOverridden: true, overrideLabel: "percent(30)")
        @join__field(graph: B, override: "a", overrideLabel: "percent(30)")
    }
    """,
    "a",
    "b",
)


async def unasked(subgraph: str, request: SubgraphRequest, caller: Caller) -> dict[str, Any]:
    raise AssertionError("planning asks nobody")


def checked(text: str) -> CheckedDocument:
    return Documents(SUPERGRAPH.api_schema).check(text)


def prepared(engine: Engine, text: str, *labels: str) -> CompiledPlan:
    found = checked(text)
    return engine.prepare(found.document, only(found), found.fragments, labels=frozenset(labels))


def only(found: CheckedDocument) -> OperationDefinitionNode:
    [operation] = found.operations.values()
    return operation


def test_layout_name_and_unused_words_make_no_other_operation() -> None:
    engine = Engine(SUPERGRAPH, unasked)
    first = prepared(engine, "{ item { name id } }")
    assert prepared(engine, "query Stock {\n  # every hour\n  item { name, id }\n}") is first
    assert prepared(engine, "{ item { id name } }") is not first


def test_a_fragments_text_counts() -> None:
    def digest(inside: str) -> bytes:
        found = checked(f"{{ item {{ ...F }} }} fragment F on Item {{ ...G }} fragment G on Item {{ {inside} }}")
        return digest_operation(only(found), found.fragments)

    assert digest("id") == digest("  id ")
    assert digest("id") != digest("name")


def test_a_label_makes_another_plan_where_it_counts_alone() -> None:
    engine = Engine(SUPERGRAPH, unasked)
    old, new = (prepared(engine, "{ item { price } }", *labels) for labels in ((), ("new",)))
    assert [[fetch.subgraph for fetch in row.planned.plan.fetches] for row in (old, new)] == [["a"], ["a", "b"]]
    assert prepared(engine, "{ item { price } }", "new", "percent(30)") is new
    assert prepared(engine, "{ item { price } }", "percent(30)") is old
    assert prepared(engine, "{ item { name } }") is prepared(engine, "{ item { name } }", "new", "percent(30)")


def test_a_host_says_which_labels_are_active() -> None:
    engine = Engine(SUPERGRAPH, unasked, is_active=lambda label: label == "new")
    found = checked("{ item { price } }")
    plan = engine.prepare(found.document, only(found), found.fragments).planned.plan
    assert [fetch.subgraph for fetch in plan.fetches] == ["a", "b"]


@pytest.mark.parametrize(("label", "least", "most"), [("percent(0)", 0, 0), ("percent(100)", 999, 999), ("new", 0, 0)])
def test_percent_labels_fall_by_chance_and_others_never(label: str, least: int, most: int) -> None:
    assert least <= sum(is_drawn_by_percent(label) for _ in range(999)) <= most


def test_a_third_of_the_requests_go_to_the_new_owner() -> None:
    drawn = sum("percent(30)" in find_active_labels(SUPERGRAPH, is_drawn_by_percent) for _ in range(5000))
    assert 1200 < drawn < 1800


def test_the_cache_keeps_what_was_asked_for_last() -> None:
    cache: PlanCache[str] = PlanCache(2)
    nothing = frozenset[str]()
    for name in (b"1", b"2"):
        cache.put(name, nothing, nothing, (), name.decode())
    assert cache.get(b"1", nothing, nothing) == "1"
    cache.put(b"3", nothing, nothing, (), "3")
    assert [cache.get(name, nothing, nothing) for name in (b"1", b"2", b"3")] == ["1", None, "3"]
    assert len(cache) == 2


def test_what_one_caller_may_not_have_is_another_plan() -> None:
    cache: PlanCache[str] = PlanCache(10)
    cache.put(b"1", frozenset(), frozenset({"Item.price"}), (), "denied")
    assert cache.get(b"1", frozenset(), frozenset()) is None
