"""Masks personal data in text: spans in, the text that others may read out."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from resolvers.domain.vocabulary import PersonalDataKind

MASKS: Final = {
    PersonalDataKind.NAME: "[nama]",
    PersonalDataKind.NIK: "[NIK]",
    PersonalDataKind.PHONE: "[telepon]",
    PersonalDataKind.EMAIL: "[surel]",
    PersonalDataKind.PLATE: "[pelat]",
    PersonalDataKind.DOCUMENT: "[nomor]",
    PersonalDataKind.ACCOUNT: "[rekening]",
    PersonalDataKind.BIRTH_DATE: "[tanggal lahir]",
    PersonalDataKind.ADDRESS: "[alamat]",
}

_RANKS: Final = {kind: rank for rank, kind in enumerate(PersonalDataKind)}

_PLACES: Final = frozenset({PersonalDataKind.ADDRESS})
"""Kinds that say where, not who: a complaint about a street is not about a person."""


class Span(NamedTuple):
    """Personal data at `text[start:end]`."""

    start: int
    end: int
    kind: PersonalDataKind


def joined(spans: Iterable[Span]) -> list[Span]:
    """In order, those that overlap as one, under the kind of the longest of them, then the first of the kinds."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start < found[-1].end:
            last = found.pop()
            longest = max(last, span, key=lambda part: (part.end - part.start, -_RANKS[part.kind]))
            span = Span(last.start, max(last.end, span.end), longest.kind)
        found.append(span)
    return found


def masked(text: str, spans: Iterable[Span]) -> str:
    """The text with each span replaced by its kind in brackets."""
    parts, at = [], 0
    for span in joined(spans):
        parts += [text[at : span.start], MASKS[span.kind]]
        at = span.end
    return "".join([*parts, text[at:]])


def is_of_a_person(kind: PersonalDataKind) -> bool:
    return kind not in _PLACES


def names_a_person(spans: Sequence[Span]) -> bool:
    return any(is_of_a_person(span.kind) for span in spans)


def says_again(text: str, personal: str) -> bool:
    """Whether the text has the same letters and digits in a row, in any case and with anything between them."""
    signs = r"[\W_]*".join(re.escape(sign) for sign in personal if sign.isalnum())
    return bool(signs) and re.search(rf"(?<!\w){signs}(?!\w)", text, re.IGNORECASE) is not None
