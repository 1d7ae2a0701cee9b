"""A published subgraph that means harm, behind the real gateway: it decides upon its own fields, upon nothing else."""

import gzip
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from aiohttp import web
from support import agency_example
from support.far_end import answer_text, run_server
from support.hostile_subgraph import SDL, Hostile, hostile
from support.one_graph import a_stored, knows, until
from support.portal import ADMIN, CITIZEN, LIAISON, NATIONAL, OTHER_ADMIN, OTHER_CITIZEN, Portal, bearer

from gateway.auth.subgraph_tokens import digest_body
from resolvers.store.database import Store
from resolvers.viewer import PUBLIC, Viewer

QUERY = """query ($id: ID!) { complaint(id: $id) { id title body holder { id name } kabBadungSurvey
  localCase { __typename id number } } }"""
SURVEY = "query ($id: ID!) { complaint(id: $id) { id title kabBadungSurvey } }"
SECRET = "Budi melapor dari Jalan Mawar 3"


@pytest.fixture
async def liar(register: Store, portal: Portal) -> AsyncIterator[Hostile]:
    """Published and served."""
    async with hostile() as opened:
        done = await agency_example.published(portal.session, portal.url, opened.url, SDL)
        assert done["userErrors"] == []
        await until(lambda: knows(portal, "kabBadungSurvey"))
        yield opened


def lying(**forged: Any) -> dict[str, Any]:
    return {"_entities": [{"__typename": "Complaint", "kabBadungSurvey": 3, **forged}]}


async def found(portal: Portal, query: str, complaint_id: str, viewer: Viewer = PUBLIC) -> tuple[Any, list[Any]]:
    answer = await portal.ask(query, {"id": complaint_id}, viewer)
    return answer["data"]["complaint"], answer.get("errors", [])


async def test_what_it_was_not_asked_for_goes_nowhere(register: Store, portal: Portal, liar: Hostile) -> None:
    """A field that is null for this viewer stays null, whatever the subgraph fills it with."""
    complaint_id = await a_stored(register, body=SECRET, unit=None)
    forged = {"id": "LP-OTHER", "title": "Palsu", "body": "Palsu", "holder": {"name": "Palsu"}, "unit": {"id": "x"}}
    liar.gives({"__typename": "Complaint", "kabBadungSurvey": 3, **forged})
    query = QUERY.replace("body", "body unit { id name }")
    honest = (await portal.data(query.replace("kabBadungSurvey", ""), {"id": complaint_id}))["complaint"]
    lied, _ = await found(portal, query, complaint_id)
    assert lied.pop("kabBadungSurvey") == 3
    assert lied["unit"] is None
    assert lied == honest


async def test_it_forges_no_national_field_of_what_it_names(register: Store, portal: Portal, liar: Hostile) -> None:
    """It may point at a complaint, and the national graph says what there is to know of it."""
    hidden = await a_stored(register, confidential=True)
    shown = await a_stored(register)
    query = "{ kabBadungWorst { id title status } }"
    forged = {"title": "Palsu", "status": "CLOSED_RESOLVED"}
    liar.says({"kabBadungWorst": {"__typename": "Complaint", "id": shown, **forged}})
    assert (await portal.data(query))["kabBadungWorst"]["status"] == "ROUTED"
    liar.says({"kabBadungWorst": {"__typename": "Complaint", "id": hidden, **forged}})
    assert (await portal.ask(query))["data"] == {"kabBadungWorst": None}
    assert (await portal.data(query, viewer=NATIONAL))["kabBadungWorst"]["status"] == "ROUTED"


LIES: list[Any] = [
    [],
    [None],
    [{"__typename": "Agency", "id": "kab-sleman", "name": "Palsu"}],
    [{"__typename": "Nothing"}],
    [{"__typename": ["Complaint"]}],
    [{"kabBadungSurvey": None}, {"kabBadungSurvey": 7}, {"kabBadungSurvey": 8}],
    7,
    {"kabBadungSurvey": 9},
    [[{"kabBadungSurvey": 9}]],
    [{"kabBadungSurvey": {"title": SECRET}}],
    [{"kabBadungSurvey": "drei"}],
]


async def test_entities_that_were_not_asked_for_are_not_taken(register: Store, portal: Portal, liar: Hostile) -> None:
    complaint_id = await a_stored(register)
    for rows in LIES:
        liar.says({"_entities": rows})
        complaint, errors = await found(portal, SURVEY, complaint_id)
        assert complaint == {"id": complaint_id, "title": "Jalan berlubang", "kabBadungSurvey": None}, rows
        assert SECRET not in str(errors)


async def test_another_type_of_local_case_is_not_the_holders(register: Store, portal: Portal, liar: Hostile) -> None:
    complaint_id = await a_stored(register)
    liar.gives({"__typename": "KabSlemanLocalCase", "id": "X", "number": "BDG-1", "kabBadungSurvey": 1})
    complaint, _ = await found(portal, QUERY, complaint_id)
    assert complaint["localCase"] == {"__typename": "KabBadungLocalCase", "id": complaint_id, "number": "BDG-1"}


async def test_it_is_sent_keys_and_what_it_requires_and_no_more(register: Store, portal: Portal, liar: Hostile) -> None:
    complaint_id = await a_stored(register, body=SECRET)
    liar.gives({"kabBadungAge": 1, "kabBadungSurvey": 2, "number": "3"})
    await portal.data(QUERY.replace("kabBadungSurvey", "kabBadungSurvey kabBadungAge"), {"id": complaint_id}, NATIONAL)
    sent = {row["__typename"]: row for row in liar.representations()}
    assert sent["KabBadungLocalCase"] == {"__typename": "KabBadungLocalCase", "id": complaint_id}
    assert sent["Complaint"].keys() - {"receivedAt"} == {"__typename", "id"}
    assert any("receivedAt" in row for row in liar.representations())
    told = b" ".join(liar.bodies).decode() + str(liar.headers)
    assert SECRET not in told
    assert "desk" not in told
    assert all(asked["variables"].keys() <= {"r0", "r1"} for asked in liar.asked)


async def test_of_a_complaint_that_is_not_its_own_to_know_it_hears_nothing(
    register: Store, portal: Portal, liar: Hostile
) -> None:
    elsewhere: dict[str, Any] = {"holder": "kab-sleman", "holders": ["kemenpanrb", "kab-sleman"], "confidential": True}
    hidden, own = await a_stored(register, **elsewhere), await a_stored(register, confidential=True)
    liar.gives({"kabBadungSurvey": 1, "number": "BDG-1"})
    for complaint_id, viewer in ((hidden, NATIONAL), (hidden, OTHER_ADMIN), (own, PUBLIC), (own, OTHER_CITIZEN)):
        await portal.data(SURVEY, {"id": complaint_id}, viewer)
    complaint, errors = await found(portal, QUERY, hidden, NATIONAL)
    assert (complaint["kabBadungSurvey"], complaint["localCase"], errors) == (None, None, [])
    assert liar.asked == []
    both = "query { complaints(first: 10) { nodes { id kabBadungSurvey } } }"
    rows = (await portal.data(both, viewer=NATIONAL))["complaints"]["nodes"]
    assert {row["id"]: row["kabBadungSurvey"] for row in rows} == {hidden: None, own: 1}
    assert [row["id"] for row in liar.representations()] == [own]


async def test_its_words_are_for_its_own_staff_alone(register: Store, portal: Portal, liar: Hostile) -> None:
    complaint_id = await a_stored(register)
    error = {
        "message": SECRET,
        "path": ["_entities", 0, "kabBadungSurvey"],
        "extensions": {"code": "SURVEY_LOST", "detail": SECRET},
    }
    smuggled = {"message": "x", "path": ["_entities", 0, SECRET], "extensions": {"code": SECRET}}
    liar.says(lying(kabBadungSurvey=None), errors=[error, smuggled, *[smuggled] * 200, 7, SECRET])
    for viewer in (PUBLIC, CITIZEN, OTHER_ADMIN, NATIONAL):
        _, errors = await found(portal, SURVEY, complaint_id, viewer)
        assert SECRET not in str(errors)
        assert len(errors) <= 100
        assert errors[0]["path"] == ["complaint", "kabBadungSurvey"]
        assert errors[0]["extensions"] == {"code": "SURVEY_LOST", "serviceName": "kab-badung"}
    for viewer in (ADMIN, LIAISON):
        _, errors = await found(portal, SURVEY, complaint_id, viewer)
        assert errors[0]["message"] == SECRET
        assert errors[0]["extensions"]["detail"] == SECRET


async def test_it_gets_the_gateways_token_and_nothing_of_the_viewers(
    register: Store, portal: Portal, liar: Hostile
) -> None:
    complaint_id = await a_stored(register)
    own = bearer(LIAISON)
    headers = own | {"cookie": "session=1", "x-purpose": SECRET, "x-forwarded-for": "10.0.0.9"}
    asked = {"query": SURVEY, "variables": {"id": complaint_id}}
    async with portal.session.post(f"{portal.url}/graphql", json=asked, headers=headers) as response:
        assert response.status == 200
    [sent] = liar.headers
    assert sent.keys() == {"host", "content-type", "accept", "accept-encoding", "authorization", "content-length"}
    assert own["authorization"] not in sent.values()
    claims = await verified(portal, sent["authorization"])
    assert claims.keys() == {"iss", "aud", "iat", "exp", "role", "agency"}
    assert (claims["role"], claims["agency"]) == ("LIAISON", "kab-badung")
    assert claims["exp"] - claims["iat"] <= 60


async def verified(portal: Portal, authorization: str) -> dict[str, Any]:
    """The claims, by the keys that the gateway publishes."""
    async with portal.session.get(f"{portal.url}/.well-known/jwks.json") as response:
        keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(await response.json()).keys}
    token = authorization.removeprefix("Bearer ")
    key = keys[jwt.get_unverified_header(token)["kid"]]
    found: dict[str, Any] = jwt.decode(token, key.key, algorithms=["EdDSA"], audience="kab-badung", issuer="satugraf")
    return found


async def test_each_change_has_a_token_for_its_body_alone(portal: Portal, liar: Hostile) -> None:
    liar.says({"kabBadungPlan": 1})
    for _ in range(2):
        await portal.data("mutation { kabBadungPlan(visits: 2) }", viewer=ADMIN)
    claims = [await verified(portal, sent["authorization"]) for sent in liar.headers]
    assert [row["bsh"] for row in claims] == [digest_body(body) for body in liar.bodies]
    assert claims[0]["jti"] != claims[1]["jti"]
    assert datetime.fromtimestamp(claims[0]["exp"], UTC) > datetime.now(UTC)


async def test_it_leads_the_gateway_nowhere(register: Store, portal: Portal, liar: Hostile) -> None:
    complaint_id, reached = await a_stored(register), list[Any]()

    async def inside(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        reached.append(asked)
        return web.json_response({"data": lying()})

    async with AsyncExitStack() as stack:
        target = await stack.enter_async_context(run_server(inside))
        for status in (301, 302, 303, 307, 308):

            async def elsewhere(asked: dict[str, Any], request: web.Request, status: int = status) -> web.Response:
                return web.json_response({"data": lying()}, status=status, headers={"location": target})

            liar.answer = elsewhere
            complaint, errors = await found(portal, SURVEY, complaint_id)
            assert complaint["kabBadungSurvey"] is None
            assert target not in str(errors)
            liar.says(lying())
            await found(portal, SURVEY, complaint_id)
    assert reached == []


async def test_a_bomb_costs_no_more_than_an_error(register: Store, portal: Portal, liar: Hostile) -> None:
    complaint_id = await a_stored(register)
    packed = gzip.compress(b'{"data": {"_entities": [{"kabBadungSurvey": 1}]}, "x": "' + b"x" * 50_000_000 + b'"}')
    assert len(packed) < 100_000

    async def bomb(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        return web.Response(body=packed, headers={"content-encoding": "gzip"}, content_type="application/json")

    liar.answer = bomb
    complaint, errors = await found(portal, SURVEY, complaint_id)
    assert complaint["kabBadungSurvey"] is None
    [error] = errors
    assert error["extensions"]["serviceName"] == "kab-badung"
    liar.answer = answer_text('{"data":' + "[" * 100_000 + "]" * 100_000 + "}")
    complaint, errors = await found(portal, SURVEY, complaint_id)
    assert (complaint["kabBadungSurvey"], len(errors)) == (None, 1)
