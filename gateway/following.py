"""Keeps a process's graph what the registry says is live: loads it, warms it, exchanges it whole."""

import asyncio
import weakref
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import schema
from gateway import garbage
from gateway.auth.outgoing import SubgraphTokens
from gateway.federation.engine import Engine
from gateway.federation.executor.endpoint import Endpoint, TransportLimits
from gateway.federation.executor.local_first import LocalFirst
from gateway.federation.executor.transport import HttpTransport
from gateway.federation.join import InvalidSupergraph, read_supergraph
from gateway.federation.supergraph import Supergraph
from gateway.http.graph import Federated, Graph, National, national, with_bindings
from gateway.http.graphql import GraphQLEndpoint
from gateway.observability.log import logger
from gateway.operation.document import Documents
from gateway.registry.addresses import public_addresses
from gateway.registry.answers import AskedAlone
from gateway.registry.check import NATIONAL
from gateway.registry.composer import Composer
from gateway.registry.health import Health
from gateway.registry.ownership import LOCAL_CASE
from gateway.registry.prefixes import prefixes
from gateway.registry.registrar import Registrar
from gateway.registry.trust import Trust, may_send, shows_messages
from gateway.settings import Mode, Settings
from resolvers.agencies import agency as agencies
from resolvers.registry import subgraph as subgraphs
from resolvers.request.composer import Member
from resolvers.store.change_stream import notify_of_changes
from resolvers.store.database import Document, PyMongoError, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_READ_SECONDS: Final = 5
FREED_BETWEEN_COLLECTIONS: Final = 20
"""What else was frozen when a graph was exchanged, and has become garbage, waits for so many of them."""
AGENCY_LIMITS: Final = TransportLimits(
    timeout_ms=5_000,
    response_bytes=4 * 1024 * 1024,
    connections=16,
    waiting=64,
    failures_to_open=5,
    budget_percent=50,
    open_ms=2_000,
)
"""What one agency's subgraph may take of a process, whatever becomes of it."""


class Following:
    """The graph that is live; `view` serves it."""

    view: GraphQLEndpoint
    as_subgraph: GraphQLEndpoint | None = None
    """The view for other routers, where there is one."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        secret, in_development = settings.secret_key_bytes, settings.mode is Mode.DEVELOPMENT
        self.trust = Trust(SubgraphTokens(secret), lambda: datetime.now(UTC))
        self.transport = HttpTransport({}, self.trust.sign, None if in_development else public_addresses)
        self.health = Health(self.transport.state)
        self.transport.note = self.health.note
        self.first = Graph(0, self._national({}))
        self.registrar: Registrar | None = None
        self._composer = Composer()
        self._changed = asyncio.Event()
        self._freeing: dict[asyncio.Task[None], weakref.ref[Engine]] = {}
        self._freed = 0
        if settings.has_registry:
            self.registrar = Registrar(
                self._composer, schema.subgraph_sdl(), lambda: agencies.ids(store), secret, in_development
            )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Begins with the supergraph that was stored last, which no subgraph is asked for."""
        if self.registrar is None:
            yield
            return
        with suppress(PyMongoError, TimeoutError):
            async with asyncio.timeout(FIRST_READ_SECONDS):
                await self._exchange()
        tasks = [
            asyncio.create_task(notify_of_changes(self.store, "supergraphs", self._changed.set)),
            asyncio.create_task(self._exchange_on_change()),
        ]
        try:
            yield
        finally:
            tasks += self._freeing
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            self._composer.close()
            await self.transport.close()

    async def _exchange_on_change(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._exchange()
            except PyMongoError as failure:
                logger.warning("supergraph_not_read", failure=type(failure).__name__)
                await asyncio.sleep(1)
                self._changed.set()

    async def _exchange(self) -> None:
        live = await subgraphs.live(self.store)
        before = self.view.graph
        if live["version"] == before.version:
            return
        members = await subgraphs.live_members(self.store, live)
        ids = await agencies.ids(self.store)
        endpoints = {member.agency: _endpoint(member, self.transport.endpoints) for member in members}
        try:
            with garbage.left_alone():
                graph = await asyncio.to_thread(self._graph, live, ids, before.national)
        except InvalidSupergraph as failure:
            logger.error("supergraph_refused", version=live["version"], reason=str(failure))
            return
        await asyncio.to_thread(graph.warm, before)
        # Requests that began with the graph before still ask its subgraphs, until their own deadline.
        self.transport.exchange(endpoints, self.settings.request_deadline_ms / 1000)
        self.health.keep(endpoints)
        self.view.graph = graph
        if before.federated is not None:
            before.federated.streams.retire()
        if self.as_subgraph is not None:
            self.as_subgraph.graph = graph.as_subgraph()
        self._free_later(before, graph)
        logger.info("supergraph_served", version=graph.version)

    def _free_later(self, before: Graph, after: Graph) -> None:
        """Frees the graph before once the last request has left it."""
        if before.federated is None:
            return
        engine, loop, is_left = before.federated.engine, asyncio.get_running_loop(), asyncio.Event()
        is_all = before.national is not after.national
        task = asyncio.create_task(self._free(is_left, engine.supergraph, is_all))
        self._freeing[task] = weakref.ref(engine, lambda _: loop.call_soon_threadsafe(is_left.set))
        task.add_done_callback(self._freeing.pop)

    async def _free(self, is_left: asyncio.Event, supergraph: Supergraph, is_all: bool) -> None:
        await is_left.wait()
        for unused in (supergraph.schema, supergraph.api_schema):
            await garbage.free(unused)
        self._freed += 1
        # National graphs share types with each other: where that went too, the collector must look.
        if is_all or self._freed % FREED_BETWEEN_COLLECTIONS == 0:
            garbage.collect()

    def _graph(self, live: Document, ids: Collection[str], standing: National) -> Graph:
        supergraph = read_supergraph(live["sdl"]) if live["members"] else None
        local_cases = {} if supergraph is None else _local_cases(supergraph, ids)
        is_same = standing.local_cases.by_agency == local_cases
        national_graph = standing if is_same else self._national(local_cases)
        if supergraph is None:
            return Graph(live["version"], national_graph)
        api_schema = with_bindings(supergraph.api_schema, national_graph.documents.schema)
        beside = LocalFirst({NATIONAL: national_graph}, AskedAlone(self.transport.ask).ask, {NATIONAL: national_graph})
        engine = Engine(
            supergraph,
            beside.ask,
            shows_messages=shows_messages,
            listen=beside.listen,
            may_send=may_send,
        )
        documents = Documents(api_schema, self.settings.introspection)
        return Graph(live["version"], national_graph, Federated(engine, documents))

    def _national(self, local_cases: "Mapping[str, str]") -> National:
        built = schema.build(sorted(local_cases.values()))
        return national(local_cases, Documents(built._schema, self.settings.introspection))


def _local_cases(supergraph: Supergraph, ids: Collection[str]) -> dict[str, str]:
    """By agency, its type of LocalCase, as the supergraph has it: what was published need not be read again."""
    agencies_there = supergraph.subgraphs.keys() - {NATIONAL}
    names = {
        agency: f"{prefix.type}{LOCAL_CASE}"
        for agency, prefix in prefixes({*ids, *agencies_there}).items()
        if agency in agencies_there
    }
    return {agency: name for agency, name in names.items() if name in supergraph.subgraphs[agency].types}


def _endpoint(member: Member, before: "Mapping[str, Endpoint]") -> Endpoint:
    """The one before where nothing has changed, so that its connections and its breaker stay."""
    standing = before.get(member.agency)
    return standing if standing and standing.url == member.url else Endpoint(member.url, AGENCY_LIMITS)
