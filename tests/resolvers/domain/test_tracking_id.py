"""Tracking IDs: an ID that was made is parsed, a mistyped one is refused."""

from hypothesis import given
from hypothesis import strategies as st

from resolvers.domain.tracking_id import ALPHABET, make_id, parse_id

ids = st.binary(min_size=9, max_size=16).map(lambda entropy: make_id("LP", entropy))


@given(ids)
def test_an_id_is_parsed_however_it_is_written(made: str) -> None:
    for written in (made, made.lower(), made.replace("-", ""), f"  {made.replace('-', ' ')} "):
        assert parse_id(written) == made


@given(ids, st.data())
def test_one_wrong_letter_is_noticed(made: str, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from([index for index in range(3, len(made)) if made[index] != "-"]))
    letter = data.draw(st.sampled_from(sorted(set(ALPHABET) - {made[place]})))
    assert parse_id(made[:place] + letter + made[place + 1 :]) is None


@given(ids, st.integers(3, 14))
def test_two_neighbours_changed_about_are_noticed(made: str, place: int) -> None:
    letters = made.replace("-", "")
    swapped = letters[: place - 1] + letters[place] + letters[place - 1] + letters[place + 1 :]
    unchanged = letters[place] == letters[place - 1]
    assert parse_id(swapped) == (made if unchanged else None)


@given(st.text())
def test_any_text_is_an_id_or_none(text: str) -> None:
    found = parse_id(text)
    assert found is None or parse_id(found) == found


def test_an_id_has_its_published_form() -> None:
    made = make_id("TM", bytes(range(16)))
    assert len(made) == len("TM-7K2M-QX4T-9DHF-3")
    assert [len(part) for part in made.split("-")] == [2, 4, 4, 4, 1]
    assert make_id("TM", bytes(range(16))) == made


def test_letters_that_are_taken_for_others_are_not_used() -> None:
    assert not set("01ILOU") & set(ALPHABET)
    assert parse_id("LP-0000-0000-0000-0") is None
    assert parse_id("") is None
