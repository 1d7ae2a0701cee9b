"""The register that ships: agencies, regions, categories, teams, an action plan, policies.

docs/register.md names the sources.
"""

import csv
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from typing import Final, NamedTuple, cast

from resolvers.documents import (
    ActionPlanDoc,
    AgencyDoc,
    CategoryDoc,
    DecreeDoc,
    OrgUnitDoc,
    RegionDoc,
    TeamDoc,
    TeamMemberDoc,
)
from resolvers.domain import service_policy, tracking_id
from resolvers.domain.teams import EXPIRING_DAYS, TeamStanding
from resolvers.domain.vocabulary import AgencyKind, RegionLevel, TeamKind, TeamRole, TimeZone
from resolvers.store.database import NEVER
from resolvers.system_documents import PolicyDoc

SYNTHETIC_TERM_TO: Final = date(2028, 12, 31)
POPULATION_YEAR: Final = 2025

DEMO_SUBJECTS: Final = {
    "kab-badung": {TeamRole.ADMIN: "demo-admin", TeamRole.LIAISON: "demo-liaison"},
    "prov-bali": {TeamRole.COORDINATOR: "demo-coordinator"},
}
"""The subjects of the demonstration's tokens, by agency and seat."""
DEMO_UNIT: Final = "kab-badung/dinas-pupr"

_EASTERN: Final = dict.fromkeys(("81", "82", "91", "92"), TimeZone.WIT)
_CENTRAL: Final = dict.fromkeys(("51", "52", "53", "63", "64", "65", "71", "72", "73", "74", "75", "76"), TimeZone.WITA)
_ZONE_BY_PROVINCE: Final = _EASTERN | _CENTRAL
_REGIONAL: Final = {AgencyKind.PROVINCE: RegionLevel.PROVINCE, AgencyKind.REGENCY: RegionLevel.REGENCY}
_REGIONAL_LEVEL: Final = _REGIONAL | {AgencyKind.CITY: RegionLevel.CITY}

_REGIONAL_UNITS: Final = {
    "dinas-pupr": "Dinas Pekerjaan Umum dan Penataan Ruang",
    "dinas-lingkungan-hidup": "Dinas Lingkungan Hidup",
    "disdukcapil": "Dinas Kependudukan dan Pencatatan Sipil",
    "dinas-perhubungan": "Dinas Perhubungan",
    "dinas-sosial": "Dinas Sosial",
    "dinas-kesehatan": "Dinas Kesehatan",
    "dinas-pendidikan": "Dinas Pendidikan",
    "inspektorat": "Inspektorat",
}
_CENTRAL_UNITS: Final = {
    "layanan-publik": "Pusat Layanan Publik",
    "humas": "Biro Hubungan Masyarakat",
    "inspektorat": "Inspektorat",
}


class TeamOutline(NamedTuple):
    """A team as its decree describes it. Published decrees name neither the end of the term nor the members."""

    kind: TeamKind
    name: str
    decree: DecreeDoc
    year: int


_PUBLISHED: Final = {
    "prov-bali": TeamOutline(
        TeamKind.MANAGEMENT,
        "Tim Pengelola SP4N-LAPOR! Provinsi Bali",
        {
            "number": "299/02-B/HK/2022",
            "issuer": "Gubernur Bali",
            "issuedOn": None,
            "title": "Keputusan Gubernur tentang Tim Pengelola",
        },
        2022,
    ),
    "kab-badung": TeamOutline(
        TeamKind.COORDINATION,
        "Tim Koordinasi SP4N-LAPOR! Kabupaten Badung",
        {
            "number": "107/049/HK/2021",
            "issuer": "Bupati Badung",
            "issuedOn": None,
            "title": "Surat Keputusan Bupati tentang Tim Koordinasi dan petugas administrasi",
        },
        2021,
    ),
}


def _read_rows(name: str) -> Iterator[dict[str, str]]:
    text = resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


@cache
def policies() -> tuple[PolicyDoc, ...]:
    """The service policies of 62/2018 and of 5/2025, which replaced it."""
    text = resources.files(__name__).joinpath("policies.json").read_text(encoding="utf-8")
    return tuple(cast("list[PolicyDoc]", json.loads(text)))


@cache
def build_policies() -> service_policy.Policies:
    """Returns the same policies as the domain reads them."""
    return service_policy.Policies(map(service_policy.from_document, policies()))


@cache
def agencies() -> tuple[AgencyDoc, ...]:
    """All 682 agencies, of which 658 are connected."""
    rows = list(_read_rows("agencies.csv"))
    province_by_code = {row["code"]: row["id"] for row in rows if row["kind"] == "province"}
    return tuple(_build_agency(row, province_by_code) for row in rows)


def _build_agency(row: dict[str, str], province_by_code: dict[str, str]) -> AgencyDoc:
    kind = AgencyKind(row["kind"].upper())
    return {
        "_id": row["id"],
        "kind": kind,
        "name": row["name"],
        "shortName": row["short_name"],
        "code": row["code"] or None,
        "region": row["code"] if kind in _REGIONAL_LEVEL else None,
        "province": province_by_code.get(row["parent_province_code"]) if kind is not AgencyKind.PROVINCE else None,
        "connected": row["connected"] == "true",
        "pilot": row["pilot"] == "true",
        "units": _build_units(row["id"], _REGIONAL_UNITS if kind in _REGIONAL_LEVEL else _CENTRAL_UNITS),
        "custodian": None,
        "revision": 1,
    }


def _build_units(agency: str, names: dict[str, str]) -> list[OrgUnitDoc]:
    return [{"id": f"{agency}/{slug}", "name": name, "parent": None} for slug, name in names.items()]


@cache
def regions() -> tuple[RegionDoc, ...]:
    """34 provinces and 514 regencies and cities, as of September 2022."""
    return tuple(_build_region(row) for row in _read_rows("agencies.csv") if row["code_system"] == "kemendagri")


def _build_region(row: dict[str, str]) -> RegionDoc:
    kind = AgencyKind(row["kind"].upper())
    name = row["name"].removeprefix("Pemerintah ").replace("Daerah Daerah", "Daerah")
    return {
        "_id": row["code"],
        "level": _REGIONAL_LEVEL[kind],
        "name": name,
        "parent": None if kind is AgencyKind.PROVINCE else row["parent_province_code"],
        "timeZone": _ZONE_BY_PROVINCE.get(row["code"][:2], TimeZone.WIB),
        "population": int(row["population"]) if row["population"] else None,
        "populationYear": POPULATION_YEAR if row["population"] else None,
        "government": row["id"],
    }


@cache
def categories() -> tuple[CategoryDoc, ...]:
    return tuple(
        {
            "_id": row["code"],
            "parent": row["parent"] or None,
            "name": {"ID": row["name_id"], "EN": row["name_en"]},
            "sensitive": row["sensitive"] == "true",
            "defaultGrade": row["default_grade"],
        }
        for row in _read_rows("categories.csv")
    )


@cache
def teams() -> tuple[TeamDoc, ...]:
    """One team for each connected agency: two of them by published decrees, the others synthetic and marked so."""
    return tuple(_build_team(agency) for agency in agencies() if agency["connected"])


@cache
def action_plans() -> tuple[ActionPlanDoc, ...]:
    """The plan of Bali, by its published decree; its milestones are not published."""
    decree: DecreeDoc = {
        "number": "817/02-B/HK/2021",
        "issuer": "Gubernur Bali",
        "issuedOn": None,
        "title": "Keputusan Gubernur tentang Rencana Aksi SP4N-LAPOR! 2021-2024",
    }
    plan_id = tracking_id.make_id("PL", hashlib.sha256(b"prov-bali|817/02-B/HK/2021").digest()[:16])
    return (
        {
            "_id": plan_id,
            "agency": "prov-bali",
            "decree": decree,
            "title": "Rencana Aksi SP4N-LAPOR! Provinsi Bali 2021-2024",
            "periodFrom": "2021-01-01",
            "periodTo": "2024-12-31",
            "milestones": [],
            "processed": [],
            "revision": 1,
        },
    )


def _build_team(agency: AgencyDoc) -> TeamDoc:
    published = _PUBLISHED.get(agency["_id"])
    outline = published or _make_synthetic_outline(agency)
    team_id = tracking_id.make_id("TM", hashlib.sha256(f"{agency['_id']}|{outline.kind}".encode()).digest()[:16])
    since = f"{outline.year}-01-01"
    term_to = None if published else SYNTHETIC_TERM_TO
    return {
        "_id": team_id,
        "agency": agency["_id"],
        "agencyProvince": agency["_id"] if agency["kind"] == AgencyKind.PROVINCE else agency["province"],
        "kind": outline.kind,
        "name": outline.name,
        "decree": outline.decree,
        "termFrom": since,
        "termTo": None if term_to is None else term_to.isoformat(),
        "members": _build_members(team_id, agency, since),
        "supersedes": None,
        "supersededBy": None,
        "standing": TeamStanding.ACTIVE,
        "wakeAt": NEVER if term_to is None else _to_midnight(term_to - timedelta(days=EXPIRING_DAYS)),
        "synthetic": published is None,
        "processed": [],
        "revision": 1,
    }


def _to_midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _make_synthetic_outline(agency: AgencyDoc) -> TeamOutline:
    decree: DecreeDoc = {
        "number": f"SINTETIS/{agency['_id'].upper()}/2025",
        "issuer": agency["name"],
        "issuedOn": "2025-01-02",
        "title": "Keputusan sintetis untuk demonstrasi",
    }
    return TeamOutline(TeamKind.MANAGEMENT, f"Tim Pengelola SP4N-LAPOR! {agency['shortName']} (sintetis)", decree, 2025)


def _build_members(team_id: str, agency: AgencyDoc, since: str) -> list[TeamMemberDoc]:
    seats: list[tuple[TeamRole, str | None]] = [
        (TeamRole.COORDINATOR, None),
        (TeamRole.ADMIN, None),
        (TeamRole.DEPUTY_ADMIN, None),
        *((TeamRole.LIAISON, unit["id"]) for unit in agency["units"]),
    ]
    subjects = dict(DEMO_SUBJECTS.get(agency["_id"], {}))
    return [
        {
            "id": f"{team_id}/{number}",
            "name": None,
            "role": role,
            "unit": unit,
            "from": since,
            "to": None,
            "primary": role is TeamRole.LIAISON,
            "trainings": [],
            "subject": subjects.pop(role, None),
        }
        for number, (role, unit) in enumerate(seats, start=1)
    ]
