"""The register that ships with the product."""

from collections import Counter

from resolvers.domain.vocabulary import AgencyKind
from resolvers.regulations.holiday_tables import find_calendar
from resolvers.store import register, seed
from resolvers.store.database import Store

AGENCIES = {agency["_id"]: agency for agency in register.agencies()}
REGIONS = {region["_id"]: region for region in register.regions()}


def test_658_of_682_agencies_are_connected() -> None:
    assert len(AGENCIES) == 682
    connected = Counter(agency["kind"] for agency in AGENCIES.values() if agency["connected"])
    assert connected == {"MINISTRY": 34, "INSTITUTION": 100, "PROVINCE": 34, "REGENCY": 396, "CITY": 94}


def test_regencies_know_their_province_and_nobody_else_has_one() -> None:
    for agency in AGENCIES.values():
        if agency["kind"] in (AgencyKind.REGENCY, AgencyKind.CITY):
            province = AGENCIES[agency["province"] or ""]
            assert province["kind"] == AgencyKind.PROVINCE
            assert (agency["code"] or "").startswith(f"{province['code']}.")
        else:
            assert agency["province"] is None


def test_the_six_pilots_are_marked() -> None:
    pilots = {agency["_id"] for agency in AGENCIES.values() if agency["pilot"]}
    assert pilots == {
        "prov-bali",
        "kab-badung",
        "prov-sumatera-barat",
        "prov-di-yogyakarta",
        "kab-sleman",
        "kab-tangerang",
    }


def test_every_region_has_a_government_a_parent_and_a_time_zone() -> None:
    assert len(REGIONS) == 548
    for region in REGIONS.values():
        assert AGENCIES[region["government"] or ""]["region"] == region["_id"]
        assert region["parent"] is None or REGIONS[region["parent"]]["timeZone"] == region["timeZone"]
    zones = {code: REGIONS[code]["timeZone"] for code in ("31", "51", "51.03", "64", "63", "61", "73", "81", "91")}
    assert zones == {
        "31": "WIB",
        "51": "WITA",
        "51.03": "WITA",
        "64": "WITA",
        "63": "WITA",
        "61": "WIB",
        "73": "WITA",
        "81": "WIT",
        "91": "WIT",
    }


def test_categories_form_a_tree_with_sensitive_ones() -> None:
    codes = {category["_id"] for category in register.categories()}
    assert all(category["parent"] is None or category["parent"] in codes for category in register.categories())
    assert all(category["name"]["ID"] and category["name"]["EN"] for category in register.categories())
    assert any(category["sensitive"] for category in register.categories())


def test_every_connected_agency_has_a_team_and_all_but_two_are_marked_synthetic() -> None:
    teams = register.teams()
    assert Counter(team["agency"] for team in teams) == Counter(
        agency_id for agency_id, agency in AGENCIES.items() if agency["connected"]
    )
    published = {team["agency"]: team for team in teams if not team["synthetic"]}
    assert published.keys() == {"prov-bali", "kab-badung"}
    assert all(team["termTo"] is None for team in published.values())
    assert all(member["name"] is None for team in teams for member in team["members"])


async def test_seeding_again_keeps_what_an_operator_changed(store: Store) -> None:
    await seed.write_reference_data(store)
    await store.agencies.update_one({"_id": "kab-badung"}, {"$set": {"shortName": "Badung!"}})
    await seed.write_reference_data(store)
    assert await store.agencies.count_documents({}) == 682
    assert await store.agencies.count_documents({"_id": "kab-badung", "shortName": "Badung!"}) == 1


def test_every_time_zone_has_a_calendar_of_the_same_holidays() -> None:
    zones = {region["timeZone"] for region in REGIONS.values()}
    assert len({frozenset(find_calendar(zone).holidays) for zone in zones}) == 1
