"""Reads a complaint by its id; accepts, escalates and withdraws it."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from resolvers import policy
from resolvers.agencies import agency as agencies
from resolvers.agencies import team as teams
from resolvers.complaints.follow_up import append_follow_up, append_reason
from resolvers.complaints.transition import act, find_known, prove_reporter
from resolvers.documents import Changes, ComplaintDoc, TeamDoc, TeamMemberDoc
from resolvers.domain import tracking_id
from resolvers.domain.lifecycle import Transition
from resolvers.domain.vocabulary import ComplaintAction, FollowUpKind, TeamRole, Visibility
from resolvers.errors import InvalidArgument, InvalidInput, NotAllowed, TeamNotActive
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt


async def by_id(context: RequestContext, complaint_id: str, keys: frozenset[str] | None = None) -> ComplaintDoc | None:
    """Return the complaint with these keys, or all; None if it does not exist or the viewer may not know of it."""
    return await find_known(context, complaint_id, keys)


async def by_tracking_id(
    context: RequestContext, text: str, *, secret: str | None = None, keys: frozenset[str] | None = None
) -> ComplaintDoc | None:
    """Return the complaint with a tracking ID as people write it; a valid secret makes the caller its reporter.

    Raises InvalidArgument for a secret in a GET request.
    """
    show = await look_up_many(context, [text], keys, is_proving=secret is not None)
    return show(text, secret)


async def look_up_many(
    context: RequestContext, texts: Sequence[str], keys: frozenset[str] | None = None, *, is_proving: bool
) -> Callable[[str, str | None], ComplaintDoc | None]:
    """Read several complaints with one command; return `by_tracking_id` for a text among `texts` and its secret.

    `is_proving` says that some of the texts come with a secret.
    """
    ids = {written: tracking_id.parse_id(written) for written in texts}
    wanted = [complaint_id for complaint_id in ids.values() if complaint_id is not None]
    rows = await context.loaders.complaint.load_many(wanted, _add_deciding_keys(keys, is_proving=is_proving))
    is_known = policy.KNOWN.decide(context.viewer, context.proven)

    def show(written: str, secret: str | None) -> ComplaintDoc | None:
        complaint_id = ids[written]
        complaint = None if complaint_id is None else rows.get(complaint_id)
        if secret is not None:
            _prove_reporter(context, complaint, secret)
        return complaint if complaint is not None and is_known(complaint) else None

    return show


def _prove_reporter(context: RequestContext, complaint: ComplaintDoc | None, secret: str) -> None:
    if not context.takes_secrets:
        raise InvalidArgument("A secret is not taken in a GET request, where logs and histories keep it: use POST.")
    if complaint is not None:
        prove_reporter(context, complaint, secret)


@lru_cache(maxsize=1024)
def _add_deciding_keys(keys: frozenset[str] | None, *, is_proving: bool) -> frozenset[str] | None:
    """Return the keys together with those that the decision about the viewer reads; None for all keys."""
    return None if keys is None else keys.union(policy.KNOWN.keys, ("secretHash",) if is_proving else ())


async def accept(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, team: str, unit: str | None, liaison: str | None
) -> ComplaintDoc:
    """Accept the complaint with a working team of the holder or of its custodian; accepting again assigns it anew."""
    accepting = await teams.by_id(context, team)
    if accepting is None:
        raise InvalidInput(f"There is no team {team!r}: see the agency's teams.", field=("input", "team"))
    if unit is not None and await agencies.find_unit(context, unit) is None:
        raise InvalidInput(f"There is no unit {unit!r}: see the agency's units.", field=("input", "unit"))
    assignee = None if liaison is None else _find_liaison(context, accepting, liaison)
    # A liaison who is named without a unit brings their own.
    assigned_unit = unit if unit or assignee is None else assignee["unit"]
    refusal = await teams.find_refusal(context)

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        if accepting["agency"] not in (complaint["holder"], complaint["custodian"]):
            raise InvalidInput(f"{team} is not a team of {complaint['holder']}.", field=("input", "team"))
        if unit is not None and unit.partition("/")[0] != accepting["agency"]:
            raise InvalidInput(f"{unit} is not a unit of {accepting['agency']}.", field=("input", "unit"))
        if refusal is not None:
            raise refusal
        if not teams.may_work(context, accepting):
            raise TeamNotActive(
                f"The team {team} is {teams.derive_status(context, accepting)}.", field=("input", "team")
            )
        if assignee and unit and assignee["unit"] not in (None, unit):
            raise InvalidInput(f"{liaison} works in {assignee['unit']}, not in {unit}.", field=("input", "liaison"))
        if not policy.may_assign_to(context.viewer, assigned_unit):
            raise NotAllowed("A liaison may accept only for their own unit: name it.", field=("input", "unit"))
        return {
            "team": team,
            "unit": assigned_unit,
            "assignee": assignee and assignee["id"],
            "assigneeSubject": assignee and assignee["subject"],
        }

    return await act(context, attempt, complaint_id, ComplaintAction.ACCEPT, change)


def _find_liaison(context: RequestContext, team: TeamDoc, member_id: str) -> TeamMemberDoc:
    member = next((row for row in team["members"] if row["id"] == member_id), None)
    if member is None or member["role"] != TeamRole.LIAISON or not teams.is_current(context, member):
        raise InvalidInput(f"{member_id} is not a present liaison of {team['_id']}.", field=("input", "liaison"))
    return member


async def escalate(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, reason: str, secret: str | None
) -> ComplaintDoc:
    """Raise the escalation level by one: the reporter after a breach, handlers and overseers at any time."""
    written = text.clean_required(reason, "reason")

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        follow_up = append_reason(context, complaint, written)
        return {**follow_up, "escalationLevel": complaint["escalationLevel"] + 1}

    return await act(context, attempt, complaint_id, ComplaintAction.ESCALATE, change, secret=secret)


async def withdraw(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, reason: str | None, secret: str | None
) -> ComplaintDoc:
    """End the complaint at its reporter's wish; the public no longer reads it."""
    words = text.clean_optional(reason, "reason")

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        return append_follow_up(context, complaint, FollowUpKind.REPLY, words, Visibility.REPORTER) if words else {}

    return await act(context, attempt, complaint_id, ComplaintAction.WITHDRAW, change, secret=secret)
