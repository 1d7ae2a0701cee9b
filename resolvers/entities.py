"""Entities by their keys, as the graph's other subgraphs name them: read anew, never taken from what was sent."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from resolvers import agency, category, complaint, region, team
from resolvers.context import RequestContext
from resolvers.errors import InvalidArgument
from resolvers.store.database import Document

MAX_REPRESENTATIONS: Final = 1000

Load = Callable[[RequestContext, str], Awaitable[Document | None]]

ENTITIES: Final[Mapping[str, tuple[str, Load]]] = {
    "Agency": ("id", agency.by_id),
    "Category": ("code", category.by_code),
    "Complaint": ("id", complaint.by_id),
    "Region": ("code", region.by_code),
    "Team": ("id", team.by_id),
}
"""Each entity's key field, and how it is read within what the viewer may know."""


async def by_representations(context: RequestContext, representations: Sequence[Any]) -> list[Document | None]:
    """The entities in the order of their representations, each with its `__typename`.

    None for what is absent, not to be known of, or no representation of an entity: the three look the same.
    Raises InvalidArgument for more than 1 000 at once.
    """
    if len(representations) > MAX_REPRESENTATIONS:
        raise InvalidArgument(
            f"There are {len(representations)} representations; at most {MAX_REPRESENTATIONS} are taken at once."
        )
    # All are asked for before the first is awaited: the loaders read them in one batch a type.
    loading = [_load(context, row) for row in representations]
    found = [None if one is None else (one[0], await one[1]) for one in loading]
    return [None if row is None or row[1] is None else {**row[1], "__typename": row[0]} for row in found]


def _load(context: RequestContext, representation: Any) -> tuple[str, Awaitable[Document | None]] | None:
    if not isinstance(representation, dict):
        return None
    type_name = representation.get("__typename")
    known = ENTITIES.get(type_name) if isinstance(type_name, str) else None
    if known is None:
        return None
    key_field, load = known
    key = representation.get(key_field)
    return (str(type_name), load(context, key)) if isinstance(key, str) else None
