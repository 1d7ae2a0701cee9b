"""Composes small subgraphs in every order, and returns the codes of errors and hints."""

from itertools import permutations

from gateway.federation.composition import CompositionResult, SubgraphSource, compose

EVERYTHING = (
    *("@key", "@shareable", "@external", "@requires", "@provides", "@override", "@inaccessible", "@interfaceObject"),
    *("@tag", "@extends", "@authenticated", "@requiresScopes", "@policy", "@composeDirective"),
    *("@context", "@fromContext", "@cost", "@listSize"),
)
LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ['
    + ", ".join(f'"{name}"' for name in EVERYTHING)
    + "])\n"
)
FED1 = "# Federation 1\n"


def build_sources(*sdls: str) -> list[SubgraphSource]:
    """Builds subgraphs a, b, …. Adds a link to Federation unless the SDL has one or begins with FED1."""
    return [
        SubgraphSource(name, f"http://{name}", sdl if "/federation/" in sdl or sdl.startswith(FED1) else LINK + sdl)
        for name, sdl in zip("abcdef", sdls, strict=False)
    ]


def compose_all_orders(*sdls: str) -> CompositionResult:
    """Composes the subgraphs in every order, asserts that the outcomes are equal, and returns the outcome."""
    outcomes = [compose(order) for order in permutations(build_sources(*sdls))]
    first = outcomes[0]
    for other in outcomes[1:]:
        assert (other.errors, other.hints, other.supergraph_sdl) == (first.errors, first.hints, first.supergraph_sdl)
        assert other.api_schema == first.api_schema
    return first


def error_codes(*sdls: str) -> set[str]:
    outcome = compose_all_orders(*sdls)
    assert outcome.ok == (not outcome.errors)
    assert all(error.message for error in outcome.errors)
    return {error.code for error in outcome.errors}


def hint_codes(*sdls: str) -> set[str]:
    outcome = compose_all_orders(*sdls)
    assert outcome.ok, outcome.errors
    assert all(hint.message and hint.level for hint in outcome.hints)
    return {hint.code for hint in outcome.hints}
