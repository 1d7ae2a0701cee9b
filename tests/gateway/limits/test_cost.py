"""An operation's cost, before any of it runs."""

from typing import Any

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse

import schema
from gateway.limits.cost import COMMAND_POINTS, TooExpensive, check_cost, count_points

BUILT = schema.build()._schema


def points(text: str, **variables: Any) -> int:
    document = parse(text)
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    return count_points(BUILT, operation, fragments, variables)


def test_cost_grows_with_the_page() -> None:
    query = "query ($n: Int) { complaints(first: $n) { nodes { id holder { name } } } }"
    assert points(query, n=10) < points(query, n=50) < points(query, n=100)


def test_an_absent_page_size_counts_as_the_default_and_an_impossible_one_as_the_largest() -> None:
    assert points("{ complaints { nodes { id } } }") == points("{ complaints(first: 20) { nodes { id } } }")
    assert points("{ complaints(first: 5000) { nodes { id } } }") == points(
        "{ complaints(last: 100) { nodes { id } } }"
    )
    query = "query ($n: Int) { complaints(first: $n) { nodes { id } } }"
    assert points(query, n=-5) == points(query, n=100)
    assert points(query) == points(query, n=20)


def test_lists_inside_lists_multiply() -> None:
    inner = points("{ agencies(first: 1) { nodes { complaints(first: 10) { nodes { id } } } } }")
    outer = points("{ agencies(first: 20) { nodes { complaints(first: 10) { nodes { id } } } } }")
    assert outer > 10 * inner


def test_a_database_command_for_each_row_of_a_page_costs_its_points() -> None:
    once = points("{ agencies(first: 1) { nodes { complaints(first: 1) { nodes { id } } } } }")
    for_each = points("{ agencies(first: 20) { nodes { complaints(first: 1) { nodes { id } } } } }")
    assert for_each - once >= 19 * COMMAND_POINTS


def test_a_fragment_costs_wherever_it_is_spread() -> None:
    spread = "{ a: agencies { ...Page } b: agencies { ...Page } } fragment Page on AgencyConnection { nodes { id } }"
    plain = "{ a: agencies { nodes { id } } b: agencies { nodes { id } } }"
    assert points(spread) == points(plain)
    assert points("{ agencies { ... on AgencyConnection { nodes { id } } } }") == points(
        "{ agencies { nodes { id } } }"
    )


def test_fragments_that_double_are_counted_in_time_and_capped() -> None:
    levels = 60
    parts = [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels)]
    bomb = " ".join(["{ ...F0 }", *parts, f"fragment F{levels} on Query {{ viewer {{ role }} }}"])
    assert points(bomb) >= 10**9


def test_introspection_and_scalars_cost_nothing() -> None:
    assert points("{ __typename }") == 0
    assert points("{ __schema { types { name fields { name } } } }") <= points("{ viewer { role } }") + 100


def test_ordinary_portal_pages_are_within_the_limit() -> None:
    page = """{ complaints(first: 50) { totalCount pageInfo { endCursor } nodes { id title status holder { name }
      team { name } category { name } clocks { kind dueAt } followUps(first: 5) { nodes { body at } } } } }"""
    check_cost(points(page), 5000)


def test_the_sentence_names_both_figures() -> None:
    with pytest.raises(TooExpensive, match="costs 5001 points; at most 5000"):
        check_cost(5001, 5000)
