"""Printers of the phases before the plan: the operation as it is normalised, its paths, its fetches."""

from collections.abc import Iterable
from typing import Any

from gateway.federation.planner.fetches import Group
from gateway.federation.planner.paths import Move, Placed, Solution
from gateway.federation.planner.plan import (
    conditions_json,
    path_json,
    printed_selection,
    representation_json,
)
from gateway.federation.planner.selection import Field, Item

Json = dict[str, Any]


def operation_json(kind: str, items: Iterable[Item]) -> Json:
    return {"kind": "Operation", "operation": kind, "selections": [_item(item) for item in items]}


def _item(item: Item) -> Json:
    if not isinstance(item, Field):
        return {"on": item.type_name, "selections": [_item(inner) for inner in item.selections]}
    made = _field(item)
    if item.selections:
        made["selections"] = [_item(inner) for inner in item.selections]
    return made


def _field(item: Field) -> Json:
    made: Json = {"field": item.name}
    if item.arguments:
        made["arguments"] = item.arguments
    if item.conditions:
        made["if"] = conditions_json(item.conditions)
    return made


def paths_json(kind: str, root_type: str, solutions: Iterable[Solution]) -> Json:
    """`cost`: a thousand for each further subgraph that is asked, and one for each field."""
    rows = [{"cost": solution.cost, **_solution(solution)} for solution in solutions]
    return {"kind": "Paths", "operation": kind, "type": root_type, "paths": rows}


def _solution(solution: Solution) -> Json:
    made: Json = {}
    if solution.fields:
        made["fields"] = [_placed(placed) for placed in solution.fields]
    if solution.fragments:
        made["fragments"] = [
            {"on": narrowed.node.type_name, **_solution(narrowed.solution)} for narrowed in solution.fragments
        ]
    if solution.moves:
        made["moves"] = [_move(move) for move in solution.moves]
    return made


def _placed(placed: Placed) -> Json:
    made = _field(placed.field)
    return made if placed.inside is None else made | _solution(placed.inside)


def _move(move: Move) -> Json:
    made: Json = {"subgraph": move.node.subgraph, "type": move.node.type_name}
    if move.key:
        made["key"] = [_item(item) for item in move.key]
    if move.requirement:
        made["requires"] = [_item(item) for item in move.requirement]
    needed = [row for row in map(_solution, move.required) if row]
    if needed:
        made["needs"] = needed
    return made | _solution(move.solution)


def fetches_json(groups: Iterable[Group]) -> Json:
    """Before those to one subgraph are put together."""
    number = {group: position for position, group in enumerate(groups)}
    return {"kind": "Fetches", "fetches": [_group(group, number) for group in number]}


def _group(group: Group, number: dict[Group, int]) -> Json:
    made: Json = {
        "id": number[group],
        "after": sorted(number[earlier] for earlier in group.after),
        "subgraph": group.subgraph,
        "operation": group.operation,
        "type": group.type_name,
        "path": path_json(group.path),
        "selection": printed_selection(group.selection),
    }
    if group.is_entity:
        made["representation"] = representation_json(group.representation)
    if group.conditions:
        made["if"] = conditions_json(group.conditions)
    return made


def printed(node: Any, depth: int = 0) -> str:
    """Any phase's JSON for people: one line a value, what is inside further in."""
    return "\n".join(_lines(node, depth))


def _lines(node: Any, depth: int) -> Iterable[str]:
    indent = "  " * depth
    for name, value in node.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{indent}{name}:"
            for row in value:
                first, *others = _lines(row, depth + 2)
                yield f"{indent}  - {first.strip()}"
                yield from others
        elif isinstance(value, list):
            yield f"{indent}{name}: {' '.join(map(_word, value)) or '-'}"
        else:
            yield f"{indent}{name}: {value}"


def _word(value: Any) -> str:
    return f"|[{','.join(value)}]" if isinstance(value, list) else str(value)
