"""Plan nodes and their printer: which requests are sent, in which order, with what in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gateway.federation.planner.fetches import ContextualValue, Path, Representation, Selection
from gateway.federation.planner.selection import Conditions


@dataclass(frozen=True, slots=True)
class Entities:
    """One `_entities` field of a fetch: which objects it is about, and what identifies them."""

    alias: str
    path: Path
    type_name: str
    representation: tuple[Representation, ...]
    conditions: Conditions
    variable: str = "r0"
    """In which the representations are sent."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request to one subgraph; `path` and `entities` say where its answer belongs."""

    subgraph: str
    kind: str
    document: str
    variables: tuple[str, ...]
    entities: tuple[Entities, ...]
    path: Path
    conditions: Conditions
    after: tuple[int, ...]
    """Positions in the plan of the fetches that must have answered."""
    contextual: "Contextual | None" = None

    @property
    def is_entity(self) -> bool:
        return bool(self.entities)


@dataclass(frozen=True, slots=True)
class Contextual:
    """A fetch that asks about its objects apart, by the values that they take from their contexts."""

    values: tuple[ContextualValue, ...]
    selection: Selection
    definitions: tuple[str, ...]
    """Of the operation's own variables."""
    prefix: str
    """Of the names of all others."""

    def alias(self, number: int) -> str:
        return f"_{number}"

    def representations(self, number: int) -> str:
        """The variable that holds the representations of those with the values of that number."""
        return f"{self.prefix}{number}"

    def taken(self, number: int) -> str:
        """What the variables of those values begin with; their positions follow."""
        return f"{self.prefix}{number}_"

    def document(self, type_name: str, count: int) -> str:
        """One `_entities` field for each of so many sets of values."""
        definitions, parts = list(self.definitions), []
        for number in range(count):
            definitions.append(f"${self.representations(number)}: [_Any!]!")
            definitions += [f"${self.taken(number)}{at}: {value.type}" for at, value in enumerate(self.values)]
            inside = printed_selection(Selection(fragments={type_name: self.selection}), self.taken(number))
            parts.append(f"{self.alias(number)}: _entities(representations: ${self.representations(number)}) {inside}")
        return f"query({', '.join(definitions)}) {{ {' '.join(parts)} }}"


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """The fetches of an operation in an order in which they can be sent; `in_series` for mutations."""

    kind: str
    fetches: tuple[Fetch, ...]


def printed_selection(selection: Selection, taken: str = "") -> str:
    """`{ id name … on User { email } }`, as it stands in a request; contextual values are in variables `taken` + n."""
    return "{ " + " ".join(_parts(selection, taken)) + " }"


def _parts(selection: Selection, taken: str) -> Iterator[str]:
    for asked in selection.fields.values():
        alias = "" if asked.key == asked.name else f"{asked.key}: "
        contextual = [f"{name}: ${taken}{value}" for name, value in asked.contexts]
        given = ", ".join([asked.arguments, *contextual] if asked.arguments else contextual)
        inside = "" if asked.inside is None else " " + printed_selection(_filled(asked.inside), taken)
        yield _conditional(f"{alias}{asked.name}" + (f"({given})" if given else ""), asked.conditions, inside)
    for type_name, narrowed in selection.fragments.items():
        yield f"... on {type_name} {printed_selection(_filled(narrowed), taken)}"


def _conditional(field: str, conditions: Conditions, inside: str) -> str:
    """The field with its directives; of each kind it takes one, so that more are said by fragments around it."""
    included = [f"@include(if: ${variable})" for variable, wanted in sorted(conditions) if wanted]
    skipped = [f"@skip(if: ${variable})" for variable, wanted in sorted(conditions) if not wanted]
    printed = " ".join([field, *included[:1], *skipped[:1]]) + inside
    for directive in (*included[1:], *skipped[1:]):
        printed = f"... {directive} {{ {printed} }}"
    return printed


def _filled(selection: Selection) -> Selection:
    """A selection set must not be empty."""
    if not selection.fields and not selection.fragments:
        selection.ask_typename()
    return selection


def as_json(plan: QueryPlan) -> dict[str, Any]:
    """The plan as a tree: what can be sent at once is Parallel, what waits for it follows in a Sequence.

    A fetch begins when those in its `after` have answered, which may be before its turn in the tree.
    """
    waves: list[list[dict[str, Any]]] = []
    wave_of: dict[int, int] = {}
    for number, fetch in enumerate(plan.fetches):
        wave_of[number] = 1 + max((wave_of[position] for position in fetch.after), default=-1)
        if wave_of[number] == len(waves):
            waves.append([])
        waves[wave_of[number]].append(_conditioned(fetch.conditions, _fetch_json(number, fetch)))
    nodes = [wave[0] if len(wave) == 1 else {"kind": "Parallel", "nodes": wave} for wave in waves]
    node = nodes[0] if len(nodes) == 1 else {"kind": "Sequence", "nodes": nodes}
    return {"kind": "QueryPlan", "operation": plan.kind, "node": node if nodes else None}


def _fetch_json(number: int, fetch: Fetch) -> dict[str, Any]:
    made: dict[str, Any] = {
        "kind": "Fetch",
        "id": number,
        "after": list(fetch.after),
        "serviceName": fetch.subgraph,
        "operationKind": fetch.kind,
        "operation": fetch.document,
        "variableUsages": list(fetch.variables),
    }
    if fetch.is_entity:
        made["entities"] = [
            _conditioned(
                entities.conditions - fetch.conditions,
                {
                    "kind": "Flatten",
                    "alias": entities.alias,
                    "path": path_json(entities.path),
                    "type": entities.type_name,
                    "representation": representation_json(entities.representation),
                },
            )
            for entities in fetch.entities
        ]
        if fetch.contextual is not None:
            made["contexts"] = [_contextual_json(value) for value in fetch.contextual.values]
        return made
    return {"kind": "Flatten", "path": path_json(fetch.path), "node": made} if fetch.path else made


def _contextual_json(value: ContextualValue) -> dict[str, Any]:
    """`above` are the objects, so many keys from the root, on which a value is looked for, in this order."""
    rows = [{"keys": depth, "representation": representation_json(parts)} for depth, parts in value.sources]
    return {"type": value.type, "above": rows}


def _conditioned(conditions: Conditions, node: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "Condition", "if": conditions_json(conditions), "node": node} if conditions else node


def conditions_json(conditions: Conditions) -> list[dict[str, Any]]:
    return [{"variable": variable, "is": wanted} for variable, wanted in sorted(conditions)]


def path_json(path: Path) -> list[Any]:
    """Response keys; a list of type names where only objects of those are followed."""
    return [element if isinstance(element, str) else sorted(element) for element in path]


def representation_json(parts: tuple[Representation, ...]) -> list[dict[str, Any]]:
    """`key` is where in the answers the part is found, when it is not its name."""
    rows = []
    for part in parts:
        row: dict[str, Any] = {"name": part.name}
        if part.key != part.name:
            row["key"] = part.key
        if part.of is not None:
            row["on"] = sorted(part.of)
        if part.inside is not None:
            row["inside"] = representation_json(part.inside)
        rows.append(row)
    return rows


def printed(plan: QueryPlan) -> str:
    """The plan for people."""
    node = as_json(plan)["node"]
    return "\n".join(["QueryPlan {", *(_lines(node, 1) if node else ()), "}"])


def _lines(node: dict[str, Any], depth: int) -> Iterator[str]:
    indent = "  " * depth
    match node["kind"]:
        case "Sequence" | "Parallel":
            yield f"{indent}{node['kind']} {{"
            for inner in node["nodes"]:
                yield from _lines(inner, depth + 1)
        case "Condition":
            wanted = ", ".join(f"${row['variable']}: {str(row['is']).lower()}" for row in node["if"])
            yield f"{indent}Condition(if: {wanted}) {{"
            yield from _lines(node["node"], depth + 1)
        case "Flatten":
            on = f", on: {node['type']}" if "type" in node else ""
            yield f"{indent}Flatten(path: {_path(node['path'])!r}{on}) {{"
            yield from _lines(node["node"], depth + 1) if "node" in node else _parts_lines(node, depth + 1)
        case "Fetch":
            after = f", after: {', '.join(map(str, node['after']))}" if node["after"] else ""
            yield f"{indent}Fetch #{node['id']}(service: {node['serviceName']!r}{after}) {{"
            for entities in node.get("entities", ()):
                yield from _lines(entities, depth + 1)
            for value in node.get("contexts", ()):
                told = (f"{' '.join(_representation_words(row['representation']))}" for row in value["above"])
                yield f"{indent}  Context(type: {value['type']!r}) {{ {' or '.join(told)} }}"
            yield f"{indent}  {node['operation']}"
    yield f"{indent}}}"


def _parts_lines(node: dict[str, Any], depth: int) -> Iterator[str]:
    yield "  " * depth + " ".join(_representation_words(node["representation"]))


def _representation_words(rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        word = row["name"] + (f" from {row['key']}" if "key" in row else "")
        yield word + (f" {{ {' '.join(_representation_words(row['inside']))} }}" if "inside" in row else "")


def _path(path: list[Any]) -> str:
    return ".".join(element if isinstance(element, str) else f"|[{','.join(element)}]" for element in path)
