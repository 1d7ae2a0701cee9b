"""Checks before a measurement that all targets give the same data and make the same write."""

import itertools
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from bench.dataset import Dataset, Document
from bench.load import request_once
from bench.operations import BARE, Operation, Question, make_check
from bench.process import Server
from bench.targets import Target
from resolvers.audit_log import audit_chain, audit_trail

SAMPLES: Final = 5

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_OUR_OWN: Final = {"clocks", "nextDueAt", "wakeAt"}
"""Keys that only our write changes: service-level clocks and the next step of upkeep."""
_AUDIT: Final = {"auditHead", "auditPending"}
_EACH_TIME: Final = dict.fromkeys(("at", "after", "hash", "mark", "_id"))
"""Keys of an audit entry that differ in each run."""


class Disagreement(Exception):
    """Two targets answer differently; the message shows where."""


def check(operation: Operation, dataset: Dataset, running: Sequence[tuple[Target, Server]], token: str) -> None:
    """Raises Disagreement if the data or the write of a target differ from the first target's."""
    expected = None
    for target, server in running:
        questions = list(itertools.islice(operation.ask(dataset), SAMPLES))
        given = [_request_data(target, server, operation, question, token) for question in questions]
        if operation.is_write:
            given += [_read_written(dataset, operation, question) for question in questions]
        if expected is None:
            expected = given
        different = find_difference(expected, given, operation.name)
        if different is not None:
            raise Disagreement(f"{target.name} differs from {running[0][0].name}: {different}")


def _request_data(target: Target, server: Server, operation: Operation, question: Question, token: str) -> Any:
    try:
        body = request_once(server.port, target.build_request(operation, question, server.port, token))
    except ConnectionError as failure:
        raise Disagreement(f"{target.name} does not answer {operation.name}: {failure}") from None
    if not make_check(question)(body):
        raise Disagreement(f"{target.name} does not answer {operation.name} right: {body[:1000]!r}")
    return normalize(orjson.loads(body)["data"])


def normalize(value: Any) -> Any:
    """Normalizes the forms of instants and the order of keys."""
    if isinstance(value, dict):
        return {key: normalize(each) for key, each in value.items()}
    if isinstance(value, list):
        return [normalize(each) for each in value]
    if isinstance(value, str) and _INSTANT.match(value):
        return datetime.fromisoformat(value).astimezone(UTC)
    return value


def _read_written(dataset: Dataset, operation: Operation, question: Question) -> Any:
    """Returns the written complaint with its last audit entry; a bare write has no entry."""
    stored = dataset.read_complaint(question.variables["input"]["complaint"])
    if BARE in operation.headers:
        return _strip_variable(stored)
    entry = dataset.read_audit_entry(stored)
    if entry is None or not _is_intact(stored, entry):
        raise Disagreement(f"The audit of {stored['_id']} is none, or does not hold: {entry!r:.500}")
    return _strip_variable(stored), entry | _EACH_TIME


def _is_intact(stored: Document, entry: Any) -> bool:
    """Whether the entry describes the complaint as it is stored, and is the head of its audit chain."""
    found = stored["auditHead"], entry["hash"], entry["after"]
    return found == (audit_trail.make_head(entry), audit_chain.hash_entry(entry), audit_chain.compute_digest(stored))


def _strip_variable(stored: Document) -> Document:
    """Returns a stored complaint without the keys that differ in each run."""
    kept = {key: value for key, value in stored.items() if key not in _OUR_OWN | _AUDIT}
    now = stored["updatedAt"]
    assert stored["followUps"][-1]["at"] == now
    kept["followUps"] = [*stored["followUps"][:-1], stored["followUps"][-1] | {"at": None}]
    return kept | {"updatedAt": None, "firstFollowUpAt": kept["firstFollowUpAt"] not in (None, now)}


def find_difference(expected: Any, given: Any, path: str) -> str | None:
    """Returns where two answers first differ, and how; None if they are equal."""
    if isinstance(expected, dict) and isinstance(given, dict) and expected.keys() == given.keys():
        found = (find_difference(expected[key], given[key], f"{path}.{key}") for key in expected)
        return next((each for each in found if each), None)
    if isinstance(expected, list) and isinstance(given, list) and len(expected) == len(given):
        pairs = enumerate(zip(expected, given, strict=True))
        found = (find_difference(one, other, f"{path}.{index}") for index, (one, other) in pairs)
        return next((each for each in found if each), None)
    return None if expected == given else f"{path} is {given!r:.300}, not {expected!r:.300}"
