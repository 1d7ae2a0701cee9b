"""Routing: a preview of the routing rules, and the verification of a complaint's chain of custody."""

import strawberry

from resolvers.agencies import agency as agencies
from schema.binding import column, loaded, object_type
from schema.lazy import LazyAgency


@strawberry.input
class RoutingPreviewInput:
    title: str
    body: str
    category: strawberry.ID | None = None
    region: strawberry.ID | None = None
    named_agency: strawberry.ID | None = None


@object_type()
class RoutingCandidate:
    agency: LazyAgency = loaded(agencies.by_id, key="agency")
    score: float = column("score", description="0 to 1: how certain the rule is. Below 0.85, people decide.")
    reason: str = column("reason", description="Why, in one or more plain sentences.")
    rule: str = column("rule", description="The rule's id, as docs/routing.md lists it.")


@object_type()
class RoutingPreview:
    """What the routing rules suggest for a complaint."""

    candidates: list[RoutingCandidate] = column("candidates", description="The best first; the national desk is last.")
    decided: LazyAgency | None = loaded(
        agencies.by_id,
        key="decided",
        description="The agency, if a rule is certain enough to route without people; otherwise null.",
    )


@object_type()
class RoutingChainVerification:
    """The result of recomputing the hashes of a complaint's forwardings from the first one."""

    valid: bool = column("valid", description="Whether every hash is right.")
    length: int = column("length", description="How many forwardings there are.")
    first_invalid_sequence: int | None = column(
        "firstInvalidSequence",
        description="The first link that was altered, inserted or is missing; null if the chain is valid.",
    )
