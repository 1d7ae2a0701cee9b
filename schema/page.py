"""PageInfo, and the fields that every connection has (Relay's cursor connections)."""

from typing import Any

from strawberry import Info, Parent

from resolvers.paging.listing import Listing, Page, Row
from resolvers.request.context import RequestContext
from schema.binding import called, column, derived, object_type

ContextInfo = Info[RequestContext, None]


@object_type()
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None = column("startCursor", description="Null if the page is empty.")
    end_cursor: str | None = column("endCursor", description="Null if the page is empty.")


def edges(edge: Any) -> Any:
    """Returns the field `edges`: the rows with their cursors."""

    async def read(listing: Parent[Listing]) -> list[dict[str, Any]]:
        return [{"node": row, "listing": listing} for row in (await listing.fetch_page()).rows]

    return called(list[edge], passes=True)(read)


def nodes(node: Any) -> Any:
    """Returns the field `nodes`: only the rows."""

    async def read(listing: Parent[Listing]) -> list[Row]:
        return (await listing.fetch_page()).rows

    return called(list[node], passes=True)(read)


def page_info() -> Any:
    """Returns the field `pageInfo`."""

    async def read(listing: Parent[Listing]) -> dict[str, Any]:
        page: Page = await listing.fetch_page()
        first, last = (
            (listing.write_cursor(page.rows[0]), listing.write_cursor(page.rows[-1])) if page.rows else (None, None)
        )
        return {
            "hasNextPage": page.has_next,
            "hasPreviousPage": page.has_previous,
            "startCursor": first,
            "endCursor": last,
        }

    return called(PageInfo)(read)


def total_count(graphql_type: Any, description: str | None = None) -> Any:
    """Returns the field `totalCount`, which counts with a command of its own."""

    async def read(listing: Parent[Listing]) -> int | None:
        return await listing.total()

    read.__doc__ = description
    return called(graphql_type, commands=1)(read)


def cursor() -> Any:
    """Returns the field `cursor` of an edge."""
    return derived(lambda context, edge: edge["listing"].write_cursor(edge["node"]), needs=())
