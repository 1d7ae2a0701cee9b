"""Whether every query of the API schema can be answered, and the shortest one that cannot."""

from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    print_ast,
)

from gateway.federation.composition.merge_state import Merging
from gateway.federation.composition.reachability import Closures, Reachability, Vertex
from gateway.federation.hints import CompositionError, quote_names
from gateway.federation.supergraph import SubgraphField, Supergraph

_TOLD_SUBGRAPHS: Final = 10
"""Reasons are given from so many subgraphs; with hundreds, the rest says the same."""


class WitnessStep(NamedTuple):
    """A field on the way to an object, and the object's type where the field's is abstract."""

    before: "WitnessStep | None"
    operation: str
    field: str
    condition: str | None


class Position(NamedTuple):
    """An object of the API schema, and everywhere it can be asked."""

    type_name: str
    known: Closures
    step: WitnessStep | None
    operation: str
    contexts: frozenset[str] = frozenset()
    """Set by the objects it has been reached through: what it sets itself is for those inside."""


def check_satisfiability(supergraph: Supergraph, merging: Merging) -> None:
    """Adds an error for each field that some query cannot reach; breadth first, so that its query is a shortest."""
    reachability = Reachability(supergraph)
    queue: deque[Position] = deque()
    visited: set[tuple[str, Closures, frozenset[str]]] = set()
    for operation, root in supergraph.root_types.items():
        known = reachability.find_closures(root, reachability.find_roots(root))
        queue.append(Position(root, known, None, operation))
    failed: dict[tuple[str, str], CompositionError] = {}
    shared: set[tuple[object, ...]] = set()
    while queue:
        position = queue.popleft()
        state = (position.type_name, position.known, position.contexts)
        if state in visited:
            continue
        visited.add(state)
        named = supergraph.api_schema.type_map.get(position.type_name)
        if not isinstance(named, GraphQLObjectType):
            continue
        inside = position.contexts | _find_contexts(supergraph, position.type_name)
        for name, field in named.fields.items():
            sources = [
                (place, source)
                for place, source in reachability.find_sources(position.type_name, position.known, name)
                if all(argument.context in position.contexts for argument in source.contexts)
            ]
            if not _is_always_resolved(sources):
                failed.setdefault(
                    (position.type_name, name), _build_error(supergraph, reachability, position, name, field)
                )
            types = _find_runtime_types(supergraph, field, sources)
            for following in _list_next_positions(supergraph, reachability, position, name, field, sources):
                if all(following.type_name in there for _, there in types):
                    queue.append(following._replace(contexts=inside))
            told = (position.type_name, name, types)
            if types and told not in shared:
                shared.add(told)
                _check_runtime_types(merging, position, name, types)
    merging.errors += failed.values()


def _find_contexts(supergraph: Supergraph, type_name: str) -> frozenset[str]:
    return frozenset(context for context, setters in supergraph.context_setters.items() if type_name in setters)


def _find_runtime_types(
    supergraph: Supergraph, field: GraphQLField, sources: list[tuple[Vertex, SubgraphField]]
) -> tuple[tuple[str, frozenset[str]], ...]:
    """(subgraph, object types that the field may have there), of a field that several resolve to abstract types."""
    named = get_named_type(field.type)
    if not is_abstract_type(named) or len({place.subgraph for place, _ in sources}) < 2:
        return ()
    found: dict[str, frozenset[str]] = {}
    for place, source in sources:
        there = supergraph.type_in(place.subgraph, source.named_type)
        if there is not None and not there.is_interface_object:
            found[place.subgraph] = frozenset(there.possible_types) or frozenset((source.named_type,))
    return tuple(sorted(found.items()))


def _check_runtime_types(
    merging: Merging, position: Position, name: str, types: tuple[tuple[str, frozenset[str]], ...]
) -> None:
    """Whoever is asked must give the same objects, which needs some type that all know."""
    distinct = {row for _, row in types}
    if len(distinct) < 2:
        return
    coordinate = f"{position.type_name}.{name}"
    told = "\n".join(f'- in subgraph "{graph}": {quote_names(sorted(row))}' for graph, row in types)
    query = _print_witness(position, f"{name} {{ ... }}")
    graphs = tuple(graph for graph, _ in types)
    if frozenset.intersection(*distinct):
        message = (
            f'The shared field "{coordinate}" has different possible types across subgraphs, in the query\n{query}\n'
        )
        merging.add_hint("INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN", message + told, graphs, coordinate)
    else:
        message = (
            f'For the following supergraph API query:\n{query}\nthe shared field "{coordinate}" has no possible type '
        )
        message += "that all subgraphs know, yet each must resolve it to the same objects:\n"
        merging.add_error("SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES", message + told, graphs, coordinate)


def _is_always_resolved(sources: list[tuple[Vertex, SubgraphField]]) -> bool:
    """Whether the label of a progressive override is active or not."""
    if not any(source.label for _, source in sources):
        return bool(sources)
    while_active = any(not (source.label and source.overridden) for _, source in sources)
    while_inactive = any(not source.label or source.overridden for _, source in sources)
    return while_active and while_inactive


def _list_next_positions(
    supergraph: Supergraph,
    reachability: Reachability,
    position: Position,
    name: str,
    field: GraphQLField,
    sources: list[tuple[Vertex, SubgraphField]],
) -> Iterator[Position]:
    named = get_named_type(field.type)
    if not sources or not is_composite_type(named):
        return
    for possible in sorted(supergraph.possible_types(named.name)):
        found = reachability.find_entries(sources, name, possible)
        if found:
            condition = None if possible == named.name else possible
            step = WitnessStep(position.step, position.operation, name, condition)
            yield Position(possible, reachability.find_closures(possible, found), step, position.operation)


def _build_error(
    supergraph: Supergraph, reachability: Reachability, position: Position, name: str, field: GraphQLField
) -> CompositionError:
    having = [
        graph
        for local in (position.type_name, *supergraph.interfaces_of(position.type_name))
        for graph in supergraph.subgraphs_by_field.get((local, name), ())
    ]
    reached = {place.subgraph for places in position.known for place in places}
    graphs = sorted(reached)
    reasons = "\n".join(
        line
        for graph in graphs[:_TOLD_SUBGRAPHS]
        for line in _explain_failure(supergraph, position, graph, name, having)
    )
    is_composite = is_composite_type(get_named_type(field.type))
    query = _print_witness(position, f"{name} {{ ... }}" if is_composite else name)
    return CompositionError(
        "SATISFIABILITY_ERROR",
        f"The following supergraph API query:\n{query}\ncannot be satisfied by the subgraphs because:\n{reasons}",
        tuple(dict.fromkeys((*graphs[:_TOLD_SUBGRAPHS], *having))),
        f"{position.type_name}.{name}",
    )


def _explain_failure(
    supergraph: Supergraph, position: Position, graph: str, name: str, having: list[str]
) -> Iterator[str]:
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
    reached = {place.subgraph for places in position.known for place in places}
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


def _print_witness(position: Position, leaf: str) -> str:
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
