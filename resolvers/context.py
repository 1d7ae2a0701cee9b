"""RequestContext: viewer, now, loaders, store, secrets; one a request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from resolvers.composer import Composer
from resolvers.domain.calendar import Calendar
from resolvers.domain.vocabulary import TimeZone
from resolvers.loaders import Loaders
from resolvers.store.database import Store
from resolvers.viewer import PUBLIC, Viewer


@dataclass(slots=True)
class RequestContext:
    store: Store
    loaders: Loaders
    now: datetime
    secret_key: bytes
    """Signs cursors and derives the secrets of submissions."""
    calendar: Callable[[TimeZone], Calendar]
    viewer: Viewer = PUBLIC
    takes_secrets: bool = True
    """False where the request's text ends up in logs and histories, as a GET's does."""
    local_cases: Mapping[str, str] = field(default_factory=dict)
    """The type of LocalCase that an agency's subgraph brings, by agency."""
    composer: Composer | None = None
    """None where this process takes no subgraphs."""
    proven: set[str] = field(default_factory=set)
    """The complaints whose secret this request has shown: their reporter is asking."""
