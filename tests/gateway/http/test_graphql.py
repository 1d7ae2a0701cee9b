"""GraphQL over HTTP: what is taken, what is refused, and how it is said. Nothing malformed ends in a 500."""

import asyncio
import json
import socket
from typing import Any

import pytest
from pydantic import SecretStr
from support.portal import CITIZEN, NATIONAL, Portal, bearer

from gateway.settings import Mode, Settings
from resolvers.request.context import RequestContext

GRAPHQL_RESPONSE = "application/graphql-response+json"
QUERY = "{ viewer { role } }"
BOMB = " ".join(
    [
        "query { ...F0 }",
        *(f"fragment F{level} on Query {{ ...F{level + 1} ...F{level + 1} }}" for level in range(40)),
        "fragment F40 on Query { viewer { role } }",
    ]
)


async def post(edge: Portal, body: Any, **headers: str) -> tuple[int, Any, Any]:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with edge.session.post(f"{edge.url}/graphql", data=sent, headers=given) as response:
        return response.status, await response.json(content_type=None), response.headers


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "BAD_REQUEST"),
        (b"null", 400, "BAD_REQUEST"),
        (b"12", 400, "BAD_REQUEST"),
        (b'"x"', 400, "BAD_REQUEST"),
        (b"true", 400, "BAD_REQUEST"),
        (b"[]", 400, "BAD_REQUEST"),
        (b'[{"query": "{ viewer { role } }"}]', 400, "BAD_REQUEST"),
        (b"{", 400, "BAD_REQUEST"),
        (b"\xff\xfe", 400, "BAD_REQUEST"),
        (b'{"query": "\\ud800"}', 400, "BAD_REQUEST"),
        (b'{"query": "{ viewer { role } }", "operationName": "\\ud800"}', 400, "BAD_REQUEST"),
        (b'{"query": "{ viewer { role } }", "variables": {"x": NaN}}', 400, "BAD_REQUEST"),
        (b"[" * 100_000, 400, "BAD_REQUEST"),
        (b'{"query": ' + b"[" * 100_000, 400, "BAD_REQUEST"),
        (b"{}", 400, "BAD_REQUEST"),
        (b'{"query": null}', 400, "BAD_REQUEST"),
        (b'{"query": 5}', 400, "BAD_REQUEST"),
        (b'{"query": " "}', 400, "BAD_REQUEST"),
        (b'{"query": "{ viewer { role } }", "variables": []}', 400, "BAD_REQUEST"),
        (b'{"query": "{ viewer { role } }", "variables": "x"}', 400, "BAD_REQUEST"),
        (b'{"query": "{ viewer { role } }", "extensions": 1}', 400, "BAD_REQUEST"),
        (b'{"query": "{ viewer { role } }", "operationName": {}}', 400, "BAD_REQUEST"),
        (b'{"query": "' + b"x" * 300_000 + b'"}', 413, "BODY_TOO_LARGE"),
    ],
)
async def test_a_malformed_body_is_refused_with_a_sentence(edge: Portal, body: bytes, status: int, code: str) -> None:
    found, answer, _ = await post(edge, body)
    assert (found, answer["errors"][0]["extensions"]["code"]) == (status, code)
    assert answer["errors"][0]["message"].endswith(".")
    assert "data" not in answer


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "x-application/json-x",
        "application/json; charset=latin-1",
        "application/graphql",
    ],
)
async def test_another_media_type_is_refused(edge: Portal, media_type: str) -> None:
    status, answer, _ = await post(edge, {"query": QUERY}, content_type=media_type)
    assert (status, answer["errors"][0]["extensions"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_compressed_body_is_refused(edge: Portal) -> None:
    status, _, _ = await post(edge, b"\x1f\x8b", content_encoding="gzip")
    assert status == 415


# Alone: it judges how long a caller waits.
@pytest.mark.alone
@pytest.mark.parametrize(
    ("query", "variables", "code", "words"),
    [
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED", "nothing"),
        ("{ viewer { role ", {}, "GRAPHQL_PARSE_FAILED", "Syntax Error"),
        ("{ viewer }", {}, "GRAPHQL_VALIDATION_FAILED", "viewer"),
        ("query ($id: ID!) { agency(id: $id) { id } }", {}, "BAD_USER_INPUT", "$id"),
        ("query ($id: ID!) { agency(id: $id) { id } }", {"id": {}}, "BAD_USER_INPUT", "$id"),
        ("query ($first: Int) { agencies(first: $first) { nodes { id } } }", {"first": 1.5}, "BAD_USER_INPUT", "1.5"),
        ("query ($o: ComplaintOrder) { complaints(orderBy: $o) { nodes { id } } }", {"o": "X"}, "BAD_USER_INPUT", "X"),
        ("query A { viewer { role } } query B { viewer { role } }", {}, "BAD_USER_INPUT", "operationName"),
        (
            'subscription { agencyInbox(agency: "kab-badung") { id } }',
            {},
            "SUBSCRIPTION_NEEDS_STREAM",
            "text/event-stream",
        ),
        ("fragment F on Query { viewer { role } }", {}, "GRAPHQL_VALIDATION_FAILED", ""),
        (BOMB, {}, "DOCUMENT_TOO_LARGE", "fields"),
        ("{ " + "a: viewer { role } " * 60 + "}", {}, "DOCUMENT_TOO_LARGE", "aliases"),
        ("{ viewer { role } } " + " " * 50_000, {}, "DOCUMENT_TOO_LARGE", "characters"),
        ("{ viewer { " + "role " * 5000 + "} }", {}, "GRAPHQL_PARSE_FAILED", "token"),
        ("{" * 5000, {}, "GRAPHQL_PARSE_FAILED", ""),
        ("fragment A on Query { ...B } fragment B on Query { ...A } { ...A }", {}, "DOCUMENT_TOO_LARGE", "itself"),
        (
            "{ complaints(first: 100) { nodes { holder { complaints(first: 100) { nodes { id } } } } } }",
            {},
            "COST_LIMIT_EXCEEDED",
            "points",
        ),
    ],
)
@pytest.mark.parametrize("accept", [GRAPHQL_RESPONSE, "application/json"])
async def test_a_request_that_cannot_run_says_why(
    edge: Portal, query: str, variables: dict[str, Any], code: str, words: str, accept: str
) -> None:
    started = asyncio.get_running_loop().time()
    status, answer, headers = await post(edge, {"query": query, "variables": variables}, accept=accept)
    assert asyncio.get_running_loop().time() - started < 2
    assert status == (400 if accept == GRAPHQL_RESPONSE else 200)
    assert headers["content-type"].startswith(accept)
    assert answer["errors"][0]["extensions"]["code"] == code
    assert words in answer["errors"][0]["message"]
    assert "data" not in answer


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("first: 101", "101"),
        ("first: 0", "0"),
        ("last: 101", "101"),
        ("first: 1, last: 1", "together"),
        ('after: "nonsense"', "cursor"),
        ('before: "x", after: "y"', "together"),
    ],
)
@pytest.mark.parametrize("field", ["complaints", "agencies", "teams"])
async def test_a_page_that_cannot_be_is_an_error_with_its_path(
    edge: Portal, field: str, arguments: str, words: str
) -> None:
    status, answer, _ = await post(edge, {"query": f"{{ {field}({arguments}) {{ nodes {{ id }} }} }}"})
    assert status == 200
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["path"] == [field]
    assert words in error["message"]


@pytest.mark.parametrize(
    ("accept", "status", "media_type"),
    [
        (None, 200, "application/json"),
        ("*/*", 200, "application/json"),
        ("application/json", 200, "application/json"),
        (GRAPHQL_RESPONSE, 200, GRAPHQL_RESPONSE),
        (f"application/json;q=0.9, {GRAPHQL_RESPONSE}", 200, GRAPHQL_RESPONSE),
        ("text/html", 406, "application/json"),
    ],
)
async def test_the_answer_comes_as_the_caller_takes_it(
    edge: Portal, accept: str | None, status: int, media_type: str
) -> None:
    headers = {} if accept is None else {"accept": accept}
    found, _, answered = await post(edge, {"query": QUERY}, **headers)
    assert found == status
    assert answered["content-type"].partition(";")[0] == media_type


async def test_a_query_may_come_by_get_and_a_mutation_may_not(edge: Portal) -> None:
    async with edge.session.get(f"{edge.url}/graphql", params={"query": QUERY}) as response:
        assert (await response.json())["data"] == {"viewer": {"role": "PUBLIC"}}
    mutation = 'mutation { withdrawComplaint(input: {complaint: "LP-1"}) { userErrors { code } } }'
    async with edge.session.get(f"{edge.url}/graphql", params={"query": mutation}) as response:
        assert response.status == 405
        assert response.headers["allow"] == "POST"
    twice = f"{edge.url}/graphql?query=%7Ba%7D&query=%7Bb%7D"
    async with edge.session.get(twice) as response:
        assert response.status == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_refused(edge: Portal, method: str) -> None:
    async with edge.session.request(method, f"{edge.url}/graphql") as response:
        assert response.status == 405


async def test_an_operation_is_chosen_by_name(edge: Portal) -> None:
    document = "query A { viewer { role } } query B { viewer { subject } }"
    _, answer, _ = await post(edge, {"query": document, "operationName": "B"})
    assert answer["data"] == {"viewer": {"subject": None}}
    _, wrong, _ = await post(edge, {"query": document, "operationName": "C"})
    assert "'C'" in wrong["errors"][0]["message"]


async def test_the_cost_stands_beside_the_data(edge: Portal) -> None:
    _, answer, _ = await post(edge, {"query": "{ agencies(first: 50) { nodes { id } } }"})
    cost = answer["extensions"]["cost"]
    assert 50 <= cost["requestedQueryCost"] <= 200
    assert cost["maximumAvailable"] == 5000


async def test_the_callers_request_id_comes_back_where_a_log_can_take_it(edge: Portal) -> None:
    _, _, headers = await post(edge, {"query": QUERY}, x_request_id="portal-7")
    assert headers["x-request-id"] == "portal-7"
    _, _, headers = await post(edge, {"query": QUERY}, x_request_id="a b <script>")
    assert len(headers["x-request-id"]) == 16


async def test_what_fails_inside_shows_a_code_and_a_request_id_and_nothing_else(
    edge: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_words = "what a citizen wrote"

    async def broken(context: RequestContext, agency_id: str) -> Any:
        raise ValueError(secret_words)

    monkeypatch.setattr("resolvers.agencies.agency.by_id", broken)
    _, answer, headers = await post(edge, {"query": '{ viewer { role } agency(id: "x") { id } }'})
    [error] = answer["errors"]
    assert error["extensions"] == {"code": "INTERNAL", "requestId": headers["x-request-id"]}
    assert error["path"] == ["agency"]
    assert answer["data"] == {"viewer": {"role": "PUBLIC"}, "agency": None}
    assert secret_words not in json.dumps(answer)
    assert "Traceback" not in json.dumps(answer)


async def test_a_database_that_is_away_is_said_to_be(edge: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    from pymongo.errors import AutoReconnect

    async def away(context: RequestContext, agency_id: str) -> Any:
        raise AutoReconnect("mongodb://user:password@host")

    monkeypatch.setattr("resolvers.agencies.agency.by_id", away)
    _, answer, _ = await post(edge, {"query": '{ agency(id: "x") { id } }'})
    assert answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert "password" not in json.dumps(answer)


async def test_mutations_of_one_operation_run_one_after_the_other(portal: Portal) -> None:
    document = """mutation ($i: SubmitComplaintInput!, $j: SubmitComplaintInput!) {
      a: submitComplaint(input: $i) { complaint { title } } b: submitComplaint(input: $j) { complaint { title } } }"""
    given = {"class": "COMPLAINT", "body": "x" * 30}
    variables = {"i": given | {"title": "satu"}, "j": given | {"title": "dua"}}
    _, answer, _ = await post(portal, {"query": document, "variables": variables}, **bearer(CITIZEN))
    assert [answer["data"][name]["complaint"]["title"] for name in "ab"] == ["satu", "dua"]


async def test_introspection_tells_the_whole_contract(edge: Portal) -> None:
    _, answer, _ = await post(edge, {"query": "{ __schema { types { name } queryType { name } } }"})
    assert {"name": "Complaint"} in answer["data"]["__schema"]["types"]


async def test_a_body_that_does_not_arrive_ends_with_408(edge: Portal) -> None:
    port = int(edge.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")
    await writer.drain()
    first_line = await asyncio.wait_for(reader.readline(), 5)
    assert b" 408 " in first_line
    writer.close()


async def test_a_body_in_chunks_is_counted_too(edge: Portal) -> None:
    port = int(edge.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as sending:
        sending.sendall(
            b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        chunk = b"2000\r\n" + b" " * 0x2000 + b"\r\n"

        def send() -> bytes:
            try:
                for _ in range(64):
                    sending.sendall(chunk)
            except (BrokenPipeError, ConnectionResetError):
                pass
            return sending.recv(100)

        answer = await asyncio.to_thread(send)
    assert b" 413 " in answer.splitlines()[0]


@pytest.fixture
def settings() -> Settings:
    return Settings(
        mode=Mode.DEVELOPMENT,
        secret_key=SecretStr("the secret key of the tests, 32 long"),
        development_key=SecretStr("a development key of the tests, not a secret"),
        body_deadline_ms=500,
    )


async def test_a_hundred_requests_at_once_are_all_answered(edge: Portal) -> None:
    answers = await asyncio.gather(*(post(edge, {"query": QUERY}, **bearer(NATIONAL)) for _ in range(100)))
    assert [answer["data"] for _, answer, _ in answers] == [{"viewer": {"role": "NATIONAL_ADMIN"}}] * 100
