"""Errors of one subgraph by itself: the error code of each rule, by directive."""

import pytest
from support.composing import FED1, LINK, compose_all_orders, error_codes

from gateway.federation.hints import SubgraphLocation
from gateway.federation.locations import LocationFinder

P = 'type Query { road: Road } type Road @key(fields: "id") { id: ID! '
IN_B = 'type Road @key(fields: "id") { id: ID! width: Int }'


def versioned(version: str, imports: str, sdl: str) -> str:
    return f'extend schema @link(url: "https://specs.apollo.dev/federation/{version}", import: [{imports}]) {sdl}'


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ('"id {"', "KEY_INVALID_FIELDS"),
        ('""', "KEY_INVALID_FIELDS"),
        ('"number: id"', "KEY_INVALID_FIELDS"),
        ('"...Parts"', "KEY_INVALID_FIELDS"),
        ('"place"', "KEY_INVALID_FIELDS"),
        ('"id @deprecated"', "KEY_DIRECTIVE_IN_FIELDS_ARG"),
        ('"width"', "KEY_FIELDS_HAS_ARGS"),
        ('"unit"', "KEY_INVALID_FIELDS"),
        ('"any { ... on Place { x } }"', "KEY_FIELDS_SELECT_INVALID_TYPE"),
        ("3", "KEY_INVALID_FIELDS_TYPE"),
        ('["id"]', "KEY_INVALID_FIELDS_TYPE"),
    ],
)
def test_a_key_selects_fields_that_are_there_and_have_no_arguments(fields: str, code: str) -> None:
    rest = "width(unit: String): Int unit(of: ID!): Int place: Place any: Any } union Any = Place type Place { x: Int }"
    sdl = f"type Query {{ road: Road }} type Road @key(fields: {fields}) {{ id: ID! {rest}"
    assert error_codes(sdl) == {code}


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ("width", set()),
        ("length(unit: 1)", set()),
        ("nothing", {"REQUIRES_INVALID_FIELDS"}),
        ('length(unit: \\"m\\")', {"REQUIRES_INVALID_FIELDS"}),
        ("length(unit: $unit)", {"REQUIRES_INVALID_FIELDS"}),
        ("width(unit: 1)", {"REQUIRES_INVALID_FIELDS"}),
        ("width @skip(if: true)", {"REQUIRES_DIRECTIVE_IN_FIELDS_ARG"}),
        ("width own", {"REQUIRES_FIELDS_MISSING_EXTERNAL"}),
        ("own nothing", {"REQUIRES_INVALID_FIELDS"}),
    ],
)
def test_a_requirement_selects_external_fields_with_arguments_that_fit(fields: str, codes: set[str]) -> None:
    needing = "width: Int @external length(unit: Int): Int @external own: Int also: Int @requires(fields: "
    sdl = f'type Road @key(fields: "id") {{ id: ID! {needing}"width length") cost: Int @requires(fields: "{fields}") }}'
    assert error_codes(P + "width: Int length(unit: Int): Int }", sdl) == codes


@pytest.mark.parametrize(
    ("sdl", "code"),
    [
        (P + 'width: Int @provides(fields: "id") }', "PROVIDES_ON_NON_OBJECT_FIELD"),
        (P + "width: Int @shareable @shareable }", "INVALID_SHAREABLE_USAGE"),
        (P + "} interface Way { a: Int @shareable }", "INVALID_SHAREABLE_USAGE"),
        (P + "} interface Way @authenticated { a: Int }", "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE"),
        (P + '} interface Way { a: Int @policy(policies: [["p"]]) }', "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE"),
        (P + "} interface Way { a: Int @cost(weight: 2) }", "COST_APPLIED_TO_INTERFACE_FIELD"),
        (P + "width: Int @listSize(assumedSize: 2) }", "LIST_SIZE_APPLIED_TO_NON_LIST"),
        (P + "widths: [Int] @listSize(assumedSize: -2) }", "LIST_SIZE_INVALID_ASSUMED_SIZE"),
        (P + 'widths: [Int] @listSize(slicingArguments: ["first"]) }', "LIST_SIZE_INVALID_SLICING_ARGUMENT"),
        (P + 'road: Road @listSize(sizedFields: ["lanes"]) }', "LIST_SIZE_INVALID_SIZED_FIELD"),
        (P + 'width: Int @cost(weight: "5") }', "INVALID_GRAPHQL"),
        (P + "width: Int @requiresScopes(scopes: [[null]]) }", "INVALID_GRAPHQL"),
        (P + 'width: Int @tag(nam: "x") }', "INVALID_GRAPHQL"),
        (P + "} type Kota @interfaceObject { id: ID! }", "INTERFACE_OBJECT_USAGE_ERROR"),
        (
            P + '} interface Way @key(fields: "id") { id: ID! } type Rail implements Way { id: ID! }',
            "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
        ),
        ("schema { query: Root } type Root { a: Int } type Query { b: Int }", "ROOT_QUERY_USED"),
        (
            "schema { query: Query mutation: M } type Query { a: Int } type M { a: Int } type Mutation { b: Int }",
            "ROOT_MUTATION_USED",
        ),
        ("scalar Query", "INVALID_GRAPHQL"),
        ("schema { query: Nothing }", "INVALID_GRAPHQL"),
        ("type Query { a: Int } query { a }", "INVALID_GRAPHQL"),
        ("type Query { a: join__Graph } type join__Graph { a: Int }", "INVALID_GRAPHQL"),
    ],
)
def test_a_directive_stands_where_it_may(sdl: str, code: str) -> None:
    assert error_codes(sdl) == {code}


@pytest.mark.parametrize(
    ("directive", "code"),
    [
        ('@tag(name: "t")', "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL"),
        ("@authenticated", "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL"),
        ("@deprecated", "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL"),
        ('@override(from: "a")', "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE"),
    ],
)
def test_an_external_field_carries_nothing_that_only_its_owner_can_say(directive: str, code: str) -> None:
    needing = f'width: Int @external {directive} cost: Int @requires(fields: "width") }}'
    assert error_codes(P + "width: Int }", f'type Road @key(fields: "id") {{ id: ID! {needing}') == {code}


def test_an_interfaces_field_is_nobodys_and_so_not_external() -> None:
    codes = error_codes(P + "} interface Way { width: Int @external } type Rail implements Way { width: Int }")
    assert codes == {"EXTERNAL_ON_INTERFACE", "EXTERNAL_UNUSED"}


def test_a_field_is_not_both_provided_for_and_external() -> None:
    sdl = 'near: Road @external @provides(fields: "id") cost: Int @requires(fields: "near { id }") }'
    codes = error_codes(P + "near: Road }", f'type Road @key(fields: "id") {{ id: ID! {sdl}')
    assert codes == {"EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE"}


# The codes that Apollo's composition gives where two rules forbid the same element.
@pytest.mark.parametrize(
    ("sdls", "codes"),
    [
        (
            [P + '} interface Way { road: Road @provides(fields: "id") }'],
            {"PROVIDES_UNSUPPORTED_ON_INTERFACE", "PROVIDES_FIELDS_MISSING_EXTERNAL"},
        ),
        (
            [P + '} interface Way { a: Int b: Int @requires(fields: "a") }'],
            {"REQUIRES_UNSUPPORTED_ON_INTERFACE", "REQUIRES_FIELDS_MISSING_EXTERNAL"},
        ),
        (
            [P + '} interface Way { a: Int b: Int @requires(fields: "c { d }") }'],
            {"REQUIRES_UNSUPPORTED_ON_INTERFACE", "REQUIRES_INVALID_FIELDS"},
        ),
        ([P + '} interface Way { id: ID! @provides(fields: "id") }'], {"PROVIDES_ON_NON_OBJECT_FIELD"}),
        (
            [P + 'a: Int @external b: Int @provides(fields: "a") } type Place @key(fields: "no") { id: ID! }'],
            {"PROVIDES_ON_NON_OBJECT_FIELD"},
        ),
        (
            ['type Query { a: T } type T @key(fields: "id @include(if: true)") { id(x: Int): ID! }'],
            {"KEY_DIRECTIVE_IN_FIELDS_ARG", "KEY_FIELDS_HAS_ARGS"},
        ),
        (['type Query { a: T } type T @key(fields: "no @include(if: true)") { id: ID! }'], {"KEY_INVALID_FIELDS"}),
        (
            [P + '} interface Way @key(fields: "no") { id: ID! } type Rail implements Way { id: ID! }'],
            {"KEY_INVALID_FIELDS"},
        ),
        (
            ["type Query { a: T } type T { n: Int }", "type Query { b: T } type T @external { n: Int }"],
            {"EXTERNAL_UNUSED"},
        ),
        (
            [P + 'width: Int @external @tag(name: "t") }', 'type Road @key(fields: "id") { id: ID! width: Int }'],
            {"EXTERNAL_UNUSED"},
        ),
    ],
)
def test_of_two_faults_in_one_place_it_is_told_as_elsewhere(sdls: list[str], codes: set[str]) -> None:
    assert error_codes(*sdls) == codes


@pytest.mark.parametrize(
    ("version", "imports", "rest", "code"),
    [
        ("v2.99", '"@key"', "", "UNKNOWN_FEDERATION_LINK_VERSION"),
        ("v3.0", '"@key"', "", "UNKNOWN_FEDERATION_LINK_VERSION"),
        ("", '"@key"', "", "INVALID_LINK_IDENTIFIER"),
        ("vx.y", '"@key"', "", "INVALID_LINK_IDENTIFIER"),
        ("v2.3", '"@keys"', "", "INVALID_LINK_DIRECTIVE_USAGE"),
        ("v2.3", '"@policy"', "", "INVALID_LINK_DIRECTIVE_USAGE"),
        ("v2.3", "3", "", "INVALID_LINK_DIRECTIVE_USAGE"),
        ("v2.3", '{name: "@key", as: "pk"}', "", "INVALID_LINK_DIRECTIVE_USAGE"),
        ("v2.3", '"@key", {name: "@key", as: "@pk"}', "", "INVALID_LINK_DIRECTIVE_USAGE"),
        ("v2.3", '"@key", {name: "@shareable", as: "@key"}', "", "INVALID_LINK_DIRECTIVE_USAGE"),
        ("v2.3", '"@key"', "type X @shareable { a: Int }", "INVALID_GRAPHQL"),
        ("v2.2", '"@key"', 'interface X @key(fields: "a") { a: Int }', "KEY_UNSUPPORTED_ON_INTERFACE"),
        ("v2.1", '"@shareable"', "type X @shareable { a: Int } extend type X @shareable { b: Int }", "INVALID_GRAPHQL"),
        ("v2.6", '"@override"', 'type X { a: Int @override(from: "b", label: "x") }', "INVALID_GRAPHQL"),
        ("v2.9", '"@tag"', "directive @tag repeatable on OBJECT", "DIRECTIVE_DEFINITION_INVALID"),
        ("v2.9", '"@key"', "enum federation__FieldSet { A }", "TYPE_DEFINITION_INVALID"),
        (
            "v2.9",
            '"@tag"',
            'extend schema @link(url: "https://specs.apollo.dev/tag/v0.3")',
            "INVALID_LINK_DIRECTIVE_USAGE",
        ),
        (
            "v2.9",
            '"@tag"',
            'extend schema @link(url: "https://a.example/x/v1.0") @link(url: "https://b.example/x/v1.0")',
            "INVALID_LINK_DIRECTIVE_USAGE",
        ),
    ],
)
def test_a_link_names_what_there_is(version: str, imports: str, rest: str, code: str) -> None:
    assert error_codes(versioned(version, imports, f"type Query {{ a: Int }} {rest}")) == {code}


def test_a_directive_may_be_imported_by_another_name() -> None:
    imports = '{name: "@key", as: "@primary"}, {name: "FieldSet", as: "Fields"}'
    sdl = versioned("v2.3", imports, 'type Query { road: Road } type Road @primary(fields: "id") { id: ID! }')
    assert compose_all_orders(sdl, 'type Road @key(fields: "id") { id: ID! width: Int }').ok
    aliased = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", as: "fed") '
    assert compose_all_orders(aliased + 'type Query { road: Road } type Road @fed__key(fields: "id") { id: ID! }').ok


def test_the_errors_of_all_subgraphs_are_told_at_once() -> None:
    unknown = "type Query { a: Nothing }"
    assert error_codes(unknown, 'type Road @key(fields: "nothing") { id: ID! }') == {
        "INVALID_GRAPHQL",
        "KEY_INVALID_FIELDS",
    }


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ('city: String @fromContext(field: "$place { name }")', None),
        ('city: String @fromContext(field: "$other { name }")', "CONTEXT_NOT_SET"),
        ('city: String @fromContext(field: "place { name }")', "NO_CONTEXT_IN_SELECTION"),
        ('city: String @fromContext(field: "$place")', "NO_CONTEXT_IN_SELECTION"),
        ('city: String @fromContext(field: "$place { nothing }")', "CONTEXT_INVALID_SELECTION"),
        ('city: String @fromContext(field: "$place { name id }")', "CONTEXT_INVALID_SELECTION"),
        ('city: Int @fromContext(field: "$place { name }")', "CONTEXT_INVALID_SELECTION"),
        ('city: String = "x" @fromContext(field: "$place { name }")', "CONTEXT_NOT_SET"),
    ],
)
def test_an_argument_is_taken_from_a_context_that_is_set(argument: str, code: str | None) -> None:
    sdl = f"""type Query {{ city: City }}
    type City @key(fields: "id") @context(name: "place") {{ id: ID! name: String road: Road }}
    type Road @key(fields: "id") {{ id: ID! length({argument}): Int }}"""
    outcome = compose_all_orders(sdl)
    assert {error.code for error in outcome.errors} == ({code} if code else set())
    if outcome.ok:
        assert "length: Int" in outcome.api_schema
        assert "contextArguments" in outcome.supergraph_sdl
        assert "join/v0.5" in outcome.supergraph_sdl


@pytest.mark.parametrize(
    ("sdls", "code"),
    [
        (('type Query { r: Road } extend type Road @key(fields: "id") { id: ID! }',), "EXTENSION_WITH_NO_BASE"),
        (
            (
                "type Query { r: Road } extend type Road { width: Int @external }",
                "type Query { q: Road } type Road { width: Int }",
            ),
            "TYPE_WITH_ONLY_UNUSED_EXTERNAL",
        ),
    ],
)
def test_what_federation_1_leaves_open_is_told(sdls: tuple[str, ...], code: str) -> None:
    assert error_codes(*(FED1 + sdl for sdl in sdls)) == {code}


def test_federation_1_may_name_what_it_does_not_use() -> None:
    extending = 'extend type Road @key(fields: "id") { id: ID! @external width: Int @external cost: Int }'
    owner = 'type Query { r: Road } type Road @key(fields: ["id"]) { id: ID! width: Int }'
    assert compose_all_orders(FED1 + owner, FED1 + extending).ok


def test_an_error_says_where_it_is() -> None:
    sdl = 'type Query { road: Road }\ntype Road\n  @key(fields: "nothing") {\n  id: ID!\n}'
    outcome = compose_all_orders(sdl)
    [error] = outcome.errors
    assert LocationFinder({"a": LINK + sdl}).find(error) == (SubgraphLocation("a", 3, 6),)
    [unknown] = compose_all_orders("type Query {\n  a: Nothing\n}").errors
    assert unknown.locations == (SubgraphLocation("a", 3, 6),)
