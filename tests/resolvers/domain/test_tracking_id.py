"""Tracking ids: what is made is parsed, what is mistyped is noticed."""

from hypothesis import given
from hypothesis import strategies as st

from resolvers.domain.tracking_id import ALPHABET, new, parse

ids = st.binary(min_size=9, max_size=16).map(lambda entropy: new("LP", entropy))


@given(ids)
def test_an_id_is_parsed_however_it_is_written(made: str) -> None:
    for written in (made, made.lower(), made.replace("-", ""), f"  {made.replace('-', ' ')} "):
        assert parse(written) == made


@given(ids, st.data())
def test_one_wrong_letter_is_noticed(made: str, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from([index for index in range(3, len(made)) if made[index] != "-"]))
    letter = data.draw(st.sampled_from(sorted(set(ALPHABET) - {made[place]})))
    assert parse(made[:place] + letter + made[place + 1 :]) is None


@given(ids, st.integers(3, 14))
def test_two_neighbours_changed_about_are_noticed(made: str, place: int) -> None:
    letters = made.replace("-", "")
    swapped = letters[: place - 1] + letters[place] + letters[place - 1] + letters[place + 1 :]
    unchanged = letters[place] == letters[place - 1]
    assert parse(swapped) == (made if unchanged else None)


@given(st.text())
def test_any_text_is_an_id_or_none(text: str) -> None:
    found = parse(text)
    assert found is None or parse(found) == found


def test_an_id_has_its_published_form() -> None:
    made = new("TM", bytes(range(16)))
    assert len(made) == len("TM-7K2M-QX4T-9DHF-3")
    assert [len(part) for part in made.split("-")] == [2, 4, 4, 4, 1]
    assert new("TM", bytes(range(16))) == made


def test_letters_that_are_taken_for_others_are_not_used() -> None:
    assert not set("01ILOU") & set(ALPHABET)
    assert parse("LP-0000-0000-0000-0") is None
    assert parse("") is None
