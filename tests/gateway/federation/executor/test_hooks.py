"""The engine's hooks: the caller, which objects may be sent, a subgraph in the process, and the plan on demand."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from support.supergraphs import supergraph_of

from gateway.federation.engine import Engine
from gateway.federation.executor.local_first import LocalFirst
from gateway.federation.executor.subgraphs import Caller
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

    async def ask(self, subgraph: str, body: bytes, kind: str, caller: Caller) -> dict[str, Any]:
        asked = orjson.loads(body)["variables"]["r0"]
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
