"""Errors between subgraphs: the code of each conflict, and of several at once."""

import pytest
from graphql import GraphQLObjectType, build_schema
from support.composing import compose_all_orders, error_codes

SHARED = "type Query { a: %s @shareable } "
ENTITY = 'type Road @key(fields: "id") { id: ID! %s }'
ROOT = "type Query { road: Road } "
LINKED = 'extend schema @link(url: "https://a.example/note/v%s", import: ["@note"]) %s directive @note(x: Int) on %s '
NOTE = '@composeDirective(name: "@note")'


def shared(one: str, other: str) -> tuple[str, str]:
    return SHARED % one, SHARED % other


@pytest.mark.parametrize(
    ("sdls", "code"),
    [
        (shared("Int", "[Int]"), "FIELD_TYPE_MISMATCH"),
        (shared("Int", "String"), "FIELD_TYPE_MISMATCH"),
        (
            ("type Query { a(x: Int): Int @shareable }", "type Query { a(x: ID): Int @shareable }"),
            "FIELD_ARGUMENT_TYPE_MISMATCH",
        ),
        (
            ("type Query { a(x: Int = 1): Int @shareable }", "type Query { a(x: Int = 2): Int @shareable }"),
            "FIELD_ARGUMENT_DEFAULT_MISMATCH",
        ),
        (
            (
                "type Query { a(x: I): Int } input I { x: Int = 1 }",
                "type Query { b(x: I): Int } input I { x: Int = 2 }",
            ),
            "INPUT_FIELD_DEFAULT_MISMATCH",
        ),
        (
            (
                "type Query { a(x: I): Int } input I { x: Int y: Int! }",
                "type Query { b(x: I): Int } input I { x: Int }",
            ),
            "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
        ),
        (
            ("type Query { a(x: E): Int } enum E { A }", "type Query { b(x: E): Int } enum E { B }"),
            "EMPTY_MERGED_ENUM_TYPE",
        ),
        (("type Query { a: Int } type Subscription { s: Int @shareable }",), "INVALID_FIELD_SHARING"),
        (("type Query { a: Int }", "type Query { a: Int }"), "INVALID_FIELD_SHARING"),
        (
            (ROOT + ENTITY % "w: Int", ENTITY % 'w: String @external c: Int @requires(fields: "w")'),
            "EXTERNAL_TYPE_MISMATCH",
        ),
        (
            (ROOT + ENTITY % "w: Int!", ENTITY % 'w: Int @external c: Int @requires(fields: "w")'),
            "EXTERNAL_TYPE_MISMATCH",
        ),
        (
            (
                ROOT + ENTITY % "w(u: Int = 1): Int",
                ENTITY % 'w(u: Int = 2): Int @external c: Int @requires(fields: "w")',
            ),
            "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH",
        ),
        ((ROOT + ENTITY % 'w: Int @external c: Int @requires(fields: "w")',), "EXTERNAL_MISSING_ON_BASE"),
        ((ROOT + ENTITY % 'w: Int @override(from: "a")',), "OVERRIDE_FROM_SELF_ERROR"),
        (
            (ROOT + ENTITY % "w: Int", ENTITY % 'w: Int @override(from: "a", label: "percent(101)")'),
            "OVERRIDE_LABEL_INVALID",
        ),
        (
            (ROOT + ENTITY % "w: Int @authenticated", ENTITY % 'w: Int @external c: Int @requires(fields: "w")'),
            "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
        ),
    ],
)
def test_what_does_not_agree_is_refused(sdls: tuple[str, ...], code: str) -> None:
    assert error_codes(*sdls) == {code}


def test_shared_fields_have_a_type_in_common() -> None:
    one = SHARED % "Way" + "union Way = Road type Road @shareable { x: Int }"
    other = SHARED % "Way" + "union Way = Rail type Rail @shareable { x: Int }"
    assert error_codes(one, other) == {"SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES"}


def test_merged_types_keep_what_their_interfaces_promise() -> None:
    promising = "type Query { a: Way } interface Way { x: Int! } type Road implements Way @shareable { x: Int! }"
    assert error_codes(promising, "type Query { b: Road } type Road @shareable { x: Int }") == {"INVALID_GRAPHQL"}


def test_every_implementation_has_the_fields_of_all_subgraphs() -> None:
    codes = error_codes(
        "type Query { a: Way } interface Way { x: Int } type Road implements Way { x: Int }",
        "type Query { b: Way } interface Way { x: Int y: Int } type Rail implements Way { x: Int y: Int }",
    )
    assert codes == {"INTERFACE_FIELD_NO_IMPLEM"}


@pytest.mark.parametrize(
    ("demanded", "required", "is_enough"),
    [
        ("@authenticated", "@authenticated", True),
        ("@authenticated", '@requiresScopes(scopes: [["a"]])', False),
        ('@requiresScopes(scopes: [["a"], ["b"]])', '@requiresScopes(scopes: [["a", "c"]])', True),
        ('@requiresScopes(scopes: [["a", "b"]])', '@requiresScopes(scopes: [["a"]])', False),
        ('@policy(policies: ["p"])', '@policy(policies: [["p"], ["q"]])', False),
        ('@policy(policies: [["p"], ["q"]])', '@policy(policies: "p")', True),
    ],
)
def test_who_requires_a_guarded_field_is_guarded_as_well(demanded: str, required: str, is_enough: bool) -> None:
    needing = f'w: Int @external c: Int @requires(fields: "w") {required}'
    codes = error_codes(ROOT + ENTITY % f"w: Int {demanded}", ENTITY % needing)
    assert codes == (set() if is_enough else {"MISSING_TRANSITIVE_AUTH_REQUIREMENTS"})


@pytest.mark.parametrize(
    ("marked", "code"),
    [
        ("type Query { a: T b: Int } type T @inaccessible { x: Int }", "REFERENCED_INACCESSIBLE"),
        ("type Query { a(x: Int! @inaccessible): Int }", "REQUIRED_INACCESSIBLE"),
        ("type Query { a(e: [E] = [A]): Int } enum E { A @inaccessible B }", "DEFAULT_VALUE_USES_INACCESSIBLE"),
        ("type Query { a: U } union U = T type T @inaccessible { x: Int }", "ONLY_INACCESSIBLE_CHILDREN"),
        (
            "type Query { a: I } interface I { x: Int y: Int } type T implements I { x: Int @inaccessible y: Int }",
            "IMPLEMENTED_BY_INACCESSIBLE",
        ),
        ("type Query @inaccessible { a: Int }", "QUERY_ROOT_TYPE_INACCESSIBLE"),
        ("type Query { a: Int } directive @d(e: E) on FIELD enum E @inaccessible { A }", "REFERENCED_INACCESSIBLE"),
    ],
)
def test_what_the_api_needs_cannot_be_hidden(marked: str, code: str) -> None:
    assert error_codes(marked) == {code}


def test_an_interface_object_adds_its_fields_to_every_implementation() -> None:
    interface = 'type Query { a: Way } interface Way @key(fields: "id") { id: ID! } '
    roads = interface + 'type Road implements Way @key(fields: "id") { id: ID! }'
    adding = 'type Way @interfaceObject @key(fields: "id") { id: ID! views: Int }'
    outcome = compose_all_orders(roads, adding)
    road = build_schema(outcome.api_schema).type_map["Road"]
    assert isinstance(road, GraphQLObjectType)
    assert "views" in road.fields
    assert error_codes(roads, adding, adding) == {"INVALID_FIELD_SHARING"}
    requiring = 'type Road @key(fields: "id") { id: ID! views: Int @external rank: Int @requires(fields: "views") }'
    assert compose_all_orders(roads, adding, requiring).ok


def test_an_implementation_is_as_resolvable_as_its_interface() -> None:
    sdl = 'type Query { a: Way } interface Way @key(fields: "id") { id: ID! } '
    road = 'type Road implements Way @key(fields: "id", resolvable: false) { id: ID! }'
    assert error_codes(sdl + road) == {"INTERFACE_KEY_NOT_ON_IMPLEMENTATION"}


@pytest.mark.parametrize(
    ("sdls", "code"),
    [
        ((LINKED % ("1.0", '@composeDirective(name: "note")', "FIELD_DEFINITION"),), "DIRECTIVE_COMPOSITION_ERROR"),
        ((LINKED % ("1.0", '@composeDirective(name: "@not")', "FIELD_DEFINITION"),), "DIRECTIVE_COMPOSITION_ERROR"),
        ((LINKED % ("1.0", '@composeDirective(name: "@key")', "FIELD_DEFINITION"),), "DIRECTIVE_COMPOSITION_ERROR"),
        ((LINKED % ("1.0", "@composeDirective", "FIELD_DEFINITION"),), "DIRECTIVE_COMPOSITION_ERROR"),
        (
            (LINKED % ("1.0", NOTE, "FIELD_DEFINITION"), LINKED % ("2.0", NOTE, "FIELD_DEFINITION")),
            "DIRECTIVE_COMPOSITION_ERROR",
        ),
    ],
)
def test_a_directive_is_composed_where_a_link_defines_it(sdls: tuple[str, ...], code: str) -> None:
    first, *others = sdls
    assert error_codes(first + "type Query { a: Int }", *others) == {code}


def test_a_composed_directive_is_in_the_supergraph_and_not_in_the_api() -> None:
    outcome = compose_all_orders(LINKED % ("1.0", NOTE, "FIELD_DEFINITION") + "type Query { a: Int @note(x: 1) }")
    assert "@note(x: 1)" in outcome.supergraph_sdl
    assert "note" not in outcome.api_schema


def test_a_directive_for_operations_is_the_apis_where_all_know_it() -> None:
    one = "type Query { a: Int } directive @trace(x: Int, y: Int) on FIELD | QUERY"
    other = "type Query { b: Int } directive @trace(x: Int!) on FIELD"
    outcome = compose_all_orders(one, other)
    assert "directive @trace(x: Int!) on FIELD\n" in outcome.api_schema
    needing = "type Query { b: Int } directive @trace(y: Int!) on FIELD"
    assert error_codes("type Query { a: Int } directive @trace on FIELD", needing) == {
        "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH"
    }
    assert "trace" not in compose_all_orders(one, "type Query { b: Int }").api_schema


def test_a_directive_of_the_supergraph_has_one_name() -> None:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: [%s]) '
    renamed = link % '{name: "@tag", as: "@label"}' + 'type Query { a: Int @label(name: "x") }'
    assert error_codes(renamed, link % '"@tag"' + 'type Query { b: Int @tag(name: "x") }') == {
        "LINK_IMPORT_NAME_MISMATCH"
    }
    assert compose_all_orders(renamed, link % '"@tag"' + "type Query { b: Int }").ok


def test_guards_costs_and_sizes_are_merged_to_the_strictest() -> None:
    directives = (
        '@requiresScopes(scopes: [["%s"]]) @cost(weight: %d) @listSize(slicingArguments: ["%s"], assumedSize: %d)'
    )
    field = "type Query { a(first: Int, last: Int): [Int] @shareable " + directives + " }"
    sdl = compose_all_orders(field % ("r", 3, "first", 10), field % ("s", 5, "last", 20)).supergraph_sdl
    assert '@requiresScopes(scopes: [["r", "s"]])' in sdl
    assert "@cost(weight: 5)" in sdl
    assert '@listSize(assumedSize: 20, slicingArguments: ["first", "last"], requireOneSlicingArgument: true)' in sdl


@pytest.mark.parametrize(
    ("default", "other"), [("{x: 1, y: 2}", "{y: 2, x: 1}"), ("{x: 1}", "{x: 1.0}"), ("{x: [1]}", "{x: [1.0]}")]
)
def test_defaults_that_say_the_same_agree(default: str, other: str) -> None:
    types = "scalar F input In { x: F y: F }"
    field = "type Query { a(in: In = %s): Int @shareable } "
    assert compose_all_orders(field % default + types, field % other + types).ok


@pytest.mark.parametrize(
    ("external", "is_answered"),
    [
        ('type Road @key(fields: "id") { id: ID! @external', False),
        ('extend type Road @key(fields: "id") { id: ID!', True),
    ],
)
def test_a_key_that_is_external_answers_in_extensions_alone(external: str, is_answered: bool) -> None:
    codes = error_codes("type Query { road: Road } " + external + " x: Int }", ENTITY % "width: Int")
    assert codes == (set() if is_answered else {"SATISFIABILITY_ERROR"})


def test_a_context_that_some_path_does_not_set_leaves_its_field_unanswered() -> None:
    sdl = """type City @key(fields: "id") @context(name: "place") { id: ID! name: String road: Road }
    type Road @key(fields: "id") { id: ID! length(city: String @fromContext(field: "$place { name }")): Int }"""
    assert compose_all_orders("type Query { city: City } " + sdl).ok
    assert error_codes("type Query { city: City road: Road } " + sdl) == {"SATISFIABILITY_ERROR"}


def test_a_key_whose_parts_no_subgraph_knows_alone_leads_nowhere() -> None:
    first = "type Query { road: Road @shareable } type Road { a: Int! @shareable }"
    second = "type Query { road: Road @shareable } type Road { b: Int! @shareable }"
    keyed = 'type Road @key(fields: "a b") { a: Int! @shareable b: Int! @shareable width: Int }'
    assert error_codes(first, second, keyed) == {"SATISFIABILITY_ERROR"}
    whole = "type Query { road: Road @shareable } type Road { a: Int! @shareable b: Int! @shareable }"
    assert compose_all_orders(first, whole, keyed).ok


@pytest.mark.parametrize(("resolvable", "codes"), [("true", set[str]()), ("false", {"SATISFIABILITY_ERROR"})])
def test_a_field_that_moves_by_a_label_can_be_asked_where_it_was_too(resolvable: str, codes: set[str]) -> None:
    """While the label is not active the old owner answers, and must be reached."""
    new = 'type Query { t: T } type T @key(fields: "id") { id: ID! x: Int @override(from: "b", label: "l") }'
    old = 'type T @key(fields: "id", resolvable: %s) { id: ID! x: Int }'
    assert error_codes(new, old % resolvable) == codes
