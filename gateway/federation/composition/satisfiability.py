"""Checks that the subgraphs can answer every query of the API schema; reports a shortest query for each failure.

A breadth-first search from the root types. A state is an object type, the vertices where such an object can be asked,
and the contexts that are set above it. Each field of the type must have a source among these vertices; its own type
gives the next states. Queries are infinite, states are not: each state is visited once.
"""

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

_MAX_SUBGRAPHS: Final = 10
"""Subgraphs for which an error gives reasons: with hundreds of subgraphs, more would not help."""


class WitnessStep(NamedTuple):
    """One field of a failing query; `condition` is the object's type if the field's type is abstract."""

    parent: "WitnessStep | None"
    operation: str
    field: str
    condition: str | None


class Position(NamedTuple):
    """A state of the search; `step` leads back to the root and gives the query."""

    type_name: str
    closures: Closures
    step: WitnessStep | None
    operation: str
    contexts: frozenset[str] = frozenset()
    """Contexts that objects above this one set; those that it sets itself count for the objects inside."""


def check_satisfiability(supergraph: Supergraph, merging: Merging) -> None:
    """Adds an error for each field that a query can select and no subgraph can resolve then."""
    reachability = Reachability(supergraph)
    queue: deque[Position] = deque()
    visited: set[tuple[str, Closures, frozenset[str]]] = set()
    for operation, root in supergraph.root_types.items():
        closures = reachability.find_closures(root, reachability.find_roots(root))
        queue.append(Position(root, closures, None, operation))
    errors: dict[tuple[str, str], CompositionError] = {}
    compared: set[tuple[object, ...]] = set()
    while queue:
        position = queue.popleft()
        state = (position.type_name, position.closures, position.contexts)
        if state in visited:
            continue  # The earlier visit came by a query that is not longer.
        visited.add(state)
        named = supergraph.api_schema.type_map.get(position.type_name)
        if not isinstance(named, GraphQLObjectType):
            continue  # An @inaccessible type is not in the API schema: clients cannot select its fields.
        inside = position.contexts | _find_contexts(supergraph, position.type_name)
        for name, field in named.fields.items():
            # A field with @fromContext can be resolved only below an object that sets the context.
            sources = [
                (vertex, source)
                for vertex, source in reachability.find_sources(position.type_name, position.closures, name)
                if all(argument.context in position.contexts for argument in source.contexts)
            ]
            if not _is_always_resolved(sources):
                errors.setdefault(
                    (position.type_name, name), _build_error(supergraph, reachability, position, name, field)
                )
            types = _find_runtime_types(supergraph, field, sources)
            for following in _list_next_positions(supergraph, reachability, position, name, field, sources):
                # A shared field has only objects whose type all of its subgraphs know.
                if all(following.type_name in possible for _, possible in types):
                    queue.append(following._replace(contexts=inside))
            comparison = (position.type_name, name, types)
            if types and comparison not in compared:
                compared.add(comparison)
                _check_runtime_types(merging, position, name, types)
    merging.errors += errors.values()


def _find_contexts(supergraph: Supergraph, type_name: str) -> frozenset[str]:
    """Returns the contexts that the type sets."""
    return frozenset(context for context, setters in supergraph.context_setters.items() if type_name in setters)


def _find_runtime_types(
    supergraph: Supergraph, field: GraphQLField, sources: list[tuple[Vertex, SubgraphField]]
) -> tuple[tuple[str, frozenset[str]], ...]:
    """Returns (subgraph, object types of the field there) if several subgraphs resolve a field of an abstract type."""
    named = get_named_type(field.type)
    if not is_abstract_type(named) or len({vertex.subgraph for vertex, _ in sources}) < 2:
        return ()
    possible: dict[str, frozenset[str]] = {}
    for vertex, source in sources:
        local = supergraph.type_in(vertex.subgraph, source.named_type)
        if local is not None and not local.is_interface_object:
            possible[vertex.subgraph] = frozenset(local.possible_types) or frozenset((source.named_type,))
    return tuple(sorted(possible.items()))


def _check_runtime_types(
    merging: Merging, position: Position, name: str, types: tuple[tuple[str, frozenset[str]], ...]
) -> None:
    """Checks that the subgraphs of a shared field have a common type: each of them must return the same objects."""
    distinct = {row for _, row in types}
    if len(distinct) < 2:
        return
    coordinate = f"{position.type_name}.{name}"
    details = "\n".join(f'- in subgraph "{graph}": {quote_names(sorted(row))}' for graph, row in types)
    query = _print_witness(position, f"{name} {{ ... }}")
    graphs = tuple(graph for graph, _ in types)
    if frozenset.intersection(*distinct):
        message = (
            f'The shared field "{coordinate}" has different possible types across subgraphs, in the query\n{query}\n'
        )
        merging.add_hint("INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN", message + details, graphs, coordinate)
    else:
        message = (
            f'For the following supergraph API query:\n{query}\nthe shared field "{coordinate}" has no possible type '
        )
        message += "that all subgraphs know, yet each must resolve it to the same objects:\n"
        merging.add_error("SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES", message + details, graphs, coordinate)


def _is_always_resolved(sources: list[tuple[Vertex, SubgraphField]]) -> bool:
    """Whether the field has a source both while the label of a progressive override is active and while it is not."""
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
    """Yields the position of each object type that the field can return."""
    named = get_named_type(field.type)
    if not sources or not is_composite_type(named):
        return
    for possible in sorted(supergraph.possible_types(named.name)):
        entries = reachability.find_entries(sources, name, possible)
        if entries:
            condition = None if possible == named.name else possible
            step = WitnessStep(position.step, position.operation, name, condition)
            yield Position(possible, reachability.find_closures(possible, entries), step, position.operation)


def _build_error(
    supergraph: Supergraph, reachability: Reachability, position: Position, name: str, field: GraphQLField
) -> CompositionError:
    owners = [
        graph
        for local in (position.type_name, *supergraph.interfaces_of(position.type_name))
        for graph in supergraph.subgraphs_by_field.get((local, name), ())
    ]
    reached = {vertex.subgraph for vertices in position.closures for vertex in vertices}
    graphs = sorted(reached)
    reasons = "\n".join(
        line
        for graph in graphs[:_MAX_SUBGRAPHS]
        for line in _explain_failure(supergraph, position, graph, name, owners)
    )
    is_composite = is_composite_type(get_named_type(field.type))
    query = _print_witness(position, f"{name} {{ ... }}" if is_composite else name)
    return CompositionError(
        "SATISFIABILITY_ERROR",
        f"The following supergraph API query:\n{query}\ncannot be satisfied by the subgraphs because:\n{reasons}",
        tuple(dict.fromkeys((*graphs[:_MAX_SUBGRAPHS], *owners))),
        f"{position.type_name}.{name}",
    )


def _explain_failure(
    supergraph: Supergraph, position: Position, graph: str, name: str, owners: list[str]
) -> Iterator[str]:
    """Yields why a subgraph cannot resolve the field, and why no key leads on to one of its `owners`."""
    type_name = position.type_name
    yield f'- from subgraph "{graph}":'
    local = supergraph.type_in(graph, type_name)
    field = local.fields.get(name) if local is not None else None
    if field is not None and field.requires is not None:
        required = " ".join(print_ast(field.requires)[1:-1].split())
        yield f'  - cannot satisfy @requires(fields: "{required}") of field "{type_name}.{name}".'
    elif field is not None and field.external:
        yield f'  - field "{type_name}.{name}" is not resolvable because marked @external.'
    else:
        yield f'  - cannot find field "{type_name}.{name}".'
    reached = {vertex.subgraph for vertices in position.closures for vertex in vertices}
    for other in owners:
        if other in reached:
            continue
        other_type = supergraph.type_in(other, type_name)
        keys = [key for key in other_type.keys if key.resolvable] if other_type is not None else []
        for key in keys:
            fields = " ".join(print_ast(key.fields)[1:-1].split())
            yield (
                f'  - cannot move to subgraph "{other}" using @key(fields: "{fields}") of "{type_name}", the key '
                f'field(s) cannot be resolved from subgraph "{graph}".'
            )
        if not keys:
            reason = f'because type "{type_name}" has no resolvable @key defined in subgraph "{other}".'
            yield f'  - cannot move to subgraph "{other}", which has field "{type_name}.{name}", {reason}'


def _print_witness(position: Position, leaf: str) -> str:
    """Prints the query from the root to the position, with `leaf` as its last line."""
    names: list[str] = []
    step = position.step
    while step is not None:
        if step.condition is not None:
            names.append(f"... on {step.condition}")
        names.append(step.field)
        step = step.parent
    names.reverse()
    lines = [f"{'  ' * depth}{name} {{" for depth, name in enumerate(names, start=1)]
    lines.append(f"{'  ' * (len(names) + 1)}{leaf}")
    lines += [f"{'  ' * depth}}}" for depth in range(len(names), 0, -1)]
    opening = "{" if position.operation == "query" else f"{position.operation} {{"
    return "\n".join([opening, *lines, "}"])
