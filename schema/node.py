"""Node: an object with a readable, globally unique id."""

from typing import Any

import strawberry

from schema.binding import column

_TYPE_BY_PREFIX = {"LP": "Complaint", "TM": "Team", "PL": "ActionPlan"}


@strawberry.interface(
    description=(
        "An object with a readable, globally unique id: LP-… is a complaint, TM-… a team, PL-… an action plan; any "
        "other id is an agency's slug (kab-badung)."
    )
)
class Node:
    id: strawberry.ID = column("_id")

    @classmethod
    def resolve_type(cls, document: Any, *_: Any) -> str:
        return _TYPE_BY_PREFIX.get(document["_id"].partition("-")[0], "Agency")
