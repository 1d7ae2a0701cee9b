"""Turns fetch groups into the plan: waves of requests, one request for each subgraph in a wave.

A group's wave is one more than the last wave that it waits for. Entity groups for one subgraph in one wave become one
request with several `_entities` fields. A group that no other group waits for is postponed to a later request to the
same subgraph, if there is one:
    # wave 0: users    wave 1: orders(me), stock(items)    wave 2: orders(items), which waits for stock(items)
    # no group waits for orders(me) → wave 2 sends one request to "orders" for both
"""

from collections.abc import Iterable, Mapping

from graphql import OperationDefinitionNode, print_ast

from gateway.federation.planner.fetches import FetchGroup, FetchSelection, SelectedField
from gateway.federation.planner.plan import ContextTemplate, EntitiesField, Fetch, QueryPlan, print_selection
from gateway.federation.planner.selection import ALWAYS, FieldConditions

VariableDefinitions = Mapping[str, tuple[str, str]]
"""The type and the default value of each variable of the operation, printed: {"first": ("Int", " = 10")}."""


def build_plan(operation: OperationDefinitionNode, runs: Iterable[list[FetchGroup]]) -> QueryPlan:
    """`runs` are executed one after the other: one for a query, one for each part of a mutation."""
    defined = {
        definition.variable.name.value: (
            print_ast(definition.type),
            "" if definition.default_value is None else f" = {print_ast(definition.default_value)}",
        )
        for definition in operation.variable_definitions or ()
    }
    fetches: list[Fetch] = []
    ancestors: list[frozenset[int]] = []
    for groups in runs:
        _add_run(fetches, ancestors, groups, defined)
    return QueryPlan(operation.operation.value, tuple(fetches))


def _add_run(
    fetches: list[Fetch], ancestors: list[frozenset[int]], groups: list[FetchGroup], defined: VariableDefinitions
) -> None:
    """Appends the fetches of a run. `ancestors` are, for each fetch, all that it waits for, directly or not."""
    before = set(range(len(fetches)))
    waves = _assign_waves(groups)
    number: dict[FetchGroup, int] = {}
    for (_, _, _), together in sorted(_combine_groups(groups, waves).items(), key=lambda row: row[0][0]):
        # The first fetches of a mutation's part wait for the whole part before it.
        after = {number[earlier] for group in together for earlier in group.after} or before
        # Transitive reduction: a fetch that another one of these waits for need not be listed.
        known = frozenset[int]().union(*(ancestors[position] for position in after))
        ancestors.append(known | after)
        after -= known
        for group in together:
            number[group] = len(fetches)
        fetches.append(_make_fetch(together, tuple(sorted(after)), defined))


def _assign_waves(groups: list[FetchGroup]) -> dict[FetchGroup, int]:
    waves: dict[FetchGroup, int] = {}

    def assign(group: FetchGroup) -> int:
        if group not in waves:
            waves[group] = 1 + max((assign(earlier) for earlier in group.after), default=-1)
        return waves[group]

    for group in groups:
        assign(group)
    _postpone_unawaited(groups, waves)
    return waves


def _postpone_unawaited(groups: list[FetchGroup], waves: dict[FetchGroup, int]) -> None:
    """Moves a group that no other group waits for into a later request to its subgraph.

    That saves a request, and the whole answer comes no later: the client gets it when the last wave has answered.
    """
    awaited = {earlier for group in groups for earlier in group.after}
    for group in groups:
        if group.is_entity and group not in awaited:
            later = [
                waves[other]
                for other in groups
                if other.is_entity and other.subgraph == group.subgraph and waves[other] > waves[group]
            ]
            waves[group] = min(later, default=waves[group])


def _combine_groups(
    groups: list[FetchGroup], waves: Mapping[FetchGroup, int]
) -> dict[tuple[int, str, int], list[FetchGroup]]:
    """Returns the groups of each request, by wave, subgraph and (for a group that is sent alone) position.

    Root groups and groups with context values are sent alone.
    """
    requests: dict[tuple[int, str, int], list[FetchGroup]] = {}
    for position, group in enumerate(groups):
        joins = group.is_entity and not group.contexts
        requests.setdefault((waves[group], group.subgraph, -1 if joins else position), []).append(group)
    return requests


def _make_fetch(groups: list[FetchGroup], after: tuple[int, ...], defined: VariableDefinitions) -> Fetch:
    first = groups[0]
    used: dict[str, None] = {}
    for group in groups:
        _note_variables(group.selection, used)
    variables = tuple(name for name in defined if name in used)
    definitions = [f"${name}: {defined[name][0]}{defined[name][1]}" for name in variables]
    # The client may have named a variable `r0` itself.
    prefix = _find_free_prefix("r", variables)
    if first.contexts:
        template = ContextTemplate(tuple(first.contexts), first.selection, tuple(definitions), prefix)
        field = EntitiesField(
            template.name_alias(0),
            first.path,
            first.type_name,
            first.representation,
            first.conditions,
            template.name_representations(0),
        )
        document = template.build_document(first.type_name, 1)
        return Fetch(
            first.subgraph, "query", document, variables, (field,), first.path, first.conditions, after, template
        )
    entities: list[EntitiesField] = []
    if first.is_entity:
        parts = []
        for number, group in enumerate(groups):
            alias = f"_{number}" if len(groups) > 1 else "_entities"
            argument = f"{prefix}{number}"
            definitions.append(f"${argument}: [_Any!]!")
            name = "_entities" if alias == "_entities" else f"{alias}: _entities"
            inside = print_selection(FetchSelection(fragments={group.type_name: group.selection}))
            parts.append(f"{name}(representations: ${argument}) {inside}")
            entities.append(
                EntitiesField(alias, group.path, group.type_name, group.representation, group.conditions, argument)
            )
        body = "{ " + " ".join(parts) + " }"
    else:
        body = print_selection(first.selection)
    head = first.operation + (f"({', '.join(definitions)})" if definitions else "")
    shared = _intersect_conditions(group.conditions for group in groups)
    document = f"{head} {body}"
    return Fetch(first.subgraph, first.operation, document, variables, tuple(entities), first.path, shared, after)


def _find_free_prefix(prefix: str, names: Iterable[str]) -> str:
    """Lengthens the prefix until no name begins with it."""
    while any(name.startswith(prefix) for name in names):
        prefix += "_"
    return prefix


def _intersect_conditions(conditions: Iterable[FieldConditions]) -> FieldConditions:
    rows = list(conditions)
    return frozenset.intersection(*rows) if rows else ALWAYS


def _note_variables(selection: FetchSelection, used: dict[str, None]) -> None:
    waiting = [selection]
    while waiting:
        current = waiting.pop()
        waiting += current.fragments.values()
        for selected in current.fields.values():
            used.update(dict.fromkeys(_list_variables(selected)))
            if selected.inside is not None:
                waiting.append(selected.inside)


def _list_variables(selected: SelectedField) -> Iterable[str]:
    yield from selected.variables
    for variable, _ in selected.conditions:
        yield variable
