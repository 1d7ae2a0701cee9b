"""Kabupaten Badung's own complaint system as a subgraph of the national graph: case numbers, field visits, a survey.

python app.py PORT, with SATUGRAF_KEYS_URL where the gateway is not on this machine.
"""

import hashlib
import json
import sys

import strawberry
import uvicorn
from gateway_token import InvalidToken, claims_of
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types.graphql import OperationType

AGENCY = "kab-badung"
VISITS = ("Lubang diukur.", "Lubang ditutup sementara.", "Aspal baru selesai.")
planned: list[str] = ["LP-1", "LP-2", "LP-3", "LP-4"]


def case_number(complaint: str) -> int:
    """Stands for the look-up in the system that the regency already runs."""
    return int(hashlib.sha256(complaint.encode()).hexdigest(), 16) % 10_000


@strawberry.type
class KabBadungFieldVisit:
    on: str
    finding: str


@strawberry.interface
class LocalCase:
    id: strawberry.ID
    number: str | None
    unit: str | None
    url: str | None


@strawberry.federation.type(keys=["id"])
class KabBadungLocalCase(LocalCase):
    @strawberry.field
    def visits(self, first: int = 5) -> list[KabBadungFieldVisit] | None:
        made = case_number(self.id) % (len(VISITS) + 1)
        return [KabBadungFieldVisit(on=f"2026-11-{10 + day}", finding=VISITS[day]) for day in range(min(made, first))]

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "KabBadungLocalCase":
        number = f"BDG-2026-{case_number(id):04}"
        return cls(id=id, number=number, unit="Dinas PUPR", url=f"https://aduan.badungkab.go.id/{number}")


@strawberry.federation.type(keys=["id"])
class Complaint:
    id: strawberry.ID

    @strawberry.field
    def kab_badung_survey(self) -> int | None:
        return case_number(self.id) % 5 or None


@strawberry.type
class Query:
    @strawberry.field
    def kab_badung_visits_planned(self) -> int | None:
        return len(planned)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def kab_badung_plan_visit(self, info: strawberry.Info, complaint: strawberry.ID) -> int | None:
        if info.context.get("agency") != AGENCY:
            return None
        planned.append(complaint)
        return len(planned)


schema = strawberry.federation.Schema(Query, Mutation, types=[Complaint, KabBadungLocalCase], federation_version="2.9")


async def graphql(request: Request) -> Response:
    body = await request.body()
    try:
        claims = await claims_of(request.headers.get("authorization", ""), body, AGENCY)
    except InvalidToken:
        return JSONResponse({"errors": [{"message": "This subgraph answers the national gateway alone."}]}, 401)
    asked = json.loads(body)
    may = [OperationType.QUERY, *([OperationType.MUTATION] if "jti" in claims else [])]
    try:
        done = await schema.execute(
            asked["query"], asked.get("variables"), context_value=claims, allowed_operation_types=may
        )
    except InvalidOperationTypeError:
        return JSONResponse({"errors": [{"message": "The token is for queries alone."}]}, 401)
    errors = [{"message": error.message, "path": error.path} for error in done.errors or ()]
    return JSONResponse({"data": done.data, **({"errors": errors} if errors else {})})


app = Starlette(routes=[Route("/graphql", graphql, methods=["POST"])])

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
