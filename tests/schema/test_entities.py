"""The national graph as a subgraph answers routers' queries and those of the Federation subgraph specification."""

from collections.abc import Callable
from typing import Any

import pytest
from support.examples import a_complaint
from support.portal import ADMIN, NATIONAL, OTHER_ADMIN

import schema
from resolvers.request.context import RequestContext
from resolvers.store.database import Store
from resolvers.viewer import PUBLIC, Viewer

BUILT = schema.build_subgraph(["KabBadungLocalCase"])
ENTITIES = """
query ($of: [_Any!]!) {
  _entities(representations: $of) {
    __typename
    ... on Complaint { id status title }
    ... on Agency { id name province { id } }
    ... on Region { code timeZone }
    ... on Category { code }
    ... on Team { id agency { id } }
  }
}
"""
As = Callable[..., RequestContext]


async def asked(context: RequestContext, query: str, **variables: Any) -> Any:
    done = await BUILT.execute(query, variables, context_value=context)
    assert not done.errors, done.errors
    return done.data


async def entities(context: RequestContext, *representations: Any) -> list[Any]:
    found: list[Any] = (await asked(context, ENTITIES, of=list(representations)))["_entities"]
    return found


async def test_entities_come_in_the_order_of_their_representations(register: Store, context_of: As) -> None:
    found = await entities(
        context_of(PUBLIC),
        {"__typename": "Region", "code": "51.03"},
        {"__typename": "Agency", "id": "kab-badung"},
        {"__typename": "Agency", "id": "kab-nowhere"},
        {"__typename": "Category", "code": "ROAD.POTHOLE"},
        {"__typename": "Agency", "id": "kab-badung"},
    )
    badung = {
        "__typename": "Agency",
        "id": "kab-badung",
        "name": "Pemerintah Kabupaten Badung",
        "province": {"id": "prov-bali"},
    }
    assert found == [
        {"__typename": "Region", "code": "51.03", "timeZone": "WITA"},
        badung,
        None,
        {"__typename": "Category", "code": "ROAD.POTHOLE"},
        badung,
    ]


async def test_nothing_is_taken_from_the_representation(register: Store, context_of: As) -> None:
    [found] = await entities(context_of(PUBLIC), {"__typename": "Agency", "id": "kab-badung", "name": "Mine"})
    assert found["name"] == "Pemerintah Kabupaten Badung"


@pytest.mark.parametrize(
    "representation",
    [
        {"__typename": "Nothing", "id": "x"},
        {"__typename": "Agency"},
        {"__typename": "Agency", "id": 5},
        {"__typename": "Agency", "id": {"$ne": None}},
        {"__typename": "Complaint", "id": ["LP-1"]},
        {"__typename": ["Agency"], "id": "kab-badung"},
        {"id": "kab-badung"},
        {},
        "kab-badung",
        5,
    ],
)
async def test_what_represents_nothing_is_null(register: Store, context_of: As, representation: Any) -> None:
    good = {"__typename": "Agency", "id": "prov-bali"}
    found = await entities(context_of(PUBLIC), representation, good)
    assert found[0] is None
    assert found[1]["id"] == "prov-bali"


@pytest.mark.parametrize(("viewer", "sees"), [(PUBLIC, False), (OTHER_ADMIN, False), (ADMIN, True), (NATIONAL, True)])
async def test_a_confidential_complaint_is_no_entity_for_whom_it_is_not(
    register: Store, context_of: As, viewer: Viewer, sees: bool
) -> None:
    complaint = a_complaint(holder="kab-badung", confidential=True)
    await register.complaints.insert_one(complaint)
    [found] = await entities(context_of(viewer), {"__typename": "Complaint", "id": complaint["_id"]})
    assert (found is not None) is sees


async def test_too_many_at_once_are_refused(register: Store, context_of: As) -> None:
    done = await BUILT.execute(
        ENTITIES, {"of": [{"__typename": "Agency", "id": "x"}] * 1001}, context_value=context_of(PUBLIC)
    )
    assert done.errors is not None
    assert "at most 1000 are taken" in done.errors[0].message


async def test_the_service_tells_its_schema(context_of: As) -> None:
    sdl = (await asked(context_of(PUBLIC), "{ _service { sdl } }"))["_service"]["sdl"]
    assert 'type Complaint implements Node @key(fields: "id")' in sdl
    assert "_entities" not in schema.build().as_str()
