"""Subgraphs in this process beside those that are asked over a network."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from gateway.federation.executor.subgraphs import Ask, Caller, Object, SubgraphFailed


class LocalSubgraph(Protocol):
    """Answers an operation here; what it raises is the host's own fault, not a subgraph's failure."""

    async def execute(self, document: str, variables: Mapping[str, Any], caller: Caller, /) -> Object: ...


class LocalStreams(Protocol):
    """A subscription's events here, likewise."""

    def listen(
        self, document: str, variables: Mapping[str, Any], caller: Caller, /
    ) -> AsyncGenerator[Object, None]: ...


@dataclass(frozen=True, slots=True)
class Beside:
    """Asks those in this process by name, all others where `far` says."""

    local: Mapping[str, LocalSubgraph]
    far: Ask
    streams: Mapping[str, LocalStreams] = field(default_factory=dict)

    async def ask(self, subgraph: str, body: bytes, kind: str, caller: Caller, /) -> Object:
        here = self.local.get(subgraph)
        if here is None:
            return await self.far(subgraph, body, kind, caller)
        asked = orjson.loads(body)
        return await here.execute(asked["query"], asked["variables"], caller)

    def listen(self, subgraph: str, body: bytes, caller: Caller, /) -> AsyncGenerator[Object, None]:
        """Raises SubgraphFailed for one that is not in this process."""
        here = self.streams.get(subgraph)
        if here is None:
            sentence = f"The subscriptions of the subgraph {subgraph} are not offered here."
            raise SubgraphFailed(sentence, "SUBSCRIPTION_NOT_OFFERED")
        asked = orjson.loads(body)
        return here.listen(asked["query"], asked["variables"], caller)
