"""Renders the result of composition: text for people, JSON for programs."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.federation.composition import CompositionError, CompositionResult, Hint, SubgraphSource
    from gateway.federation.locations import LocationFinder


def make_locations(sources: "Sequence[SubgraphSource]") -> "LocationFinder":
    from gateway.federation.locations import LocationFinder

    return LocationFinder({source.name: source.sdl for source in sources})


def explain_problems(problems: "Sequence[CompositionError | Hint]", places: "LocationFinder") -> str:
    """Renders one paragraph for each problem, with its locations in the subgraphs' SDL."""
    return "\n\n".join(
        "\n".join(
            [
                f"{problem.code}: {problem.message}",
                *(f"  at {place.subgraph}:{place.line}:{place.column}" for place in places.find(problem)),
            ]
        )
        for problem in problems
    )


def result_to_json(composed: "CompositionResult", places: "LocationFinder") -> dict[str, Any]:
    return {
        "ok": composed.ok,
        "errors": [problem_to_json(error, places) for error in composed.errors],
        "hints": [problem_to_json(hint, places) | {"level": hint.level} for hint in composed.hints],
        "supergraph": composed.supergraph_sdl if composed.ok else None,
        "api_schema": composed.api_schema if composed.ok else None,
    }


def problem_to_json(problem: "CompositionError | Hint", places: "LocationFinder") -> dict[str, Any]:
    return {
        "code": problem.code,
        "message": problem.message,
        "subgraphs": list(problem.subgraphs),
        "locations": [
            {"subgraph": place.subgraph, "line": place.line, "column": place.column} for place in places.find(problem)
        ],
    }
