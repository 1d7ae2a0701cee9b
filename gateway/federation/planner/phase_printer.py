"""Prints the planner's phases before the plan: the normalised operation, its paths and its fetch groups."""

from collections.abc import Iterable
from typing import Any

from gateway.federation.planner.fetches import FetchGroup
from gateway.federation.planner.plan import (
    conditions_to_json,
    path_to_json,
    print_selection,
    representation_to_json,
)
from gateway.federation.planner.selection import Field, SelectionItem
from gateway.federation.planner.solution import Move, Solution, SolvedField

Json = dict[str, Any]


def operation_to_json(kind: str, items: Iterable[SelectionItem]) -> Json:
    return {"kind": "Operation", "operation": kind, "selections": [_item_to_json(item) for item in items]}


def _item_to_json(item: SelectionItem) -> Json:
    if not isinstance(item, Field):
        return {"on": item.type_name, "selections": [_item_to_json(inner) for inner in item.selections]}
    made = _field_to_json(item)
    if item.selections:
        made["selections"] = [_item_to_json(inner) for inner in item.selections]
    return made


def _field_to_json(item: Field) -> Json:
    made: Json = {"field": item.name}
    if item.arguments:
        made["arguments"] = item.arguments
    if item.conditions:
        made["if"] = conditions_to_json(item.conditions)
    return made


def paths_to_json(kind: str, root_type: str, solutions: Iterable[Solution]) -> Json:
    """`cost` is 1000 for each request plus 1 for each field."""
    rows = [{"cost": solution.cost, **_solution_to_json(solution)} for solution in solutions]
    return {"kind": "Paths", "operation": kind, "type": root_type, "paths": rows}


def _solution_to_json(solution: Solution) -> Json:
    made: Json = {}
    if solution.fields:
        made["fields"] = [_field_solution_to_json(solved) for solved in solution.fields]
    if solution.fragments:
        made["fragments"] = [
            {"on": narrowed.node.type_name, **_solution_to_json(narrowed.solution)} for narrowed in solution.fragments
        ]
    if solution.moves:
        made["moves"] = [_move_to_json(move) for move in solution.moves]
    return made


def _field_solution_to_json(solved: SolvedField) -> Json:
    made = _field_to_json(solved.field)
    return made if solved.inside is None else made | _solution_to_json(solved.inside)


def _move_to_json(move: Move) -> Json:
    made: Json = {"subgraph": move.node.subgraph, "type": move.node.type_name}
    if move.key:
        made["key"] = [_item_to_json(item) for item in move.key]
    if move.requirement:
        made["requires"] = [_item_to_json(item) for item in move.requirement]
    needed = [row for row in map(_solution_to_json, move.required) if row]
    if needed:
        made["needs"] = needed
    return made | _solution_to_json(move.solution)


def fetches_to_json(groups: Iterable[FetchGroup]) -> Json:
    """Returns the groups as they are before waves.py combines those that go to one subgraph."""
    number = {group: position for position, group in enumerate(groups)}
    return {"kind": "Fetches", "fetches": [_group_to_json(group, number) for group in number]}


def _group_to_json(group: FetchGroup, number: dict[FetchGroup, int]) -> Json:
    made: Json = {
        "id": number[group],
        "after": sorted(number[earlier] for earlier in group.after),
        "subgraph": group.subgraph,
        "operation": group.operation,
        "type": group.type_name,
        "path": path_to_json(group.path),
        "selection": print_selection(group.selection),
    }
    if group.is_entity:
        made["representation"] = representation_to_json(group.representation)
    if group.conditions:
        made["if"] = conditions_to_json(group.conditions)
    return made


def print_phase(node: Any, depth: int = 0) -> str:
    """Returns the JSON of any phase as text for people: one line per value, nested values indented."""
    return "\n".join(_print_lines(node, depth))


def _print_lines(node: Any, depth: int) -> Iterable[str]:
    indent = "  " * depth
    for name, value in node.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{indent}{name}:"
            for row in value:
                first, *others = _print_lines(row, depth + 2)
                yield f"{indent}  - {first.strip()}"
                yield from others
        elif isinstance(value, list):
            yield f"{indent}{name}: {' '.join(map(_print_word, value)) or '-'}"
        else:
            yield f"{indent}{name}: {value}"


def _print_word(value: Any) -> str:
    return f"|[{','.join(value)}]" if isinstance(value, list) else str(value)
