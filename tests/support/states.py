"""Complaints in every status, with a past that no guard minds."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from support.examples import RECEIVED, a_complaint

from resolvers.documents import ClosureProposalDoc, ComplaintDoc, FollowUpDoc
from resolvers.domain.vocabulary import ComplaintStatus
from resolvers.store import register
from resolvers.store.database import Store

NOW = RECEIVED + timedelta(days=28)
PAST = RECEIVED + timedelta(days=8)
TEAM = next(team for team in register.teams() if team["agency"] == "kab-badung")["_id"]
PROVINCE_TEAM = next(team for team in register.teams() if team["agency"] == "prov-bali")["_id"]
HELD_BY_PROVINCE = {
    "holder": "prov-bali",
    "holderKind": "PROVINCE",
    "holderProvince": None,
    "holders": ["kemenpanrb", "kab-badung", "prov-bali"],
}
HELD_BY_DESK = {"holder": "kemenpanrb", "holderKind": "MINISTRY", "holderProvince": None, "holders": ["kemenpanrb"]}


async def register_of_bali(store: Store) -> None:
    """What of the register these complaints touch."""
    agencies = ("kemenpanrb", "prov-bali", "kab-badung", "kab-gianyar", "kab-sleman", "prov-di-yogyakarta")
    await store.agencies.insert_many([row for row in register.agencies() if row["_id"] in agencies])
    await store.regions.insert_many([row for row in register.regions() if row["_id"][:2] in ("51", "34")])
    await store.categories.insert_many(list(register.categories()))
    await store.teams.insert_many([row for row in register.teams() if row["agency"] in agencies])


def a_clock(kind: str, due: datetime | None = None, **given: Any) -> dict[str, Any]:
    made = {"kind": kind, "startedAt": RECEIVED, "dueAt": due, "stoppedAt": None, "pauses": []}
    return made | {"zone": "WITA", "provisional": False} | given


def a_draft(complaint_id: str, number: int = 1, subject: str | None = "demo-liaison") -> FollowUpDoc:
    return {
        "id": f"{complaint_id}/{number}",
        "kind": "FINAL",
        "body": "Lubang ditutup pada 12-11-2026 oleh Dinas PUPR.",
        "visibility": "REPORTER",
        "byAgency": "kab-badung",
        "byRole": "LIAISON",
        "bySubject": subject,
        "commitment": None,
        "closureCode": "EXPLAINED",
        "evidence": [],
        "approved": False,
        "rejection": None,
        "at": RECEIVED,
    }


PROPOSAL: ClosureProposalDoc = {
    "code": "UNABLE_BUDGET",
    "ground": "Anggaran tahun ini sudah habis.",
    "alternative": "Usulkan pada musrenbang Februari.",
    "byAgency": "kab-badung",
    "byRole": "AGENCY_ADMIN",
    "bySubject": "another-admin",
    "at": RECEIVED,
}


def in_status(status: ComplaintStatus, **given: Any) -> ComplaintDoc:
    """Held by Badung, whose agency took it in; with a breach, a draft of the liaison's and a proposal behind it."""
    complaint = a_complaint(**{"status": status, "takenInBy": "kab-badung", **_PAST[status], **given})
    if status is ComplaintStatus.IN_PROGRESS:
        complaint["followUps"] = [a_draft(complaint["_id"])]
    return complaint


_CLOCKS = [a_clock("TOTAL"), a_clock("FOLLOW_UP", PAST), a_clock("RESOLUTION", PAST)]
_WAITING = [a_clock("TOTAL"), a_clock("VERIFICATION", PAST, stoppedAt=NOW), a_clock("REPORTER_REPLY", PAST)]
_TAKEN_IN = {"verifiedAt": None, "takenInBy": "kab-badung", "holders": ["kab-badung"]}
_ENDED = {"closedAt": NOW - timedelta(days=3), "clocks": [a_clock("TOTAL", stoppedAt=PAST)]}
_WORKING = {"clocks": _CLOCKS, "team": TEAM}
_PAST: Mapping[ComplaintStatus, Mapping[str, Any]] = {
    ComplaintStatus.SUBMITTED: {**_TAKEN_IN, "clocks": [a_clock("TOTAL"), a_clock("VERIFICATION", PAST)]},
    ComplaintStatus.NEEDS_INFO: {**_TAKEN_IN, "clocks": _WAITING, "informationRequests": 1},
    ComplaintStatus.ROUTED: {"clocks": _CLOCKS, "grade": "NORMATIVE"},
    ComplaintStatus.RETURNED: {"clocks": _CLOCKS, "grade": "NORMATIVE"},
    ComplaintStatus.IN_PROGRESS: _WORKING | {"grade": "NORMATIVE", "proposal": PROPOSAL},
    ComplaintStatus.ON_HOLD: _WORKING
    | {
        "grade": "NORMATIVE",
        "hold": {"reason": "Menunggu bahan.", "reviewOn": "2026-11-10"},
        "holds": [{"start": RECEIVED, "end": None}],
    },
    ComplaintStatus.ANSWERED: _WORKING | {"grade": "NORMATIVE", "clocks": [*_CLOCKS, a_clock("REPORTER_REPLY", PAST)]},
    ComplaintStatus.REOPENED: {"clocks": _CLOCKS, "grade": "NORMATIVE", "reopenings": 1},
    ComplaintStatus.CLOSED_RESOLVED: _ENDED | {"grade": "NORMATIVE"},
    ComplaintStatus.CLOSED_NO_REPLY: _ENDED | {"grade": "NORMATIVE"},
    ComplaintStatus.CLOSED_UNABLE: _ENDED | {"grade": "NORMATIVE"},
    ComplaintStatus.ARCHIVED: _TAKEN_IN | _ENDED,
    ComplaintStatus.MERGED: _ENDED | {"grade": "NORMATIVE", "mergedInto": "LP-0000-0000-0000-0"},
    ComplaintStatus.WITHDRAWN: _ENDED | {"grade": "NORMATIVE"},
}
