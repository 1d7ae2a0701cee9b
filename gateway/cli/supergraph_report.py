"""What composition found, as text for people and as JSON for programs."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.federation.composition import Composed, CompositionError, Hint, SubgraphSource
    from gateway.federation.places import Places


def places_in(sources: "Sequence[SubgraphSource]") -> "Places":
    from gateway.federation.places import Places

    return Places({source.name: source.sdl for source in sources})


def explained(problems: "Sequence[CompositionError | Hint]", places: "Places") -> str:
    """One a paragraph, each with the places in the subgraphs' SDL."""
    return "\n\n".join(
        "\n".join(
            [
                f"{problem.code}: {problem.message}",
                *(f"  at {place.subgraph}:{place.line}:{place.column}" for place in places.of(problem)),
            ]
        )
        for problem in problems
    )


def as_json(composed: "Composed", places: "Places") -> dict[str, Any]:
    return {
        "ok": composed.ok,
        "errors": [problem_as_json(error, places) for error in composed.errors],
        "hints": [problem_as_json(hint, places) | {"level": hint.level} for hint in composed.hints],
        "supergraph": composed.supergraph_sdl if composed.ok else None,
        "api_schema": composed.api_schema if composed.ok else None,
    }


def problem_as_json(problem: "CompositionError | Hint", places: "Places") -> dict[str, Any]:
    return {
        "code": problem.code,
        "message": problem.message,
        "subgraphs": list(problem.subgraphs),
        "locations": [
            {"subgraph": place.subgraph, "line": place.line, "column": place.column} for place in places.of(problem)
        ],
    }
