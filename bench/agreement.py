"""Before anything is measured: every target gives the same data and makes the same write, or the run ends."""

import itertools
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from bench.dataset import Dataset, Document
from bench.load import ask_once
from bench.operations import BARE, Operation, Question, right
from bench.process import Server
from bench.targets import Target
from resolvers.audit_log import audit_chain, audit_trail

SAMPLES: Final = 5

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_OUR_OWN: Final = {"clocks", "nextDueAt", "wakeAt"}
"""What our write keeps besides: service-level clocks and the next step are the product's own."""
_AUDIT: Final = {"auditHead", "auditPending"}
_EACH_TIME: Final = dict.fromkeys(("at", "after", "hash", "mark", "_id"))
"""What of an audit entry is another one each time."""


class Disagreement(Exception):
    """Two targets answer differently; the sentence shows where."""


def check(operation: Operation, dataset: Dataset, running: Sequence[tuple[Target, Server]], token: str) -> None:
    """Raises Disagreement where a target's data, or what it wrote, differ from the first target's."""
    expected = None
    for target, server in running:
        questions = list(itertools.islice(operation.ask(dataset), SAMPLES))
        given = [_ask(target, server, operation, question, token) for question in questions]
        if operation.is_write:
            given += [_stored(dataset, operation, question) for question in questions]
        if expected is None:
            expected = given
        different = difference(expected, given, operation.name)
        if different is not None:
            raise Disagreement(f"{target.name} differs from {running[0][0].name}: {different}")


def _ask(target: Target, server: Server, operation: Operation, question: Question, token: str) -> Any:
    try:
        body = ask_once(server.port, target.request(operation, question, server.port, token))
    except ConnectionError as failure:
        raise Disagreement(f"{target.name} does not answer {operation.name}: {failure}") from None
    if not right(question)(body):
        raise Disagreement(f"{target.name} does not answer {operation.name} right: {body[:1000]!r}")
    return normal(orjson.loads(body)["data"])


def normal(value: Any) -> Any:
    """Instants alike however they are printed, objects in any order of keys."""
    if isinstance(value, dict):
        return {key: normal(each) for key, each in value.items()}
    if isinstance(value, list):
        return [normal(each) for each in value]
    if isinstance(value, str) and _INSTANT.match(value):
        return datetime.fromisoformat(value).astimezone(UTC)
    return value


def _stored(dataset: Dataset, operation: Operation, question: Question) -> Any:
    """The complaint that was written to, and what the audit says of it; of a bare write there is no audit."""
    stored = dataset.stored(question.variables["input"]["complaint"])
    if BARE in operation.headers:
        return _written(stored)
    entry = dataset.audit_entry(stored)
    if entry is None or not _holds(stored, entry):
        raise Disagreement(f"The audit of {stored['_id']} is none, or does not hold: {entry!r:.500}")
    return _written(stored), entry | _EACH_TIME


def _holds(stored: Document, entry: Document) -> bool:
    """Whether the audit's last entry is of the complaint as it is, and the head of this entry."""
    found = stored["auditHead"], entry["hash"], entry["after"]
    return found == (audit_trail.make_head(entry), audit_chain.hash_entry(entry), audit_chain.compute_digest(stored))


def _written(stored: Document) -> Document:
    """A stored complaint without what differs each time."""
    kept = {key: value for key, value in stored.items() if key not in _OUR_OWN | _AUDIT}
    now = stored["updatedAt"]
    assert stored["followUps"][-1]["at"] == now
    kept["followUps"] = [*stored["followUps"][:-1], stored["followUps"][-1] | {"at": None}]
    return kept | {"updatedAt": None, "firstFollowUpAt": kept["firstFollowUpAt"] not in (None, now)}


def difference(expected: Any, given: Any, path: str) -> str | None:
    """Where two answers first differ, and how; None where they are equal."""
    if isinstance(expected, dict) and isinstance(given, dict) and expected.keys() == given.keys():
        found = (difference(expected[key], given[key], f"{path}.{key}") for key in expected)
        return next((each for each in found if each), None)
    if isinstance(expected, list) and isinstance(given, list) and len(expected) == len(given):
        pairs = enumerate(zip(expected, given, strict=True))
        found = (difference(one, other, f"{path}.{index}") for index, (one, other) in pairs)
        return next((each for each in found if each), None)
    return None if expected == given else f"{path} is {given!r:.300}, not {expected!r:.300}"
