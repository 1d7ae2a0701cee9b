"""Keeps the process's graph what the registry says is live: loads it, warms it, and exchanges it whole."""

import asyncio
import weakref
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

from graphql import FragmentDefinitionNode, OperationDefinitionNode

import schema
from gateway import errors
from gateway.auth.subgraph_tokens import SubgraphTokens
from gateway.federation.engine import Engine
from gateway.federation.executor.breaker import State
from gateway.federation.executor.endpoint import Endpoint, TransportLimits
from gateway.federation.executor.local_first import LocalFirst
from gateway.federation.executor.transport import HttpTransport
from gateway.federation.join import InvalidSupergraph, read_supergraph
from gateway.federation.supergraph import Supergraph
from gateway.graph import garbage
from gateway.graph.federated import CheckCost, FederatedGraph
from gateway.graph.graph_version import CurrentGraph, GraphVersion, copy_bindings
from gateway.graph.national import NationalGraphs, NationalSubgraph, build_national_graphs
from gateway.limits.cost import TooExpensive, check_cost, count_points
from gateway.observability.log import logger
from gateway.operation.document import Documents
from gateway.operation.refusal import Refused
from gateway.registry.addresses import resolve_public
from gateway.registry.answer_filter import AnswerFilter
from gateway.registry.check import NATIONAL
from gateway.registry.composer import ComposerProcess
from gateway.registry.engine_hooks import RequestSigner, may_send, shows_messages
from gateway.registry.health import SubgraphHealth
from gateway.registry.ownership import LOCAL_CASE
from gateway.registry.prefixes import assign_prefixes
from gateway.registry.registrar import Registrar
from gateway.settings import Mode, Settings
from resolvers.agencies import agency as agencies
from resolvers.registry import subgraph as subgraphs
from resolvers.request.composer import Member
from resolvers.store.change_stream import notify_of_changes
from resolvers.store.database import PyMongoError, Store
from resolvers.system_documents import SupergraphDoc

FIRST_READ_SECONDS: Final = 5
FREED_BETWEEN_COLLECTIONS: Final = 20
"""Graphs that are freed between two full collections. A collection frees what else was frozen and became garbage."""
AGENCY_LIMITS: Final = TransportLimits(
    timeout_ms=5_000,
    response_bytes=4 * 1024 * 1024,
    connections=16,
    waiting=64,
    failures_to_open=5,
    budget_percent=50,
    open_ms=2_000,
)
"""The most that one agency's subgraph may take of a process, whatever state it is in."""


class LiveGraph:
    """Publishes the live version into `current`, which endpoints read."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        secret, in_development = settings.secret_key_bytes, settings.mode is Mode.DEVELOPMENT
        self.trust = RequestSigner(SubgraphTokens(secret), lambda: datetime.now(UTC))
        self.health = SubgraphHealth(self._breaker_state)
        resolve = None if in_development else resolve_public
        self.transport = HttpTransport({}, self.trust.sign, resolve, self.health.note)
        self.current = CurrentGraph(GraphVersion(0, build_national_graphs({}, settings.introspection)))
        self.registrar: Registrar | None = None
        self._composer = ComposerProcess()
        self._has_changed = asyncio.Event()
        self._freeing: dict[asyncio.Task[None], weakref.ref[Engine]] = {}
        self._freed = 0
        if settings.has_registry:
            self.registrar = Registrar(
                self._composer, schema.print_subgraph_sdl(), lambda: agencies.list_ids(store), secret, in_development
            )

    def _breaker_state(self, subgraph: str) -> State:
        return self.transport.find_state(subgraph)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the registry during the block. Starts with the stored supergraph: no subgraph is asked for its SDL."""
        if self.registrar is None:
            yield
            return
        with suppress(PyMongoError, TimeoutError):
            async with asyncio.timeout(FIRST_READ_SECONDS):
                await self._exchange()
        tasks = [
            asyncio.create_task(notify_of_changes(self.store, "supergraphs", self._has_changed.set)),
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
            await self._has_changed.wait()
            self._has_changed.clear()
            try:
                await self._exchange()
            except PyMongoError as failure:
                logger.warning("supergraph_not_read", failure=type(failure).__name__)
                await asyncio.sleep(1)
                self._has_changed.set()

    async def _exchange(self) -> None:
        live = await subgraphs.read_live(self.store)
        before = self.current.version
        if live["version"] == before.number:
            return
        members = await subgraphs.read_members(self.store, live)
        ids = await agencies.list_ids(self.store)
        endpoints = {member.agency: _keep_or_make_endpoint(member, self.transport.endpoints) for member in members}
        try:
            with garbage.collection_paused():
                version = await asyncio.to_thread(self._build, live, ids, before.national)
        except InvalidSupergraph as failure:
            logger.error("supergraph_refused", version=live["version"], reason=str(failure))
            return
        await asyncio.to_thread(version.warm, before)
        # Requests that began with the version before still ask its subgraphs, until their own deadline.
        self.transport.replace_endpoints(endpoints, self.settings.request_deadline_ms / 1000)
        self.health.forget_others(endpoints)
        self.current.version = version
        if before.federated is not None:
            before.federated.streams.end_all()
            self._free_later(before.federated.engine, is_national_replaced=before.national is not version.national)
        logger.info("supergraph_served", version=version.number)

    def _free_later(self, engine: Engine, *, is_national_replaced: bool) -> None:
        """Free the engine's schemas once the last request has left it. The weak reference tells when that is."""
        loop, is_left = asyncio.get_running_loop(), asyncio.Event()
        task = asyncio.create_task(self._free(is_left, engine.supergraph, is_national_replaced))
        self._freeing[task] = weakref.ref(engine, lambda _: loop.call_soon_threadsafe(is_left.set))
        task.add_done_callback(self._freeing.pop)

    async def _free(self, is_left: asyncio.Event, supergraph: Supergraph, is_national_replaced: bool) -> None:
        await is_left.wait()
        for unused in (supergraph.schema, supergraph.api_schema):
            await garbage.free_schema(unused)
        self._freed += 1
        # National graphs share types with each other and cannot be taken apart: only the collector frees them.
        if is_national_replaced or self._freed % FREED_BETWEEN_COLLECTIONS == 0:
            garbage.collect()

    def _build(self, live: SupergraphDoc, ids: Collection[str], national_before: NationalGraphs) -> GraphVersion:
        """Raises InvalidSupergraph. Keeps the national graph of before where its types of LocalCase are the same."""
        supergraph = read_supergraph(live["sdl"]) if live["members"] else None
        local_cases = {} if supergraph is None else _find_local_case_types(supergraph, ids)
        national = national_before
        if national.local_cases.by_agency != local_cases:
            national = build_national_graphs(local_cases, self.settings.introspection)
        if supergraph is None:
            return GraphVersion(live["version"], national)
        copy_bindings(national.served.documents.schema, supergraph.api_schema)
        subgraph = {NATIONAL: NationalSubgraph(national.subgraph)}
        local_first = LocalFirst(subgraph, AnswerFilter(self.transport.ask).ask, subgraph)
        engine = Engine(
            supergraph,
            local_first.ask,
            shows_messages=shows_messages,
            listen=local_first.listen,
            may_send=may_send,
        )
        documents = Documents(supergraph.api_schema, self.settings.introspection)
        check_cost = _make_cost_check(documents, self.settings.cost_limit_points)
        return GraphVersion(live["version"], national, FederatedGraph(engine, documents, check_cost))


def _make_cost_check(documents: Documents, limit: int) -> CheckCost:
    """Composed fields cost what their bindings say, as in the national graph."""

    def check(
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> int:
        points = count_points(documents.schema, operation, fragments, variables)
        try:
            check_cost(points, limit)
        except TooExpensive as failure:
            raise Refused(errors.of_cost(failure)) from None
        return points

    return check


def _find_local_case_types(supergraph: Supergraph, ids: Collection[str]) -> dict[str, str]:
    """By agency, the name of its type of LocalCase, read from the supergraph: published SDLs need not be read again."""
    publishers = supergraph.subgraphs.keys() - {NATIONAL}
    names = {
        agency: f"{prefix.type}{LOCAL_CASE}"
        for agency, prefix in assign_prefixes({*ids, *publishers}).items()
        if agency in publishers
    }
    return {agency: name for agency, name in names.items() if name in supergraph.subgraphs[agency].types}


def _keep_or_make_endpoint(member: Member, before: Mapping[str, Endpoint]) -> Endpoint:
    """The endpoint of before where the URL is the same, so that its connections and its breaker stay."""
    known = before.get(member.agency)
    return known if known and known.url == member.url else Endpoint(member.url, AGENCY_LIMITS)
