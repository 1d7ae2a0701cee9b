"""One change of one document, made exactly once: idempotency key, revision, one atomic update.

A change is decided on the document as it was read, and written only if the document still has that revision and status
(optimistic concurrency). A writer that was overtaken reads again and decides again, at most MAX_TRIES times.
"""

import hashlib
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import orjson
from pymongo import ReturnDocument

from resolvers.documents import Changes, ComplaintDoc, Filter, ProcessedDoc, Update, apply_changes
from resolvers.domain.appending import has_grown
from resolvers.errors import ChangedMeanwhile, IdempotencyConflict, InvalidInput, NotFound
from resolvers.request.context import RequestContext
from resolvers.store.database import MAX_TIME_MS, Collection, ConditionalUpdate, DuplicateKeyError, Session

MAX_TRIES: Final = 8
MAX_KEY_LENGTH: Final = 200
KEPT_KEYS: Final = 50
"""How many idempotency keys a document keeps; older ones are dropped."""

Kept = TypeVar("Kept", bound=Mapping[str, Any])
"""The kind of document that is changed."""

CompanionWrite = Callable[[Kept, Session], Awaitable[None]]
"""Writes other documents in the same transaction. Takes the changed document as it was before.

An exception from it undoes the whole transaction.
"""


class ChangeRecord(Protocol):
    """Records a change of a complaint in the audit, within the update that makes the change."""

    def keys(self, before: ComplaintDoc, after: ComplaintDoc) -> Changes:
        """Return the keys that the update also sets."""
        ...

    async def is_written(self, changes: Changes) -> bool:
        """Whether the update with these keys was made, even if the complaint has changed again since."""
        ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of a mutation: its name, the digest of its input, and what the input says about repetition."""

    mutation: str
    digest: str
    expected_revision: int | None = None
    idempotency_key: str | None = None

    def derive_token(self, context: RequestContext) -> str | None:
        """Return the idempotency key, hashed together with subject and mutation; None if the input has none.

        Raises InvalidInput for a key that another caller could also send: a caller without a subject must send a UUID.
        """
        if self.idempotency_key is None:
            return None
        field = ("input", "idempotencyKey")
        if len(self.idempotency_key) > MAX_KEY_LENGTH:
            raise InvalidInput(f"idempotencyKey is longer than {MAX_KEY_LENGTH} characters.", field=field)
        if context.viewer.subject is None and not _is_uuid(self.idempotency_key):
            raise InvalidInput("Without an account the idempotencyKey must be a UUID.", field=field)
        scoped = orjson.dumps([context.viewer.subject, self.mutation, self.idempotency_key])
        return hashlib.sha256(scoped).hexdigest()

    def build_creation(self, context: RequestContext) -> ProcessedDoc | None:
        """Return the `creation` of the document that this call creates; None if the input has no idempotency key."""
        token = self.derive_token(context)
        return None if token is None else {"key": token, "digest": self.digest}


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


async def create(context: RequestContext, collection: Collection[Kept], document: Kept, attempt: Attempt) -> Kept:
    """Insert and return the document, which carries `attempt.build_creation()`.

    A repeated call with the same idempotency key returns the document that the first call created.
    Raises IdempotencyConflict.
    """
    try:
        await collection.insert_one(document)
    except DuplicateKeyError:
        return await find_created(context, collection, attempt)
    return document


async def find_created(context: RequestContext, collection: Collection[Kept], attempt: Attempt) -> Kept:
    """Return the document that an earlier call with the same key has created. Raises IdempotencyConflict."""
    token = attempt.derive_token(context)
    created: Kept | None = await collection.find_one({"creation.key": {"$eq": token}}, max_time_ms=MAX_TIME_MS)
    if created is None or created["creation"]["digest"] != attempt.digest:
        raise build_conflict(attempt) from None
    return created


async def update(
    context: RequestContext,
    collection: Collection[Kept],
    document_id: str,
    attempt: Attempt,
    change: Callable[[Kept], Changes],
) -> Kept:
    """Write the keys that `change` gives, and return the document after it.

    Returns the document unchanged if the idempotency key has done its work before. Without `expected_revision` the last
    writer wins: a change that another writer overtook is decided again on the new state.
    Raises NotFound, ChangedMeanwhile, IdempotencyConflict, and the refusals of `change`.
    """

    async def read() -> Kept | None:
        return await collection.find_one({"_id": document_id}, max_time_ms=MAX_TIME_MS)

    async def write(document: Kept, changes: Changes) -> Kept | None:
        condition, operators = _build_conditional_update(document, changes)
        return await collection.find_one_and_update(condition, operators, return_document=ReturnDocument.AFTER)

    return await _change_once(context, collection.name, document_id, attempt, read, lambda _: True, change, write)


async def update_complaint(
    context: RequestContext,
    complaint_id: str,
    attempt: Attempt,
    *,
    is_visible: Callable[[ComplaintDoc], bool],
    change: Callable[[ComplaintDoc], Changes],
    record: ChangeRecord,
    companion: CompanionWrite[ComplaintDoc] | None = None,
) -> ComplaintDoc:
    """Do the same as `update` for a complaint, and put the change on record in the same update.

    Raises NotFound also where `is_visible` is False. Reads and writes share commands with the other requests of this
    moment; with a `companion` the complaint is written in a transaction of its own.
    """

    async def read() -> ComplaintDoc | None:
        return await context.store.complaint_reads.submit(complaint_id)

    def decide(complaint: ComplaintDoc) -> Changes:
        changes = change(complaint)
        return changes | record.keys(complaint, apply_changes(complaint, changes))

    async def write(complaint: ComplaintDoc, changes: Changes) -> ComplaintDoc | None:
        if companion is None:
            return await _write_in_batch(context, complaint, changes, record)
        return await _write_with_companion(context, complaint, changes, companion)

    return await _change_once(
        context, context.store.complaints.name, complaint_id, attempt, read, is_visible, decide, write
    )


async def _change_once(
    context: RequestContext,
    collection: str,
    document_id: str,
    attempt: Attempt,
    read: Callable[[], Awaitable[Kept | None]],
    is_visible: Callable[[Kept], bool],
    decide: Callable[[Kept], Changes],
    write: Callable[[Kept, Changes], Awaitable[Kept | None]],
) -> Kept:
    """Read, decide and write until no other writer was faster. `write` returns None where one was."""
    token = attempt.derive_token(context)
    for _ in range(MAX_TRIES):
        document = await read()
        # Asked first: this also checks the complaint's secret, and a repeated call must open the complaint again.
        may_see = document is not None and is_visible(document)
        # A repeated call succeeds even if its first run took the document out of the viewer's sight.
        if document is not None and token is not None and is_done(document, token, attempt):
            return document
        if document is None or not may_see:
            raise NotFound(f"{document_id} does not exist, or is not yours to see.")
        check_revision(document, attempt)
        changes = decide(document)
        if token is not None:
            done: ProcessedDoc = {"key": token, "digest": attempt.digest}
            changes["processed"] = [*document.get("processed", ())[-KEPT_KEYS + 1 :], done]
        updated = await write(document, changes)
        if updated is not None:
            context.note_write(collection, updated)
            return updated
    raise ChangedMeanwhile(f"{document_id} is being changed by many at once: try again.", document=document)


async def _write_with_companion(
    context: RequestContext, complaint: ComplaintDoc, changes: Changes, companion: CompanionWrite[ComplaintDoc]
) -> ComplaintDoc | None:
    condition, operators = _build_conditional_update(complaint, changes)

    async def write(session: Session) -> ComplaintDoc | None:
        updated: ComplaintDoc | None = await context.store.complaints.find_one_and_update(
            condition, operators, return_document=ReturnDocument.AFTER, session=session
        )
        if updated is not None:
            await companion(complaint, session)
        return updated

    async with await context.store.client.start_session() as session:
        written: ComplaintDoc | None = await session.with_transaction(write)
        return written


async def _write_in_batch(
    context: RequestContext, complaint: ComplaintDoc, changes: Changes, record: ChangeRecord
) -> ComplaintDoc | None:
    """Write with one command that also carries the changes of other complaints.

    The command does not return documents. Revision and status were still as they were read, so the complaint is now
    exactly what was read with the changes applied, and needs no second read.
    """
    is_made = await context.store.complaint_updates.submit(_build_conditional_update(complaint, changes))
    if is_made is None:
        # The connection broke before the answer: the audit entry of this change tells whether it was made.
        is_made = await record.is_written(changes)
    if not is_made:
        return None
    return apply_changes(complaint, changes | {"revision": complaint["revision"] + 1})


def _build_conditional_update(document: Mapping[str, Any], changes: Changes) -> ConditionalUpdate:
    """Return an update that applies only while the document is as it was read.

    A list that has grown by one entry at its end is sent as that entry alone:
    {"followUps": [a, b, c]} → {"$push": {"followUps": c}}, where [a, b] was read.
    """
    condition: Filter = {key: document[key] for key in ("_id", "revision", "status") if key in document}
    added = {key: value[-1] for key, value in changes.items() if has_grown(document.get(key), value)}
    operators: Update = {
        "$set": {key: value for key, value in changes.items() if key not in added},
        "$push": added,
        "$inc": {"revision": 1},
    }
    return ConditionalUpdate(condition, operators)


def is_done(document: Mapping[str, Any], token: str, attempt: Attempt) -> bool:
    """Whether this call has changed the document before. Raises IdempotencyConflict if its input was another."""
    digest = next((done["digest"] for done in document.get("processed", ()) if done["key"] == token), None)
    if digest is not None and digest != attempt.digest:
        raise build_conflict(attempt)
    return digest is not None


def build_conflict(attempt: Attempt) -> IdempotencyConflict:
    return IdempotencyConflict(
        f"The idempotencyKey {attempt.idempotency_key} was used before with another input: send a new one.",
        field=("input", "idempotencyKey"),
    )


def check_revision(document: Mapping[str, Any], attempt: Attempt) -> None:
    """Raises ChangedMeanwhile if the input expects another revision than the document has."""
    if attempt.expected_revision is not None and attempt.expected_revision != document["revision"]:
        raise ChangedMeanwhile(
            f"{document['_id']} is at revision {document['revision']}, not {attempt.expected_revision}: read it again.",
            field=("input", "expectedRevision"),
            document=document,
        )
