"""Lists in pages: Relay's arguments, cursors, and the pages that a connection reads.

A cursor holds the sort key and the id of a row, so that a page starts after a row and not at an offset. It is signed
with the list that it came from: a cursor that was altered, or is used with another filter or order, is refused.

    [sort key, id] = [1793588400000, "LP-7K2M-…"]  →  base64(HMAC tag + JSON)
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from resolvers.errors import InvalidArgument

Row = Any
"""A document of the list, of any kind."""

DEFAULT_PAGE: Final = 20
MAX_PAGE: Final = 100

_TAG_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Arguments:
    """Relay's arguments: `first` rows after the cursor `after`, or `last` rows before the cursor `before`."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def parse_size(self) -> int:
        """Return how many rows the page has.

        Raises InvalidArgument for both directions at once, and for a number that is not from 1 to MAX_PAGE.
        """
        if self.first is not None and self.last is not None:
            raise InvalidArgument("first and last cannot be used together: ask for one of them.")
        if (self.after is not None and self.last is not None) or (self.before is not None and self.first is not None):
            raise InvalidArgument("first goes with after, last goes with before.")
        if self.after is not None and self.before is not None:
            raise InvalidArgument("after and before cannot be used together: page in one direction.")
        name, size = ("last", self.last) if self.last is not None else ("first", self.first)
        if size is None:
            return DEFAULT_PAGE
        if not 1 <= size <= MAX_PAGE:
            raise InvalidArgument(f"{name}: {size} is not between 1 and {MAX_PAGE}.")
        return size

    @property
    def backwards(self) -> bool:
        return self.last is not None or self.before is not None


@dataclass(frozen=True, slots=True)
class Cursors:
    """Writes and reads the cursors of one list."""

    secret: bytes
    scope: bytes
    """The list's name, filter and order, from `encode_scope`."""

    def write(self, position: Sequence[Any]) -> str:
        payload = orjson.dumps(position)
        return base64.urlsafe_b64encode(self._sign(payload) + payload).rstrip(b"=").decode()

    def read(self, cursor: str) -> list[Any]:
        """Return the position. Raises InvalidArgument for a cursor that this list did not write."""
        try:
            raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except ValueError:
            raw = b""
        tag, payload = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        # Base64 can spell the same bytes in several ways; only the cursor that was written is accepted.
        if not hmac.compare_digest(tag, self._sign(payload)) or self.write(orjson.loads(payload)) != cursor:
            raise InvalidArgument(
                "The cursor does not belong to this list: cursors work only with the filter and order they came from."
            )
        position: list[Any] = orjson.loads(payload)
        return position

    def _sign(self, payload: bytes) -> bytes:
        return hmac.digest(self.secret, b"cursor\0" + self.scope + b"\0" + payload, hashlib.sha256)[:_TAG_BYTES]


def encode_scope(name: str, arguments: object) -> bytes:
    """Return the scope of a list's cursors: its name, and the arguments that decide on its rows and their order."""
    return orjson.dumps([name, arguments], option=orjson.OPT_SORT_KEYS)


@dataclass(slots=True)
class Page:
    """Rows in the list's order, also if they were fetched backwards."""

    rows: list[Row]
    has_next: bool
    has_previous: bool


@dataclass(slots=True)
class Listing:
    """A list whose page and whose count are fetched once, when the first field needs them."""

    fetch: Callable[[], Awaitable[Page]]
    total: Callable[[], Awaitable[int | None]]
    """Counts the rows of the whole list; None where counting took too long."""
    position: Callable[[Row], Sequence[Any]]
    """Gives the sort key and the id of a row, for its cursor."""
    cursors: Cursors
    _page: Page | None = None
    is_zoned: bool = True
    """Whether the instants of the rows carry their time zone, UTC."""
    _fetching: "asyncio.Future[Page] | None" = field(default=None, init=False)

    async def fetch_page(self) -> Page:
        if self._page is not None:
            return self._page
        # Several fields of a connection ask at the same time: all of them wait for the fetch of the first.
        if self._fetching is not None:
            return await asyncio.shield(self._fetching)
        self._fetching = asyncio.get_running_loop().create_future()
        try:
            self._page = await self.fetch()
        except BaseException as failure:
            self._fetching.set_exception(failure)
            # Marks the exception as seen: asyncio logs a future whose exception nobody has read.
            self._fetching.exception()
            raise
        self._fetching.set_result(self._page)
        return self._page

    def zone_instants(self) -> None:
        """Give the instants of the rows their time zone, for a reader of more keys than the list was asked for."""
        if self.is_zoned:
            return
        self.is_zoned = True
        if self._page is not None:
            _add_zone(self._page.rows)
            return
        fetch = self.fetch

        async def fetch_zoned() -> Page:
            page = await fetch()
            _add_zone(page.rows)
            return page

        self.fetch = fetch_zoned

    def write_cursor(self, row: Row) -> str:
        return self.cursors.write(self.position(row))


def _add_zone(value: Any) -> Any:
    """Return the value with UTC in all of its instants. Lists and dicts are changed in place."""
    if isinstance(value, list):
        value[:] = map(_add_zone, value)
    elif isinstance(value, dict):
        value.update({key: _add_zone(each) for key, each in value.items()})
    elif isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


def of_rows(
    rows: list[Row], arguments: Arguments, cursors: Cursors, *, position: Callable[[Row], Sequence[Any]]
) -> Listing:
    """Return a list over rows that are in memory already, in their order.

    Raises InvalidArgument for a cursor whose row is no longer in the list.
    """
    size = arguments.parse_size()
    cursor = arguments.after if arguments.after is not None else arguments.before
    start, stop = 0, len(rows)
    if cursor is not None:
        wanted = cursors.read(cursor)
        found = next((index for index, row in enumerate(rows) if list(position(row)) == wanted), None)
        if found is None:
            raise InvalidArgument("The row that this cursor stands for is no longer in the list: start anew.")
        start, stop = (found + 1, stop) if arguments.after is not None else (start, found)
    start, stop = (max(start, stop - size), stop) if arguments.backwards else (start, min(stop, start + size))

    page = Page(rows[start:stop], has_next=stop < len(rows), has_previous=start > 0)

    async def fetch() -> Page:
        return page

    async def total() -> int:
        return len(rows)

    return Listing(fetch, total, position, cursors, page)
