"""Generates synthetic complaints for demonstrations and benchmarks, from templates without real persons' words.

Each complaint passes through the real state machine with its clocks and hand-overs. Their distribution follows
published figures: 55 % to ministries and institutions, a long tail over regions, fewer at weekends, more in January, a
share archived. Sources: docs/register.md.
"""

import hashlib
import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from itertools import accumulate
from typing import Any, Final, cast

from resolvers import policy
from resolvers.agencies import reference
from resolvers.complaints import forwarding
from resolvers.complaints.follow_up import UNASSIGNED
from resolvers.complaints.intake import NEW_HISTORY, build_public_title
from resolvers.documents import DESK, AgencyDoc, Changes, ClosureDoc, ComplaintDoc, FollowUpDoc
from resolvers.domain import lifecycle, search_words, sla, tracking_id, upkeep
from resolvers.domain.calendar import Calendar
from resolvers.domain.lifecycle import ClockEffect, Effect, Transition
from resolvers.domain.upkeep import Step
from resolvers.domain.vocabulary import (
    AgencyKind,
    ArchiveReason,
    Channel,
    ClockKind,
    ClosureCode,
    ComplaintAction,
    ComplaintStatus,
    FollowUpKind,
    ReturnReason,
    Role,
    SupervisionGrade,
    TeamRole,
    TimeZone,
    UnlistedAction,
    Visibility,
)
from resolvers.personal_data import publication
from resolvers.regulations.holiday_tables import find_calendar
from resolvers.store import register
from resolvers.store.database import NEVER

DAYS: Final = 365
LOCAL_SHARE: Final = 0.446
ARCHIVED_SHARE: Final = 0.20

_HEAD: Final = ("prov-dki-jakarta", "kota-semarang", "kota-bandung", "kab-sidoarjo", "kota-banjarmasin")
_DEMO: Final = ("kab-badung", "prov-bali")
"""The agencies of the demonstration come next, so that they have complaints in every state."""
_MONTHS: Final = (1.35, 1.05, 1.05, 0.9, 0.9, 0.95, 1.0, 0.95, 1.1, 1.05, 1.0, 0.85)
_CHANNELS: Final = (Channel.WEB, Channel.MOBILE, Channel.SMS_1708, Channel.SOCIAL)
_STREETS: Final = ("Merdeka", "Diponegoro", "Sudirman", "Gajahmada", "Pahlawan", "Melati", "Kenanga", "Veteran")
_DISTRICTS: Final = ("Sukamaju", "Karangasri", "Tanjungsari", "Mekarjaya", "Banjarsari", "Wonosari", "Rejosari")
_SINCE: Final = ("dua minggu", "sebulan", "tiga bulan", "lebih dari setahun", "seminggu")

_POLICIES: Final = register.build_policies()
_ROWS: Final = {(row.action, row.source): row for row in lifecycle.TRANSITIONS}


class _CachedCalendar(Calendar):
    """A calendar that caches due times: many complaints begin on the same day."""

    def compute_due_at(self, start: datetime, working_days: int) -> datetime:
        return _find_due(self.zone, self.to_local_day(start), working_days)


@cache
def _find_due(zone: TimeZone, day: date, working_days: int) -> datetime:
    plain = find_calendar(zone)
    return plain.compute_due_at(plain.find_end_of(day), working_days)


@cache
def _find_calendar(zone: TimeZone) -> Calendar:
    plain = find_calendar(zone)
    return _CachedCalendar(zone, plain.holidays, plain.known_years)


class _SyntheticWorld:
    """The register by id, and the weights with which agencies, days and templates are drawn."""

    def __init__(self, chance: random.Random, now: datetime) -> None:
        self.agency = {agency["_id"]: agency for agency in register.agencies()}
        self.region = {region["_id"]: region for region in register.regions()}
        self.category = {category["_id"]: category for category in register.categories()}
        self.team = {team["agency"]: team for team in register.teams()}
        self.first_day = now.date() - timedelta(days=DAYS)
        templates = json.loads(resources.files(register).joinpath("templates.json").read_text(encoding="utf-8"))
        self.local = [row for row in templates["templates"] if row["target"] == "region"]
        self.central = [row for row in templates["templates"] if row["target"] != "region"]
        self.responses = templates["responses"]
        self.local_weights = list(accumulate(row["weight"] for row in self.local))
        self.central_weights = list(accumulate(row["weight"] for row in self.central))
        self.governments = self._rank_governments(chance)
        # Zipf-Mandelbrot, fitted to the published top lists of 2019.
        self.government_weights = list(
            accumulate((rank + 4.5) ** -1.55 for rank in range(1, len(self.governments) + 1))
        )
        self.days = [self.first_day + timedelta(days=offset) for offset in range(DAYS + 1)]
        self.day_weights = list(
            accumulate(_MONTHS[day.month - 1] * (0.35 if day.weekday() > 4 else 1) for day in self.days)
        )

    def _rank_governments(self, chance: random.Random) -> list[AgencyDoc]:
        regional = [agency for agency in self.agency.values() if agency["region"] and agency["connected"]]
        head = [self.agency[slug] for slug in (*_HEAD, *_DEMO)]

        def weigh(agency: AgencyDoc) -> float:
            population = self.region[agency["region"] or ""]["population"] or 0
            share = 0.3 if agency["kind"] == AgencyKind.PROVINCE else 1.0
            return population * share * (5.0 if agency["pilot"] else 1.0) * chance.uniform(0.4, 1.6)

        return head + sorted((agency for agency in regional if agency not in head), key=weigh, reverse=True)

    def find_zone(self, agency: AgencyDoc) -> TimeZone:
        return TimeZone(self.region[agency["region"]]["timeZone"]) if agency["region"] else TimeZone.WIB


def generate_complaints(count: int, *, now: datetime, seed: int = 7) -> Iterator[ComplaintDoc]:
    """Generate `count` complaints of the year before `now`, oldest first; the same arguments give the same ones."""
    return (life.live_on() for life in _generate_lives(count, now, seed))


def generate_labelled(count: int, *, now: datetime, seed: int = 7) -> Iterator[tuple[ComplaintDoc, str]]:
    """Generate complaints as submitted, each with the id of the agency that is competent for it."""
    return ((life.document, life.target["_id"]) for life in _generate_lives(count, now, seed))


def _generate_lives(count: int, now: datetime, seed: int) -> Iterator["_SyntheticLife"]:
    chance = random.Random(seed)  # noqa: S311 - reproducible on purpose
    world = _SyntheticWorld(chance, now)
    days = sorted(chance.choices(world.days, cum_weights=world.day_weights, k=count))
    for number, day in enumerate(days):
        minute = int(min(1439.0, max(0.0, chance.gauss(13 * 60, 240))))
        received = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minute - 7 * 60)
        yield _SyntheticLife(
            world, chance, f"{seed}:{number}", min(received, now - timedelta(minutes=chance.randint(1, 600))), now
        )


class _SyntheticLife:
    """One complaint, from its submission to its state at `now`."""

    def __init__(
        self, world: _SyntheticWorld, chance: random.Random, name: str, received: datetime, now: datetime
    ) -> None:
        self.world, self.chance, self.now, self.at = world, chance, now, received
        local = chance.random() < LOCAL_SHARE
        rows, weights = (world.local, world.local_weights) if local else (world.central, world.central_weights)
        self.template = chance.choices(rows, cum_weights=weights)[0]
        where = chance.choices(world.governments, cum_weights=world.government_weights)[0]
        self.target = where if local else world.agency[self.template["target"]]
        self.words = self._draw_words(where)
        self.policy = _POLICIES.by_day(received.date())
        self.document = self._submit(name, where)
        self._apply_transition(lifecycle.SUBMISSION)

    def _draw_words(self, where: AgencyDoc) -> dict[str, str]:
        chance = self.chance
        ago = self.at - timedelta(days=chance.randint(1, 40))
        return {
            "jalan": f"Jalan {chance.choice(_STREETS)}",
            "kecamatan": f"Kecamatan {chance.choice(_DISTRICTS)}",
            "desa": f"Desa {chance.choice(_DISTRICTS)}",
            "wilayah": where["shortName"],
            "lama": chance.choice(_SINCE),
            "tanggal": f"{ago:%d-%m-%Y}",
            "rupiah": f"Rp{chance.choice((20, 50, 100, 150, 350, 750))}.000",
            "jam": chance.choice("2345"),
            "unit": chance.choice(self.target["units"])["name"],
            "nomor": f"{chance.randint(1, 400):03d}/ADU/{self.at:%Y}",
        }

    def _submit(self, name: str, where: AgencyDoc) -> ComplaintDoc:
        chance, template = self.chance, self.template
        digest = hashlib.sha256(name.encode()).digest()
        category = self.world.category[template["category"]]
        region = self.world.region[where["region"] or ""]
        title, body = (template[key].format_map(self.words) for key in ("title", "body"))
        guarded = category["sensitive"] or template["grade"] == SupervisionGrade.SUPERVISORY
        return {
            **NEW_HISTORY,
            "_id": tracking_id.make_id("LP", digest[:16]),
            "class": template["class"],
            "category": category["_id"],
            "sensitive": category["sensitive"],
            "title": title,
            "originalTitle": title,
            "publicTitle": build_public_title(category, region["name"]),
            "body": body,
            # Templates and the words that fill them name no person, so that nothing is masked (a test scans them).
            **publication.make_text_keys(title, body, title, body),
            "channel": chance.choices(_CHANNELS, (34, 33, 20, 5))[0],
            "location": {"text": self.words["jalan"], "region": region["_id"], "latitude": None, "longitude": None},
            "region": region["_id"],
            "province": region["parent"] or region["_id"],
            "regionName": region["name"],
            "occurredOn": None,
            "anonymous": chance.random() < (0.45 if guarded else 0.12),
            "confidential": guarded or chance.random() < 0.06,
            "namedAgency": self.target["_id"] if chance.random() < 0.8 else None,
            "takenInBy": None,
            **reference.make_holder_keys(self.world.agency[DESK], ()),
            "reporterSubject": None,
            "secretHash": digest.hex(),
            "receivedAt": self.at,
            "updatedAt": self.at,
            "readers": [],
            "policyVersion": self.policy.version,
            "synthetic": True,
        }

    def live_on(self) -> ComplaintDoc:
        for stage in (self._verify, self._route, self._accept, self._answer, self._close):
            if not stage():
                break
        document = self.document
        document["nextDueAt"] = sla.find_next_due(document["clocks"]) or NEVER
        self._apply_upkeep()
        document["readers"] = policy.compute_readers(document)
        is_public = policy.is_public(document["readers"])
        document["words"] = search_words.renew_marks(document["words"], published=is_public)
        return document

    def _apply_upkeep(self) -> None:
        """Apply the warnings and escalations that are due by `now`; other steps are left to upkeep."""
        document = self.document
        while due := upkeep.find_next_step(document, self.policy, _find_calendar):
            document["wakeAt"] = due.at
            if due.at > self.now or due.step not in (Step.WARN, Step.ESCALATE, Step.OFFER_OMBUDSMAN):
                return
            if due.step is Step.WARN and due.clock is not None:
                document["clocks"][due.clock]["warnedAt"] = due.at
            else:
                document["escalationLevel"] = due.level
            if due.step is Step.OFFER_OMBUDSMAN:
                document["ombudsmanOfferedAt"] = due.at
        document["wakeAt"] = NEVER

    def _advance(self, days: float) -> bool:
        """Advance the time by about so many days; False when that would be after `now`."""
        at = self.at + timedelta(days=self.chance.lognormvariate(0, 0.8) * days)
        if at >= self.now:
            return False
        self.at = at.replace(microsecond=0)
        return True

    def _apply_transition(self, row: Transition, **changes: Any) -> None:
        document = self.document
        # A part of a complaint, which a TypedDict cannot say; updated in place, as a copy for each step takes too long.
        document.update(cast("ComplaintDoc", changes))
        document["clocks"] = sla.apply_effects(
            document["clocks"],
            row.clocks,
            now=self.at,
            zone=self.world.find_zone(self.world.agency[document["holder"]]),
            calendars=_find_calendar,
            policy=self.policy,
            grade=None if document["grade"] is None else SupervisionGrade(document["grade"]),
        )
        document["status"] = row.target
        document["updatedAt"] = self.at
        document["revision"] += row is not lifecycle.SUBMISSION
        if row.target not in lifecycle.OPEN:
            document["closedAt"] = self.at

    def _hand_over(self, action: ComplaintAction, to: AgencyDoc, by: Role, **further: Any) -> None:
        document = self.document
        row = _ROWS[action, ComplaintStatus(document["status"])]
        made = forwarding.build_link(
            document["forwardings"],
            forwarding.HandOverAuthor(by, None, self.at),
            from_=document["holder"],
            to=to["_id"],
            action=action,
            reason=ReturnReason.NOT_COMPETENT if action is ComplaintAction.RETURN else None,
        )
        held = reference.make_holder_keys(to, document["holders"])
        self._apply_transition(row, **held, **UNASSIGNED, forwardings=[*document["forwardings"], made], **further)

    def _verify(self) -> bool:
        if not self._advance(1.0):
            return False
        if self.chance.random() < ARCHIVED_SHARE:
            closure = _make_closure(self.at, archived=ArchiveReason.INCOMPLETE)
            self._apply_transition(_ROWS[ComplaintAction.ARCHIVE, ComplaintStatus.SUBMITTED], closure=closure)
            return False
        verified = {"verifiedAt": self.at, "grade": SupervisionGrade(self.template["grade"])}
        first = self.target
        if self.chance.random() > 0.82:
            first = self.chance.choices(self.world.governments, cum_weights=self.world.government_weights)[0]
        self._hand_over(ComplaintAction.VERIFY, first, Role.NATIONAL_ADMIN, **verified)
        return True

    def _route(self) -> bool:
        """Return a complaint that went to the wrong agency, and forward it to the competent one."""
        document = self.document
        if document["holder"] == self.target["_id"]:
            return True
        if not self._advance(2.0):
            return False
        self._hand_over(
            ComplaintAction.RETURN, self.world.agency[document["holderProvince"] or DESK], Role.AGENCY_ADMIN
        )
        if not self._advance(1.0):
            return False
        self._hand_over(ComplaintAction.FORWARD, self.target, Role.NATIONAL_ADMIN)
        return True

    def _accept(self) -> bool:
        if not self._advance(1.0) or self.chance.random() < 0.04:
            return False
        team = self.world.team[self.target["_id"]]
        unit = self.chance.choice(self.target["units"])["id"]
        liaison = next(
            member for member in team["members"] if member["unit"] == unit and member["role"] == TeamRole.LIAISON
        )
        assigned: Changes = {"team": team["_id"], "unit": unit}
        if self.chance.random() < 0.5:
            assigned |= {"assignee": liaison["id"], "assigneeSubject": liaison["subject"]}
        self._apply_transition(_ROWS[ComplaintAction.ACCEPT, ComplaintStatus.ROUTED], **assigned)
        return True

    def _answer(self) -> bool:
        limit = self.policy.resolution_working_days[SupervisionGrade(self.template["grade"])]
        if self.chance.random() < 0.4 and self._advance(2.0):
            self._add_follow_up(FollowUpKind.PROGRESS, "Laporan sedang ditangani oleh unit terkait.", approved=True)
            self._apply_transition(
                _ROWS[ComplaintAction.FOLLOW_UP, ComplaintStatus.IN_PROGRESS]._replace(clocks=_FIRST_WORD)
            )
        if self.chance.random() < 0.06:
            if self._advance(2.0):
                self._hold()
            return False
        substantive = self.chance.random() < (0.55 if self.target["pilot"] else 0.4)
        if not self._advance(500.0 if self.chance.random() < 0.01 else 1 + 0.5 * limit):
            return False
        self._add_follow_up(FollowUpKind.FINAL, self._draw_answer(substantive), approved=False)
        if not self._advance(0.3):
            self._apply_transition(_ROWS[ComplaintAction.FOLLOW_UP, ComplaintStatus.IN_PROGRESS])
            return False
        draft: FollowUpDoc = {**self.document["followUps"][-1], "approved": True, "at": self.at}
        self.document["followUps"][-1] = draft
        closure = _make_closure(self.at, code=ClosureCode(draft["closureCode"] or ""), evidence=draft["evidence"])
        self._apply_transition(
            _ROWS[ComplaintAction.APPROVE, ComplaintStatus.IN_PROGRESS],
            closure=closure,
            firstFollowUpAt=self.document["firstFollowUpAt"] or self.at,
        )
        return True

    def _hold(self) -> None:
        """Put it on hold, and resume it after the day of review."""
        since, review = self.at, self.at + timedelta(days=21)
        hold = {"reason": "Menunggu anggaran perubahan.", "reviewOn": review.date().isoformat()}
        row = _ROWS[ComplaintAction.HOLD, ComplaintStatus.IN_PROGRESS]
        self._apply_transition(row, hold=hold, holds=[{"start": since, "end": None}])
        if review + timedelta(days=2) < self.now:
            self.at = review + timedelta(days=2)
            row = _ROWS[ComplaintAction.RESUME, ComplaintStatus.ON_HOLD]
            self._apply_transition(row, hold=None, holds=[{"start": since, "end": self.at}])

    def _draw_answer(self, substantive: bool) -> str:
        promised = self.at + timedelta(days=self.chance.randint(7, 45))
        words = self.words | {"tgl_respon": f"{self.at:%d-%m-%Y}", "tgl_janji": f"{promised:%d-%m-%Y}"}
        text: str = self.chance.choice(self.world.responses["substantive" if substantive else "normative"])
        return text.format_map(words)

    def _add_follow_up(self, kind: FollowUpKind, body: str, *, approved: bool) -> None:
        document, final = self.document, kind is FollowUpKind.FINAL
        fixed = final and self.chance.random() < 0.3
        code = (ClosureCode.FIXED if fixed else ClosureCode.EXPLAINED) if final else None
        follow_up: FollowUpDoc = {
            "id": f"{document['_id']}/{len(document['followUps']) + 1}",
            "kind": kind,
            "body": body,
            "visibility": Visibility.PUBLIC,
            "byAgency": document["holder"],
            "byRole": Role.LIAISON,
            "bySubject": None,
            "commitment": None,
            "closureCode": code,
            "evidence": ["foto-sesudah"] if fixed else [],
            "approved": approved,
            "rejection": None,
            "at": self.at,
        }
        document["followUps"] = [*document["followUps"], follow_up]
        if approved and document["firstFollowUpAt"] is None:
            document["firstFollowUpAt"] = self.at

    def _close(self) -> bool:
        if self.chance.random() < 0.25:
            if self._advance(2.0):
                stars = self.chance.choices((5, 4, 3, 2, 1), (30, 28, 18, 12, 12))[0]
                rating = {"stars": stars, "comment": None, "at": self.at}
                self._apply_transition(_ROWS[ComplaintAction.CONFIRM, ComplaintStatus.ANSWERED], rating=rating)
            return False
        silent = self.at + timedelta(days=self.policy.reporter_reply_days + 1)
        if silent < self.now:
            self.at = silent
            self._apply_transition(_ROWS[UnlistedAction.LAPSE, ComplaintStatus.ANSWERED])
        return False


_FIRST_WORD: Final = (ClockEffect(Effect.STOP, ClockKind.FOLLOW_UP),)


def _make_closure(
    at: datetime,
    *,
    code: ClosureCode | None = None,
    evidence: list[str] | None = None,
    archived: ArchiveReason | None = None,
) -> ClosureDoc:
    return {
        "code": code,
        "evidence": evidence or [],
        "archiveReason": archived,
        "referral": None,
        "ground": None,
        "alternative": None,
        "at": at,
    }
