"""Fetches the schemas of running subgraphs by the query `{ _service { sdl } }`."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console

FETCH_SECONDS: Final = 10
_QUERY: Final = "{ _service { sdl } }"


class SchemaUnknown(Exception):
    """The subgraph's schema cannot be fetched; the message says why."""


async def fetch_sdl(name: str, url: str) -> str:
    """Fetches a subgraph's SDL from its URL. Raises SchemaUnknown."""
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
    """Caches the SDL of each running subgraph by its URL."""

    _sdl_by_url: dict[str, str] = field(default_factory=dict)
    _failing_urls: set[str] = field(default_factory=set)
    """URLs whose last refresh failed: standard error is told only once."""

    def find_sdl(self, name: str, url: str) -> str:
        """Returns the cached SDL, and fetches it the first time. Raises SchemaUnknown."""
        if url not in self._sdl_by_url:
            self._sdl_by_url[url] = asyncio.run(fetch_sdl(name, url))
        return self._sdl_by_url[url]

    async def refresh(self, urls: Mapping[str, str]) -> bool:
        """Fetches the SDL of all subgraphs again, `urls` by name. Returns whether any has changed.

        If a subgraph does not answer, its last SDL is kept and standard error says so, once.
        """
        before = dict(self._sdl_by_url)
        await asyncio.gather(*(self._refresh_one(name, url) for name, url in urls.items()))
        return self._sdl_by_url != before

    async def _refresh_one(self, name: str, url: str) -> None:
        try:
            self._sdl_by_url[url] = await fetch_sdl(name, url)
            self._failing_urls.discard(url)
        except SchemaUnknown as failure:
            if url not in self._failing_urls:
                self._failing_urls.add(url)
                Console(stderr=True).print(f"{failure} Its last one is kept.", markup=False, soft_wrap=True)
