"""Routes a request to a subgraph in this process, or over the network if the subgraph is not here."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.federation.executor.subgraphs import Ask, Caller, Object, SubgraphFailed, SubgraphRequest


class LocalSubgraph(Protocol):
    """A subgraph in this process. An exception that it raises is the host's own bug, not a SubgraphFailed."""

    async def execute(self, document: str, variables: Mapping[str, Any], caller: Caller, /) -> Object: ...


class LocalStreams(Protocol):
    """The subscriptions of a subgraph in this process, with the same rule for exceptions."""

    def listen(
        self, document: str, variables: Mapping[str, Any], caller: Caller, /
    ) -> AsyncGenerator[Object, None]: ...


@dataclass(frozen=True, slots=True)
class LocalFirst:
    """Asks the subgraphs in `local` directly, and all others through `remote`. `ask` and `listen` serve the engine."""

    local: Mapping[str, LocalSubgraph]
    remote: Ask
    streams: Mapping[str, LocalStreams] = field(default_factory=dict)

    async def ask(self, subgraph: str, request: SubgraphRequest, caller: Caller, /) -> Object:
        local = self.local.get(subgraph)
        if local is None:
            return await self.remote(subgraph, request, caller)
        return await local.execute(request.document, request.variables, caller)

    def listen(self, subgraph: str, request: SubgraphRequest, caller: Caller, /) -> AsyncGenerator[Object, None]:
        """Yields the events of a local subscription. Raises SubgraphFailed if the subgraph is not in this process."""
        local = self.streams.get(subgraph)
        if local is None:
            sentence = f"The subscriptions of the subgraph {subgraph} are not offered here."
            raise SubgraphFailed(sentence, "SUBSCRIPTION_NOT_OFFERED")
        return local.listen(request.document, request.variables, caller)
