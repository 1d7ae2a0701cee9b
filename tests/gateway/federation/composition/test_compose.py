"""Composition: which subgraphs compose, and which error codes the others get, in every order of the subgraphs."""

import pytest
from graphql import build_schema, print_schema
from support.composing import FED1, compose_all_orders

from gateway.federation.composition import SubgraphSource, compose
from gateway.federation.join import read_supergraph

ROOT = "type Query { product: Product } "


def test_an_entity_has_the_fields_of_all_its_subgraphs() -> None:
    outcome = compose_all_orders(
        ROOT + 'type Product @key(fields: "id") { id: ID! name: String }',
        'type Product @key(fields: "id") { id: ID! price: Int }',
    )
    assert outcome.ok
    product = build_schema(outcome.api_schema).type_map["Product"]
    assert set(product.fields) == {"id", "name", "price"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "sdls",
    [
        (
            ROOT + 'type Product @key(fields: "id") { id: ID! name: String @shareable weight: Int }',
            'type Product @key(fields: "id") { id: ID! weight: Int @external cost: Int @requires(fields: "weight") }',
        ),
        (
            ROOT + 'type Product @key(fields: "id") @key(fields: "sku maker { id }") { id: ID! sku: ID maker: Maker } '
            "type Maker { id: ID! }",
            'type Product @key(fields: "id", resolvable: false) { id: ID! } '
            'extend type Query { all: [Product] @provides(fields: "sku") } extend type Product { sku: ID @external }',
        ),
        (
            ROOT + 'type Product @key(fields: "id") { id: ID! price: Int @override(from: "b", label: "percent(5)") }',
            'type Product @key(fields: "id") { id: ID! price: Int }',
        ),
        (
            ROOT + 'type Product @key(fields: "id") { id: ID! price: Int @override(from: "b") }',
            'type Product @key(fields: "id") { id: ID! price: Int @external tax: Int @requires(fields: "price") }',
        ),
        (
            "type Query { media: Media any: Any } union Any = Book | Film "
            'interface Media @key(fields: "id") { id: ID! } type Film { title: String } '
            'type Book implements Media @key(fields: "id") { id: ID! }',
            'type Media @interfaceObject @key(fields: "id") { id: ID! likes: Int }',
        ),
        (
            ROOT
            + 'type Product @key(fields: "id") @authenticated { id: ID! a: Int @requiresScopes(scopes: [["x", "y"], '
            '["z"]]) b: Int @policy(policies: [["p"]]) c: Int @inaccessible }',
        ),
        (
            ROOT + 'type Product @key(fields: "id") @context(name: "product") { id: ID! name: String part: Part } '
            'type Part @key(fields: "id") { id: ID! label(of: String @fromContext(field: "$product { name }")): Int }',
        ),
    ],
)
def test_what_is_composed_is_what_is_read_back(sdls: tuple[str, ...]) -> None:
    """The router serves the composed model; other routers, and ours with `--supergraph`, read the printed SDL."""
    made = compose_all_orders(*sdls)
    assert made.supergraph is not None, made.errors
    read = read_supergraph(made.supergraph_sdl)
    assert made.supergraph.subgraphs == read.subgraphs
    assert made.supergraph.rules == read.rules
    assert made.supergraph.contexts == read.contexts
    assert print_schema(made.supergraph.api_schema) == print_schema(read.api_schema)


def test_a_federation_1_subgraph_is_taken_as_it_is() -> None:
    outcome = compose_all_orders(
        FED1 + 'type Query { product: Product } type Product @key(fields: "id") { id: ID! name: String }',
        FED1 + 'extend type Product @key(fields: "id") { id: ID! @external price: Int }',
    )
    assert outcome.ok, outcome.errors


def test_what_is_inaccessible_is_in_the_supergraph_and_not_in_the_api() -> None:
    outcome = compose_all_orders(ROOT + "type Product { id: ID! secret: Int @inaccessible }")
    assert "secret" in outcome.supergraph_sdl
    assert "secret" not in outcome.api_schema


@pytest.mark.parametrize(
    ("sdls", "codes"),
    [
        (("type Product { id: ID! }",), {"NO_QUERIES"}),
        (("type Query {",), {"INVALID_GRAPHQL"}),
        (("type Query { product: Nothing }",), {"INVALID_GRAPHQL"}),
        ((ROOT + "type Product { id: ID! }", "type Product { id: ID! }"), {"INVALID_FIELD_SHARING"}),
        (
            (ROOT + "type Product @shareable { id: ID! }", "type Product @shareable { id: Int! }"),
            {"FIELD_TYPE_MISMATCH"},
        ),
        ((ROOT + "type Product @shareable { id: ID! }", "enum Product { A }"), {"TYPE_KIND_MISMATCH"}),
        ((ROOT + 'type Product @key(fields: "nothing") { id: ID! }',), {"KEY_INVALID_FIELDS"}),
        (
            (ROOT + 'type Product @key(fields: "id") { id: ID! cost: Int @requires(fields: "nothing") }',),
            {"REQUIRES_INVALID_FIELDS"},
        ),
        (
            (
                ROOT + 'type Product @key(fields: "id") { id: ID! name: String }',
                'type Product @key(fields: "sku") { sku: ID! price: Int }',
            ),
            {"SATISFIABILITY_ERROR"},
        ),
        (
            (
                "type Query { f(x: Int!): Int @shareable }",
                "type Query { f: Int @shareable }",
            ),
            {"REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH"},
        ),
        (
            (
                "type Query { f(x: In): Int @shareable } input In { a: Int }",
                "type Query { f(x: In): Int @shareable } input In { b: Int }",
            ),
            {"EMPTY_MERGED_INPUT_TYPE"},
        ),
        (
            (
                "type Query { f(x: E): E @shareable } enum E { A B }",
                "type Query { f(x: E): E @shareable } enum E { A }",
            ),
            {"ENUM_VALUE_MISMATCH"},
        ),
    ],
)
def test_what_does_not_fit_has_its_code_and_a_sentence(sdls: tuple[str, ...], codes: set[str]) -> None:
    outcome = compose_all_orders(*sdls)
    assert not outcome.ok
    assert {error.code for error in outcome.errors} == codes
    assert all((error.message and error.subgraphs) or error.code == "NO_QUERIES" for error in outcome.errors)
    assert outcome.supergraph_sdl == ""


@pytest.mark.parametrize("name", ["", "1a", "a b", "a/b", "ä"])
def test_a_subgraphs_name_can_stand_in_a_supergraph(name: str) -> None:
    outcome = compose([SubgraphSource(name, "", "type Query { a: Int }")])
    assert [error.code for error in outcome.errors] == ["INVALID_SUBGRAPH_NAME"]


def test_an_unanswerable_query_is_shown() -> None:
    outcome = compose_all_orders(
        ROOT + 'type Product @key(fields: "id") { id: ID! name: String }',
        'type Product @key(fields: "sku") { sku: ID! price: Int }',
    )
    assert any("product" in error.message and "price" in error.message for error in outcome.errors)
