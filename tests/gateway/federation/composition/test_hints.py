"""Hints: differences between subgraphs that do not prevent a supergraph."""

import pytest
from support.composing import hint_codes

ENTITY = 'type Road @key(fields: "id") { id: ID! %s }'
ROOT = "type Query { road: Road } "
SHARED = "type Query { a%s @shareable } "
LINK = 'extend schema @link(url: "https://a.example/note/v%s") '


@pytest.mark.parametrize(
    ("sdls", "codes"),
    [
        ((SHARED % ": Int", SHARED % ": Int!"), {"INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE"}),
        ((SHARED % "(x: Int): Int", SHARED % "(x: Int!): Int"), {"INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE"}),
        ((SHARED % "(x: Int = 1): Int", SHARED % "(x: Int): Int"), {"INCONSISTENT_DEFAULT_VALUE_PRESENCE"}),
        ((SHARED % "(x: Int): Int", SHARED % ": Int"), {"INCONSISTENT_ARGUMENT_PRESENCE"}),
        (
            (ROOT + ENTITY % "", "type Query { q: Road } type Road @shareable { id: ID! }"),
            {"INCONSISTENT_ENTITY"},
        ),
        (
            (
                "type Query { a: I } interface I { x: Int } type T implements I @shareable { x: Int y: Int }",
                "type Query { b: I } interface I { x: Int y: Int } type T implements I @shareable { x: Int y: Int }",
            ),
            {"INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD"},
        ),
        (
            (
                "type Query { a(x: In): Int } input In { x: Int y: Int }",
                "type Query { b(x: In): Int } input In { x: Int }",
            ),
            {"INCONSISTENT_INPUT_OBJECT_FIELD"},
        ),
        (
            (
                "type Query { a: U } union U = S | T type S @shareable { x: Int } type T @shareable { x: Int }",
                "type Query { b: U } union U = S type S @shareable { x: Int }",
            ),
            {"INCONSISTENT_UNION_MEMBER"},
        ),
        (
            (
                SHARED % ": U" + "union U = S | T type S @shareable { x: Int } type T @shareable { x: Int }",
                SHARED % ": U" + "union U = S type S @shareable { x: Int }",
            ),
            {"INCONSISTENT_UNION_MEMBER", "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN"},
        ),
        (
            ("type Query { a(e: E): Int } enum E { A B }", "type Query { b(e: E): Int } enum E { A }"),
            {"INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM"},
        ),
        (
            ("type Query { a: E } enum E { A B }", "type Query { b: E } enum E { A }"),
            {"INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM"},
        ),
        (("type Query { a: Int } enum E { A }",), {"UNUSED_ENUM_TYPE"}),
        (
            ("type Query { a: Int } directive @d on FIELD", "type Query { b: Int }"),
            {"INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE"},
        ),
        (
            ("type Query { a: Int } directive @d on FIELD | QUERY", "type Query { b: Int } directive @d on FIELD"),
            {"INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS"},
        ),
        (
            ("type Query { a: Int } directive @d on FIELD", "type Query { b: Int } directive @d on QUERY"),
            {"NO_EXECUTABLE_DIRECTIVE_INTERSECTION"},
        ),
        (
            ("type Query { a: Int } directive @d repeatable on FIELD", "type Query { b: Int } directive @d on FIELD"),
            {"INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE"},
        ),
        (
            ('type Query { "one" a: Int @shareable }', 'type Query { "two" a: Int @shareable }'),
            {"INCONSISTENT_DESCRIPTION"},
        ),
        (
            (SHARED % ': Int @deprecated(reason: "x")', SHARED % ': Int @deprecated(reason: "y")'),
            {"INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS"},
        ),
        (
            (SHARED % ": Int @cost(weight: 1)", SHARED % ": Int @cost(weight: 2)"),
            {"MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS"},
        ),
        (('type Query { a: Int @override(from: "nobody") }',), {"FROM_SUBGRAPH_DOES_NOT_EXIST"}),
        (("type Query { a: Int }", 'type Query { a: Int @override(from: "a") }'), {"OVERRIDDEN_FIELD_CAN_BE_REMOVED"}),
        (
            ("type Query { b: Int }", 'type Query { a: Int @override(from: "a") }'),
            {"OVERRIDE_DIRECTIVE_CAN_BE_REMOVED"},
        ),
        (
            ("type Query { a: Int }", 'type Query { a: Int @override(from: "a", label: "l") }'),
            {"OVERRIDE_MIGRATION_IN_PROGRESS"},
        ),
        (
            (LINK % "1.0" + "type Query { a: Int }", LINK % "2.0" + "type Query { b: Int }"),
            {"DIRECTIVE_COMPOSITION_INFO"},
        ),
        (
            (
                'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0") '
                '@link(url: "https://specs.apollo.dev/cost/v0.1") type Query { a: Int @cost(weight: 1) }',
            ),
            {"IMPLICITLY_UPGRADED_FEDERATION_VERSION"},
        ),
    ],
)
def test_what_is_inconsistent_and_harmless_is_hinted_at(sdls: tuple[str, ...], codes: set[str]) -> None:
    assert hint_codes(*sdls) == codes
