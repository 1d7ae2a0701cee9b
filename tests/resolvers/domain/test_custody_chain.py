"""The chain of custody: a link that was altered is found."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.domain.custody_chain import find_first_broken, hash_link, hash_note


def chain(length: int) -> list[dict[str, Any]]:
    links: list[dict[str, Any]] = []
    for sequence in range(1, length + 1):
        link: dict[str, Any] = {
            "sequence": sequence,
            "from": f"agency-{sequence}",
            "to": f"agency-{sequence + 1}",
            "action": "FORWARD",
            "reason": None,
            "byRole": "NATIONAL_ADMIN",
            "at": datetime(2026, 11, sequence, 10, 30, 15, 123000, tzinfo=UTC),
            "note": "Sesuai wewenang.",
            "noteDigest": hash_note("Sesuai wewenang.", "salt"),
            "previousHash": links[-1]["hash"] if links else None,
        }
        links.append(link | {"hash": hash_link(link)})
    return links


def test_a_whole_chain_verifies_and_so_does_none() -> None:
    assert find_first_broken(chain(5)) is None
    assert find_first_broken([]) is None


@pytest.mark.parametrize("key", ["from", "to", "action", "reason", "byRole", "noteDigest", "previousHash", "hash"])
@given(place=st.integers(0, 4))
def test_an_altered_link_is_found(key: str, place: int) -> None:
    links = chain(5)
    links[place] = links[place] | {key: "altered"}
    assert find_first_broken(links) == place + 1


@given(place=st.integers(0, 3))
def test_a_removed_link_is_found(place: int) -> None:
    links = chain(5)
    del links[place]
    assert find_first_broken(links) == place + 1


def test_an_altered_instant_is_found() -> None:
    links = chain(2)
    links[0] = links[0] | {"at": datetime(2025, 1, 1, tzinfo=UTC)}
    assert find_first_broken(links) == 1


def test_a_note_can_be_erased_without_breaking_the_chain() -> None:
    links = [link | {"note": None} for link in chain(3)]
    assert find_first_broken(links) is None
    assert hash_note("Sesuai wewenang.", "salt") != hash_note("Sesuai wewenang.", "other salt")
    assert hash_note(None, "salt") is None
