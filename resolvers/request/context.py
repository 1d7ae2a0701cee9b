"""RequestContext: viewer, now, loaders, store, secrets; one a request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from resolvers.domain.calendar import Calendar
from resolvers.domain.service_policy import Policies
from resolvers.domain.vocabulary import TimeZone
from resolvers.key_ring import KeyRing, ring
from resolvers.request.composer import NO_LOCAL_CASES, Composer, LocalCases
from resolvers.request.loaders import Loaders, loaders
from resolvers.store.database import Document, Store
from resolvers.store.fan_out import FanOut
from resolvers.store.reference_data import ReferenceData
from resolvers.store.register import build_policies
from resolvers.viewer import PUBLIC, Viewer


def moment() -> datetime:
    """Now, to the millisecond, which is what the database keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@dataclass(slots=True)
class RequestContext:
    store: Store
    loaders: Loaders
    now: datetime
    secret_key: bytes
    """Signs cursors and derives the secrets of submissions."""
    calendar: Callable[[TimeZone], Calendar]
    viewer: Viewer = PUBLIC
    policies: Policies = field(default_factory=build_policies)
    """The service policies: those that ship, where the database's are not read."""
    takes_secrets: bool = True
    """False where the request's text ends up in logs and histories, as a GET's does."""
    local_cases: LocalCases = NO_LOCAL_CASES
    subgraph_health: Callable[[str], Document] | None = None
    """How an agency's subgraph does, as this process sees it; None where it asks none."""
    composer: Composer | None = None
    """None where this process takes no subgraphs."""
    purpose: str | None = None
    """Why the caller reads who reported: the request's header x-purpose, as it was sent."""
    vault_keys: str | None = None
    """The settings' key ring; None: the key that the secret gives."""
    request_id: str = ""
    """Tells this request apart in the log and in errors."""
    proven: set[str] = field(default_factory=set)
    """The complaints whose secret this request has shown: their reporter is asking."""
    held: ReferenceData | None = None
    """The process's reference data, which is told of what this request writes."""
    live: FanOut | None = None
    """None where this process streams nothing."""
    position: str | None = None
    """In a subscription: where the client's knowledge ended, then that of each event."""

    @property
    def key_ring(self) -> KeyRing:
        return ring(self.secret_key, self.vault_keys)

    def wrote(self, collection: str, document: Document) -> None:
        if self.held is not None:
            self.held.apply_write(collection, document)

    def renew(self, position: str | None) -> None:
        """For the next event of a subscription, which reads everything as it is then."""
        self.now = moment()
        self.loaders = loaders(self.store, self.held)
        self.position = position
