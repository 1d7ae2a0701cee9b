"""Routing: what the rules would do with a complaint, and whether its chain of custody verifies."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers.agencies import agency as agencies
from schema.binding import column, loaded, object_type

if TYPE_CHECKING:
    from schema.agency import Agency

LazyAgency = Annotated["Agency", strawberry.lazy("schema.agency")]


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
    score: float = column("score", description="0 to 1: how certain the rule is; people decide below 0.85.")
    reason: str = column("reason", description="One plain sentence or more.")
    rule: str = column("rule", description="The rule's id: docs/routing.md.")


@object_type()
class RoutingPreview:
    candidates: list[RoutingCandidate] = column("candidates", description="Best first; the national desk comes last.")
    decided: LazyAgency | None = loaded(
        agencies.by_id, key="decided", description="Set where a rule is certain enough to route by itself."
    )


@object_type()
class RoutingChainVerification:
    """The hashes of a complaint's forwardings, computed anew from the first."""

    valid: bool
    length: int = column("length", description="How many forwardings there are.")
    first_invalid_sequence: int | None = column(
        "firstInvalidSequence",
        description="The first link that was altered, put in or is missing; null where the chain verifies.",
    )
