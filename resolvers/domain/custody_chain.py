"""The chain of custody: each hand-over (link) carries the hash of the link before it.

A link's hash covers the two agencies, the time, the reason, the routing rule if a rule decided, a salted digest of the
note, and the previous hash. So a link that was altered, removed or inserted is found. The note itself can be erased
without breaking the chain.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any, Final

_HASHED: Final = ("sequence", "from", "to", "action", "reason", "byRole")


def hash_link(link: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hex, of the link's canonical JSON without the stored `hash`."""
    content = {key: link[key] for key in _HASHED}
    content["at"] = link["at"].astimezone(UTC).isoformat(timespec="milliseconds")
    content["note"] = link["noteDigest"]
    content["previousHash"] = link["previousHash"]
    if link.get("ruleId") is not None:
        content["rule"] = [link["ruleId"], link["ruleVersion"]]
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def hash_note(note: str | None, salt: str) -> str | None:
    """Return the SHA-256, in hex, of salt and note; None for a link without a note."""
    return None if note is None else hashlib.sha256(f"{salt}\0{note}".encode()).hexdigest()


def find_first_broken(links: Iterable[Mapping[str, Any]]) -> int | None:
    """Return the sequence number of the first link that does not verify, or None when the chain is whole."""
    previous = None
    for sequence, link in enumerate(links, start=1):
        sound = link["sequence"] == sequence and link["previousHash"] == previous and link["hash"] == hash_link(link)
        if not sound:
            return sequence
        previous = link["hash"]
    return None
