"""The audit's chain: an entry that was altered, removed, inserted or moved is found."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.audit_log import audit_chain

AT = datetime(2026, 11, 25, tzinfo=UTC)


def chain(length: int) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for sequence in range(1, length + 1):
        entry: dict[str, Any] = {
            "complaint": "LP-1",
            "sequence": sequence,
            "at": AT,
            "action": "FORWARD",
            "role": "NATIONAL_ADMIN",
            "subject": "desk",
            "agency": None,
            "readers": ["all"],
            "before": f"state {sequence - 1}",
            "after": f"state {sequence}",
            "previousHash": entries[-1]["hash"] if entries else None,
        }
        entries.append(entry | {"hash": audit_chain.hash_entry(entry)})
    return entries


def head(entries: list[dict[str, Any]]) -> dict[str, Any] | None:
    return {key: entries[-1][key] for key in ("sequence", "hash")} if entries else None


@given(st.integers(0, 6))
def test_a_chain_as_written_verifies(length: int) -> None:
    entries = chain(length)
    assert audit_chain.verify_entries(entries, head(entries)) == (length, None, True)


@given(
    st.integers(1, 6),
    st.data(),
    st.sampled_from(
        ["action", "role", "subject", "agency", "before", "after", "readers", "previousHash", "hash", "at"]
    ),
)
def test_an_altered_entry_shows(length: int, data: st.DataObject, key: str) -> None:
    entries = chain(length)
    at = data.draw(st.integers(0, length - 1))
    altered = [
        *entries[:at],
        entries[at] | {key: AT.replace(year=2020) if key == "at" else "other"},
        *entries[at + 1 :],
    ]
    assert audit_chain.verify_entries(altered, head(entries)).first_invalid in (at + 1, at + 2)


@given(st.integers(1, 6), st.data())
def test_a_removed_entry_shows_the_last_one_too(length: int, data: st.DataObject) -> None:
    entries = chain(length)
    at = data.draw(st.integers(0, length - 1))
    found = audit_chain.verify_entries([*entries[:at], *entries[at + 1 :]], head(entries))
    assert found.first_invalid == at + 1


def test_a_chain_that_is_gone_shows_by_the_head() -> None:
    assert audit_chain.verify_entries([], head(chain(3))).first_invalid == 1
    assert audit_chain.verify_entries(chain(3), None).first_invalid == 4


def test_a_state_that_changed_between_two_entries_shows() -> None:
    first, second = chain(2)
    second |= {"before": "something else"}
    second["hash"] = audit_chain.hash_entry(second)
    assert audit_chain.verify_entries([first, second], head([first, second])) == (2, None, False)


@pytest.mark.parametrize("key", audit_chain.DIGESTED)
def test_a_digest_covers_each_key_that_it_names(key: str) -> None:
    state = dict.fromkeys(audit_chain.DIGESTED, "a")
    assert audit_chain.compute_digest(state) != audit_chain.compute_digest(state | {key: "b"})
    assert audit_chain.compute_digest(None) is None


VALUES = st.one_of(
    st.none(), st.sampled_from(["a", 'Jalan "rusak"\n']), st.booleans(), st.integers(0, 9), st.just(AT), st.floats(0, 1)
)


def in_milliseconds(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds")


STATES = st.dictionaries(
    st.sampled_from(audit_chain.DIGESTED),
    st.one_of(VALUES, st.lists(st.dictionaries(st.sampled_from("ba"), VALUES), max_size=3)),
)


WRITTEN = st.one_of(
    st.none(), st.text(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.just(AT), st.floats(0.0001, 180)
)


@given(st.one_of(WRITTEN, st.lists(st.dictionaries(st.text(), WRITTEN), max_size=3)))
def test_what_is_hashed_is_json_as_anybody_writes_it(value: Any) -> None:
    """So that another program can verify the chain; programs differ in degrees nearer to zero than 0.0001."""
    plain = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=in_milliseconds)
    absent = "".join(f',"{key}":null' for key in sorted(audit_chain.DIGESTED) if key > "body")
    before = "".join(f'"{key}":null,' for key in sorted(audit_chain.DIGESTED) if key < "body")
    expected = hashlib.sha256(f'{{{before}"body":{plain}{absent}}}'.encode())
    assert audit_chain.compute_digest({"body": value}) == expected.hexdigest()


@given(STATES, STATES, st.booleans())
def test_digests_of_two_states_are_the_digest_of_each(
    before: dict[str, Any], changes: dict[str, Any], grows: bool
) -> None:
    if grows:
        lists = {key: value for key, value in before.items() if isinstance(value, list)}
        changes = {key: [*value, {"b": 1, "a": AT}] for key, value in lists.items()}
    after = before | changes
    assert audit_chain.compute_digests(before, after) == (
        audit_chain.compute_digest(before),
        audit_chain.compute_digest(after),
    )
