"""Takes the steps of `resolvers.domain.upkeep` on complaints, each once, in the order in which they are due."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from resolvers.audit_log import audit_trail
from resolvers.complaints import hold, intake, routing
from resolvers.complaints.follow_up import MAX_FOLLOW_UPS, append_follow_up
from resolvers.complaints.transition import act, compute_wake_at, find_policy
from resolvers.documents import Changes, ClosureDoc, ComplaintDoc, apply_changes
from resolvers.domain import routing as rules
from resolvers.domain import upkeep
from resolvers.domain.lifecycle import Transition
from resolvers.domain.upkeep import DueStep, Step
from resolvers.domain.vocabulary import (
    ArchiveReason,
    ComplaintAction,
    ComplaintClass,
    ComplaintStatus,
    FollowUpKind,
    SupervisionGrade,
    UnlistedAction,
    Visibility,
)
from resolvers.errors import ChangedMeanwhile, InvalidInput, NotAllowed, Refused
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt, update_complaint
from resolvers.store.database import MAX_TIME_MS
from resolvers.upkeep import schedule

ATTEMPT: Final = Attempt("upkeep", digest="")

TakeStep = Callable[[RequestContext, ComplaintDoc, DueStep], Awaitable[None]]

_LEVELS: Final = {
    1: "admin instansi",
    2: "pimpinan instansi dan koordinator tim",
    3: "koordinator provinsi, atau nasional",
    4: "pembina nasional",
}


async def find_due(context: RequestContext, limit: int) -> list[ComplaintDoc]:
    """Return the complaints whose next step is due, oldest first."""
    return await schedule.find_due(context, context.store.complaints, limit)


async def take_step(context: RequestContext, complaint: ComplaintDoc) -> Step | None:
    """Take the step that is due and return it; None when no step is due, or when the complaint has changed meanwhile.

    Safe to run twice: each step is decided on the stored state and written against its revision. Raises Refused when
    the rules refuse the step for an unchanged complaint, which is a bug.
    """
    step = _find_due_step(context, complaint)
    if step is None:
        await _reschedule(context, complaint)
        return None
    try:
        await _TAKE[step.step](context, complaint, step)
    except Refused:
        if await _is_unchanged(context, complaint):
            raise
        return None
    return step.step


async def _is_unchanged(context: RequestContext, complaint: ComplaintDoc) -> bool:
    known = {"_id": complaint["_id"], "revision": complaint["revision"]}
    return await context.store.complaints.find_one(known, {"_id": True}, max_time_ms=MAX_TIME_MS) is not None


def _find_due_step(context: RequestContext, complaint: ComplaintDoc) -> DueStep | None:
    found = upkeep.find_next_step(complaint, find_policy(context, complaint), context.calendar)
    return found if found is not None and found.at <= context.now else None


async def _reschedule(context: RequestContext, complaint: ComplaintDoc, **known: Any) -> None:
    """Correct `wakeAt` of a complaint that has not changed meanwhile. This is no revision, and nobody is notified."""
    unchanged = {"_id": complaint["_id"], "revision": complaint["revision"]}
    set_ = known | {"wakeAt": compute_wake_at(context, apply_changes(complaint, known))}
    await context.store.complaints.update_one(unchanged, {"$set": set_})


def _check_still_due(context: RequestContext, complaint: ComplaintDoc, step: DueStep) -> None:
    """Raise ChangedMeanwhile when the stored complaint is no longer due for this step."""
    if _find_due_step(context, complaint) != step:
        raise ChangedMeanwhile(f"{complaint['_id']} is not due for {step.step} any more.")


def _make_note(context: RequestContext, complaint: ComplaintDoc, words: str, visibility: Visibility) -> Changes:
    """Return the keys that add a note for staff or a message for the reporter; none when follow-ups are full."""
    kind = FollowUpKind.NOTE if visibility is Visibility.INTERNAL else FollowUpKind.ACKNOWLEDGE
    full = len(complaint["followUps"]) >= MAX_FOLLOW_UPS
    return {} if full else append_follow_up(context, complaint, kind, words, visibility)


async def _lapse(context: RequestContext, complaint: ComplaintDoc, step: DueStep) -> None:
    limits = find_policy(context, complaint).limits

    def change(current: ComplaintDoc, transition: Transition) -> Changes:
        if transition.target is ComplaintStatus.ARCHIVED:
            closure: ClosureDoc = {
                "code": None,
                "evidence": [],
                "archiveReason": ArchiveReason.INCOMPLETE,
                "referral": None,
                "ground": None,
                "alternative": None,
                "at": context.now,
            }
            words = (
                "Laporan diarsipkan karena keterangan yang diminta tidak kami terima. Anda dapat memulihkannya dalam "
                f"{limits.restore_days} hari dengan memberikan keterangan itu (restoreComplaint)."
            )
            return {"closure": closure, **_make_note(context, current, words, Visibility.REPORTER)}
        words = (
            "Laporan ditutup karena tanggapan Anda tidak kami terima; jawaban ini tidak dihitung sebagai disetujui. "
            f"Anda dapat membukanya kembali dalam {limits.reopen_days} hari (reopenComplaint)."
        )
        return _make_note(context, current, words, Visibility.REPORTER)

    await act(context, ATTEMPT, complaint["_id"], UnlistedAction.LAPSE, change)


async def _resume(context: RequestContext, complaint: ComplaintDoc, step: DueStep) -> None:
    await hold.resume(context, ATTEMPT, complaint["_id"])


async def _warn(context: RequestContext, complaint: ComplaintDoc, step: DueStep) -> None:
    """Warn the liaison. A clock whose due time has passed is only marked as warned: escalation is its next step."""

    def change(current: ComplaintDoc) -> Changes:
        _check_still_due(context, current, step)
        place = step.clock or 0
        clock = current["clocks"][place]
        warned = [{**row, "warnedAt": context.now} if row is clock else row for row in current["clocks"]]
        words = f"Waktu {clock['kind']} hampir habis: batasnya {clock['dueAt']:%Y-%m-%dT%H:%M:%SZ}."
        in_time = clock["dueAt"] is not None and context.now <= clock["dueAt"]
        noted = _make_note(context, current, words, Visibility.INTERNAL) if in_time else {}
        return _add_upkeep_keys(context, current, {"clocks": warned, **noted})

    await _update(context, complaint, step, change)


async def _escalate(context: RequestContext, complaint: ComplaintDoc, step: DueStep) -> None:
    def change(current: ComplaintDoc, transition: Transition) -> Changes:
        _check_still_due(context, current, step)
        clock = current["clocks"][step.clock or 0]
        words = (
            f"Eskalasi tingkat {step.level} ({_LEVELS.get(step.level, 'pembina nasional')}): waktu {clock['kind']} "
            f"habis pada {clock['dueAt']:%Y-%m-%dT%H:%M:%SZ}."
        )
        return {"escalationLevel": step.level, **_make_note(context, current, words, Visibility.INTERNAL)}

    await act(context, ATTEMPT, complaint["_id"], ComplaintAction.ESCALATE, change)


async def _offer(context: RequestContext, complaint: ComplaintDoc, step: DueStep) -> None:
    """Escalate to the national board and offer the reporter the Ombudsman, who needs the reporter's consent."""
    days = find_policy(context, complaint).limits.ombudsman_days
    words = (
        f"Laporan ini belum selesai setelah {days} hari. Bila Anda setuju, laporan dapat dialihkan kepada Ombudsman "
        "Republik Indonesia (escalateComplaint)."
    )

    def change(current: ComplaintDoc, transition: Transition | None = None) -> Changes:
        _check_still_due(context, current, step)
        noted = _make_note(context, current, words, Visibility.REPORTER)
        return {"ombudsmanOfferedAt": context.now, "escalationLevel": step.level, **noted}

    if complaint["escalationLevel"] < step.level:
        await act(context, ATTEMPT, complaint["_id"], ComplaintAction.ESCALATE, change)
    else:
        await _update(context, complaint, step, lambda current: _add_upkeep_keys(context, current, change(current)))


async def _route(context: RequestContext, complaint: ComplaintDoc, step: DueStep) -> None:
    """Verify the complaint by the routing rules, with the grade of its category.

    When the rules are not certain, people verify it, and the rules are not asked again.
    """
    question = routing.Question(
        complaint["title"],
        complaint["body"],
        complaint["category"],
        complaint["region"],
        complaint["namedAgency"],
        complaint["confidential"],
    )
    decided = (await routing.route_complaint(context, question)).decided
    category = None if decided is None else await context.loaders.category.load(decided.category or "")
    if decided is None or category is None:
        await _reschedule(context, complaint, rulesAsked=rules.VERSION)
        return
    verification = intake.VerificationInput(
        class_=ComplaintClass(complaint["class"]),
        category=category["_id"],
        grade=SupervisionGrade(category["defaultGrade"]),
        holder=decided.agency,
        supporting=[],
        title=None,
        note=None,
        rule=decided.rule,
    )
    against = Attempt(ATTEMPT.mutation, ATTEMPT.digest, expected_revision=complaint["revision"])
    try:
        await intake.verify(context, against, complaint["_id"], verification)
    except (InvalidInput, NotAllowed):
        await _reschedule(context, complaint, rulesAsked=rules.VERSION)


async def _update(
    context: RequestContext, complaint: ComplaintDoc, step: DueStep, change: Callable[[ComplaintDoc], Changes]
) -> None:
    """Update the complaint with an audit entry, for a step that is no action of the state machine."""
    await update_complaint(
        context,
        complaint["_id"],
        ATTEMPT,
        is_visible=lambda current: True,
        change=change,
        record=audit_trail.AuditRecord(context, step.step),
    )


def _add_upkeep_keys(context: RequestContext, current: ComplaintDoc, changes: Changes) -> Changes:
    """Add the keys that every change sets, for a step that is no action of the state machine."""
    return changes | {"updatedAt": context.now, "wakeAt": compute_wake_at(context, apply_changes(current, changes))}


_TAKE: Final[Mapping[Step, TakeStep]] = {
    Step.LAPSE: _lapse,
    Step.RESUME: _resume,
    Step.ROUTE: _route,
    Step.WARN: _warn,
    Step.ESCALATE: _escalate,
    Step.OFFER_OMBUDSMAN: _offer,
}
