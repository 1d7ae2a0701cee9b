"""Complaints: read, accept, escalate, withdraw."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from resolvers import policy
from resolvers.agencies import agency as agencies
from resolvers.agencies import team as teams
from resolvers.complaints.follow_up import appended, reasoned
from resolvers.complaints.transition import act, known, prove
from resolvers.domain import tracking_id
from resolvers.domain.lifecycle import Transition
from resolvers.domain.vocabulary import ComplaintAction, FollowUpKind, TeamRole, Visibility
from resolvers.errors import InvalidArgument, InvalidInput, NotAllowed, TeamNotActive
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt
from resolvers.store.database import Document


async def by_id(context: RequestContext, complaint_id: str, keys: frozenset[str] | None = None) -> Document | None:
    """The complaint, or None: absent and not to be known of look the same. `keys` are those that are read, or all."""
    return await known(context, complaint_id, keys)


async def by_tracking_id(
    context: RequestContext, text: str, *, secret: str | None = None, keys: frozenset[str] | None = None
) -> Document | None:
    """The complaint under a tracking ID as people write it; a valid secret makes the caller its reporter.

    Raises InvalidArgument for a secret in a request whose text is kept in logs and histories.
    """
    shown = await looked_up(context, [text], keys, is_proving=secret is not None)
    return shown(text, secret)


async def looked_up(
    context: RequestContext, texts: Sequence[str], keys: frozenset[str] | None = None, *, is_proving: bool
) -> Callable[[str, str | None], Document | None]:
    """What `by_tracking_id` gives for each of the texts and a secret, which they have where `is_proving`, or raises.

    All are read in one command.
    """
    ids = {written: tracking_id.parse_id(written) for written in texts}
    wanted = [complaint_id for complaint_id in ids.values() if complaint_id is not None]
    rows = await context.loaders.complaint.load_many(wanted, _deciding(keys, is_proving=is_proving))
    is_known = policy.KNOWN.decide(context.viewer, context.proven)

    def shown(written: str, secret: str | None) -> Document | None:
        complaint_id = ids[written]
        complaint = None if complaint_id is None else rows.get(complaint_id)
        if secret is not None:
            _prove(context, complaint, secret)
        return complaint if complaint is not None and is_known(complaint) else None

    return shown


def _prove(context: RequestContext, complaint: Document | None, secret: str) -> None:
    if not context.takes_secrets:
        raise InvalidArgument("A secret is not taken in a GET request, where logs and histories keep it: use POST.")
    if complaint is not None:
        prove(context, complaint, secret)


@lru_cache(maxsize=1024)
def _deciding(keys: frozenset[str] | None, *, is_proving: bool) -> frozenset[str] | None:
    """The keys, and those that say who may know of the complaint; None for all."""
    return None if keys is None else keys.union(policy.KNOWN.keys, ("secretHash",) if is_proving else ())


async def accept(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, team: str, unit: str | None, liaison: str | None
) -> Document:
    """Takes it on, with a team in force of the holder's or its custodian's; again, to assign it anew."""
    found = await teams.by_id(context, team)
    if found is None:
        raise InvalidInput(f"There is no team {team!r}: see the agency's teams.", field=("input", "team"))
    if unit is not None and await agencies.find_unit(context, unit) is None:
        raise InvalidInput(f"There is no unit {unit!r}: see the agency's units.", field=("input", "unit"))
    assignee = None if liaison is None else _liaison(context, found, liaison)
    placed: str | None = unit if unit or assignee is None else assignee["unit"]
    refusal = await teams.find_refusal(context)

    def change(complaint: Document, transition: Transition) -> Document:
        if found["agency"] not in (complaint["holder"], complaint["custodian"]):
            raise InvalidInput(f"{team} is not a team of {complaint['holder']}.", field=("input", "team"))
        if unit is not None and unit.partition("/")[0] != found["agency"]:
            raise InvalidInput(f"{unit} is not a unit of {found['agency']}.", field=("input", "unit"))
        if refusal is not None:
            raise refusal
        if not teams.may_work(context, found):
            raise TeamNotActive(f"The team {team} is {teams.derive_status(context, found)}.", field=("input", "team"))
        if assignee and unit and assignee["unit"] not in (None, unit):
            raise InvalidInput(f"{liaison} works in {assignee['unit']}, not in {unit}.", field=("input", "liaison"))
        if not policy.may_assign_to(context.viewer, placed):
            raise NotAllowed("A liaison accepts for the own unit alone: name it.", field=("input", "unit"))
        return {
            "team": team,
            "unit": placed,
            "assignee": assignee and assignee["id"],
            "assigneeSubject": assignee and assignee["subject"],
        }

    return await act(context, attempt, complaint_id, ComplaintAction.ACCEPT, change)


def _liaison(context: RequestContext, team: Document, member_id: str) -> Document:
    member: Document | None = next((row for row in team["members"] if row["id"] == member_id), None)
    if member is None or member["role"] != TeamRole.LIAISON or not teams.is_current(context, member):
        raise InvalidInput(f"{member_id} is not a present liaison of {team['_id']}.", field=("input", "liaison"))
    return member


async def escalate(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, reason: str, secret: str | None
) -> Document:
    """One level up: by its reporter after a breach, by who handles or oversees it at any time."""
    written = text.clean_required(reason, "reason")

    def change(complaint: Document, transition: Transition) -> Document:
        told = reasoned(context, complaint, written)
        return {**told, "escalationLevel": complaint["escalationLevel"] + 1}

    return await act(context, attempt, complaint_id, ComplaintAction.ESCALATE, change, secret=secret)


async def withdraw(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, reason: str | None, secret: str | None
) -> Document:
    words = text.clean_optional(reason, "reason")

    def change(complaint: Document, transition: Transition) -> Document:
        return appended(context, complaint, FollowUpKind.REPLY, words, Visibility.REPORTER) if words else {}

    return await act(context, attempt, complaint_id, ComplaintAction.WITHDRAW, change, secret=secret)
