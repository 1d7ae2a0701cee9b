"""What a document may look like, measured in one pass."""

import time

import pytest
from graphql import parse

from gateway.limits.shape import ShapeLimits, TooLarge, check_shape


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ("{ a { a { a { a } } } }", "depth"),
        ("{ ...F } fragment F on Q { a { ...G } } fragment G on Q { a { a { a } } }", "depth"),
        ("{ x: a y: a z: a w: a }", "aliases"),
        ("{ ...F ...F } fragment F on Q { x: a y: a }", "aliases"),
        ("{ a b c d e }", "root fields"),
        ("{ ...F b c } fragment F on Q { a { a } d e }", "root fields"),
        ("{ a { a a a a } b { a a a } }", "fields"),
        ("{ a @x @x b @x @x }", "directives"),
        ("{ a } fragment A on Q { a } fragment B on Q { a } fragment C on Q { a }", "definitions"),
        ("{ ...A } fragment A on Q { ...B } fragment B on Q { ...A }", "spreads itself"),
        ("{ ...A } fragment A on Q { a { ...A } }", "spreads itself"),
    ],
)
def test_each_measure_has_its_limit(document: str, word: str) -> None:
    limits = ShapeLimits(depth=3, aliases=3, root_fields=4, fields=8, directives=3, definitions=3)
    with pytest.raises(TooLarge, match=word):
        check_shape(parse(document), limits)


def test_each_operation_is_measured_by_itself() -> None:
    limits = ShapeLimits(root_fields=2)
    check_shape(parse("query A { a b } query B { c d }"), limits)
    with pytest.raises(TooLarge):
        check_shape(parse("query A { a } query B { a b c }"), limits)


@pytest.mark.parametrize("levels", [30, 45])
def test_a_fragment_bomb_is_measured_without_being_written_out(levels: int) -> None:
    parts = [f"fragment F{n} on Q {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels)]
    document = parse(" ".join(["{ ...F0 }", *parts, f"fragment F{levels} on Q {{ x: a }}"]))
    started = time.process_time()
    with pytest.raises(TooLarge):
        check_shape(document)
    assert time.process_time() - started < 0.5


def test_an_unknown_fragment_is_left_to_validation() -> None:
    check_shape(parse("{ a ...Nowhere }"))
