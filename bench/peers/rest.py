"""The REST peer: hand-written endpoints on Starlette and orjson, with projections, and agencies in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.peers import follow_up, reads, settings
from resolvers import policy
from resolvers.documents import AgencyDoc, ComplaintDoc, TeamDoc
from resolvers.domain.vocabulary import AgencyKind, ComplaintStatus
from resolvers.store.database import Document
from resolvers.viewer import Viewer

STORE: Final = settings.connect_store()
AGENCIES: Final[dict[str, AgencyDoc]] = {}
TEAMS: Final[dict[str, TeamDoc]] = {}
REGENCIES: Final[dict[str, list[AgencyDoc]]] = {}

_DECIDING: Final = ("readers",)


def _projection(*keys: str) -> dict[str, int]:
    return dict.fromkeys((*keys, *_DECIDING), 1)


def _answer(data: Any) -> Response:
    return Response(orjson.dumps({"data": data}), media_type="application/json")


def _holder(complaint: ComplaintDoc) -> Document:
    agency = AGENCIES[complaint["holder"]]
    return {"id": agency["_id"], "code": agency["code"], "name": agency["name"]}


def _team(complaint: ComplaintDoc) -> Document | None:
    if complaint["team"] is None:
        return None
    team = TEAMS[complaint["team"]]
    return {"id": team["_id"], "name": team["name"], "termTo": team["termTo"]}


def _title(viewer: Viewer, complaint: ComplaintDoc) -> Any:
    if policy.has_custody(viewer, complaint):
        return complaint["title"]
    return complaint["redactedTitle"] or complaint["publicTitle"]


_PLAIN: Final = ("class", "status", "grade", "channel", "confidential", "receivedAt", "updatedAt")
_ONE: Final = _projection(
    "title",
    "redactedTitle",
    "publicTitle",
    "body",
    "redactedBody",
    *_PLAIN,
    "holder",
    "team",
    *(f"forwardings.{key}" for key in ("sequence", "action", "note", "at")),
    *(f"followUps.{key}" for key in ("id", "kind", "body", "at", "approved", "visibility")),
)


async def complaint(request: Request) -> Response:
    viewer: Viewer = request.scope["viewer"]
    found = await STORE.complaints.find_one({"_id": request.path_params["id"]}, _ONE)
    if found is None or not policy.may_know(viewer, found):
        return _answer({"complaint": None})
    custody = policy.has_custody(viewer, found)
    forwardings = found["forwardings"] if custody else [{**link, "note": None} for link in found["forwardings"]]
    follow_ups = [
        {"id": row["id"], "kind": row["kind"], "body": row["body"], "at": row["at"]}
        for row in found["followUps"]
        if policy.may_read_follow_up(viewer, found, row)
    ]
    shown = {
        "id": found["_id"],
        "title": _title(viewer, found),
        "body": found["body"] if custody else found["redactedBody"],
        **{key: found.get(key) for key in _PLAIN},
        "holder": _holder(found),
        "team": _team(found),
        "forwardings": forwardings,
        "followUps": {"nodes": follow_ups[:20]},
    }
    return _answer({"complaint": shown})


_NEWEST: Final = _projection("title", "redactedTitle", "publicTitle", "status", "receivedAt", "holder", "team")


async def complaints(request: Request) -> Response:
    viewer: Viewer = request.scope["viewer"]
    asked = request.query_params
    rows = reads.find_newest(STORE, viewer, [asked["region"]], [ComplaintStatus(asked["status"])], 50, _NEWEST)
    shown = [
        {
            "id": row["_id"],
            "title": _title(viewer, row),
            "status": row["status"],
            "receivedAt": row["receivedAt"],
            "holder": _holder(row),
            "team": _team(row),
        }
        for row in await rows.to_list(50)
    ]
    return _answer({"complaints": {"nodes": shown}})


_SCALARS: Final = (
    "class",
    "status",
    "grade",
    "channel",
    "anonymous",
    "confidential",
    "escalationLevel",
    "receivedAt",
    "verifiedAt",
    "firstFollowUpAt",
    "closedAt",
    "updatedAt",
    "revision",
)
_MANY: Final = _projection("title", "redactedTitle", "publicTitle", *_SCALARS)


async def of_province(request: Request) -> Response:
    viewer: Viewer = request.scope["viewer"]
    rows = reads.find_newest(STORE, viewer, [request.path_params["region"]], reads.ALL, 100, _MANY)
    shown = [
        {"id": row["_id"], "title": _title(viewer, row)} | {key: row[key] for key in _SCALARS}
        for row in await rows.to_list(100)
    ]
    return _answer({"complaints": {"nodes": shown}})


def _listed(agency: AgencyDoc) -> Document:
    return {
        "id": agency["_id"],
        "kind": agency["kind"],
        "code": agency["code"],
        "name": agency["name"],
        "shortName": agency["shortName"],
        "connected": agency["connected"],
    }


async def register(request: Request) -> Response:
    provinces = [agency for agency in AGENCIES.values() if agency["kind"] == AgencyKind.PROVINCE]
    shown = [
        _listed(province) | {"regencies": [_listed(agency) for agency in REGENCIES[province["_id"]]]}
        for province in provinces
    ]
    return _answer({"agencies": {"nodes": shown}})


async def add_follow_up(request: Request) -> Response:
    asked = orjson.loads(await request.body())
    write = follow_up.Write(request.path_params["id"], asked["expectedRevision"], asked, ("status", "revision"))
    changed = await follow_up.add(STORE, request.scope["viewer"], request.headers, write)
    if changed is None:
        return _answer({"addFollowUp": {"complaint": None, "userErrors": [{"code": "CHANGED_MEANWHILE"}]}})
    shown = {"id": changed["_id"], "status": changed["status"], "revision": changed["revision"]}
    return _answer({"addFollowUp": {"complaint": shown, "userErrors": []}})


_LOOK_UP: Final = _projection("title", "redactedTitle", "publicTitle", "status", "holder")


async def look_ups(request: Request) -> Response:
    viewer: Viewer = request.scope["viewer"]
    ids = request.query_params["ids"].split(",")
    rows = await STORE.complaints.find({"_id": {"$in": ids}}, _LOOK_UP).to_list(len(ids))
    by_id = {row["_id"]: row for row in rows if policy.may_know(viewer, row)}
    shown: Document = {}
    for number, wanted in enumerate(ids):
        row = by_id.get(wanted)
        shown[f"complaint{number}"] = row and {
            "id": row["_id"],
            "title": _title(viewer, row),
            "status": row["status"],
            "holder": {"name": AGENCIES[row["holder"]]["name"]},
        }
    return _answer(shown)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async for agency in STORE.agencies.find({}).sort("name"):
        AGENCIES[agency["_id"]] = agency
        REGENCIES.setdefault(agency["province"], []).append(agency)
    async for team in STORE.teams.find({}):
        TEAMS[team["_id"]] = team
    yield
    STORE.close()


app = Starlette(
    routes=[
        Route("/complaints", complaints),
        Route("/complaints/{id}", complaint),
        Route("/complaints/{id}/follow-ups", add_follow_up, methods=["POST"]),
        Route("/provinces/{region}/complaints", of_province),
        Route("/register", register),
        Route("/look-ups", look_ups),
    ],
    middleware=[settings.make_authentication()],
    lifespan=lifespan,
)
