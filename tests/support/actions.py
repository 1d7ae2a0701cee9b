"""Every action of the table as a call of its resolver, with given or random words."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from support.portal import UNIT
from support.states import PROVINCE_TEAM, TEAM

from resolvers.complaints import (
    answer,
    closure,
    complaint,
    follow_up,
    forwarding,
    hold,
    intake,
    merge,
    privacy,
    reopening,
)
from resolvers.complaints.transition import act
from resolvers.documents import ComplaintDoc
from resolvers.domain.vocabulary import (
    ArchiveReason,
    ClosureCode,
    ComplaintClass,
    FollowUpKind,
    ReturnReason,
    SupervisionGrade,
    UnlistedAction,
    Visibility,
)
from resolvers.domain.vocabulary import ComplaintAction as Action
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt

WORDS = "Kami kirim keterangan tambahan tentang lubang di depan pasar."
HOLDERS = ("kab-badung", "kab-gianyar", "prov-bali", "kab-sleman", "kemenpanrb")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one mutation by one viewer; without `chance` always the same, sensible words."""

    context: RequestContext
    attempt: Attempt
    row: ComplaintDoc
    into: str = "LP-0000-0000-0000-0"
    chance: random.Random | None = field(default=None)

    @property
    def id(self) -> str:
        return str(self.row["_id"])

    def one_of(self, *values: Any) -> Any:
        """The first value, or any of them where chance decides."""
        return values[0] if self.chance is None else self.chance.choice(values)


def _verify(call: Call) -> Awaitable[ComplaintDoc]:
    verification = intake.VerificationInput(
        class_=call.one_of(*ComplaintClass),
        category=call.one_of("ROAD.POTHOLE", "ROAD.POTHOLE", "SAFETY.CHILD"),
        grade=call.one_of(SupervisionGrade.NORMATIVE, *SupervisionGrade),
        holder=call.one_of(*HOLDERS),
        supporting=call.one_of((), ("kab-sleman",)),
        title=None,
        note=call.one_of(None, WORDS),
    )
    return intake.verify(call.context, call.attempt, call.id, verification)


def _follow_up(call: Call) -> Awaitable[ComplaintDoc]:
    kind = call.one_of(FollowUpKind.PROGRESS, FollowUpKind.FINAL, FollowUpKind.FINAL, *FollowUpKind)
    code = call.one_of(ClosureCode.EXPLAINED, ClosureCode.POLICY_CHANGE) if kind is FollowUpKind.FINAL else None
    draft = follow_up.FollowUpDraft(
        kind=kind,
        body=WORDS,
        visibility=call.one_of(Visibility.REPORTER, *Visibility),
        commitment=None,
        closure_code=code,
        evidence=(),
    )
    return follow_up.add(call.context, call.attempt, call.id, draft)


def _draft_id(call: Call) -> str:
    waiting = [row["id"] for row in call.row["followUps"] if not row["approved"] and row["rejection"] is None]
    return str(call.one_of(*waiting)) if waiting else f"{call.id}/1"


def _accept(call: Call) -> Awaitable[ComplaintDoc]:
    team, unit = (PROVINCE_TEAM, None) if call.row["holder"] == "prov-bali" else (TEAM, call.one_of(UNIT, None))
    return complaint.accept(call.context, call.attempt, call.id, team=team, unit=unit, liaison=None)


def _hold(call: Call) -> Awaitable[ComplaintDoc]:
    review = (call.context.now + timedelta(days=call.one_of(20, 2, 25, 31))).date().isoformat()
    return hold.hold(call.context, call.attempt, call.id, reason=WORDS, review_on=review)


def _propose(call: Call) -> Awaitable[ComplaintDoc]:
    code = call.one_of(ClosureCode.UNABLE_BUDGET, ClosureCode.UNABLE_LEGAL)
    return closure.propose(call.context, call.attempt, call.id, code=code, ground=WORDS, alternative=WORDS)


def _consent(call: Call, consents: bool) -> Awaitable[ComplaintDoc]:
    reason = call.one_of(WORDS, WORDS) if not consents else call.one_of(None, WORDS)
    return closure.consent(call.context, call.attempt, call.id, consents=consents, reason=reason)


def _archive(call: Call) -> Awaitable[ComplaintDoc]:
    reason = call.one_of(ArchiveReason.SPAM, *ArchiveReason)
    return intake.archive(call.context, call.attempt, call.id, reason=reason, referral="Komisi Yudisial", note=None)


def _privacy(call: Call) -> Awaitable[ComplaintDoc]:
    flags = {"anonymous": call.one_of(True, False, None), "confidential": call.one_of(None, True, False)}
    return privacy.set_privacy(call.context, call.attempt, call.id, **flags, reason=WORDS, secret=None)


def _return(call: Call) -> Awaitable[ComplaintDoc]:
    reason, note = call.one_of(ReturnReason.WRONG_REGION, *ReturnReason), WORDS
    return forwarding.give_back(call.context, call.attempt, call.id, reason=reason, suggested=None, note=note)


def _forward(call: Call) -> Awaitable[ComplaintDoc]:
    to = call.one_of("kab-gianyar", *HOLDERS)
    return forwarding.forward(call.context, call.attempt, call.id, to=to, note=call.one_of(None, WORDS))


# fmt: off
DO: dict[Action | UnlistedAction, Callable[[Call], Awaitable[ComplaintDoc]]] = {
    Action.REQUEST_INFORMATION: lambda c: intake.request_information(c.context, c.attempt, c.id, WORDS),
    Action.SUPPLY_INFORMATION: lambda c: intake.supply_information(c.context, c.attempt, c.id, WORDS, secret=None),
    Action.VERIFY: _verify,
    Action.FORWARD: _forward,
    Action.RETURN: _return,
    Action.ACCEPT: _accept,
    Action.HOLD: _hold,
    Action.RESUME: lambda c: hold.resume(c.context, c.attempt, c.id),
    Action.FOLLOW_UP: _follow_up,
    Action.APPROVE: lambda c: follow_up.approve(c.context, c.attempt, c.id, _draft_id(c)),
    Action.REJECT: lambda c: follow_up.reject(c.context, c.attempt, c.id, _draft_id(c), reason=WORDS),
    Action.CONFIRM: lambda c: answer.confirm(c.context, c.attempt, c.id, stars=4, comment=None, secret=None),
    Action.DISPUTE: lambda c: answer.dispute(c.context, c.attempt, c.id, reason=WORDS, stars=None, secret=None),
    Action.PROPOSE_CLOSURE: _propose,
    Action.CONSENT_TO_CLOSURE: lambda c: _consent(c, consents=True),
    UnlistedAction.REFUSE_CLOSURE: lambda c: _consent(c, consents=False),
    Action.ARCHIVE: _archive,
    Action.RESTORE: lambda c: reopening.restore(c.context, c.attempt, c.id, reason=WORDS, secret=None),
    Action.MERGE: lambda c: merge.merge(c.context, c.attempt, c.id, into=c.into, note=None),
    Action.WITHDRAW: lambda c: complaint.withdraw(c.context, c.attempt, c.id, reason=None, secret=None),
    Action.REOPEN: lambda c: reopening.reopen(c.context, c.attempt, c.id, reason=WORDS, secret=None),
    Action.ESCALATE: lambda c: complaint.escalate(c.context, c.attempt, c.id, reason=WORDS, secret=None),
    Action.SET_PRIVACY: _privacy,
    UnlistedAction.LAPSE: lambda c: act(
        c.context, c.attempt, c.id, UnlistedAction.LAPSE, lambda complaint, transition: {}),
}
# fmt: on
