"""The engine's hooks: the caller, which objects may be sent, a subgraph in the process, and the plan on demand."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from support.supergraphs import supergraph_of

from gateway.federation.engine import Engine
from gateway.federation.executor.local_first import LocalFirst
from gateway.federation.executor.subgraphs import Caller, SubgraphRequest
from gateway.operation.document import Documents

SUPERGRAPH = supergraph_of(
    """
    type Query @join__type(graph: A) @join__type(graph: B) { complaints: [Complaint] @join__field(graph: A) }
    type Complaint @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
      id: ID! secret: Boolean @join__field(graph: A) progress: Int @join__field(graph: B)
    }
    """,
    "a",
    "b",
)
QUERY = "{ complaints { id progress } }"
CALLER = Caller(context="agency 7")


class National:
    """The subgraph in this process."""

    def __init__(self) -> None:
        self.callers: list[Caller] = []

    async def execute(self, document: str, variables: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        self.callers.append(caller)
        assert document.startswith("query")
        return {"data": {"complaints": [{"id": "1"}, {"id": "2"}]}}


class Roads:
    """The remote subgraph."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def ask(self, subgraph: str, request: SubgraphRequest, caller: Caller) -> dict[str, Any]:
        asked = request.variables["r0"]
        self.sent.append(asked)
        return {"data": {"_entities": [{"progress": int(row["id"]) * 10} for row in asked]}}


async def run(engine: Engine, explained: bool = False) -> dict[str, Any]:
    checked = Documents(SUPERGRAPH.api_schema).check(QUERY)
    [operation] = checked.operations.values()
    prepared = engine.prepare(checked.document, operation, checked.fragments)
    return await engine.execute(prepared, {}, {}, CALLER, explained)


async def test_a_subgraph_in_this_process_is_asked_beside_those_elsewhere() -> None:
    national, roads = National(), Roads()
    answer = await run(Engine(SUPERGRAPH, LocalFirst({"a": national}, roads.ask).ask))
    assert answer == {"data": {"complaints": [{"id": "1", "progress": 10}, {"id": "2", "progress": 20}]}}
    assert national.callers == [CALLER]


async def test_what_may_not_be_sent_is_null_and_the_rest_is_asked_for() -> None:
    async def second_alone(subgraph: str, representations: Sequence[Mapping[str, Any]], caller: Caller) -> list[bool]:
        assert (subgraph, caller) == ("b", CALLER)
        return [row["id"] == "2" for row in representations]

    roads = Roads()
    answer = await run(Engine(SUPERGRAPH, LocalFirst({"a": National()}, roads.ask).ask, may_send=second_alone))
    assert answer == {"data": {"complaints": [{"id": "1", "progress": None}, {"id": "2", "progress": 20}]}}
    assert roads.sent == [[{"__typename": "Complaint", "id": "2"}]]


async def test_where_nothing_may_be_sent_nothing_is_asked() -> None:
    roads = Roads()

    async def nothing(subgraph: str, representations: Sequence[Mapping[str, Any]], caller: Caller) -> list[bool]:
        return [False] * len(representations)

    answer = await run(Engine(SUPERGRAPH, LocalFirst({"a": National()}, roads.ask).ask, may_send=nothing))
    assert answer == {"data": {"complaints": [{"id": "1", "progress": None}, {"id": "2", "progress": None}]}}
    assert roads.sent == []


async def test_the_plan_and_what_each_fetch_took_are_told_on_demand() -> None:
    answer = await run(Engine(SUPERGRAPH, LocalFirst({"a": National()}, Roads().ask).ask), explained=True)
    told = answer["extensions"]
    assert [fetch["serviceName"] for fetch in told["queryPlan"]["node"]["nodes"]] == ["a", "b"]
    assert [(row["fetch"], row["serviceName"]) for row in told["fetches"]] == [(0, "a"), (1, "b")]
    assert all(row["ms"] >= 0 for row in told["fetches"])


async def test_a_subgraph_in_this_process_is_handed_variables_as_values() -> None:
    """A custom scalar is handed over as a copy: the data that it comes from may still change."""
    supergraph = supergraph_of(
        """
        scalar Box @join__type(graph: A) @join__type(graph: B)
        type Query @join__type(graph: A) @join__type(graph: B) { thing(at: Box): Thing @join__field(graph: A) }
        type Thing @join__type(graph: A, key: "box") @join__type(graph: B, key: "box") {
          box: Box! size: Int @join__field(graph: B)
        }
        """,
        "a",
        "b",
    )
    box = {"corners": [1, 2]}
    received: list[Mapping[str, Any]] = []

    class Local:
        async def execute(self, document: str, variables: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
            received.append(variables)
            return {"data": {"_entities": [{"size": 2}]} if "_entities" in document else {"thing": {"box": box}}}

    local = LocalFirst({"a": Local(), "b": Local()}, Roads().ask)
    checked = Documents(supergraph.api_schema).check("query ($at: Box) { thing(at: $at) { size } }")
    [operation] = checked.operations.values()
    engine = Engine(supergraph, local.ask)
    prepared = engine.prepare(checked.document, operation, checked.fragments)
    given = {"at": {"x": 1}}
    answer = await engine.execute(prepared, given, given, CALLER)
    assert answer == {"data": {"thing": {"size": 2}}}
    assert received == [given, {"r0": [{"__typename": "Thing", "box": box}]}]
    assert received[0]["at"] is given["at"]
    assert received[1]["r0"][0]["box"] is not box


def test_a_request_is_encoded_as_graphql_over_http_has_it() -> None:
    request = SubgraphRequest.of(
        'query ($name: String) { a(name: $name, text: "\\"é") }', "query", {"name": "ñ", "n": [1]}
    )
    assert orjson.loads(request.encode()) == {"query": request.document, "variables": {"name": "ñ", "n": [1]}}
