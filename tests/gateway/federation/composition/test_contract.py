"""Contract variants: the same supergraph with fewer elements in the API schema."""

from graphql import build_schema
from support.composing import build_sources

from gateway.federation.composition import Contract, compose
from gateway.federation.join import read_supergraph

ROADS = """
type Query { roads: [Road!]! @tag(name: "public") audits: [Audit!]! @tag(name: "internal") }
type Road @key(fields: "id") {
  id: ID! @tag(name: "public")
  surface: Surface @tag(name: "public")
  budget: Int @tag(name: "internal")
}
enum Surface { ASPHALT SECRET @tag(name: "internal") }
"""
AUDITS = """
type Audit @shareable { findings: String }
type Road @key(fields: "id") { id: ID! audits: [Audit!]! @tag(name: "internal") }
"""


def types(include: str = "", exclude: str = "") -> dict[str, set[str]]:
    outcome = compose(
        build_sources(ROADS + "type Audit @shareable { findings: String }", AUDITS),
        Contract(frozenset(include.split()), frozenset(exclude.split())),
    )
    assert outcome.ok, outcome.errors
    assert outcome.api_schema
    # A router that reads the variant's SDL must show clients the same API schema.
    assert outcome.supergraph is not None
    read = read_supergraph(outcome.supergraph_sdl).api_schema
    schema = build_schema(outcome.api_schema)
    assert read.type_map.keys() >= {name for name in schema.type_map if not name.startswith("__")}
    return {
        name: {*getattr(named, "fields", {}), *getattr(named, "values", {})}
        for name, named in schema.type_map.items()
        if name in ("Query", "Road", "Audit", "Surface")
    }


def test_what_is_excluded_is_gone_with_all_that_is_under_it() -> None:
    found = types(exclude="internal")
    assert found["Query"] == {"roads"}
    assert found["Road"] == {"id", "surface"}
    assert found["Surface"] == {"ASPHALT"}


def test_of_what_is_not_included_nothing_is_left_and_nothing_out_of_reach() -> None:
    found = types(include="public")
    assert found["Query"] == {"roads"}
    assert found["Road"] == {"id", "surface"}
    assert "Audit" not in found


def test_exclusion_has_the_last_word() -> None:
    assert types(include="public internal", exclude="internal")["Surface"] == {"ASPHALT"}


def test_a_variant_without_queries_is_refused() -> None:
    outcome = compose(build_sources(ROADS + "type Audit { findings: String }"), Contract(include=frozenset({"nobody"})))
    assert {error.code for error in outcome.errors} == {"ONLY_INACCESSIBLE_CHILDREN"}
