"""The hash chain of a complaint's audit.

Each entry carries the hash of the entry before it, and digests of the complaint before and after the change. So an
entry that was altered, removed or inserted is found. The complaint carries the hash of its last entry (its head), so
that a removed last entry is found too.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

import orjson
from bson.tz_util import utc as _DATABASES_UTC  # noqa: N812

from resolvers.domain.appending import has_grown
from resolvers.results import AuditVerificationResult

_HASHED: Final = (
    "complaint",
    "sequence",
    "action",
    "role",
    "subject",
    "agency",
    "readers",
    "before",
    "after",
    "previousHash",
)

DIGESTED: Final = (
    "status",
    "class",
    "category",
    "grade",
    "title",
    "body",
    "location",
    "anonymous",
    "confidential",
    "holder",
    "holders",
    "supporting",
    "team",
    "unit",
    "assignee",
    "hold",
    "forwardings",
    "followUps",
    "escalationLevel",
    "mergedInto",
    "rating",
    "closure",
    "secretHash",
)
"""The keys of a complaint that a digest covers: what a person decided or wrote, not what the system derives from it.

Without `secretHash`, which cannot be guessed, a short text could be found by computing the digests of many texts.
"""

_SORTED: Final = sorted(DIGESTED)


class AuditVerification(NamedTuple):
    """The result of a check. `first_invalid` is the sequence number of the first wrong or missing entry."""

    length: int
    first_invalid: int | None
    continuous: bool
    """Whether each entry begins with the state in which the entry before it ended.

    If not, the complaint was changed without an entry.
    """

    def to_document(self) -> AuditVerificationResult:
        """Return the result under the contract's names."""
        return {
            "valid": self.first_invalid is None,
            "length": self.length,
            "firstInvalidSequence": self.first_invalid,
            "continuous": self.continuous,
        }


def compute_digest(state: Mapping[str, Any] | None) -> str | None:
    """Return the SHA-256, in hex, of the canonical JSON of the DIGESTED keys; None without a complaint."""
    if state is None:
        return None
    content = {key: state.get(key) for key in DIGESTED}
    return hashlib.sha256(_encode(content)).hexdigest()


def compute_digests(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, str]:
    """Return `compute_digest` of both states.

    Keys with the same value are encoded once: most of a complaint does not change.
    """
    written_before: list[bytes] = []
    written_after: list[bytes] = []
    # Neighbouring keys that are equal are encoded together: {"a":1,"b":2} without its braces is a run of members.
    for is_same, keys in groupby(_SORTED, lambda key: _is_same(before.get(key), after.get(key))):
        if is_same:
            members = _encode({key: before.get(key) for key in keys})[1:-1]
            written_before.append(members)
            written_after.append(members)
            continue
        for key in keys:
            old, new = before.get(key), after.get(key)
            written = _encode(old)
            written_before.append(b'"%s":%s' % (key.encode(), written))
            written_after.append(b'"%s":%s' % (key.encode(), _encode_changed(old, written, new)))
    return _hash_members(written_before), _hash_members(written_after)


def _is_same(old: Any, new: Any) -> bool:
    """Whether both have the same JSON. False for equal lists of two objects: comparing them would cost more."""
    return old is new or (isinstance(old, str) and isinstance(new, str) and old == new)


def _encode_changed(old: Any, written: bytes, new: Any) -> bytes:
    """Encode a new value; `written` is the JSON of the old one, which a grown list continues."""
    if old and has_grown(old, new):
        return b"%s,%s]" % (written[:-1], _encode(new[-1]))
    return _encode(new)


def _hash_members(members: Sequence[bytes]) -> str:
    return hashlib.sha256(b"{%s}" % b",".join(members)).hexdigest()


def hash_entry(entry: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hex, of the entry's canonical JSON without the stored `hash`."""
    return hashlib.sha256(_encode({key: entry[key] for key in (*_HASHED, "at")})).hexdigest()


def verify_entries(entries: Sequence[Mapping[str, Any]], head: Mapping[str, Any] | None) -> AuditVerification:
    """Check the entries, oldest first, against each other and against the head on the complaint."""
    previous: Mapping[str, Any] | None = None
    continuous = True
    for sequence, entry in enumerate(entries, start=1):
        before = None if previous is None else previous["hash"]
        if entry["sequence"] != sequence or entry["previousHash"] != before or entry["hash"] != hash_entry(entry):
            return AuditVerification(len(entries), sequence, continuous)
        continuous = continuous and (previous is None or previous["after"] == entry["before"])
        previous = entry
    expected = None if head is None else (head["sequence"], head["hash"])
    found = None if previous is None else (previous["sequence"], previous["hash"])
    whole = found == expected
    return AuditVerification(len(entries), None if whole else len(entries) + 1, continuous)


def _encode_instant(value: Any) -> str:
    if isinstance(value, datetime):
        # Computing the offset of the database's time zone would take longer than the rest of the encoding.
        is_utc = value.tzinfo is UTC or value.tzinfo is _DATABASES_UTC
        plain = (value if is_utc else value.astimezone(UTC)).replace(tzinfo=None)
        return plain.isoformat(timespec="milliseconds") + "+00:00"
    raise TypeError(f"{type(value).__name__} has no place in an audit entry.")


def _encode(value: Any) -> bytes:
    """Return canonical JSON: UTF-8, no spaces, keys in order."""
    try:
        return orjson.dumps(value, _encode_instant, orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME)
    except orjson.JSONEncodeError:
        # A lone surrogate, which orjson refuses because UTF-8 cannot hold it.
        return _encode_surrogates(value).encode("utf-8", "surrogatepass")


_encode_surrogates: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_encode_instant
).encode
