"""The vault's keys: a ring from the settings wraps each reporter's own data key, which encrypts field by field."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

DERIVED: Final = "derived"
"""The key that the server's secret gives: what wraps where the settings name no ring."""

_NONCE_BYTES: Final = 12
_ENTRY: Final = re.compile(r"[a-z0-9-]{1,32}:[0-9a-f]{64}")


class Unreadable(Exception):
    """Sealed under a key that is gone, or altered since."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by id; `active` wraps, the others only unwrap what they once wrapped."""

    keys: Mapping[str, bytes]
    active: str

    def wrap(self, data_key: bytes, owner: str) -> dict[str, Any]:
        return {"ring": self.active, "wrapped": sealed(self.keys[self.active], data_key, f"key/{owner}")}

    def unwrap(self, wrapped: Mapping[str, Any], owner: str) -> bytes:
        """Raises Unreadable for a key that the ring no longer has."""
        key = self.keys.get(wrapped["ring"])
        if key is None:
            raise Unreadable(f"The ring has no key {wrapped['ring']!r}.")
        return opened(key, wrapped["wrapped"], f"key/{owner}")


def ring(secret_key: bytes, configured: str | None = None) -> KeyRing:
    """The ring of `id:hex,id:hex`, the first of them active; the derived key always opens what it sealed.

    Raises ValueError, which never repeats a key, for what is not of this form.
    """
    derived = {DERIVED: hmac.digest(secret_key, b"reporters\0", hashlib.sha256)}
    if not configured:
        return KeyRing(derived, DERIVED)
    entries = [entry.strip() for entry in configured.split(",")]
    if not all(_ENTRY.fullmatch(entry) for entry in entries):
        raise ValueError("vault keys are written id:hex, 64 hexadecimal digits each, separated by commas.")
    named = dict(entry.split(":") for entry in entries)
    if len(named) < len(entries) or DERIVED in named:
        raise ValueError(f"each vault key needs an id of its own, and none is called {DERIVED}.")
    return KeyRing({**derived, **{name: bytes.fromhex(key) for name, key in named.items()}}, next(iter(named)))


def new_data_key() -> bytes:
    return secrets.token_bytes(32)


def sealed(key: bytes, value: bytes, place: str) -> bytes:
    """AES-GCM, bound to the place where it is kept: moved elsewhere, it does not open."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, value, place.encode())


def opened(key: bytes, value: bytes, place: str) -> bytes:
    """Raises Unreadable where it was sealed under another key or for another place, or altered."""
    try:
        return AESGCM(key).decrypt(value[:_NONCE_BYTES], value[_NONCE_BYTES:], place.encode())
    except InvalidTag:
        raise Unreadable("It was sealed under another key, or altered.") from None
