"""One change to one document, made once: idempotency key, revision, one atomic update."""

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

import orjson
from pymongo import ReturnDocument

from resolvers.documents import ProcessedDoc
from resolvers.domain.appending import has_grown
from resolvers.errors import ChangedMeanwhile, IdempotencyConflict, InvalidInput, NotFound
from resolvers.request.context import RequestContext
from resolvers.store.database import MAX_TIME_MS, Collection, ConditionalUpdate, Document, DuplicateKeyError, Session

MAX_TRIES: Final = 8
MAX_KEY_LENGTH: Final = 200
KEPT_KEYS: Final = 50
"""Idempotency keys that a document remembers; older ones are forgotten."""


Beside = Callable[[Document, Session], Awaitable[None]]
"""Writes what goes with a change, given the document before it; what it raises undoes both."""


class Record(Protocol):
    """What puts a change of a complaint on record, in the very update that makes it."""

    def keys(self, before: Document, after: Document) -> Document:
        """The keys to set."""
        ...

    async def is_written(self, changes: Document) -> bool:
        """Whether the update with these keys was made, however much has happened since."""
        ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of a mutation: its name, the digest of its input, and what the input says of repetition."""

    mutation: str
    digest: str
    expected_revision: int | None = None
    idempotency_key: str | None = None

    def token(self, context: RequestContext) -> str | None:
        """The key in its scope of subject and mutation; None where none was sent.

        Raises InvalidInput for a key that somebody else's could equal: callers without a subject send a UUID.
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


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


async def create(context: RequestContext, collection: Collection, document: Document, attempt: Attempt) -> Document:
    """The document, inserted; the one that the same idempotency key has made before.

    Raises IdempotencyConflict.
    """
    token = attempt.token(context)
    if token is not None:
        document["creation"] = {"key": token, "digest": attempt.digest}
    try:
        await collection.insert_one(document)
    except DuplicateKeyError:
        return await made_before(context, collection, attempt)
    return document


async def made_before(context: RequestContext, collection: Collection, attempt: Attempt) -> Document:
    """The document that this call has made already. Raises IdempotencyConflict."""
    made = await collection.find_one({"creation.key": {"$eq": attempt.token(context)}}, max_time_ms=MAX_TIME_MS)
    if made is None or made["creation"]["digest"] != attempt.digest:
        raise conflict(attempt) from None
    return made


async def update(
    context: RequestContext,
    collection: Collection,
    document_id: str,
    attempt: Attempt,
    *,
    visible: Callable[[Document], bool],
    change: Callable[[Document], Document],
    record: Record | None = None,
    beside: Beside | None = None,
) -> Document:
    """The document after `change`, which gives the keys to set; the document as it is where the key has done its work.

    `record` puts the change on record: complaints have one.

    Without `expected_revision` the last writer wins: a change that somebody else overtook is decided again.
    Raises NotFound, ChangedMeanwhile, IdempotencyConflict, and what `change` refuses.
    """
    token = attempt.token(context)
    for _ in range(MAX_TRIES):
        document = await _read(context, collection, document_id, record)
        may_see = document is not None and visible(document)
        # Whoever handed it on may not see it any more, and still learns that the own change was made.
        if document is not None and token is not None and is_done(document, token, attempt):
            return document
        if document is None or not may_see:
            raise NotFound(f"{document_id} does not exist, or is not yours to see.")
        check_revision(document, attempt)
        changes = change(document)
        changes |= record.keys(document, document | changes) if record else {}
        if token is not None:
            done: ProcessedDoc = {"key": token, "digest": attempt.digest}
            changes["processed"] = [*document.get("processed", ())[-KEPT_KEYS + 1 :], done]
        if record is None or beside is not None:
            updated = await _written(context, collection, document, changes, beside)
        else:
            updated = await _written_with_others(context, document, changes, record)
        if updated is not None:
            context.wrote(collection.name, updated)
            return updated
    raise ChangedMeanwhile(f"{document_id} is being changed by many at once: try again.", document=document)


async def _read(
    context: RequestContext, collection: Collection, document_id: str, record: Record | None
) -> Document | None:
    if record is not None:
        return await context.store.complaint_reads.submit(document_id)
    return await collection.find_one({"_id": document_id}, max_time_ms=MAX_TIME_MS)


async def _written(
    context: RequestContext, collection: Collection, document: Document, changes: Document, beside: Beside | None
) -> Document | None:
    """The document after the changes; None where somebody else changed it first."""

    async def write(session: Session | None) -> Document | None:
        updated: Document | None = await collection.find_one_and_update(
            *_conditional(document, changes), return_document=ReturnDocument.AFTER, session=session
        )
        if updated is not None and beside is not None and session is not None:
            await beside(document, session)
        return updated

    if beside is None:
        return await write(None)
    async with await context.store.client.start_session() as session:
        written: Document | None = await session.with_transaction(write)
        return written


async def _written_with_others(
    context: RequestContext, document: Document, changes: Document, record: Record
) -> Document | None:
    """The same of a complaint, by a command that carries the changes of others' complaints too.

    Revision and status are as they were read, so the document is now what it was with the changes: nobody reads it.
    """
    made = await context.store.complaint_updates.submit(_conditional(document, changes))
    if made is None:
        made = await record.is_written(changes)
    return {**document, **changes, "revision": document["revision"] + 1} if made else None


def _conditional(document: Document, changes: Document) -> ConditionalUpdate:
    """The changes, where the document is still as it was read; of a list that has grown what was added."""
    unchanged: Document = {key: document[key] for key in ("_id", "revision", "status") if key in document}
    added = {key: value[-1] for key, value in changes.items() if has_grown(document.get(key), value)}
    update = {
        "$set": {key: value for key, value in changes.items() if key not in added},
        "$push": added,
        "$inc": {"revision": 1},
    }
    return ConditionalUpdate(unchanged, update)


def is_done(document: Document, token: str, attempt: Attempt) -> bool:
    digest = next((done["digest"] for done in document.get("processed", ()) if done["key"] == token), None)
    if digest is not None and digest != attempt.digest:
        raise conflict(attempt)
    return digest is not None


def conflict(attempt: Attempt) -> IdempotencyConflict:
    return IdempotencyConflict(
        f"The idempotencyKey {attempt.idempotency_key} was used before with another input: send a new one.",
        field=("input", "idempotencyKey"),
    )


def check_revision(document: Document, attempt: Attempt) -> None:
    if attempt.expected_revision is not None and attempt.expected_revision != document["revision"]:
        raise ChangedMeanwhile(
            f"{document['_id']} is at revision {document['revision']}, not {attempt.expected_revision}: read it again.",
            field=("input", "expectedRevision"),
            document=document,
        )
