"""Whether every query of the API schema can be answered, and the shortest one that cannot."""

from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from graphql import GraphQLField, GraphQLObjectType, get_named_type, is_composite_type, print_ast

from gateway.federation.composition.reachability import Place, Reachability
from gateway.federation.hints import CompositionError
from gateway.federation.supergraph import SubgraphField, Supergraph

_TOLD_SUBGRAPHS: Final = 10
"""Reasons are given from so many subgraphs; with hundreds, the rest says the same."""


class Step(NamedTuple):
    """A field on the way to an object, and the object's type where the field's is abstract."""

    before: "Step | None"
    operation: str
    field: str
    condition: str | None


class Position(NamedTuple):
    """An object of the API schema, and everywhere it can be asked."""

    type_name: str
    places: frozenset[Place]
    step: Step | None
    operation: str


def check_satisfiability(supergraph: Supergraph) -> list[CompositionError]:
    """One error for each field of a type that some query cannot reach; breadth first, so its query is a shortest."""
    reachability = Reachability(supergraph)
    queue: deque[Position] = deque()
    visited: set[tuple[str, frozenset[Place]]] = set()
    for operation, root in supergraph.root_types.items():
        queue.append(Position(root, reachability.roots(root), None, operation))
    failed: dict[tuple[str, str], CompositionError] = {}
    while queue:
        position = queue.popleft()
        if (position.type_name, position.places) in visited:
            continue
        visited.add((position.type_name, position.places))
        named = supergraph.api_schema.type_map.get(position.type_name)
        if not isinstance(named, GraphQLObjectType):
            continue
        for name, field in named.fields.items():
            sources = list(reachability.sources(position.type_name, position.places, name))
            if not _is_always_resolved(sources):
                failed.setdefault((position.type_name, name), _error(supergraph, reachability, position, name, field))
            queue.extend(_next(supergraph, reachability, position, name, field, sources))
    return list(failed.values())


def _is_always_resolved(sources: list[tuple[Place, SubgraphField]]) -> bool:
    """Whether the label of a progressive override is active or not."""
    if not any(source.label for _, source in sources):
        return bool(sources)
    while_active = any(not (source.label and source.overridden) for _, source in sources)
    while_inactive = any(not source.label or source.overridden for _, source in sources)
    return while_active and while_inactive


def _next(
    supergraph: Supergraph,
    reachability: Reachability,
    position: Position,
    name: str,
    field: GraphQLField,
    sources: list[tuple[Place, SubgraphField]],
) -> Iterator[Position]:
    named = get_named_type(field.type)
    if not sources or not is_composite_type(named):
        return
    for possible in sorted(supergraph.possible_types(named.name)):
        found = reachability.entries(sources, name, possible)
        if found:
            condition = None if possible == named.name else possible
            step = Step(position.step, position.operation, name, condition)
            yield Position(possible, reachability.closed(possible, found), step, position.operation)


def _error(
    supergraph: Supergraph, reachability: Reachability, position: Position, name: str, field: GraphQLField
) -> CompositionError:
    having = [
        graph
        for local in (position.type_name, *supergraph.interfaces_of(position.type_name))
        for graph in supergraph.subgraphs_by_field.get((local, name), ())
    ]
    graphs = sorted({place.subgraph for place in position.places})
    reasons = "\n".join(
        line for graph in graphs[:_TOLD_SUBGRAPHS] for line in _reasons(supergraph, position, graph, name, having)
    )
    is_composite = is_composite_type(get_named_type(field.type))
    query = _witness(position, f"{name} {{ ... }}" if is_composite else name)
    return CompositionError(
        "SATISFIABILITY_ERROR",
        f"The following supergraph API query:\n{query}\ncannot be satisfied by the subgraphs because:\n{reasons}",
        tuple(dict.fromkeys((*graphs[:_TOLD_SUBGRAPHS], *having))),
    )


def _reasons(supergraph: Supergraph, position: Position, graph: str, name: str, having: list[str]) -> Iterator[str]:
    type_name = position.type_name
    yield f'- from subgraph "{graph}":'
    here = supergraph.type_in(graph, type_name)
    known = here.fields.get(name) if here is not None else None
    if known is not None and known.requires is not None:
        required = " ".join(print_ast(known.requires)[1:-1].split())
        yield f'  - cannot satisfy @requires(fields: "{required}") of field "{type_name}.{name}".'
    elif known is not None and known.external:
        yield f'  - field "{type_name}.{name}" is not resolvable because marked @external.'
    else:
        yield f'  - cannot find field "{type_name}.{name}".'
    reached = {place.subgraph for place in position.places}
    for other in having:
        if other in reached:
            continue
        there = supergraph.type_in(other, type_name)
        keys = [key for key in there.keys if key.resolvable] if there is not None else []
        for key in keys:
            fields = " ".join(print_ast(key.fields)[1:-1].split())
            yield (
                f'  - cannot move to subgraph "{other}" using @key(fields: "{fields}") of "{type_name}", the key '
                f'field(s) cannot be resolved from subgraph "{graph}".'
            )
        if not keys:
            why = f'because type "{type_name}" has no resolvable @key defined in subgraph "{other}".'
            yield f'  - cannot move to subgraph "{other}", which has field "{type_name}.{name}", {why}'


def _witness(position: Position, leaf: str) -> str:
    names: list[str] = []
    step = position.step
    while step is not None:
        if step.condition is not None:
            names.append(f"... on {step.condition}")
        names.append(step.field)
        step = step.before
    names.reverse()
    lines = [f"{'  ' * depth}{name} {{" for depth, name in enumerate(names, start=1)]
    lines.append(f"{'  ' * (len(names) + 1)}{leaf}")
    lines += [f"{'  ' * depth}}}" for depth in range(len(names), 0, -1)]
    opening = "{" if position.operation == "query" else f"{position.operation} {{"
    return "\n".join([opening, *lines, "}"])
