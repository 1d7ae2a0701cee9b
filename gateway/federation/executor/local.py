"""Subgraphs in this process beside those that are asked over a network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from gateway.federation.executor.subgraphs import Ask, Caller, Object


class LocalSubgraph(Protocol):
    """Answers an operation here; what it raises is the host's own fault, not a subgraph's failure."""

    async def execute(self, document: str, variables: Mapping[str, Any], caller: Caller, /) -> Object: ...


@dataclass(frozen=True, slots=True)
class Beside:
    """Asks those in this process by name, all others where `far` says."""

    local: Mapping[str, LocalSubgraph]
    far: Ask

    async def ask(self, subgraph: str, body: bytes, kind: str, caller: Caller, /) -> Object:
        here = self.local.get(subgraph)
        if here is None:
            return await self.far(subgraph, body, kind, caller)
        asked = orjson.loads(body)
        return await here.execute(asked["query"], asked["variables"], caller)
