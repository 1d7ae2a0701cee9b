"""The vault's keys: a ring from the settings encrypts each reporter's own data key, which encrypts their fields."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from resolvers.documents import WrappedKeyDoc

DERIVED: Final = "derived"
"""The id of the key that is derived from the server's secret; it is active where the settings name no ring."""

_NONCE_BYTES: Final = 12
_ENTRY: Final = re.compile(r"[a-z0-9-]{1,32}:[0-9a-f]{64}")


class Unreadable(Exception):
    """The value was encrypted with a key that is gone, or it was altered."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by id. Only the `active` key wraps new data keys; the others unwrap the data keys that they wrapped."""

    keys: Mapping[str, bytes]
    active: str

    def wrap(self, data_key: bytes, owner: str) -> WrappedKeyDoc:
        return {"ring": self.active, "wrapped": encrypt(self.keys[self.active], data_key, f"key/{owner}")}

    def unwrap(self, wrapped: WrappedKeyDoc, owner: str) -> bytes:
        """Return the data key. Raises Unreadable if the ring no longer has the key that wrapped it."""
        key = self.keys.get(wrapped["ring"])
        if key is None:
            raise Unreadable(f"The ring has no key {wrapped['ring']!r}.")
        return decrypt(key, wrapped["wrapped"], f"key/{owner}")


def parse_ring(secret_key: bytes, configured: str | None = None) -> KeyRing:
    """Return the ring that the setting `id:hex,id:hex` describes; its first key is active.

    The derived key is always part of the ring, so that what it encrypted stays readable.
    Raises ValueError for a setting of another form; the message never repeats a key.
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


def create_data_key() -> bytes:
    return secrets.token_bytes(32)


def encrypt(key: bytes, value: bytes, place: str) -> bytes:
    """Encrypt with AES-GCM and return nonce and ciphertext.

    `place` is authenticated too: a value that was copied to another document or field does not decrypt there.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, value, place.encode())


def decrypt(key: bytes, value: bytes, place: str) -> bytes:
    """Raises Unreadable for a value that was altered, or encrypted with another key or for another place."""
    try:
        return AESGCM(key).decrypt(value[:_NONCE_BYTES], value[_NONCE_BYTES:], place.encode())
    except InvalidTag:
        raise Unreadable("The value was encrypted with another key, or altered.") from None
