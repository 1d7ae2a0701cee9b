"""Checks `@override`, by which a subgraph takes over a field from another, and finds the fields that lose."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from gateway.federation.composition.merge_state import ElementSource, Merging
from gateway.federation.hints import CodedMessage
from gateway.federation.subgraph import AppliedDirective

_LABEL: Final = re.compile(r"^[a-zA-Z][a-zA-Z0-9_\-:./]*$")
_PERCENT: Final = re.compile(r"^percent\((\d{1,2}(\.\d{1,8})?|100)\)$")
_COLLISION: Final = "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE"


class OverriddenField(NamedTuple):
    """A field in the subgraph from which another one takes it over."""

    label: str | None
    """The label of a progressive override: while it is inactive, this subgraph still resolves the field."""
    is_used: bool
    """Whether a field set or interface of this subgraph needs the field, so that it stays in the supergraph's SDL."""


def find_overridden_fields(
    merging: Merging, coordinate: str, sources: Sequence[ElementSource]
) -> dict[str, OverriddenField]:
    """Returns the overridden fields by the name of the subgraph that loses the field; adds errors and hints."""
    overridden: dict[str, OverriddenField] = {}
    overriding = [source for source in sources if source.element.has("override")]
    if not overriding:
        return overridden
    by_graph = {source.graph: source for source in sources}
    for source in overriding:
        for override in source.element.list_applied("override"):
            field = _check_override(merging, coordinate, source, override, by_graph)
            if field is not None:
                overridden[str(override.arguments["from"])] = field
    return overridden


def _check_override(
    merging: Merging,
    coordinate: str,
    source: ElementSource,
    override: AppliedDirective,
    by_graph: dict[str, ElementSource],
) -> OverriddenField | None:
    """Checks one `@override`; returns None if it is wrong or overrides nothing."""
    graph, origin = source.graph, str(override.arguments["from"])
    label = override.arguments.get("label") or None
    loser = by_graph.get(origin)
    refusal = _explain_refusal(coordinate, source, origin, loser)
    if refusal is not None:
        merging.add_error(*refusal, (graph, origin) if origin in by_graph else (graph,), coordinate)
        return None
    if label is not None and not (_LABEL.match(str(label)) or _PERCENT.match(str(label))):
        message = f'Invalid @override label "{label}" on field "{coordinate}" on subgraph "{graph}": labels must start '
        message += 'with a letter and after that contain alphanumerics, "_", "-", ":", "." or "/", or be "percent(x)".'
        merging.add_error("OVERRIDE_LABEL_INVALID", message, (graph,), coordinate)
    if all(member.name != origin for member in merging.members):
        message = f'Source subgraph "{origin}" for field "{coordinate}" on subgraph "{graph}" does not exist.'
        merging.add_hint("FROM_SUBGRAPH_DOES_NOT_EXIST", message, (graph,), coordinate)
        return None
    if loser is None or loser.is_external:
        message = f'Field "{coordinate}" on subgraph "{graph}" no longer exists in the from subgraph "{origin}".'
        if loser is not None:
            message = f'Field "{coordinate}" on subgraph "{graph}" is not resolved anymore by the from subgraph.'
        merging.add_hint(
            "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED", f"{message} The @override can be removed.", (graph,), coordinate
        )
        return None
    is_used = loser.coordinate in loser.member.roles.used
    if label is None:
        advice = "It is still used in some federation directive(s) (@key, @requires, and/or @provides) and/or to "
        advice = f"{advice}satisfy interface constraint(s), but can be marked @external." if is_used else ""
        message = f'Field "{coordinate}" on subgraph "{origin}" is overridden. {advice or "Consider removing it."}'
        merging.add_hint("OVERRIDDEN_FIELD_CAN_BE_REMOVED", message, (origin,), coordinate)
    else:
        message = f'Field "{coordinate}" is currently being migrated with progressive @override.'
        merging.add_hint("OVERRIDE_MIGRATION_IN_PROGRESS", message, (graph, origin), coordinate)
    return OverriddenField(None if label is None else str(label), is_used)


def _explain_refusal(
    coordinate: str, source: ElementSource, origin: str, loser: ElementSource | None
) -> CodedMessage | None:
    """Returns the error of an `@override` that Federation does not allow. `loser` is the field in `origin`."""
    graph = source.graph
    if source.owner.kind == "INTERFACE":
        message = f'@override cannot be used on field "{coordinate}" on subgraph "{graph}": @override is not supported'
        return "OVERRIDE_ON_INTERFACE", f"{message} on interface type fields."
    if source.owner.has("interfaceObject"):
        message = f'@override cannot be used on field "{coordinate}" on subgraph "{graph}": @override is not supported'
        return _COLLISION, f"{message} on fields of @interfaceObject types."
    if origin == graph:
        message = f'Source and destination subgraphs "{graph}" are the same for overridden field "{coordinate}"'
        return "OVERRIDE_FROM_SELF_ERROR", message
    if loser is not None and loser.element.has("override"):
        message = f'Field "{coordinate}" on subgraph "{graph}" is also marked with directive @override in subgraph '
        return (
            "OVERRIDE_SOURCE_HAS_OVERRIDE",
            f'{message}"{origin}". Only one @override directive is allowed per field.',
        )
    conflict = "external" if source.is_external else None
    where = graph
    if conflict is None and loser is not None:
        conflict, where = next((name for name in ("requires", "provides") if loser.element.has(name)), None), origin
    if conflict is not None:
        message = f'@override cannot be used on field "{coordinate}" on subgraph "{graph}" since "{coordinate}" on '
        return _COLLISION, f'{message}"{where}" is marked with directive "@{conflict}"'
    return None
