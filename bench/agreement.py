"""Before anything is measured: every target gives the same data and makes the same write, or the run ends."""

import http.client
import itertools
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from bench.dataset import Dataset, Document
from bench.operations import Operation
from bench.process import Server
from bench.targets import Target

SAMPLES: Final = 5

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_OUR_OWN: Final = {"clocks", "nextDueAt"}
"""What our write keeps besides: service-level clocks are the product's own."""


class Disagreement(Exception):
    """Two targets answer differently; the sentence shows where."""


def check(operation: Operation, dataset: Dataset, running: Sequence[tuple[Target, Server]], token: str) -> None:
    """Raises Disagreement where a target's data, or what it wrote, differ from the first target's."""
    expected = None
    for target, server in running:
        questions = list(itertools.islice(operation.ask(dataset), SAMPLES))
        given = [_ask(target, server, operation, question, token) for question in questions]
        if operation.is_write:
            given += [_written(dataset.stored(question.variables["input"]["complaint"])) for question in questions]
        if expected is None:
            expected = given
        difference = _difference(expected, given, operation.name)
        if difference is not None:
            raise Disagreement(f"{target.name} differs from {running[0][0].name}: {difference}")


def _ask(target: Target, server: Server, operation: Operation, question: Any, token: str) -> Any:
    raw = target.request(operation, question, server.port, token)
    head, _, content = raw.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    method, path, _ = line.split(" ")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request(method, path, content or None, dict(header.split(": ", 1) for header in headers))
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    answer = orjson.loads(body) if response.status == 200 else {}
    if "data" not in answer or "errors" in answer or not question.is_right(answer["data"]):
        raise Disagreement(f"{target.name} does not answer {operation.name}: {response.status} {body[:1000]!r}")
    return _normal(answer["data"])


def _normal(value: Any) -> Any:
    """Instants alike however they are printed, objects in any order of keys."""
    if isinstance(value, dict):
        return {key: _normal(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_normal(each) for each in value]
    if isinstance(value, str) and _INSTANT.match(value):
        return datetime.fromisoformat(value).astimezone(UTC)
    return value


def _written(stored: Document) -> Document:
    """A stored complaint without what differs each time."""
    kept = {key: value for key, value in stored.items() if key not in _OUR_OWN}
    now = stored["updatedAt"]
    assert stored["followUps"][-1]["at"] == now
    kept["followUps"] = [*stored["followUps"][:-1], stored["followUps"][-1] | {"at": None}]
    return kept | {"updatedAt": None, "firstFollowUpAt": kept["firstFollowUpAt"] not in (None, now)}


def _difference(expected: Any, given: Any, path: str) -> str | None:
    if isinstance(expected, dict) and isinstance(given, dict) and expected.keys() == given.keys():
        found = (_difference(expected[key], given[key], f"{path}.{key}") for key in expected)
        return next((difference for difference in found if difference), None)
    if isinstance(expected, list) and isinstance(given, list) and len(expected) == len(given):
        pairs = enumerate(zip(expected, given, strict=True))
        found = (_difference(one, other, f"{path}.{index}") for index, (one, other) in pairs)
        return next((difference for difference in found if difference), None)
    return None if expected == given else f"{path} is {given!r:.300}, not {expected!r:.300}"
