"""Badung's subgraph as a server that a test makes lie: what it answers is exchanged, what it was sent is kept."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from support.far_end import Answer, answer_with, run_server

SDL = """
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires"])
scalar DateTime
type Complaint @key(fields: "id") {
  id: ID!
  receivedAt: DateTime! @external
  kabBadungSurvey: Int
  kabBadungAge: Int @requires(fields: "receivedAt")
}
interface LocalCase { id: ID! number: String unit: String url: String }
type KabBadungLocalCase implements LocalCase @key(fields: "id") {
  id: ID! number: String unit: String url: String
}
type Query { kabBadungWorst: Complaint kabBadungVisitsPlanned: Int }
type Mutation { kabBadungPlan(visits: Int!): Int }
"""


@dataclass(slots=True)
class Hostile:
    """`url` is where it is; it answers by `answer`."""

    url: str = ""
    answer: Answer = field(default_factory=lambda: answer_with({}))
    asked: list[dict[str, Any]] = field(default_factory=list)
    """The bodies that it was sent, and beside them the headers of each."""
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def says(self, data: Any, **further: Any) -> None:
        self.answer = answer_with(data, **further)

    def gives(self, *rows: Any, **further: Any) -> None:
        """These for whatever entities it is asked, under each name that the request gives them."""

        async def answer(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
            names = re.findall(r"(?:(\w+): ?)?_entities\(", asked["query"])
            return web.json_response({"data": {name or "_entities": rows for name in names}, **further})

        self.answer = answer

    def representations(self) -> list[dict[str, Any]]:
        """All that it was sent, whatever for."""
        return [
            row for asked in self.asked for name, rows in asked["variables"].items() if name[0] == "r" for row in rows
        ]


@asynccontextmanager
async def hostile() -> AsyncIterator[Hostile]:
    made = Hostile()

    async def answer(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        made.asked.append(asked)
        made.headers.append({name.lower(): value for name, value in request.headers.items()})
        made.bodies.append(await request.read())
        return await made.answer(asked, request)

    async with run_server(answer) as url:
        made.url = url
        yield made
