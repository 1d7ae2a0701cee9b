"""Changes an agency: its short name, its units, and whether it is connected."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from resolvers import policy
from resolvers.agencies import reference
from resolvers.agencies import team as teams
from resolvers.documents import AgencyDoc, Changes, OrgUnitDoc
from resolvers.domain.lifecycle import OPEN
from resolvers.errors import InvalidInput, LimitReached, NotAllowed
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt, update
from resolvers.store.database import MAX_TIME_MS

MAX_UNITS: Final = 300
MAX_SLUG: Final = 60


@dataclass(frozen=True, slots=True)
class AgencyChanges:
    """The changes that the input asks for; None leaves a value as it is.

    `units` is the whole new list: a unit that it leaves out is removed.
    """

    short_name: str | None
    connected: bool | None
    units: Sequence[Mapping[str, Any]] | None


async def change_agency(context: RequestContext, attempt: Attempt, agency_id: str, changes: AgencyChanges) -> AgencyDoc:
    """Change an agency and return it.

    Raises InvalidInput for a removed unit that still has present members or open complaints, NotAllowed, LimitReached.
    """
    await reference.require_agency(context, agency_id, "agency")
    short_name = text.clean_optional(changes.short_name, "shortName", at_most=text.MAX_NAME)
    used = set() if changes.units is None else await _find_used_units(context, agency_id)

    def change(agency: AgencyDoc) -> Changes:
        if not policy.may_manage_teams(context.viewer, agency):
            raise NotAllowed(f"You may not change {agency_id}.")
        if changes.connected is not None and not policy.may_connect(context.viewer):
            raise NotAllowed("Only the national desk can connect agencies.", field=("input", "connected"))
        units = None if changes.units is None else _change_units(agency, changes.units, used)
        wanted = {"shortName": short_name, "connected": changes.connected, "units": units}
        change = {key: value for key, value in wanted.items() if value is not None}
        return change if changes.connected is None else change | {"wakeAt": context.now}

    return await update(context, context.store.agencies, agency_id, attempt, change)


async def _find_used_units(context: RequestContext, agency_id: str) -> set[str]:
    """Return the ids of the units that have a present member or an open complaint."""
    seats = {
        row["unit"]
        for team in await teams.by_agency(context, agency_id)
        for row in team["members"]
        if row["unit"] is not None and teams.is_current(context, row)
    }
    wanted = {"readers": "national", "holder": agency_id, "status": {"$in": sorted(OPEN)}, "unit": {"$ne": None}}
    found = context.store.complaints.aggregate(
        [{"$match": wanted}, {"$group": {"_id": "$unit"}}], maxTimeMS=MAX_TIME_MS
    )
    return seats | {row["_id"] for row in await found.to_list(None)}


def _change_units(agency: AgencyDoc, given: Sequence[Mapping[str, Any]], used: set[str]) -> list[OrgUnitDoc]:
    field = ("input", "units")
    if len(given) > MAX_UNITS:
        raise LimitReached(f"An agency has at most {MAX_UNITS} units.", field=field)
    known = {unit["id"] for unit in agency["units"]}
    named = [unit["id"] for unit in given if unit.get("id") is not None]
    strange = [unit for unit in named if unit not in known]
    if strange or len(set(named)) < len(named):
        raise InvalidInput(
            f"{strange[0]!r} is not a unit of {agency['_id']}." if strange else "The list has a unit twice.",
            field=(*field, "id"),
        )
    removed = sorted((known - set(named)) & used)
    if removed:
        raise InvalidInput(f"{removed[0]} cannot be left out: people or open complaints belong to it.", field=field)
    units: list[OrgUnitDoc] = []
    for row in given:
        name = text.clean_required(row["name"], "units", "name", at_most=text.MAX_NAME)
        taken = known | {unit["id"] for unit in units}
        units.append(
            {"id": row.get("id") or _make_id(agency["_id"], name, taken), "name": name, "parent": row.get("parent")}
        )
    _check_parents(units)
    return units


def _make_id(agency_id: str, name: str, taken: set[str]) -> str:
    """Return `<agency>/<slug>`, with a number at the end when that id is taken."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:MAX_SLUG] or "unit"
    wanted, number = f"{agency_id}/{slug}", 2
    while wanted in taken:
        wanted, number = f"{agency_id}/{slug}-{number}", number + 1
    return wanted


def _check_parents(units: Sequence[OrgUnitDoc]) -> None:
    parent_of = {unit["id"]: unit["parent"] for unit in units}
    for unit in parent_of:
        above, steps = parent_of[unit], 0
        while above is not None:
            if above not in parent_of:
                raise InvalidInput(f"{above!r} is not among the units.", field=("input", "units", "parent"))
            above, steps = parent_of[above], steps + 1
            # More steps than units: the walk goes round in a cycle.
            if steps > len(units):
                raise InvalidInput(
                    f"{unit} is its own parent, directly or through other units.", field=("input", "units", "parent")
                )
