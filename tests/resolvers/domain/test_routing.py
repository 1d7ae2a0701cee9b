"""The routing rules: their order, and what they decide or leave to people."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.domain import affairs, routing, topics
from resolvers.domain.affairs import Jurisdiction
from resolvers.domain.routing import CERTAIN, Matter, NamedAgency, RuleId
from resolvers.store import register

DESK = "kemenpanrb"
BADUNG = Jurisdiction("kab-badung", "prov-bali")
BALI = Jurisdiction("prov-bali", None)
NAMED_BADUNG = NamedAgency("kab-badung", "prov-bali", governs=True)
NAMED_SLEMAN = NamedAgency("kab-sleman", "prov-di-yogyakarta", governs=True)
NAMED_BALI = NamedAgency("prov-bali", None, governs=True)
NAMED_POLICE = NamedAgency("polri", None, governs=False)

WASTE = Matter(topics.normalize_text("Sampah tidak diangkut"), DESK, "WASTE.COLLECTION", None, BADUNG)
POTHOLE = Matter(topics.normalize_text("Jalan berlubang"), DESK, "ROAD.POTHOLE", None, BADUNG)


@pytest.mark.parametrize(
    ("changes", "rule", "decided"),
    [
        ({}, RuleId.AFFAIRS, "kab-badung"),
        ({"named": NAMED_BADUNG}, RuleId.NAMED_AGENCY, "kab-badung"),
        ({"protected": "It is confidential."}, RuleId.PROTECTED, None),
        ({"protected": "It is confidential.", "named": NAMED_BADUNG}, RuleId.PROTECTED, None),
        ({"named": NAMED_SLEMAN}, RuleId.AFFAIRS, None),
        ({"named": NAMED_POLICE}, RuleId.AFFAIRS, None),
        ({"named": NAMED_BALI}, RuleId.AFFAIRS, None),
        ({"place": None}, RuleId.NATIONAL_DESK, None),
        ({"place": None, "named": NAMED_BADUNG}, RuleId.NAMED_AGENCY, "kab-badung"),
        ({"place": BALI}, RuleId.AFFAIRS, None),
        ({"place": BALI, "named": NAMED_BALI}, RuleId.NAMED_AGENCY, "prov-bali"),
        ({"place": BALI, "named": NAMED_BADUNG}, RuleId.NAMED_AGENCY, "kab-badung"),
        ({"category": None}, RuleId.TEXT, None),
        ({"category": None, "named": NAMED_BADUNG}, RuleId.TEXT, None),
        ({"category": "LAND.CERT", "words": topics.normalize_text("Sertifikat")}, RuleId.VERTICAL_BODY, "atr-bpn"),
        ({"category": "POWER.SUBSIDY", "words": " ", "place": None}, RuleId.AFFAIRS, "kemen-esdm"),
        ({"category": "SAFETY.CHILD", "words": " "}, RuleId.NATIONAL_DESK, None),
        ({"words": topics.normalize_text("Kuota paspor di kantor imigrasi habis")}, RuleId.AFFAIRS, None),
    ],
)
def test_the_first_candidate_and_the_decision(changes: dict[str, object], rule: RuleId, decided: str | None) -> None:
    found = routing.route(dataclasses.replace(WASTE, **changes))  # type: ignore[arg-type]
    assert found.candidates[0].rule is rule
    assert (None if found.decided is None else found.decided.agency) == decided
    assert found.candidates[-1].agency == DESK or rule is RuleId.PROTECTED


@pytest.mark.parametrize(
    ("words", "agency", "certain"),
    [
        ("Jalan berlubang", "kab-badung", False),
        ("Jalan nasional berlubang", "kemen-pupr", True),
        ("Jalan provinsi berlubang", "prov-bali", True),
        ("Jalan kabupaten berlubang", "kab-badung", True),
    ],
)
def test_a_road_belongs_to_whom_its_class_says(words: str, agency: str, certain: bool) -> None:
    found = routing.route(dataclasses.replace(POTHOLE, words=topics.normalize_text(words)))
    assert found.candidates[0].agency == agency
    assert (found.decided is not None) == certain


@pytest.mark.parametrize(
    ("named", "place", "superior"),
    [
        (NAMED_BADUNG, None, "prov-bali"),
        (None, BADUNG, "prov-bali"),
        (NAMED_BALI, BADUNG, DESK),
        (NAMED_POLICE, BADUNG, DESK),
        (NamedAgency(DESK, None, governs=False), BADUNG, "ombudsman"),
        (None, None, DESK),
    ],
)
def test_misconduct_goes_to_the_superior_and_is_never_decided_by_rule(
    named: NamedAgency | None, place: Jurisdiction | None, superior: str
) -> None:
    words = topics.normalize_text("Petugas sampah minta suap, oknum dinas membiarkan")
    found = routing.route(dataclasses.replace(WASTE, words=words, named=named, place=place))
    assert found.decided is None
    [candidate] = [row for row in found.candidates if row.rule is RuleId.CONFLICT_OF_INTEREST]
    assert candidate.agency == superior


def test_text_alone_decides_only_where_it_is_certain_and_the_table_is() -> None:
    certain = routing.route(
        dataclasses.replace(WASTE, category=None, words=topics.normalize_text("Akta kelahiran anak saya belum jadi"))
    )
    assert certain.decided is not None
    assert (certain.decided.agency, certain.decided.rule) == ("kab-badung", RuleId.TEXT)
    pothole = routing.route(
        dataclasses.replace(
            POTHOLE, category=None, words=topics.normalize_text("Lubang besar, jalan rusak, aspal hilang")
        )
    )
    assert pothole.candidates[0].agency == "kab-badung"
    assert pothole.decided is None


SPOKEN = [
    "suap",
    "pungli",
    "oknum",
    "inspektorat",
    "sampah",
    "jalan",
    "berlubang",
    "nasional",
    "paspor",
    "sma",
    "negeri",
]
MATTERS = st.builds(
    Matter,
    words=(st.lists(st.sampled_from(SPOKEN)).map(" ".join) | st.text()).map(topics.normalize_text),
    desk=st.just(DESK),
    category=st.none() | st.sampled_from([row["_id"] for row in register.categories()]),
    protected=st.none() | st.just("It is confidential."),
    place=st.sampled_from([None, BADUNG, BALI]),
    named=st.sampled_from([None, NAMED_BADUNG, NAMED_SLEMAN, NAMED_BALI, NAMED_POLICE]),
)


@given(MATTERS)
def test_whatever_is_filed_has_a_candidate_and_a_decision_only_where_a_rule_is_certain(matter: Matter) -> None:
    found = routing.route(matter)
    assert any(row.agency == DESK for row in found.candidates)
    assert len({row.agency for row in found.candidates}) == len(found.candidates)
    scores = [row.score for row in found.candidates]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    if found.decided is not None:
        assert matter.protected is None
        assert found.decided.score >= CERTAIN
        assert found.decided.agency not in (DESK, None)
        assert matter.named is None or matter.named.agency == found.decided.agency


def test_every_body_and_category_of_the_tables_is_in_the_register() -> None:
    agencies = {row["_id"]: row for row in register.agencies()}
    codes = {row["_id"] for row in register.categories()}
    assert all(agencies[body]["connected"] for body in (*affairs.list_bodies(), routing.OMBUDSMAN))
    assert affairs.AFFAIRS.keys() | topics.list_categories() <= codes
    unrouted = {code for code in codes if affairs.find_affair(code, " ") is None}
    assert unrouted == {"SAFETY", "SAFETY.CHILD", "SAFETY.VIOLENCE"}
