"""What people write: bounded, and never repeated in an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.errors import InvalidInput
from resolvers.personal_data.text import clean_optional, clean_required


@given(st.text(max_size=60))
def test_a_text_is_taken_without_its_surrounding_space_or_refused_without_being_repeated(text: str) -> None:
    try:
        assert clean_required(text, "body", at_most=40) == text.strip()
    except InvalidInput as refused:
        assert refused.field == ("input", "body")
        assert len(text.strip()) < 10 or text.strip() not in str(refused)


@pytest.mark.parametrize("text", ["", "   ", "\n", "a\x00b", "bell\x07", "x" * 41])
def test_an_empty_a_long_or_an_unprintable_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        clean_required(text, "body", at_most=40)


def test_line_breaks_and_tabs_are_plain_text() -> None:
    assert clean_required("a\n\tb\r\nc", "body") == "a\n\tb\r\nc"


def test_an_absent_and_an_empty_text_are_the_same() -> None:
    assert clean_optional(None, "note") is None
    assert clean_optional("  ", "note") is None
    assert clean_optional(" x ", "note") == "x"
