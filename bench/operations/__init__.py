"""The six operations: their documents, their variables, and the checks of their answers.

A hand-written REST endpoint answers the same questions under its own paths.
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
"""Number of different sets of variables."""
PAGE: Final = 50
LONG_PAGE: Final = 100
ALIASES: Final = 20
PROVINCES: Final = 34
FOLLOW_UP: Final = "Perbaikan jalan dijadwalkan mulai pekan depan oleh unit terkait; warga diberi tahu lewat kelurahan."


class Header(NamedTuple):
    name: str
    value: str


BARE: Final = Header("x-write", "bare")
"""Makes the peers write without an audit entry; ours always writes one."""


@dataclass(frozen=True, slots=True)
class Question:
    """Variables, the same question as a path of the REST endpoint, and the check of the answer's data."""

    variables: Variables
    path: str
    is_right: Callable[[Any], bool]
    body: Variables | None = None
    """The body of a POST to the path; None for a GET."""


@dataclass(frozen=True, slots=True)
class Operation:
    """`ask` yields the questions, the same ones for the same dataset. A question of a write can be asked only once."""

    name: str
    title: str
    document: str
    ask: Callable[[Dataset], Iterator[Question]]
    is_write: bool = False
    headers: tuple[Header, ...] = ()

    def rename(self, name: str) -> "Operation":
        """Returns the operation under another name, which makes it another document."""
        return replace(self, document=re.sub(r"(?<=^query )\w+", name, self.document))


def make_check(question: Question) -> Callable[[bytes], bool]:
    """Returns the check of a response's body: right data, and no errors."""
    return make_data_check(question.is_right)


def make_data_check(is_right: Callable[[Any], bool]) -> Callable[[bytes], bool]:
    """Returns the check of a response's body: it parses, has no errors, and `is_right` accepts its data."""

    def check(body: bytes) -> bool:
        try:
            answer = orjson.loads(body)
            return "errors" not in answer and is_right(answer["data"])
        except (ValueError, LookupError, TypeError):
            return False

    return check


def read_document(name: str) -> str:
    return resources.files(__package__).joinpath(f"{name}.graphql").read_text(encoding="utf-8")


def _ask_one_complaint(dataset: Dataset) -> Iterator[Question]:
    ids = _shuffle(dataset.own_complaints)
    return iter([Question({"id": each}, f"/complaints/{each}", _is_complaint(each)) for each in ids[:VARIETY]])


def _is_complaint(wanted: str) -> Callable[[Any], bool]:
    return lambda data: data["complaint"]["id"] == wanted


def _has_rows(key: str, count: int) -> Callable[[Any], bool]:
    return lambda data: len(data[key]["nodes"]) == count


def _ask_newest(dataset: Dataset) -> Iterator[Question]:
    pages = dataset.pages
    full = [page for page in pages if page[2] >= PAGE] or pages[:1]
    return iter(
        [
            Question(
                {"filter": {"region": [province], "status": [status]}},
                "/complaints?" + urlencode({"region": province, "status": status}),
                _has_rows("complaints", min(count, PAGE)),
            )
            for province, status, count in _shuffle(full)[:VARIETY]
        ]
    )


def _ask_many_scalars(dataset: Dataset) -> Iterator[Question]:
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
            for province in _shuffle(full)
        ]
    )


def _ask_register(dataset: Dataset) -> Iterator[Question]:
    return iter([Question({}, "/register", _has_rows("agencies", PROVINCES))])


def _ask_follow_ups(dataset: Dataset) -> Iterator[Question]:
    """Yields each complaint in turn, at the revision that it has after the turns before."""
    at_start = dataset.reset_in_progress()
    return (
        _make_follow_up(complaint_id, revision + turn) for turn in range(VARIETY) for complaint_id, revision in at_start
    )


def _make_follow_up(complaint_id: str, revision: int) -> Question:
    def is_right(data: Any) -> bool:
        payload = data["addFollowUp"]
        return bool(payload["userErrors"] == []) and payload["complaint"]["revision"] == revision + 1

    added = {"kind": "PROGRESS", "body": FOLLOW_UP, "visibility": "PUBLIC", "expectedRevision": revision}
    return Question(
        {"input": {"complaint": complaint_id, **added}}, f"/complaints/{complaint_id}/follow-ups", is_right, added
    )


def _ask_twenty(dataset: Dataset) -> Iterator[Question]:
    ids, chance = dataset.known_complaints, random.Random(7)
    return iter([_make_look_ups(chance.sample(ids, ALIASES)) for _ in range(VARIETY)])


def _make_look_ups(ids: list[str]) -> Question:
    def is_right(data: Any) -> bool:
        return all(data[f"complaint{number}"]["id"] == wanted for number, wanted in enumerate(ids))

    variables = {f"id{number}": wanted for number, wanted in enumerate(ids)}
    return Question(variables, f"/look-ups?ids={quote(','.join(ids))}", is_right)


def _shuffle(values: list[Any]) -> list[Any]:
    return random.Random(7).sample(values, len(values))


def _make_operation(
    name: str, title: str, file: str, ask: Callable[[Dataset], Iterator[Question]], *, is_write: bool = False
) -> Operation:
    return Operation(name, title, read_document(file), ask, is_write)


OPERATIONS: Final[dict[str, Operation]] = {
    operation.name: operation
    for operation in (
        _make_operation("Q1", "one complaint with agency, team, timeline", "one_complaint", _ask_one_complaint),
        _make_operation(
            "Q2",
            "the newest 50 of a province and status, each with agency and team",
            "newest_of_a_province",
            _ask_newest,
        ),
        _make_operation("Q3", "100 complaints × 15 scalars", "many_scalars", _ask_many_scalars),
        _make_operation(
            "Q4", "34 provinces with their regencies and cities, six fields each", "register", _ask_register
        ),
        _make_operation("Q5", "add a follow-up with a revision check", "follow_up", _ask_follow_ups, is_write=True),
        _make_operation("Q6", "20 aliased look-ups in one operation", "twenty_complaints", _ask_twenty),
    )
}
WITH_BARE: Final[Mapping[str, Operation]] = OPERATIONS | {
    "Q5-bare": replace(
        OPERATIONS["Q5"], name="Q5-bare", title="the same, on which peers keep no record", headers=(BARE,)
    )
}
