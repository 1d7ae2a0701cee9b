"""The engine's hooks for agencies' subgraphs: sign requests, filter representations, hide error messages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.auth.subgraph_tokens import SubgraphTokens
from gateway.federation.executor.subgraphs import Caller
from gateway.registry.check import NATIONAL
from resolvers.registry import local_case
from resolvers.request.context import RequestContext


@dataclass(frozen=True, slots=True)
class RequestSigner:
    """Signs requests to agencies' subgraphs. A caller's `context` is the RequestContext of the client's request."""

    tokens: SubgraphTokens
    now: Callable[[], datetime]

    def sign(self, subgraph: str, body: bytes, kind: str, caller: Caller) -> tuple[tuple[str, str], ...]:
        viewer = _read_context(caller).viewer
        if kind == "mutation":
            token = self.tokens.make_mutation_token(subgraph, viewer, self.now(), body)
        else:
            token = self.tokens.make_query_token(subgraph, viewer, self.now())
        return (("authorization", f"Bearer {token}"),)


async def may_send(subgraph: str, representations: Sequence[dict[str, Any]], caller: Caller) -> Sequence[bool]:
    """Allows a complaint only if policy lets the agency know of it. Our own subgraph decides when it reads."""
    if subgraph == NATIONAL:
        return [True] * len(representations)
    return await local_case.may_be_sent(_read_context(caller), subgraph, representations)


def shows_messages(subgraph: str, caller: Caller) -> bool:
    """Our own messages are for everybody, an agency's messages only for its own staff."""
    return subgraph in (NATIONAL, _read_context(caller).viewer.agency)


def _read_context(caller: Caller) -> RequestContext:
    context = caller.context
    assert isinstance(context, RequestContext)  # noqa: S101 - /graphql gives each caller one
    return context
