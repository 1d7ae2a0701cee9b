"""Renders the state machine for docs/lifecycle.md: a Mermaid diagram and a table, from the rows of TRANSITIONS."""

from collections.abc import Iterable

from resolvers.domain.guards import OPEN
from resolvers.domain.lifecycle import TRANSITIONS, ClockEffect, Transition
from resolvers.domain.vocabulary import ComplaintStatus

_HEAD = ("from", "action", "to", "who", "clocks", "unless")


def render_mermaid() -> str:
    """Render every transition that changes the status, as a Mermaid state diagram."""
    edges: dict[tuple[str, str], list[str]] = {}
    for row in TRANSITIONS:
        if row.source is not row.target:
            edges.setdefault((row.source, row.target), []).append(row.action)
    lines = [f"    {source} --> {target}: {', '.join(actions)}" for (source, target), actions in edges.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {ComplaintStatus.SUBMITTED}: SUBMIT", *lines])


def render_table() -> str:
    """Render all transitions as a Markdown table; transitions that differ only in their source share a line."""
    alike: dict[tuple[object, ...], list[Transition]] = {}
    for row in TRANSITIONS:
        target = "as it is" if row.source is row.target else row.target
        alike.setdefault((row.action, target, row.actors, row.clocks, row.guard), []).append(row)
    lines = [_render_line(str(key[1]), rows) for key, rows in alike.items()]
    return "\n".join([_join_cells(_HEAD), _join_cells(["---"] * len(_HEAD)), *lines])


def _render_line(target: str, rows: list[Transition]) -> str:
    first = rows[0]
    who = ", ".join(sorted(first.actors))
    clocks = "; ".join(_name_effect(effect) for effect in first.clocks)
    unless = "" if first.guard is None else (first.guard.__doc__ or "").partition("\n")[0].rstrip(".")
    return _join_cells([_name_sources([row.source for row in rows]), first.action, target, who, clocks, unless])


def _name_sources(sources: list[ComplaintStatus]) -> str:
    if set(sources) == set(ComplaintStatus):
        return "any"
    return "any open" if set(sources) == OPEN else ", ".join(sources)


def _name_effect(effect: ClockEffect) -> str:
    return f"{effect.effect.lower()} {effect.kind or 'all'}"


def _join_cells(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")
