"""What agencies' subgraphs are told, and whom they may tell of their errors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.auth.outgoing import SubgraphTokens
from gateway.federation.executor.subgraphs import Caller
from gateway.registry.check import NATIONAL
from resolvers.registry import local_case
from resolvers.request.context import RequestContext


@dataclass(frozen=True, slots=True)
class Trust:
    """The engine's hooks; callers' `context` is the request's RequestContext."""

    tokens: SubgraphTokens
    now: Callable[[], datetime]

    def sign(self, subgraph: str, body: bytes, kind: str, caller: Caller) -> tuple[tuple[str, str], ...]:
        viewer = _context(caller).viewer
        if kind == "mutation":
            token = self.tokens.for_mutation(subgraph, viewer, self.now(), body)
        else:
            token = self.tokens.for_query(subgraph, viewer, self.now())
        return (("authorization", f"Bearer {token}"),)


async def may_send(subgraph: str, representations: Sequence[dict[str, Any]], caller: Caller) -> Sequence[bool]:
    """Of complaints, those that policy lets the agency be asked of; our own subgraph decides as it reads."""
    if subgraph == NATIONAL:
        return [True] * len(representations)
    return await local_case.may_be_sent(_context(caller), subgraph, representations)


def shows_messages(subgraph: str, caller: Caller) -> bool:
    """Our own messages are for everyone, an agency's for its own staff."""
    return subgraph in (NATIONAL, _context(caller).viewer.agency)


def _context(caller: Caller) -> RequestContext:
    context = caller.context
    assert isinstance(context, RequestContext)  # noqa: S101 - /graphql gives each caller one
    return context
