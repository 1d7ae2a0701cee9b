"""Complaints: read, accept, escalate, withdraw."""

from collections.abc import Sequence
from functools import lru_cache

from resolvers import agency as agencies
from resolvers import policy, text
from resolvers import team as teams
from resolvers.context import RequestContext
from resolvers.domain import tracking_id
from resolvers.domain.lifecycle import Transition
from resolvers.domain.vocabulary import ComplaintAction, FollowUpKind, TeamRole, Visibility
from resolvers.errors import InvalidArgument, InvalidInput, NotAllowed, TeamNotActive
from resolvers.follow_up import appended, reasoned
from resolvers.store.database import Document
from resolvers.transition import act, known, prove
from resolvers.update import Attempt


async def by_id(context: RequestContext, complaint_id: str, keys: frozenset[str] | None = None) -> Document | None:
    """The complaint, or None: absent and not to be known of look the same. `keys` are those that are read, or all."""
    return await known(context, complaint_id, keys)


async def by_tracking_id(
    context: RequestContext, text: str, *, secret: str | None = None, keys: frozenset[str] | None = None
) -> Document | None:
    """The complaint under a tracking ID as people write it; a valid secret makes the caller its reporter.

    Raises InvalidArgument for a secret in a request whose text is kept in logs and histories.
    """
    [found] = await by_tracking_ids(context, [(text, secret)], keys)
    if isinstance(found, Exception):
        raise found
    return found


async def by_tracking_ids(
    context: RequestContext, asked: Sequence[tuple[str, str | None]], keys: frozenset[str] | None = None
) -> list[Document | Exception | None]:
    """As `by_tracking_id` for each text and secret, all in one command; what it would raise in its place."""
    ids = [tracking_id.parse(written) for written, _ in asked]
    is_proving = any(secret is not None for _, secret in asked)
    wanted = [complaint_id for complaint_id in ids if complaint_id is not None]
    rows = await context.loaders.complaint.load_many(wanted, _deciding(keys, is_proving=is_proving))
    is_known = policy.KNOWN.decide(context.viewer, context.proven)
    found: list[Document | Exception | None] = []
    for complaint_id, (_, secret) in zip(ids, asked, strict=True):
        complaint = None if complaint_id is None else rows.get(complaint_id)
        try:
            if secret is not None:
                _prove(context, complaint, secret)
            found.append(complaint if complaint is not None and is_known(complaint) else None)
        except Exception as failure:
            found.append(failure)
    return found


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
    if unit is not None and await agencies.unit(context, unit) is None:
        raise InvalidInput(f"There is no unit {unit!r}: see the agency's units.", field=("input", "unit"))
    assignee = None if liaison is None else _liaison(context, found, liaison)
    placed: str | None = unit if unit or assignee is None else assignee["unit"]
    refusal = await teams.refusal(context)

    def change(complaint: Document, transition: Transition) -> Document:
        if found["agency"] not in (complaint["holder"], complaint["custodian"]):
            raise InvalidInput(f"{team} is not a team of {complaint['holder']}.", field=("input", "team"))
        if unit is not None and unit.partition("/")[0] != found["agency"]:
            raise InvalidInput(f"{unit} is not a unit of {found['agency']}.", field=("input", "unit"))
        if refusal is not None:
            raise refusal
        if not teams.may_work(context, found):
            raise TeamNotActive(f"The team {team} is {teams.status(context, found)}.", field=("input", "team"))
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
    written = text.required(reason, "reason")

    def change(complaint: Document, transition: Transition) -> Document:
        told = reasoned(context, complaint, written)
        return {**told, "escalationLevel": complaint["escalationLevel"] + 1}

    return await act(context, attempt, complaint_id, ComplaintAction.ESCALATE, change, secret=secret)


async def withdraw(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, reason: str | None, secret: str | None
) -> Document:
    words = text.optional(reason, "reason")

    def change(complaint: Document, transition: Transition) -> Document:
        return appended(context, complaint, FollowUpKind.REPLY, words, Visibility.REPORTER) if words else {}

    return await act(context, attempt, complaint_id, ComplaintAction.WITHDRAW, change, secret=secret)
