"""Query plans: the requests that are sent, their order, and their printers for people and machines."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gateway.federation.planner.fetches import ContextualValue, FetchSelection, Path, RepresentationField
from gateway.federation.planner.selection import FieldConditions


@dataclass(frozen=True, slots=True)
class EntitiesField:
    """One `_entities` field of a fetch: the objects at `path`, sent as representations of the type."""

    alias: str
    path: Path
    type_name: str
    representation: tuple[RepresentationField, ...]
    conditions: FieldConditions
    variable: str = "r0"
    """The variable in which the representations are sent."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request to one subgraph. Its answer is merged at `path`, or into the objects of its `entities`."""

    subgraph: str
    kind: str
    document: str
    variables: tuple[str, ...]
    """The operation's variables that the document uses."""
    entities: tuple[EntitiesField, ...]
    path: Path
    conditions: FieldConditions
    """If these do not hold, the fetch is not sent."""
    after: tuple[int, ...]
    """The fetches that must have answered, by their positions in the plan."""
    context_template: "ContextTemplate | None" = None

    @property
    def is_entity(self) -> bool:
        return bool(self.entities)


@dataclass(frozen=True, slots=True)
class ContextTemplate:
    """Builds the document of a fetch whose objects have different context values.

    How many sets of values there are is known only at run time, so the executor builds the document then:
    # query($r0: [_Any!]!, $r0_0: String, $r1: [_Any!]!, $r1_0: String) {
    #   _0: _entities(representations: $r0) { ... on Kid { grown(by: $r0_0) } }
    #   _1: _entities(representations: $r1) { ... on Kid { grown(by: $r1_0) } } }
    """

    values: tuple[ContextualValue, ...]
    selection: FetchSelection
    definitions: tuple[str, ...]
    """The definitions of the operation's own variables."""
    prefix: str
    """The beginning of all other variables' names; no variable of the operation begins like this."""

    def name_alias(self, number: int) -> str:
        return f"_{number}"

    def name_representations(self, number: int) -> str:
        """Returns the variable for the representations of the objects with the given set of values."""
        return f"{self.prefix}{number}"

    def name_values(self, number: int) -> str:
        """Returns the beginning of the variables of a set of values; the position of each value follows."""
        return f"{self.prefix}{number}_"

    def build_document(self, type_name: str, count: int) -> str:
        """Returns a document with one `_entities` field for each of `count` sets of values."""
        definitions, parts = list(self.definitions), []
        for number in range(count):
            variable, prefix = self.name_representations(number), self.name_values(number)
            definitions.append(f"${variable}: [_Any!]!")
            definitions += [f"${prefix}{position}: {value.type}" for position, value in enumerate(self.values)]
            inside = print_selection(FetchSelection(fragments={type_name: self.selection}), prefix)
            parts.append(f"{self.name_alias(number)}: _entities(representations: ${variable}) {inside}")
        return f"query({', '.join(definitions)}) {{ {' '.join(parts)} }}"


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """The fetches of an operation. Each stands after all fetches that it waits for (`Fetch.after`)."""

    kind: str
    fetches: tuple[Fetch, ...]


def print_selection(selection: FetchSelection, values_prefix: str = "") -> str:
    """Returns `{ id name … on User { email } }`. Contextual arguments get the variables `values_prefix` + position."""
    return "{ " + " ".join(_print_parts(selection, values_prefix)) + " }"


def _print_parts(selection: FetchSelection, values_prefix: str) -> Iterator[str]:
    for selected in selection.fields.values():
        alias = "" if selected.key == selected.name else f"{selected.key}: "
        contextual = [f"{name}: ${values_prefix}{position}" for name, position in selected.contexts]
        arguments = ", ".join([selected.arguments, *contextual] if selected.arguments else contextual)
        inside = "" if selected.inside is None else " " + print_selection(_fill(selected.inside), values_prefix)
        field = f"{alias}{selected.name}" + (f"({arguments})" if arguments else "")
        yield _print_conditional(field, selected.conditions, inside)
    for type_name, narrowed in selection.fragments.items():
        yield f"... on {type_name} {print_selection(_fill(narrowed), values_prefix)}"


def _print_conditional(field: str, conditions: FieldConditions, inside: str) -> str:
    """Returns the field with its `@include` and `@skip`.

    A field may have each directive once, so further conditions become fragments around it:
    # ... @include(if: $b) { name @include(if: $a) }
    """
    included = [f"@include(if: ${variable})" for variable, wanted in sorted(conditions) if wanted]
    skipped = [f"@skip(if: ${variable})" for variable, wanted in sorted(conditions) if not wanted]
    printed = " ".join([field, *included[:1], *skipped[:1]]) + inside
    for directive in (*included[1:], *skipped[1:]):
        printed = f"... {directive} {{ {printed} }}"
    return printed


def _fill(selection: FetchSelection) -> FetchSelection:
    """Adds `__typename` to an empty selection set: GraphQL forbids empty ones."""
    if not selection.fields and not selection.fragments:
        selection.add_typename()
    return selection


def plan_to_json(plan: QueryPlan) -> dict[str, Any]:
    """Returns the plan as a tree: a Sequence of waves, each wave a Parallel of fetches.

    The tree is for readers. The executor starts a fetch when those in its `after` have answered, even if other
    fetches of the previous wave are still running.
    """
    waves: list[list[dict[str, Any]]] = []
    wave_of: dict[int, int] = {}
    for number, fetch in enumerate(plan.fetches):
        wave_of[number] = 1 + max((wave_of[position] for position in fetch.after), default=-1)
        if wave_of[number] == len(waves):
            waves.append([])
        waves[wave_of[number]].append(_wrap_condition(fetch.conditions, _fetch_to_json(number, fetch)))
    nodes = [wave[0] if len(wave) == 1 else {"kind": "Parallel", "nodes": wave} for wave in waves]
    node = nodes[0] if len(nodes) == 1 else {"kind": "Sequence", "nodes": nodes}
    return {"kind": "QueryPlan", "operation": plan.kind, "node": node if nodes else None}


def _fetch_to_json(number: int, fetch: Fetch) -> dict[str, Any]:
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
            _wrap_condition(
                entities.conditions - fetch.conditions,
                {
                    "kind": "Flatten",
                    "alias": entities.alias,
                    "path": path_to_json(entities.path),
                    "type": entities.type_name,
                    "representation": representation_to_json(entities.representation),
                },
            )
            for entities in fetch.entities
        ]
        if fetch.context_template is not None:
            made["contexts"] = [_context_value_to_json(value) for value in fetch.context_template.values]
        return made
    return {"kind": "Flatten", "path": path_to_json(fetch.path), "node": made} if fetch.path else made


def _context_value_to_json(value: ContextualValue) -> dict[str, Any]:
    """In `above`, `keys` is the number of response keys from the root to the object where the value is looked for."""
    rows = [{"keys": depth, "representation": representation_to_json(parts)} for depth, parts in value.sources]
    return {"type": value.type, "above": rows}


def _wrap_condition(conditions: FieldConditions, node: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "Condition", "if": conditions_to_json(conditions), "node": node} if conditions else node


def conditions_to_json(conditions: FieldConditions) -> list[dict[str, Any]]:
    return [{"variable": variable, "is": wanted} for variable, wanted in sorted(conditions)]


def path_to_json(path: Path) -> list[Any]:
    """Returns the path's response keys. A list of type names among them means: only objects of these types."""
    return [element if isinstance(element, str) else sorted(element) for element in path]


def representation_to_json(parts: tuple[RepresentationField, ...]) -> list[dict[str, Any]]:
    """`key` is the response key of a field in the data, given only if it is not the field's name."""
    rows = []
    for part in parts:
        row: dict[str, Any] = {"name": part.name}
        if part.key != part.name:
            row["key"] = part.key
        if part.of is not None:
            row["on"] = sorted(part.of)
        if part.inside is not None:
            row["inside"] = representation_to_json(part.inside)
        rows.append(row)
    return rows


def print_plan(plan: QueryPlan) -> str:
    """Returns the plan as text for people."""
    node = plan_to_json(plan)["node"]
    return "\n".join(["QueryPlan {", *(_print_lines(node, 1) if node else ()), "}"])


def _print_lines(node: dict[str, Any], depth: int) -> Iterator[str]:
    indent = "  " * depth
    match node["kind"]:
        case "Sequence" | "Parallel":
            yield f"{indent}{node['kind']} {{"
            for inner in node["nodes"]:
                yield from _print_lines(inner, depth + 1)
        case "Condition":
            wanted = ", ".join(f"${row['variable']}: {str(row['is']).lower()}" for row in node["if"])
            yield f"{indent}Condition(if: {wanted}) {{"
            yield from _print_lines(node["node"], depth + 1)
        case "Flatten":
            on = f", on: {node['type']}" if "type" in node else ""
            yield f"{indent}Flatten(path: {_print_path(node['path'])!r}{on}) {{"
            yield from (
                _print_lines(node["node"], depth + 1) if "node" in node else _print_representation(node, depth + 1)
            )
        case "Fetch":
            after = f", after: {', '.join(map(str, node['after']))}" if node["after"] else ""
            yield f"{indent}Fetch #{node['id']}(service: {node['serviceName']!r}{after}) {{"
            for entities in node.get("entities", ()):
                yield from _print_lines(entities, depth + 1)
            for value in node.get("contexts", ()):
                sources = (f"{' '.join(_list_words(row['representation']))}" for row in value["above"])
                yield f"{indent}  Context(type: {value['type']!r}) {{ {' or '.join(sources)} }}"
            yield f"{indent}  {node['operation']}"
    yield f"{indent}}}"


def _print_representation(node: dict[str, Any], depth: int) -> Iterator[str]:
    yield "  " * depth + " ".join(_list_words(node["representation"]))


def _list_words(rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        word = row["name"] + (f" from {row['key']}" if "key" in row else "")
        yield word + (f" {{ {' '.join(_list_words(row['inside']))} }}" if "inside" in row else "")


def _print_path(path: list[Any]) -> str:
    return ".".join(element if isinstance(element, str) else f"|[{','.join(element)}]" for element in path)
