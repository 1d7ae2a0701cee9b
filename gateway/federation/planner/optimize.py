"""A graph of groups to a plan: waves, and one request for each subgraph in a wave."""

from collections.abc import Iterable, Mapping

from graphql import OperationDefinitionNode, print_ast

from gateway.federation.planner.fetches import Asked, Group, Selection
from gateway.federation.planner.plan import Contextual, Entities, Fetch, QueryPlan, printed_selection
from gateway.federation.planner.selection import ALWAYS, Conditions


def plan_of(operation: OperationDefinitionNode, runs: Iterable[list[Group]]) -> QueryPlan:
    """`runs` follow each other: one for a query, one for each root field of a mutation."""
    declared = {
        definition.variable.name.value: (
            print_ast(definition.type),
            "" if definition.default_value is None else f" = {print_ast(definition.default_value)}",
        )
        for definition in operation.variable_definitions or ()
    }
    fetches: list[Fetch] = []
    ancestors: list[frozenset[int]] = []
    for groups in runs:
        _add(fetches, ancestors, groups, declared)
    return QueryPlan(operation.operation.value, tuple(fetches))


def _add(
    fetches: list[Fetch],
    ancestors: list[frozenset[int]],
    groups: list[Group],
    declared: Mapping[str, tuple[str, str]],
) -> None:
    before = set(range(len(fetches)))
    waves = _waves(groups)
    number: dict[Group, int] = {}
    for (_, _, _), together in sorted(_together(groups, waves).items(), key=lambda row: row[0][0]):
        after = {number[earlier] for group in together for earlier in group.after} or before
        # What an earlier one waits for need not be said again.
        known = frozenset[int]().union(*(ancestors[position] for position in after))
        ancestors.append(known | after)
        after -= known
        for group in together:
            number[group] = len(fetches)
        fetches.append(_fetch(together, tuple(sorted(after)), declared))


def _waves(groups: list[Group]) -> dict[Group, int]:
    waves: dict[Group, int] = {}

    def wave(group: Group) -> int:
        if group not in waves:
            waves[group] = 1 + max((wave(earlier) for earlier in group.after), default=-1)
        return waves[group]

    for group in groups:
        wave(group)
    _put_off(groups, waves)
    return waves


def _put_off(groups: list[Group], waves: dict[Group, int]) -> None:
    """What nothing waits for joins a later request to the same subgraph: one call less, and no answer is later."""
    waited_for = {earlier for group in groups for earlier in group.after}
    for group in groups:
        if group.is_entity and group not in waited_for:
            later = [
                waves[other]
                for other in groups
                if other.is_entity and other.subgraph == group.subgraph and waves[other] > waves[group]
            ]
            waves[group] = min(later, default=waves[group])


def _together(groups: list[Group], waves: Mapping[Group, int]) -> dict[tuple[int, str, int], list[Group]]:
    """Groups that make one request: entities of one subgraph in one wave; what takes from contexts, and every other
    group, by itself."""
    found: dict[tuple[int, str, int], list[Group]] = {}
    for position, group in enumerate(groups):
        joins = group.is_entity and not group.contexts
        found.setdefault((waves[group], group.subgraph, -1 if joins else position), []).append(group)
    return found


def _fetch(groups: list[Group], after: tuple[int, ...], declared: Mapping[str, tuple[str, str]]) -> Fetch:
    first = groups[0]
    used: dict[str, None] = {}
    for group in groups:
        _note_variables(group.selection, used)
    variables = tuple(name for name in declared if name in used)
    definitions = [f"${name}: {declared[name][0]}{declared[name][1]}" for name in variables]
    # A client's variable may be called the same.
    prefix = _free("r", variables)
    if first.contexts:
        contextual = Contextual(tuple(first.contexts), first.selection, tuple(definitions), prefix)
        about = Entities(
            contextual.alias(0),
            first.path,
            first.type_name,
            first.representation,
            first.conditions,
            contextual.representations(0),
        )
        document = contextual.document(first.type_name, 1)
        return Fetch(
            first.subgraph, "query", document, variables, (about,), first.path, first.conditions, after, contextual
        )
    entities: list[Entities] = []
    if first.is_entity:
        parts = []
        for number, group in enumerate(groups):
            alias = f"_{number}" if len(groups) > 1 else "_entities"
            argument = f"{prefix}{number}"
            definitions.append(f"${argument}: [_Any!]!")
            name = "_entities" if alias == "_entities" else f"{alias}: _entities"
            inside = printed_selection(Selection(fragments={group.type_name: group.selection}))
            parts.append(f"{name}(representations: ${argument}) {inside}")
            entities.append(
                Entities(alias, group.path, group.type_name, group.representation, group.conditions, argument)
            )
        body = "{ " + " ".join(parts) + " }"
    else:
        body = printed_selection(first.selection)
    head = first.operation + (f"({', '.join(definitions)})" if definitions else "")
    shared = _shared(group.conditions for group in groups)
    document = f"{head} {body}"
    return Fetch(first.subgraph, first.operation, document, variables, tuple(entities), first.path, shared, after)


def _free(prefix: str, names: Iterable[str]) -> str:
    """The prefix, longer until no name begins like it."""
    while any(name.startswith(prefix) for name in names):
        prefix += "_"
    return prefix


def _shared(conditions: Iterable[Conditions]) -> Conditions:
    found = list(conditions)
    return frozenset.intersection(*found) if found else ALWAYS


def _note_variables(selection: Selection, used: dict[str, None]) -> None:
    waiting = [selection]
    while waiting:
        current = waiting.pop()
        waiting += current.fragments.values()
        for asked in current.fields.values():
            used.update(dict.fromkeys(_variables_of(asked)))
            if asked.inside is not None:
                waiting.append(asked.inside)


def _variables_of(asked: Asked) -> Iterable[str]:
    yield from asked.variables
    for variable, _ in asked.conditions:
        yield variable
