"""What an agency's subgraph answered, cut down to what it was asked for.

It could otherwise add to an object what it was not asked for: a national field that the viewer may not read, filled
with the agency's own words.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

import orjson
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)

from gateway.federation.executor.subgraphs import Ask, Caller, Object

CACHED_DOCUMENTS: Final = 2_000
MAX_ERRORS: Final = 100

Asked = Mapping[str, "Asked | None"]
"""By response key, what is asked for within it; None for a leaf."""

_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}", re.ASCII)
_VARIABLES: Final = b',"variables":'


@dataclass(frozen=True, slots=True)
class AskedAlone:
    """Asks as `far` does."""

    far: Ask

    async def ask(self, subgraph: str, body: bytes, kind: str, caller: Caller, /) -> Object:
        answer = await self.far(subgraph, body, kind, caller)
        # Within the document's own JSON its quotes are escaped: what comes first is the key beside it.
        asked = _asked(body.partition(_VARIABLES)[0] + b"}")
        errors = answer.get("errors")
        kept: Object = {"data": _within(answer.get("data"), asked)}
        if isinstance(errors, list) and errors:
            kept["errors"] = [_error(error, asked) for error in errors[:MAX_ERRORS] if isinstance(error, dict)]
        return kept


@lru_cache(CACHED_DOCUMENTS)
def _asked(query: bytes) -> Asked:
    definitions = parse(orjson.loads(query)["query"], no_location=True).definitions
    fragments = {row.name.value: row for row in definitions if isinstance(row, FragmentDefinitionNode)}
    [operation] = (row for row in definitions if isinstance(row, OperationDefinitionNode))
    asked: dict[str, Any] = {}
    _collect(operation.selection_set, fragments, asked)
    return asked


def _collect(
    selection_set: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], into: dict[str, Any]
) -> None:
    for selection in selection_set.selections:
        if isinstance(selection, FragmentSpreadNode):
            _collect(fragments[selection.name.value].selection_set, fragments, into)
        elif not isinstance(selection, FieldNode):
            _collect(cast("Any", selection).selection_set, fragments, into)
        else:
            key = selection.name.value if selection.alias is None else selection.alias.value
            if selection.selection_set is None:
                into.setdefault(key, None)
            else:
                inside = into.get(key) or {}
                into[key] = inside
                _collect(selection.selection_set, fragments, inside)


def _within(value: Any, asked: Asked | None) -> Any:
    if asked is None:
        return value
    if type(value) is dict:
        return {key: _within(value[key], inside) for key, inside in asked.items() if key in value}
    if type(value) is list:
        return [_within(row, asked) for row in value]
    return None


def _error(error: Object, asked: Asked) -> Object:
    """Codes are words of their own, and paths lead along what was asked for: neither is a place for sentences."""
    kept = {key: value for key, value in error.items() if key != "path"}
    path = error.get("path")
    if isinstance(path, list) and _leads(path, asked):
        kept["path"] = path
    extensions = error.get("extensions")
    if isinstance(extensions, dict) and not _CODE.fullmatch(str(extensions.get("code", "X"))):
        kept["extensions"] = {key: value for key, value in extensions.items() if key != "code"}
    return kept


def _leads(path: list[Any], asked: Asked) -> bool:
    place: Asked | None = asked
    for element in path:
        if type(element) is int and element >= 0:
            continue
        if not isinstance(element, str) or place is None or element not in place:
            return False
        place = place[element]
    return True
