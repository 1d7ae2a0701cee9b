"""Cursors and pages: what is given out is taken back, and nothing else."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.errors import InvalidArgument
from resolvers.paging.listing import Arguments, Cursors, encode_scope, of_rows

SECRET = b"the secret key of the tests"
CURSORS = Cursors(SECRET, encode_scope("complaints", {"status": ["ROUTED"]}))
positions = st.tuples(st.integers(0, 2**53) | st.text(max_size=30), st.text(max_size=30))


@given(positions)
def test_a_cursor_is_read_as_it_was_written(position: tuple[int | str, str]) -> None:
    assert CURSORS.read(CURSORS.write(position)) == list(position)


@given(positions, st.data())
def test_an_altered_cursor_is_refused(position: tuple[int | str, str], data: st.DataObject) -> None:
    cursor = CURSORS.write(position)
    place = data.draw(st.integers(0, len(cursor) - 1))
    letter = data.draw(st.characters(codec="ascii").filter(lambda letter: letter != cursor[place]))
    with pytest.raises(InvalidArgument, match="does not belong to this list"):
        CURSORS.read(cursor[:place] + letter + cursor[place + 1 :])


@given(st.text(max_size=80))
def test_no_text_is_taken_for_a_cursor(text: str) -> None:
    with pytest.raises(InvalidArgument):
        CURSORS.read(text)


@pytest.mark.parametrize(
    "other",
    [
        Cursors(SECRET, encode_scope("complaints", {"status": ["ANSWERED"]})),
        Cursors(SECRET, encode_scope("agencies", {"status": ["ROUTED"]})),
        Cursors(b"another secret key", CURSORS.scope),
    ],
)
def test_a_cursor_works_for_the_list_that_gave_it_alone(other: Cursors) -> None:
    with pytest.raises(InvalidArgument):
        other.read(CURSORS.write([1, "LP-1"]))


def test_the_order_of_a_filters_keys_does_not_matter() -> None:
    assert encode_scope("x", {"a": 1, "b": 2}) == encode_scope("x", {"b": 2, "a": 1})


@pytest.mark.parametrize(
    "arguments",
    [
        Arguments(first=0),
        Arguments(first=-1),
        Arguments(first=101),
        Arguments(last=101),
        Arguments(first=1, last=1),
        Arguments(after="x", last=1),
        Arguments(before="x", first=1),
        Arguments(after="x", before="y"),
    ],
)
def test_a_page_that_cannot_be_meant_is_refused(arguments: Arguments) -> None:
    with pytest.raises(InvalidArgument):
        arguments.parse_size()


def test_a_page_has_twenty_rows_unless_asked_otherwise() -> None:
    assert Arguments().parse_size() == 20
    assert Arguments(last=100).parse_size() == 100


@given(length=st.integers(0, 30), size=st.integers(1, 10))
def test_pages_in_either_direction_cover_every_row_once(length: int, size: int) -> None:
    rows = [{"id": number} for number in range(length)]

    async def walk(backwards: bool) -> list[int]:
        seen: list[int] = []
        at: str | None = None
        while True:
            arguments = Arguments(last=size, before=at) if backwards else Arguments(first=size, after=at)
            listing = of_rows(rows, arguments, CURSORS, position=lambda row: [row["id"]])
            page = await listing.fetch_page()
            found = [row["id"] for row in page.rows]
            seen = found + seen if backwards else seen + found
            if not (page.has_previous if backwards else page.has_next):
                return seen
            at = listing.write_cursor(page.rows[0] if backwards else page.rows[-1])

    assert asyncio.run(walk(backwards=False)) == asyncio.run(walk(backwards=True)) == list(range(length))
