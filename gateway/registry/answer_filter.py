"""Cuts an agency's answer down to the fields that its subgraph was asked for.

Answers are merged into one tree. A subgraph that adds fields which nobody requested from it could fill a national
field that the viewer may not read with its own text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)

from gateway.federation.executor.subgraphs import Ask, Caller, Object, SubgraphRequest

CACHED_DOCUMENTS: Final = 2_000
MAX_ERRORS: Final = 100

RequestedFields = Mapping[str, "RequestedFields | None"]
"""The requested fields by response key; None for a leaf: `{a b {c}}` → {"a": None, "b": {"c": None}}."""

_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AnswerFilter:
    """Asks through `remote` and filters the answers."""

    remote: Ask

    async def ask(self, subgraph: str, request: SubgraphRequest, caller: Caller, /) -> Object:
        answer = await self.remote(subgraph, request, caller)
        requested = _read_requested(request.document)
        errors = answer.get("errors")
        kept: Object = {"data": _keep_requested(answer.get("data"), requested)}
        if isinstance(errors, list) and errors:
            kept["errors"] = [_filter_error(error, requested) for error in errors[:MAX_ERRORS] if type(error) is dict]
        return kept


@lru_cache(CACHED_DOCUMENTS)
def _read_requested(text: str) -> RequestedFields:
    """Returns the fields of a document that the planner wrote: one operation and its fragments."""
    definitions = parse(text, no_location=True).definitions
    fragments = {row.name.value: row for row in definitions if isinstance(row, FragmentDefinitionNode)}
    [operation] = (row for row in definitions if isinstance(row, OperationDefinitionNode))
    requested: dict[str, Any] = {}
    _collect_fields(operation.selection_set, fragments, requested)
    return requested


def _collect_fields(
    selection_set: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], into: dict[str, Any]
) -> None:
    """Merges all type conditions: what is requested of one type is allowed on every type at that place."""
    for selection in selection_set.selections:
        if isinstance(selection, FragmentSpreadNode):
            _collect_fields(fragments[selection.name.value].selection_set, fragments, into)
        elif not isinstance(selection, FieldNode):
            _collect_fields(cast("Any", selection).selection_set, fragments, into)
        else:
            key = selection.name.value if selection.alias is None else selection.alias.value
            if selection.selection_set is None:
                into.setdefault(key, None)
            else:
                inside = into.get(key) or {}
                into[key] = inside
                _collect_fields(selection.selection_set, fragments, inside)


def _keep_requested(value: Any, requested: RequestedFields | None) -> Any:
    if requested is None:
        return value
    if type(value) is dict:
        return {key: _keep_requested(value[key], inside) for key, inside in requested.items() if key in value}
    if type(value) is list:
        return [_keep_requested(row, requested) for row in value]
    return None


def _filter_error(error: Object, requested: RequestedFields) -> Object:
    """Drops a path that does not follow the requested fields, and a code that is not one word in capitals.

    Clients see both even if the subgraph's messages are hidden from them, so neither may carry free text.
    """
    kept = {key: value for key, value in error.items() if key != "path"}
    path = error.get("path")
    if isinstance(path, list) and _is_requested(path, requested):
        kept["path"] = path
    extensions = error.get("extensions")
    if isinstance(extensions, dict) and not _CODE.fullmatch(str(extensions.get("code", "X"))):
        kept["extensions"] = {key: value for key, value in extensions.items() if key != "code"}
    return kept


def _is_requested(path: list[Any], requested: RequestedFields) -> bool:
    inside: RequestedFields | None = requested
    for element in path:
        if type(element) is int and element >= 0:
            continue
        if not isinstance(element, str) or inside is None or element not in inside:
            return False
        inside = inside[element]
    return True
