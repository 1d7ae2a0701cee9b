"""Subgraphs that are dead, slow or answer wrongly: only their own fields are null."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web
from support.far_end import Answer, answer_text, answer_with, free_port, read_representations, run_server
from support.supergraphs import supergraph_of

from gateway.federation.engine import Engine
from gateway.federation.executor.endpoint import Endpoint, TransportLimits
from gateway.federation.executor.transport import HttpTransport
from gateway.federation.supergraph import Supergraph
from gateway.operation.document import Documents

SHOP = """
type Query @join__type(graph: A) @join__type(graph: B) {
  products: [Product] @join__field(graph: A)
  strict: Product! @join__field(graph: A)
  greeting: String @join__field(graph: B)
}
type Product @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID! name: String @join__field(graph: A) price: Int @join__field(graph: B) sure: Int! @join__field(graph: B)
  kind: Kind @join__field(graph: B) maker: Maker @join__field(graph: B)
  root: Query @join__field(graph: A)
}
type Maker @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID! since: Int @join__field(graph: A)
}
enum Kind { NEW OLD @inaccessible }
"""
SUPERGRAPH = supergraph_of(SHOP, "a", "b")
LIMITS = TransportLimits(timeout_ms=1000, response_bytes=100_000, failures_to_open=3, open_ms=400)
PRODUCTS = [{"id": "1", "name": "one"}, {"id": "2", "name": "two"}]
WHOLE = "{ products { name price } }"


async def prices(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
    found = [{"price": int(row["id"]) * 10, "sure": 1, "kind": "NEW"} for row in read_representations(asked)]
    return web.json_response({"data": {"_entities": found}})


async def hung(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def closing(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


class Shop:
    """An engine over two subgraphs that run as servers."""

    def __init__(self, transport: HttpTransport, supergraph: Supergraph = SUPERGRAPH) -> None:
        self.transport = transport
        self.engine = Engine(supergraph, transport.ask)
        self.documents = Documents(supergraph.api_schema)

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        checked = self.documents.check(query)
        [operation] = checked.operations.values()
        prepared = self.engine.prepare(checked.document, operation, checked.fragments)
        return await self.engine.execute(prepared, variables, variables)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def shop(stack: AsyncExitStack, b: Answer | str, a: Answer | None = None) -> Shop:
    first = a or answer_with({"products": PRODUCTS, "strict": PRODUCTS[0]})
    urls = {
        "a": await stack.enter_async_context(run_server(first)),
        "b": b if isinstance(b, str) else await stack.enter_async_context(run_server(b)),
    }
    transport = HttpTransport({name: Endpoint(url, LIMITS) for name, url in urls.items()})
    stack.push_async_callback(transport.close)
    return Shop(transport)


async def test_both_answers_become_one(stack: AsyncExitStack) -> None:
    body = await (await shop(stack, prices)).ask(WHOLE)
    assert body == {"data": {"products": [{"name": "one", "price": 10}, {"name": "two", "price": 20}]}}


@pytest.mark.parametrize(
    ("b", "code"),
    [
        ("http://127.0.0.1:1/", "SUBGRAPH_UNAVAILABLE"),
        (hung, "SUBGRAPH_TIMEOUT"),
        (closing, "SUBGRAPH_UNAVAILABLE"),
        (answer_text("<html>oops</html>", content_type="text/html"), "DOWNSTREAM_SERVICE_ERROR"),
        (answer_text("<html>oops</html>", 500, "text/html"), "DOWNSTREAM_SERVICE_ERROR"),
        (answer_text("{"), "DOWNSTREAM_SERVICE_ERROR"),
        (answer_text("[]"), "DOWNSTREAM_SERVICE_ERROR"),
        (answer_text("null"), "DOWNSTREAM_SERVICE_ERROR"),
        (answer_text("{}"), "DOWNSTREAM_SERVICE_ERROR"),
        (answer_text(b"\xff\xfe"), "DOWNSTREAM_SERVICE_ERROR"),
        (answer_text('{"data": {"_entities": "' + "x" * 200_000 + '"}}'), "DOWNSTREAM_SERVICE_ERROR"),
    ],
)
async def test_a_subgraph_without_an_answer_nulls_its_own_fields_with_one_error(
    stack: AsyncExitStack, b: Answer | str, code: str
) -> None:
    started = time.monotonic()
    body = await (await shop(stack, b)).ask(WHOLE)
    assert time.monotonic() - started < 10 * LIMITS.timeout_ms / 1000
    assert body["data"] == {"products": [{"name": "one", "price": None}, {"name": "two", "price": None}]}
    [error] = body["errors"]
    assert error["extensions"] == {"code": code, "serviceName": "b"}
    assert error["path"] == ["products"]
    assert "oops" not in error["message"]


@pytest.mark.parametrize(
    "data",
    [
        None,
        {"_entities": None},
        {"_entities": []},
        {"_entities": [None, None]},
        {"_entities": [1, "x"]},
        {"_entities": {}},
        {"_entities": [{}, {"price": None}]},
        {"other": 1},
    ],
)
async def test_an_answer_of_the_wrong_shape_breaks_nothing(stack: AsyncExitStack, data: Any) -> None:
    body = await (await shop(stack, answer_with(data))).ask(WHOLE)
    assert body["data"] == {"products": [{"name": "one", "price": None}, {"name": "two", "price": None}]}


@pytest.mark.parametrize(
    "data", [None, {"products": 7}, {"products": {"x": 1}}, {"products": [[{}]]}, {"products": "x"}]
)
async def test_a_root_of_the_wrong_shape_is_null(stack: AsyncExitStack, data: Any) -> None:
    body = await (await shop(stack, prices, answer_with(data))).ask(WHOLE)
    assert body["data"]["products"] in (None, [None])


async def test_a_null_where_none_may_be_nulls_the_object_around_it(stack: AsyncExitStack) -> None:
    opened = await shop(stack, answer_with({"_entities": [{"sure": 1}, {"sure": None}]}))
    body = await opened.ask("{ products { name sure } }")
    assert body["data"] == {"products": [{"name": "one", "sure": 1}, None]}
    body = await (await shop(stack, answer_with(None))).ask("{ strict { sure } }")
    assert body["data"] is None


async def test_an_entitys_error_is_placed_where_the_client_asked(stack: AsyncExitStack) -> None:
    error = {"message": "no price", "path": ["_entities", 1, "price"], "extensions": {"code": "NO_PRICE"}}
    b = answer_with({"_entities": [{"price": 10}, {"price": None}]}, errors=[error])
    body = await (await shop(stack, b)).ask(WHOLE)
    assert body["data"]["products"][1] == {"name": "two", "price": None}
    assert body["errors"] == [
        {
            "message": "no price",
            "path": ["products", 1, "price"],
            "extensions": {"code": "NO_PRICE", "serviceName": "b"},
        }
    ]


async def test_each_object_is_asked_for_once(stack: AsyncExitStack) -> None:
    seen: list[Any] = []

    async def noting(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        seen.append(read_representations(asked))
        return await prices(asked, request)

    same = answer_with({"products": [PRODUCTS[0], PRODUCTS[0], None, PRODUCTS[1]]})
    body = await (await shop(stack, noting, same)).ask(WHOLE)
    assert seen == [[{"__typename": "Product", "id": "1"}, {"__typename": "Product", "id": "2"}]]
    assert [row and row["price"] for row in body["data"]["products"]] == [10, 10, None, 20]


async def test_the_error_of_one_that_stands_at_several_places_is_told_at_each(stack: AsyncExitStack) -> None:
    async def a(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        if "products" in asked["query"]:
            return web.json_response({"data": {"products": [PRODUCTS[0], PRODUCTS[1], PRODUCTS[0]]}})
        error = {"message": "not known", "path": ["_entities", 0, "since"]}
        return web.json_response({"data": {"_entities": [{"since": None}, {"since": 1999}]}, "errors": [error]})

    b = answer_with({"_entities": [{"maker": {"id": "m"}}, {"maker": {"id": "n"}}]})
    body = await (await shop(stack, b, a)).ask("{ products { maker { since } } }")
    assert [row["maker"]["since"] for row in body["data"]["products"]] == [None, 1999, None]
    assert [row["path"] for row in body["errors"]] == [["products", number, "maker", "since"] for number in (0, 2)]


async def test_the_error_of_a_root_inside_a_list_is_told_at_each_of_its_places(stack: AsyncExitStack) -> None:
    a = answer_with({"products": [{"root": {"__typename": "Query"}}, None, {"root": {"__typename": "Query"}}]})
    b = answer_with({"greeting": None}, errors=[{"message": "no greeting", "path": ["greeting"]}])
    body = await (await shop(stack, b, a)).ask("{ products { root { greeting } } }")
    assert body["data"] == {"products": [{"root": {"greeting": None}}, None, {"root": {"greeting": None}}]}
    assert [row["path"] for row in body["errors"]] == [["products", at, "root", "greeting"] for at in (0, 2)]


async def test_the_error_of_a_field_under_several_names_is_told_under_each(stack: AsyncExitStack) -> None:
    error = {"message": "no price", "path": ["_entities", 1, "price"]}
    b = answer_with({"_entities": [{"price": 10}, {"price": None}]}, errors=[error])
    query = "{ one: products { name } two: products { cost: price name } three: products { price again: price } }"
    body = await (await shop(stack, b)).ask(query)
    assert [row["path"] for row in body["errors"]] == [
        ["two", 1, "cost"],
        ["three", 1, "price"],
        ["three", 1, "again"],
    ]
    body = await (await shop(stack, "http://127.0.0.1:1/")).ask(query)
    assert [row["path"] for row in body["errors"]] == [["one"]]


async def test_a_thousand_errors_are_told_of_one_that_says_them_over_and_over(stack: AsyncExitStack) -> None:
    errors = [{"message": "no", "path": ["_entities", number % 2, "price"]} for number in range(1500)]
    b = answer_with({"_entities": [{"price": None}, {"price": None}]}, errors=errors)
    same = answer_with({"products": PRODUCTS * 50})
    names = " ".join(f"p{number}: price" for number in range(20))
    body = await (await shop(stack, b, same)).ask(f"{{ products {{ {names} }} }}")
    assert len(body["errors"]) == 1000
    assert body["errors"][0]["path"] == ["products", 0, "p0"]
    assert len(body["data"]["products"]) == 100
    lie = {"message": "no", "path": ["_entities", 0, "price", *range(10_000)]}
    b = answer_with({"_entities": [{"price": None}, {"price": None}]}, errors=[lie])
    [error] = (await (await shop(stack, b)).ask(WHOLE))["errors"]
    assert error["path"] == ["products", 0, "price", *range(197)]


@pytest.mark.parametrize("element", [{}, [], None, 1.5, True, -1, 10**30, ""])
async def test_a_path_of_what_is_none_breaks_nothing(stack: AsyncExitStack, element: Any) -> None:
    lies = [{"message": "no", "path": path} for path in ([element], ["_entities", 0, element], [element, "price"])]
    b = answer_with({"_entities": [{"price": 10}, {"price": 20}]}, errors=lies)
    body = await (await shop(stack, b)).ask(WHOLE)
    assert body["data"]["products"] == [{"name": "one", "price": 10}, {"name": "two", "price": 20}]
    assert {error["path"][0] for error in body["errors"]} == {"products"}
    a = answer_with({"products": PRODUCTS}, errors=[{"message": "no", "path": [element]}])
    body = await (await shop(stack, prices, a)).ask(WHOLE)
    assert body["data"]["products"][0] == {"name": "one", "price": 10}
    assert len(body["errors"]) == 1


async def test_an_object_without_a_key_is_not_asked_for(stack: AsyncExitStack) -> None:
    rows = [{"id": None, "name": "nobody"}]
    body = await (await shop(stack, hung, answer_with({"products": rows}))).ask(WHOLE)
    assert body == {"data": {"products": [{"name": "nobody", "price": None}]}}


async def test_a_value_outside_the_enum_is_null(stack: AsyncExitStack) -> None:
    rows = [{"kind": "NEW"}, {"kind": "OLD"}]
    body = await (await shop(stack, answer_with({"_entities": rows}))).ask("{ products { kind } }")
    assert body == {"data": {"products": [{"kind": "NEW"}, {"kind": None}]}}
    rows = [{"kind": "NEW"}, {"kind": "NEVER"}]
    body = await (await shop(stack, answer_with({"_entities": rows}))).ask("{ products { kind } }")
    assert body["data"] == {"products": [{"kind": "NEW"}, {"kind": None}]}
    assert len(body["errors"]) == 1


ANIMALS = supergraph_of(
    """
    type Query @join__type(graph: A) @join__type(graph: B) { pets: [Pet] @join__field(graph: A) }
    union Pet @join__type(graph: A) @join__unionMember(graph: A, member: "Cat") = Cat
    type Cat @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
      id: ID! lives: Int @join__field(graph: B) kind: Kind @join__field(graph: A)
    }
    enum Kind { TAME }
    """,
    "a",
    "b",
)


@pytest.mark.parametrize("lie", [[], {}, 7, True, None, "Dog", [["Cat"]]])
async def test_a_name_or_value_that_is_none_breaks_nothing(stack: AsyncExitStack, lie: Any) -> None:
    rows = [{"__typename": lie, "id": "1"}, {"__typename": "Cat", "id": "2", "kind": lie}]
    urls = {
        "a": await stack.enter_async_context(run_server(answer_with({"pets": rows}))),
        "b": await stack.enter_async_context(run_server(answer_with({"_entities": [{"lives": 9}]}))),
    }
    transport = HttpTransport({name: Endpoint(url, LIMITS) for name, url in urls.items()})
    stack.push_async_callback(transport.close)
    body = await Shop(transport, ANIMALS).ask("{ pets { ... on Cat { lives kind } } }")
    assert body["data"] == {"pets": [None, {"lives": 9, "kind": None}]}


async def test_a_subgraph_that_comes_up_later_is_asked_then(stack: AsyncExitStack) -> None:
    port = free_port()
    opened = await shop(stack, f"http://127.0.0.1:{port}/")
    assert (await opened.ask(WHOLE))["data"]["products"][0]["price"] is None
    await stack.enter_async_context(run_server(prices, port))
    assert (await opened.ask(WHOLE))["data"]["products"][0]["price"] == 10


async def test_one_that_keeps_failing_is_left_alone_for_a_while(stack: AsyncExitStack) -> None:
    seen: list[Any] = []

    async def failing(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        seen.append(asked)
        return web.Response(text="<html>", content_type="text/html")

    opened = await shop(stack, failing)
    for _ in range(6):
        body = await opened.ask(WHOLE)
    assert len(seen) == LIMITS.failures_to_open
    assert body["errors"][0]["extensions"]["code"] == "SUBGRAPH_UNAVAILABLE"
    await asyncio.sleep(LIMITS.open_ms / 1000)
    await opened.ask(WHOLE)
    assert len(seen) == LIMITS.failures_to_open + 1


async def test_a_kept_connection_that_was_closed_is_opened_again_for_a_query(stack: AsyncExitStack) -> None:
    answered: list[bool] = []

    async def every_other(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        answered.append(len(answered) % 2 == 0)
        return await (prices if answered[-1] else closing)(asked, request)

    opened = await shop(stack, every_other)
    for _ in range(3):
        assert (await opened.ask(WHOLE))["data"]["products"][0]["price"] == 10


async def test_introspection_and_typenames_are_answered_here(stack: AsyncExitStack) -> None:
    opened = await shop(stack, hung, hung)
    body = await opened.ask('{ __typename __type(name: "Kind") { enumValues { name } } }')
    assert body == {"data": {"__typename": "Query", "__type": {"enumValues": [{"name": "NEW"}]}}}


async def test_an_introspection_field_under_another_fields_name_is_kept_apart(stack: AsyncExitStack) -> None:
    body = await (await shop(stack, prices)).ask("{ products: __schema { queryType { name } } p: products { price } }")
    assert body["data"] == {"products": {"queryType": {"name": "Query"}}, "p": [{"price": 10}, {"price": 20}]}


async def test_a_small_body_that_unpacks_to_a_large_one_is_refused(stack: AsyncExitStack) -> None:
    body = gzip.compress(b'{"data": {"_entities": []}, "x": "' + b"x" * 10_000_000 + b'"}')

    async def packed(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers={"content-encoding": "gzip"}, content_type="application/json")

    answer = await (await shop(stack, packed)).ask(WHOLE)
    assert "more than 100000 bytes" in answer["errors"][0]["message"]


async def test_of_fifty_megabytes_no_more_is_read_than_is_taken(stack: AsyncExitStack) -> None:
    sent = 0

    async def endless(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(50):
            await response.write(b"x" * 1_000_000)
            sent += 1
        return response

    body = await (await shop(stack, endless)).ask(WHOLE)
    assert body["data"] == {"products": [{"name": "one", "price": None}, {"name": "two", "price": None}]}
    assert body["errors"][0]["message"] == "The subgraph b answered with more than 100000 bytes."
    assert sent < 50


async def test_a_redirection_is_not_followed(stack: AsyncExitStack) -> None:
    async def elsewhere(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect(target)

    target = await stack.enter_async_context(run_server(prices))
    body = await (await shop(stack, elsewhere)).ask(WHOLE)
    assert body["data"]["products"][0] == {"name": "one", "price": None}
    assert body["errors"][0]["message"] == "The subgraph b answered with a redirect, which is not followed."


async def test_aliases_and_conditions_are_the_clients(stack: AsyncExitStack) -> None:
    query = """query ($no: Boolean!) { things: products { a: name b: name ...More } }
      fragment More on Product { price @skip(if: $no) kind: __typename }"""
    opened = await shop(stack, prices)
    assert (await opened.ask(query, no=False))["data"]["things"][0] == {
        "a": "one",
        "b": "one",
        "price": 10,
        "kind": "Product",
    }
    assert (await opened.ask(query, no=True))["data"]["things"][0] == {"a": "one", "b": "one", "kind": "Product"}
