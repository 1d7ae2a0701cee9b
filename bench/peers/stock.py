"""The stock Strawberry peer, as its documentation shows it: classes, Motor, aiodataloader, no tuning.

With STOCK_CACHES=1 it has Strawberry's own parser and validation caches.
"""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, cast

import strawberry
from aiodataloader import DataLoader
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry import Info
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache

from bench.peers import follow_up, reads, settings
from resolvers import policy
from resolvers.documents import AgencyDoc, ComplaintDoc, TeamDoc
from resolvers.domain.vocabulary import UserErrorCode
from resolvers.store.database import Collection
from resolvers.viewer import Viewer
from schema.enums import (
    AgencyKind,
    Channel,
    ComplaintAction,
    ComplaintClass,
    ComplaintStatus,
    FollowUpKind,
    SupervisionGrade,
    Visibility,
)

STORE: Final = settings.connect_store()

Context = dict[str, Any]
Asking = Info[Context, None]


@strawberry.type
class Agency:
    id: strawberry.ID
    kind: AgencyKind
    code: str | None
    name: str
    short_name: str
    connected: bool

    @strawberry.field
    async def regencies(self, info: Asking) -> list["Agency"]:
        return cast("list[Agency]", await info.context["regencies"].load(self.id))


@strawberry.type
class Team:
    id: strawberry.ID
    name: str
    term_to: str | None


@strawberry.type
class Forwarding:
    sequence: int
    action: ComplaintAction
    note: str | None
    at: datetime


@strawberry.type
class FollowUp:
    id: strawberry.ID
    kind: FollowUpKind
    body: str
    at: datetime


@strawberry.type
class FollowUpConnection:
    nodes: list[FollowUp]


@strawberry.type
class Complaint:
    id: strawberry.ID
    title: str
    body: str | None
    class_: ComplaintClass = strawberry.field(name="class")
    status: ComplaintStatus
    grade: SupervisionGrade | None
    channel: Channel
    anonymous: bool
    confidential: bool
    escalation_level: int
    received_at: datetime
    verified_at: datetime | None
    first_follow_up_at: datetime | None
    closed_at: datetime | None
    updated_at: datetime
    revision: int
    forwardings: list[Forwarding]
    all_follow_ups: strawberry.Private[list[FollowUp]]
    holder_id: strawberry.Private[str]
    team_id: strawberry.Private[str | None]

    @strawberry.field
    async def holder(self, info: Asking) -> Agency:
        return cast("Agency", await info.context["agency"].load(self.holder_id))

    @strawberry.field
    async def team(self, info: Asking) -> Team | None:
        return None if self.team_id is None else cast("Team", await info.context["team"].load(self.team_id))

    @strawberry.field
    def follow_ups(self, first: int = 20) -> FollowUpConnection:
        return FollowUpConnection(nodes=self.all_follow_ups[:first])


def _agency(row: AgencyDoc) -> Agency:
    return Agency(
        id=strawberry.ID(row["_id"]),
        kind=AgencyKind(row["kind"]),
        code=row["code"],
        name=row["name"],
        short_name=row["shortName"],
        connected=row["connected"],
    )


def _team(row: TeamDoc) -> Team:
    return Team(id=strawberry.ID(row["_id"]), name=row["name"], term_to=row["termTo"])


def _complaint(viewer: Viewer, row: ComplaintDoc) -> Complaint:
    custody = policy.has_custody(viewer, row)
    return Complaint(
        id=strawberry.ID(row["_id"]),
        title=row["title"] if custody else row["redactedTitle"] or row["publicTitle"],
        body=row["body"] if custody else row["redactedBody"],
        class_=ComplaintClass(row["class"]),
        status=ComplaintStatus(row["status"]),
        grade=None if row["grade"] is None else SupervisionGrade(row["grade"]),
        channel=Channel(row["channel"]),
        anonymous=row["anonymous"],
        confidential=row["confidential"],
        escalation_level=row["escalationLevel"],
        received_at=row["receivedAt"],
        verified_at=row["verifiedAt"],
        first_follow_up_at=row["firstFollowUpAt"],
        closed_at=row["closedAt"],
        updated_at=row["updatedAt"],
        revision=row["revision"],
        forwardings=[
            Forwarding(
                sequence=link["sequence"],
                action=ComplaintAction(link["action"]),
                note=link["note"] if custody else None,
                at=link["at"],
            )
            for link in row["forwardings"]
        ],
        all_follow_ups=[
            FollowUp(id=strawberry.ID(each["id"]), kind=FollowUpKind(each["kind"]), body=each["body"], at=each["at"])
            for each in row["followUps"]
            if policy.may_read_follow_up(viewer, row, each)
        ],
        holder_id=row["holder"],
        team_id=row["team"],
    )


def _loader(collection: Collection[Any], make: Callable[[Any], Any]) -> DataLoader[str, Any]:
    async def load(ids: Sequence[str]) -> list[Any]:
        rows = await collection.find({"_id": {"$in": ids}}).to_list(None)
        by_id = {row["_id"]: make(row) for row in rows}
        return [by_id.get(wanted) for wanted in ids]

    return DataLoader(load)


async def _regencies(provinces: Sequence[str]) -> list[list[Agency]]:
    found: dict[str, list[Agency]] = {province: [] for province in provinces}
    for row in await STORE.agencies.find({"province": {"$in": provinces}}).sort("name").to_list(None):
        if row["province"] is not None:
            found[row["province"]].append(_agency(row))
    return [found[province] for province in provinces]


@strawberry.input
class ComplaintFilter:
    region: list[strawberry.ID]
    status: list[ComplaintStatus] | None = None


@strawberry.input
class AgencyFilter:
    kinds: list[AgencyKind]


@strawberry.type
class ComplaintConnection:
    nodes: list[Complaint]


@strawberry.type
class AgencyConnection:
    nodes: list[Agency]


@strawberry.type
class Query:
    @strawberry.field
    async def complaint(self, info: Asking, id: strawberry.ID) -> Complaint | None:
        return cast("Complaint | None", await info.context["complaint"].load(id))

    @strawberry.field
    async def complaints(self, info: Asking, filter: ComplaintFilter | None, first: int) -> ComplaintConnection:
        viewer, asked = info.context["viewer"], filter or ComplaintFilter(region=[])
        statuses = reads.ALL if asked.status is None else asked.status
        rows = await reads.find_newest(STORE, viewer, [str(code) for code in asked.region], statuses, first).to_list(
            first
        )
        return ComplaintConnection(nodes=[_complaint(viewer, row) for row in rows])

    @strawberry.field
    async def agencies(self, filter: AgencyFilter, first: int) -> AgencyConnection:
        found = STORE.agencies.find({"kind": {"$in": filter.kinds}}, limit=first).sort("name")
        return AgencyConnection(nodes=[_agency(row) for row in await found.to_list(first)])


@strawberry.input
class AddFollowUpInput:
    complaint: strawberry.ID
    kind: FollowUpKind
    body: str
    visibility: Visibility
    expected_revision: int


@strawberry.type
class UserError:
    code: UserErrorCode


@strawberry.type
class ComplaintPayload:
    complaint: Complaint | None
    user_errors: list[UserError]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def add_follow_up(self, info: Asking, input: AddFollowUpInput) -> ComplaintPayload:
        viewer = info.context["viewer"]
        added = {"kind": input.kind, "body": input.body, "visibility": input.visibility}
        write = follow_up.Write(input.complaint, input.expected_revision, added)
        changed = await follow_up.add(STORE, viewer, info.context["headers"], write)
        if changed is None:
            return ComplaintPayload(complaint=None, user_errors=[UserError(code=UserErrorCode.CHANGED_MEANWHILE)])
        return ComplaintPayload(complaint=_complaint(viewer, changed), user_errors=[])


_CACHES: Final[list[Callable[[], SchemaExtension]]] = [ParserCache, ValidationCache]


class View(GraphQL[Context, None]):
    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        viewer: Viewer = request.scope["viewer"]

        def known(row: ComplaintDoc) -> Complaint | None:
            return _complaint(viewer, row) if policy.may_know(viewer, row) else None

        return {
            "viewer": viewer,
            "headers": request.headers,
            "complaint": _loader(STORE.complaints, known),
            "agency": _loader(STORE.agencies, _agency),
            "team": _loader(STORE.teams, _team),
            "regencies": DataLoader(_regencies),
        }


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    yield
    STORE.close()


schema = strawberry.Schema(Query, Mutation, extensions=_CACHES if os.environ.get("STOCK_CACHES") == "1" else [])
app = Starlette(
    routes=[Route("/graphql", View(schema, graphql_ide=None), methods=["POST"])],
    middleware=[settings.make_authentication()],
    lifespan=lifespan,
)
