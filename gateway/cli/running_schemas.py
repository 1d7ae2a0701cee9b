"""The schemas that running subgraphs say of themselves, by `_service { sdl }`."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console

FETCH_SECONDS: Final = 10
_QUERY: Final = "{ _service { sdl } }"


class SchemaUnknown(Exception):
    """The subgraph does not say its schema; the message says why."""


async def asked(name: str, url: str) -> str:
    """The SDL that the subgraph at the URL says of itself. Raises SchemaUnknown."""
    from gateway.federation.executor.endpoint import Endpoint, TransportLimits
    from gateway.federation.executor.subgraphs import SubgraphFailed, SubgraphRequest
    from gateway.federation.executor.transport import HttpTransport

    transport = HttpTransport({name: Endpoint(url, TransportLimits(timeout_ms=FETCH_SECONDS * 1000))})
    try:
        answer = await transport.ask(name, SubgraphRequest.of(_QUERY, "query", {}))
    except SubgraphFailed as failure:
        raise SchemaUnknown(f"The schema of the subgraph {name} cannot be read from {url}: {failure}") from None
    finally:
        await transport.close()
    match answer:
        case {"data": {"_service": {"sdl": str(sdl)}}}:
            return sdl
        case _:
            raise SchemaUnknown(f"The subgraph {name} at {url} does not answer _service {{ sdl }}.")


@dataclass(slots=True)
class RunningSchemas:
    """The SDL of each subgraph as it was last heard, by its URL."""

    _heard: dict[str, str] = field(default_factory=dict)
    _silent: set[str] = field(default_factory=set)
    """Of those that are asked again, the ones that did not answer the last time."""

    def sdl(self, name: str, url: str) -> str:
        """As last heard; who has not been heard yet is asked. Raises SchemaUnknown."""
        if url not in self._heard:
            self._heard[url] = asyncio.run(asked(name, url))
        return self._heard[url]

    async def have_changed(self, urls: Mapping[str, str]) -> bool:
        """Asks all of them, by name, and says whether one has another schema now.

        Who does not answer keeps the last one, which standard error is told once.
        """
        before = dict(self._heard)
        await asyncio.gather(*(self._ask(name, url) for name, url in urls.items()))
        return self._heard != before

    async def _ask(self, name: str, url: str) -> None:
        try:
            self._heard[url] = await asked(name, url)
            self._silent.discard(url)
        except SchemaUnknown as failure:
            if url not in self._silent:
                self._silent.add(url)
                Console(stderr=True).print(f"{failure} Its last one is kept.", markup=False, soft_wrap=True)
