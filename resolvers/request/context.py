"""RequestContext: the viewer, the time, the loaders, the store and the secrets of one request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from resolvers.domain.calendar import Calendar
from resolvers.domain.service_policy import Policies
from resolvers.domain.vocabulary import TimeZone
from resolvers.key_ring import KeyRing, parse_ring
from resolvers.request.composer import NO_LOCAL_CASES, LocalCases, SubgraphComposer
from resolvers.request.loaders import Loaders
from resolvers.results import SubgraphHealthResult
from resolvers.store.database import Store
from resolvers.store.fan_out import FanOut
from resolvers.store.reference_data import ReferenceData
from resolvers.store.register import build_policies
from resolvers.viewer import PUBLIC, Viewer


def read_clock() -> datetime:
    """Return the present instant, cut to milliseconds: the precision that the database stores."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@dataclass(slots=True)
class RequestContext:
    store: Store
    loaders: Loaders
    now: datetime
    secret_key: bytes
    """Signs cursors; the secrets of submitted complaints are derived from it."""
    calendar: Callable[[TimeZone], Calendar]
    viewer: Viewer = PUBLIC
    policies: Policies = field(default_factory=build_policies)
    """The service policies: by default those that the product ships, not those of the database."""
    takes_secrets: bool = True
    """False for a GET request, whose text logs and browser histories keep."""
    local_cases: LocalCases = NO_LOCAL_CASES
    subgraph_health: Callable[[str], SubgraphHealthResult] | None = None
    """Gives the health of an agency's subgraph as this process sees it; None where it calls no subgraph."""
    composer: SubgraphComposer | None = None
    """None where this process does not accept subgraphs."""
    purpose: str | None = None
    """The request's header x-purpose: why the caller reads a reporter's identity."""
    vault_keys: str | None = None
    """The key ring of the settings; None: the key that is derived from `secret_key`."""
    request_id: str = ""
    """Identifies this request in the log and in errors."""
    proven: set[str] = field(default_factory=set)
    """The ids of complaints whose secret this request has shown: its sender is their reporter."""
    reference_data: ReferenceData | None = None
    """The reference data in this process, which must learn what this request writes."""
    live: FanOut | None = None
    """The stream of changes; None where this process has none."""
    position: str | None = None
    """In a subscription: the position that the client resumed from, then the position of each event."""

    @property
    def key_ring(self) -> KeyRing:
        return parse_ring(self.secret_key, self.vault_keys)

    def note_write(self, collection: str, document: Mapping[str, Any]) -> None:
        """Tell the reference data about a document that this request wrote, so that the next request reads it."""
        if self.reference_data is not None:
            self.reference_data.apply_write(collection, document)

    def renew(self, position: str | None) -> None:
        """Prepare for the next event of a subscription, which reads everything as it is then."""
        self.now = read_clock()
        self.loaders = Loaders(self.store, self.reference_data)
        self.position = position
