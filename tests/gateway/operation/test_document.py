"""Checked documents: parsed once, refused once, forgotten in order."""

import pytest

import schema
from gateway.operation.document import CACHED_DOCUMENTS, Documents, InvalidDocument

BUILT = schema.build()._schema


def test_a_document_is_checked_once() -> None:
    documents = Documents(BUILT)
    assert documents.check("{ viewer { role } }") is documents.check("{ viewer { role } }")


def test_a_refused_document_stays_refused_without_being_checked_again() -> None:
    documents = Documents(BUILT)
    refusals = []
    for _ in range(2):
        with pytest.raises(InvalidDocument) as refused:
            documents.check("{ nothing }")
        refusals.append(refused.value)
    assert refusals[0].errors is refusals[1].errors


def test_the_oldest_document_is_forgotten_first() -> None:
    documents = Documents(BUILT)
    first = documents.check("{ viewer { role } } # first")
    second = documents.check("{ viewer { role } } # second")
    for number in range(CACHED_DOCUMENTS - 2):
        documents.check(f"{{ viewer {{ role }} }} # {number}")
        documents.check("{ viewer { role } } # first")
    documents.check("{ viewer { role } } # one more")
    assert documents.check("{ viewer { role } } # first") is first
    assert documents.check("{ viewer { role } } # second") is not second


def test_operations_and_fragments_are_known_by_name() -> None:
    checked = Documents(BUILT).check("query A { ...F } query B { ...F } fragment F on Query { viewer { role } }")
    assert list(checked.operations) == ["A", "B"]
    assert list(checked.fragments) == ["F"]
