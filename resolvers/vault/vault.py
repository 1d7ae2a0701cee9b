"""Stores and reads the identity of reporters. Each field is encrypted under a data key of the reporter's own.

Collections: `reporters` has the encrypted fields, `reporter_keys` the wrapped data keys (never in a backup, see
docs/privacy.md), and `identity_reads` the log of readings. A complaint itself never says who its reporter is.
"""

import asyncio
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import orjson

from resolvers import policy
from resolvers.documents import ComplaintDoc, ReporterDoc, ReporterKeyDoc
from resolvers.errors import InvalidArgument, PurposeRequired
from resolvers.key_ring import Unreadable, create_data_key, decrypt, encrypt
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.loaders import IdentityRead
from resolvers.results import ReporterResult

LIMITS: Final = {"name": 200, "email": 254, "phone": 30, "nik": 16}
INCLUSION: Final = ("sex", "ageBand", "disability")
MAX_PURPOSE: Final = 200
TO_BE_CLAIMED: Final = timedelta(hours=1)
"""Time after which a reporter is discarded if the complaint was not stored."""


def check_fields(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the personal fields that were given. Raises InvalidInput for a text that is too long."""
    fields = {key: text.clean_optional(given.get(key), "reporter", key, at_most=limit) for key, limit in LIMITS.items()}
    return {key: value for key, value in fields.items() if value is not None}


async def seal(context: RequestContext, complaint_id: str, given: Mapping[str, Any]) -> str | None:
    """Encrypt and store what the reporter gave; return the reporter's id, or None when nothing was given.

    Inclusion data (sex, age band, disability) are stored only with consent.
    """
    fields = check_fields(given)
    consented = bool(given.get("inclusionConsent"))
    inclusion = {key: given[key] for key in INCLUSION if consented and given.get(key) is not None}
    if not fields and not inclusion:
        return None
    reporter_id, data_key = f"RP-{secrets.token_hex(12)}", create_data_key()
    await context.store.reporter_keys.insert_one({"_id": reporter_id, **context.key_ring.wrap(data_key, reporter_id)})
    await context.store.reporters.insert_one(
        {
            "_id": reporter_id,
            "complaint": complaint_id,
            "fields": encrypt_fields(data_key, reporter_id, fields),
            "inclusion": encrypt(data_key, orjson.dumps(inclusion), f"{reporter_id}/inclusion") if inclusion else None,
            "consentAt": context.now if inclusion else None,
            "sealedAt": context.now,
            "erasedAt": None,
            "wakeAt": context.now + TO_BE_CLAIMED,
        }
    )
    return reporter_id


def encrypt_fields(data_key: bytes, reporter_id: str, fields: Mapping[str, str]) -> dict[str, bytes]:
    return {key: encrypt(data_key, value.encode(), f"{reporter_id}/{key}") for key, value in fields.items()}


async def discard(context: RequestContext, reporter_id: str | None) -> None:
    """Delete a reporter, after a repeated submission has stored the same identity twice."""
    if reporter_id is not None:
        await context.store.reporter_keys.delete_one({"_id": {"$eq": reporter_id}})
        await context.store.reporters.delete_one({"_id": {"$eq": reporter_id}})


async def read_identity(context: RequestContext, complaint: ComplaintDoc) -> ReporterResult | None:
    """Return the fields of the reporter that the viewer may read, or None.

    The reading is logged before the fields are read. Raises PurposeRequired when the viewer must state a purpose.
    """
    readable = policy.list_reporter_fields(context.viewer, complaint, context.proven)
    reporter_id = complaint["reporter"]
    if readable is None or reporter_id is None:
        return None
    purpose = parse_purpose(context)
    if purpose is None and policy.must_state_purpose(context.viewer, complaint, context.proven):
        raise PurposeRequired("You must state a purpose to read who reported: send it in the header x-purpose.")
    await record_read(context, complaint, reporter_id, purpose, readable)
    fields = {key: value for key, value in (await read_fields(context, reporter_id)).items() if key in readable}
    return {
        "id": reporter_id,
        "name": fields.get("name"),
        "email": fields.get("email"),
        "phone": fields.get("phone"),
        "nik": fields.get("nik"),
    }


def parse_purpose(context: RequestContext) -> str | None:
    """Return the purpose that the request states, or None. Raises InvalidArgument for one that is no single line."""
    purpose = (context.purpose or "").strip()
    if len(purpose) > MAX_PURPOSE or not purpose.isprintable():
        raise InvalidArgument(f"The header x-purpose holds one line of at most {MAX_PURPOSE} characters.")
    return purpose or None


async def record_read(
    context: RequestContext, complaint: ComplaintDoc, reporter_id: str, purpose: str | None, keys: frozenset[str]
) -> None:
    viewer = context.viewer
    row = IdentityRead(
        complaint=complaint["_id"],
        reporter=reporter_id,
        at=context.now,
        role=viewer.role,
        subject=policy.find_log_subject(viewer),
        agency=viewer.agency,
        purpose=purpose,
        keys=tuple(sorted(keys)),
        readers=policy.list_watchers(complaint),
    )
    await context.loaders.identity_read.load(row)


async def read_fields(context: RequestContext, reporter_id: str) -> dict[str, Any]:
    """Return all fields of a reporter, decrypted; empty after the key was destroyed."""
    loading = context.loaders.reporter.load(reporter_id), context.loaders.reporter_key.load(reporter_id)
    reporter, wrapped = await asyncio.gather(*loading)
    return {} if reporter is None else open_fields(context, reporter, wrapped)


def open_fields(context: RequestContext, reporter: ReporterDoc, wrapped: ReporterKeyDoc | None) -> dict[str, Any]:
    if wrapped is None:
        return {}
    reporter_id = reporter["_id"]
    try:
        data_key = context.key_ring.unwrap(wrapped, reporter_id)
        kept = {key: decrypt(data_key, value, f"{reporter_id}/{key}") for key, value in reporter["fields"].items()}
        inclusion = reporter["inclusion"] and decrypt(data_key, reporter["inclusion"], f"{reporter_id}/inclusion")
    except Unreadable:
        # The ring has lost the key, which is the same as an erasure to the reader.
        return {}
    return {**{key: value.decode() for key, value in kept.items()}, **(orjson.loads(inclusion) if inclusion else {})}
