"""Lists that are asked for page by page: Relay's arguments, cursors, and what a connection reads.

A cursor holds the sort key and id of the row it stands for, signed together with the list it came from: used with
another filter or order, or altered, it is refused.
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

Row = dict[str, Any]

DEFAULT_PAGE: Final = 20
MAX_PAGE: Final = 100

_TAG_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Arguments:
    """Relay's four: `first` after `after`, or `last` before `before`."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def size(self) -> int:
        """Rows wanted.

        Raises InvalidArgument for both directions at once, and for anything but 1 to 100 rows.
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
    """Writes and reads the cursors of one list; `scope` names the list, its filter and its order."""

    secret: bytes
    scope: bytes

    def write(self, position: Sequence[Any]) -> str:
        payload = orjson.dumps(position)
        return base64.urlsafe_b64encode(self._tag(payload) + payload).rstrip(b"=").decode()

    def read(self, cursor: str) -> list[Any]:
        """Raises InvalidArgument for a cursor that this list did not give out."""
        try:
            raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except ValueError:
            raw = b""
        tag, payload = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        # Base64 has several spellings of the same bytes: only the one that was given out is taken.
        if not hmac.compare_digest(tag, self._tag(payload)) or self.write(orjson.loads(payload)) != cursor:
            raise InvalidArgument(
                "The cursor does not belong to this list: cursors work only with the filter and order they came from."
            )
        position: list[Any] = orjson.loads(payload)
        return position

    def _tag(self, payload: bytes) -> bytes:
        return hmac.digest(self.secret, b"cursor\0" + self.scope + b"\0" + payload, hashlib.sha256)[:_TAG_BYTES]


def scope(name: str, arguments: object) -> bytes:
    """What a cursor is bound to: the list's name, its filter and its order."""
    return orjson.dumps([name, arguments], option=orjson.OPT_SORT_KEYS)


@dataclass(slots=True)
class Page:
    """Rows in the list's order, whichever way they were fetched."""

    rows: list[Row]
    has_next: bool
    has_previous: bool


@dataclass(slots=True)
class Listing:
    """A list that was asked for: its page and its count are fetched when a field needs them, once."""

    fetch: Callable[[], Awaitable[Page]]
    total: Callable[[], Awaitable[int | None]]
    position: Callable[[Row], Sequence[Any]]
    cursors: Cursors
    _page: Page | None = None
    is_zoned: bool = True
    """Whether its rows' instants say that they are of UTC."""
    _fetching: "asyncio.Future[Page] | None" = field(default=None, init=False)

    async def page(self) -> Page:
        if self._page is not None:
            return self._page
        # Several fields ask at once: the first one's question answers them all.
        if self._fetching is not None:
            return await asyncio.shield(self._fetching)
        self._fetching = asyncio.get_running_loop().create_future()
        try:
            self._page = await self.fetch()
        except BaseException as failure:
            self._fetching.set_exception(failure)
            self._fetching.exception()  # told to nobody else, where nobody else has asked
            raise
        self._fetching.set_result(self._page)
        return self._page

    def zone(self) -> None:
        """For who reads more of the rows than was said: from now on their instants are of UTC."""
        if self.is_zoned:
            return
        self.is_zoned = True
        if self._page is not None:
            _zoned(self._page.rows)
            return
        fetch = self.fetch

        async def zoned() -> Page:
            page = await fetch()
            _zoned(page.rows)
            return page

        self.fetch = zoned

    def cursor(self, row: Row) -> str:
        return self.cursors.write(self.position(row))


def _zoned(value: Any) -> Any:
    """The value, changed in its place where it holds others."""
    if isinstance(value, list):
        value[:] = map(_zoned, value)
    elif isinstance(value, dict):
        value.update({key: _zoned(each) for key, each in value.items()})
    elif isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


def of_rows(
    rows: list[Row], arguments: Arguments, cursors: Cursors, *, position: Callable[[Row], Sequence[Any]]
) -> Listing:
    """A list over rows that are in memory already, in their order."""
    size = arguments.size()
    given = arguments.after if arguments.after is not None else arguments.before
    start, stop = 0, len(rows)
    if given is not None:
        wanted = cursors.read(given)
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
