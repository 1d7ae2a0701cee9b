"""Reads entities by the keys that other subgraphs send (`_entities`). Values that were sent are never used as data."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

from resolvers import policy
from resolvers.errors import InvalidArgument
from resolvers.request.context import RequestContext
from resolvers.request.loaders import ById, Loaders
from resolvers.store.database import Document

MAX_REPRESENTATIONS: Final = 1000


class Entity(NamedTuple):
    """The key field and the loader of an entity type."""

    key_field: str
    loader: Callable[[Loaders], ById[Any]]


COMPLAINT: Final = "Complaint"
ENTITIES: Final[Mapping[str, Entity]] = {
    "Agency": Entity("id", attrgetter("agency")),
    "Category": Entity("code", attrgetter("category")),
    COMPLAINT: Entity("id", attrgetter("complaint")),
    "Region": Entity("code", attrgetter("region")),
    "Team": Entity("id", attrgetter("team")),
}


async def by_representations(
    context: RequestContext, representations: Sequence[Any], keys: frozenset[str] = frozenset()
) -> list[Document | None]:
    """Return the entities in the order of their representations, each with its `__typename` and at least `keys`.

    None for an entity that does not exist, that the viewer may not know of, or whose representation is malformed: a
    caller cannot tell these apart. Raises InvalidArgument for more than 1 000 at once.
    """
    if len(representations) > MAX_REPRESENTATIONS:
        raise InvalidArgument(
            f"There are {len(representations)} representations; at most {MAX_REPRESENTATIONS} are taken at once."
        )
    # All loads begin before the first is awaited, so that the loaders read one batch per type.
    loading = [_load_entity(context, row, keys | frozenset(policy.KEYS)) for row in representations]
    return [None if one is None else _show_entity(context, one[0], await one[1]) for one in loading]


def _load_entity(
    context: RequestContext, representation: Any, keys: frozenset[str]
) -> tuple[str, Awaitable[Any]] | None:
    if not isinstance(representation, dict):
        return None
    type_name = representation.get("__typename")
    entity = ENTITIES.get(type_name) if isinstance(type_name, str) else None
    key = None if entity is None else representation.get(entity.key_field)
    if entity is None or not isinstance(key, str):
        return None
    return str(type_name), entity.loader(context.loaders).load(key, keys)


def _show_entity(context: RequestContext, type_name: str, document: Any) -> Document | None:
    if document is None:
        return None
    if type_name == COMPLAINT and not policy.may_know(context.viewer, document, context.proven):
        return None
    return {**document, "__typename": type_name}
