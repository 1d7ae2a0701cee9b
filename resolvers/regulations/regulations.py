"""The service policies and holidays of the database, read again every 30 seconds."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NoReturn

from resolvers.domain import service_policy
from resolvers.domain.service_policy import Policies
from resolvers.domain.sla import Calendars
from resolvers.regulations import holiday_tables
from resolvers.store.database import BATCH_SIZE, MAX_TIME_MS, Document, PyMongoError, Store
from resolvers.store.register import build_policies, policies
from resolvers.system_documents import HolidayOverrideDoc

REFRESH_S: Final = 30
RETRY_S: Final = 1

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Regulations:
    """The copy of one process. Until the database was read it holds the published policies and holidays.

    A malformed document changes nothing: the last good copy stays in force, and an error is logged.
    """

    store: Store
    policies: Policies = field(default_factory=build_policies)
    calendar: Calendars = holiday_tables.find_calendar
    is_fresh: bool = False

    async def read(self) -> None:
        """Read the database. Raises PyMongoError."""
        stored = self.store.policies.find({}, batch_size=BATCH_SIZE, max_time_ms=MAX_TIME_MS)
        changed = self.store.holiday_overrides.find({}, batch_size=BATCH_SIZE, max_time_ms=MAX_TIME_MS)
        versions: dict[str, Mapping[str, Any]] = {shipped["_id"]: shipped for shipped in policies()}
        versions |= {row["_id"]: row for row in await stored.to_list(None)}
        overrides = await changed.to_list(None)
        try:
            in_force = Policies(map(service_policy.from_document, versions.values()))
            self.policies, self.calendar = in_force, holiday_tables.apply_overrides(overrides)
        except (LookupError, TypeError, ValueError, AttributeError) as failure:
            _log.error("A policy or holiday override cannot be read (%s): the last good ones stay.", failure)
        self.is_fresh = True

    async def keep_fresh(self) -> NoReturn:
        """Read every 30 seconds until cancelled; a second after a failure."""
        while True:
            await asyncio.sleep(REFRESH_S if self.is_fresh else RETRY_S)
            try:
                await self.read()
            except PyMongoError:
                self.is_fresh = False


async def declare_day(store: Store, day: date, *, name: str | None, decree: str) -> None:
    """Store that a decree has made the day a holiday, or a working day when `name` is None."""
    override: HolidayOverrideDoc = {"_id": day.isoformat(), "name": name, "decree": decree}
    content: Document = {key: value for key, value in override.items() if key != "_id"}
    await store.holiday_overrides.update_one({"_id": override["_id"]}, {"$set": content}, upsert=True)
