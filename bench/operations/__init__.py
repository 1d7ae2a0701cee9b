"""The six operations: their documents, the variables they are asked with, and how a right answer is known.

A hand-written endpoint answers the same under a path of its own.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

import orjson

from bench.dataset import Dataset

Variables = dict[str, Any]

VARIETY: Final = 500
"""So many different sets of variables are asked in turn."""
PAGE: Final = 50
LONG_PAGE: Final = 100
ALIASES: Final = 20
PROVINCES: Final = 34
FOLLOW_UP: Final = "Perbaikan jalan dijadwalkan mulai pekan depan oleh unit terkait; warga diberi tahu lewat kelurahan."


class Header(NamedTuple):
    name: str
    value: str


BARE: Final = Header("x-write", "bare")
"""Asks the peers for a write that leaves no audit; ours always does."""


@dataclass(frozen=True, slots=True)
class Question:
    """Variables, the same question as a path of the hand-written endpoint, and the check of an answer's data."""

    variables: Variables
    path: str
    is_right: Callable[[Any], bool]
    body: Variables | None = None
    """What is posted to the path; None where it is read by GET."""


@dataclass(frozen=True, slots=True)
class Operation:
    """`ask` gives the questions, the same ones for the same dataset; those of a write can be asked once."""

    name: str
    title: str
    document: str
    ask: Callable[[Dataset], Iterator[Question]]
    is_write: bool = False
    headers: tuple[Header, ...] = ()

    def renamed(self, name: str) -> "Operation":
        """The same under another name, which makes it another document."""
        return replace(self, document=re.sub(r"(?<=^query )\w+", name, self.document))


def right(question: Question) -> Callable[[bytes], bool]:
    """Whether a response's body answers the question: data as asked, and no errors."""
    return without_errors(question.is_right)


def without_errors(is_right: Callable[[Any], bool]) -> Callable[[bytes], bool]:
    """Whether a response's body has right data and no errors; what cannot be read is not right."""

    def check(body: bytes) -> bool:
        try:
            answer = orjson.loads(body)
            return "errors" not in answer and is_right(answer["data"])
        except (ValueError, LookupError, TypeError):
            return False

    return check


def document(name: str) -> str:
    return resources.files(__package__).joinpath(f"{name}.graphql").read_text(encoding="utf-8")


def _one_complaint(dataset: Dataset) -> Iterator[Question]:
    ids = _shuffled(dataset.own_complaints)
    return iter([Question({"id": each}, f"/complaints/{each}", _is_complaint(each)) for each in ids[:VARIETY]])


def _is_complaint(wanted: str) -> Callable[[Any], bool]:
    return lambda data: data["complaint"]["id"] == wanted


def _has_rows(key: str, count: int) -> Callable[[Any], bool]:
    return lambda data: len(data[key]["nodes"]) == count


def _newest_of_a_province(dataset: Dataset) -> Iterator[Question]:
    pages = dataset.pages
    full = [page for page in pages if page[2] >= PAGE] or pages[:1]
    return iter(
        [
            Question(
                {"filter": {"region": [province], "status": [status]}},
                "/complaints?" + urlencode({"region": province, "status": status}),
                _has_rows("complaints", min(count, PAGE)),
            )
            for province, status, count in _shuffled(full)[:VARIETY]
        ]
    )


def _many_scalars(dataset: Dataset) -> Iterator[Question]:
    counts: dict[str, int] = {}
    for province, _, count in dataset.pages:
        counts[province] = counts.get(province, 0) + count
    full = [province for province, count in counts.items() if count >= LONG_PAGE] or list(counts)[:1]
    return iter(
        [
            Question(
                {"filter": {"region": [province]}},
                f"/provinces/{province}/complaints",
                _has_rows("complaints", min(counts[province], LONG_PAGE)),
            )
            for province in _shuffled(full)
        ]
    )


def _register(dataset: Dataset) -> Iterator[Question]:
    return iter([Question({}, "/register", _has_rows("agencies", PROVINCES))])


def _follow_up(dataset: Dataset) -> Iterator[Question]:
    """Each complaint in turn, at the revision that the turn before has brought it to."""
    at_start = dataset.reset_in_progress()
    return (_adding(complaint_id, revision + turn) for turn in range(VARIETY) for complaint_id, revision in at_start)


def _adding(complaint_id: str, revision: int) -> Question:
    def is_right(data: Any) -> bool:
        payload = data["addFollowUp"]
        return bool(payload["userErrors"] == []) and payload["complaint"]["revision"] == revision + 1

    added = {"kind": "PROGRESS", "body": FOLLOW_UP, "visibility": "PUBLIC", "expectedRevision": revision}
    return Question(
        {"input": {"complaint": complaint_id, **added}}, f"/complaints/{complaint_id}/follow-ups", is_right, added
    )


def _twenty_complaints(dataset: Dataset) -> Iterator[Question]:
    ids, chance = dataset.known_complaints, random.Random(7)
    return iter([_looking_up(chance.sample(ids, ALIASES)) for _ in range(VARIETY)])


def _looking_up(ids: list[str]) -> Question:
    def is_right(data: Any) -> bool:
        return all(data[f"complaint{number}"]["id"] == wanted for number, wanted in enumerate(ids))

    variables = {f"id{number}": wanted for number, wanted in enumerate(ids)}
    return Question(variables, f"/look-ups?ids={quote(','.join(ids))}", is_right)


def _shuffled(values: list[Any]) -> list[Any]:
    return random.Random(7).sample(values, len(values))


def _operation(
    name: str, title: str, file: str, ask: Callable[[Dataset], Iterator[Question]], *, is_write: bool = False
) -> Operation:
    return Operation(name, title, document(file), ask, is_write)


OPERATIONS: Final[dict[str, Operation]] = {
    operation.name: operation
    for operation in (
        _operation("Q1", "one complaint with agency, team, timeline", "one_complaint", _one_complaint),
        _operation(
            "Q2",
            "the newest 50 of a province and status, each with agency and team",
            "newest_of_a_province",
            _newest_of_a_province,
        ),
        _operation("Q3", "100 complaints × 15 scalars", "many_scalars", _many_scalars),
        _operation("Q4", "34 provinces with their regencies and cities, six fields each", "register", _register),
        _operation("Q5", "add a follow-up with a revision check", "follow_up", _follow_up, is_write=True),
        _operation("Q6", "20 aliased look-ups in one operation", "twenty_complaints", _twenty_complaints),
    )
}
WITH_BARE: Final[Mapping[str, Operation]] = OPERATIONS | {
    "Q5-bare": replace(
        OPERATIONS["Q5"], name="Q5-bare", title="the same, on which peers keep no record", headers=(BARE,)
    )
}
