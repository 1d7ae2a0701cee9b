"""The audit: written with what it is about, moved without loss; what is tampered with is found."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pymongo.errors import PyMongoError
from support.portal import ADMIN, CITIZEN, NATIONAL

from resolvers.audit_log import audit_trail
from resolvers.complaints import audit, audit_check, complaint, intake
from resolvers.domain.vocabulary import Channel, ComplaintClass, SupervisionGrade
from resolvers.errors import Refused
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt
from resolvers.store.database import Store

ContextOf = Callable[..., RequestContext]
TITLE, BODY = "Jalan berlubang di Kuta", "Lubang besar di jalan depan pasar Kuta."


async def submitted(context_of: ContextOf) -> str:
    submission = intake.Submission(
        ComplaintClass.COMPLAINT, TITLE, BODY, None, None, None, None, False, None, Channel.WEB, {"name": "Wayan"}
    )
    made, _ = await intake.submit(context_of(CITIZEN), Attempt("submitComplaint", "digest"), submission)
    complaint_id: str = made["_id"]
    return complaint_id


async def verified(context_of: ContextOf) -> str:
    complaint_id = await submitted(context_of)
    decided = intake.VerificationInput(
        ComplaintClass.COMPLAINT, "ROAD.POTHOLE", SupervisionGrade.NORMATIVE, "kab-badung", [], None, "Segera."
    )
    await intake.verify(context_of(NATIONAL), Attempt("verifyComplaint", "digest"), complaint_id, decided)
    return complaint_id


async def test_each_change_is_on_record_with_who_did_what(register: Store, context_of: ContextOf) -> None:
    complaint_id = await verified(context_of)
    entries = [entry async for entry in audit_check.list_entries(register)]
    assert [(entry["sequence"], entry["action"], entry["role"], entry["subject"]) for entry in entries] == [
        (1, "SUBMIT", "CITIZEN", None),
        (2, "VERIFY", "NATIONAL_ADMIN", "desk"),
    ]
    assert entries[0]["before"] is None
    assert entries[0]["after"] == entries[1]["before"] != entries[1]["after"]
    assert await audit.verify_stored(register, complaint_id) == (2, None, True)


async def test_no_word_of_the_citizen_is_in_it(register: Store, context_of: ContextOf) -> None:
    await verified(context_of)
    text = str([entry async for entry in audit_check.list_entries(register)])
    assert not any(word in text for word in ("Kuta", "Lubang", "Wayan", "wayan", "Segera"))


async def test_a_crash_before_an_entry_moves_loses_nothing(register: Store, context_of: ContextOf) -> None:
    """The entry waits on the complaint: read as part of the audit, moved by whoever comes next, once."""
    complaint_id = await verified(context_of)
    assert await register.audit.count_documents({}) == 0
    assert await audit.verify_stored(register, complaint_id) == (2, None, True)
    assert await audit_trail.move_entries(register) == 2
    assert await audit_trail.move_entries(register) == 0
    assert await register.audit.count_documents({}) == 2
    assert await audit.verify_stored(register, complaint_id) == (2, None, True)


async def test_a_crash_in_the_midst_of_moving_writes_nothing_twice(register: Store, context_of: ContextOf) -> None:
    complaint_id = await verified(context_of)
    complaint = await register.complaints.find_one({"_id": complaint_id})
    assert complaint is not None
    entry = complaint["auditPending"][0]
    await register.audit.insert_one({**entry, "_id": audit_trail.make_entry_id(entry)})
    await asyncio.gather(*(audit_trail.move_entries(register) for _ in range(4)))
    assert await register.audit.count_documents({}) == 2
    assert await audit.verify_stored(register, complaint_id) == (2, None, True)


async def test_what_changes_while_entries_move_is_on_record_too(register: Store, context_of: ContextOf) -> None:
    ids = [await submitted(context_of) for _ in range(8)]
    stop = asyncio.Event()

    async def moving() -> None:
        while not stop.is_set():
            await audit_trail.move_entries(register)

    async def withdrawn(complaint_id: str) -> None:
        await complaint.withdraw(context_of(CITIZEN), Attempt("w", "d"), complaint_id, reason=None, secret=None)

    mover = asyncio.create_task(moving())
    await asyncio.gather(*map(withdrawn, ids))
    stop.set()
    await mover
    assert [await audit.verify_stored(register, complaint_id) for complaint_id in ids] == [(2, None, True)] * 8


async def test_a_refused_change_is_no_entry(register: Store, context_of: ContextOf) -> None:
    complaint_id = await submitted(context_of)
    with pytest.raises(Refused):
        await complaint.withdraw(context_of(ADMIN), Attempt("w", "d"), complaint_id, reason=None, secret=None)
    assert await audit.verify_stored(register, complaint_id) == (1, None, True)


async def _faults(store: Store) -> list[Any]:
    return [fault async for _, fault in audit_check.check_all(store) if fault is not None]


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        ({"sequence": 1}, "entry 1"),
        ({"sequence": 2}, "entry 2"),
        ({}, "entry 1"),
    ],
)
async def test_a_removed_entry_is_found(
    register: Store, context_of: ContextOf, tampering: dict[str, Any], fault: str
) -> None:
    await verified(context_of)
    await audit_trail.move_entries(register)
    assert await _faults(register) == []
    await register.audit.delete_many(tampering)
    [found] = await _faults(register)
    assert fault in found


async def test_an_altered_entry_is_found(register: Store, context_of: ContextOf) -> None:
    await verified(context_of)
    await audit_trail.move_entries(register)
    await register.audit.update_one({"sequence": 2}, {"$set": {"subject": "somebody else"}})
    [found] = await _faults(register)
    assert "entry 2" in found


async def test_a_change_beside_the_record_is_found(register: Store, context_of: ContextOf) -> None:
    complaint_id = await verified(context_of)
    await register.complaints.update_one({"_id": complaint_id}, {"$set": {"holder": "kab-sleman"}})
    assert await _faults(register) == ["the complaint was changed without an entry in its audit"]


async def test_a_removed_complaint_is_found(register: Store, context_of: ContextOf) -> None:
    complaint_id = await verified(context_of)
    await audit_trail.move_entries(register)
    await register.complaints.delete_one({"_id": complaint_id})
    assert await _faults(register) == ["the complaint itself was removed"]


async def test_the_audit_takes_no_entry_twice(register: Store, context_of: ContextOf) -> None:
    await verified(context_of)
    await audit_trail.move_entries(register)
    entry = await register.audit.find_one({"sequence": 1}, {"_id": False})
    assert entry is not None
    with pytest.raises(PyMongoError):
        await register.audit.insert_one(entry)
