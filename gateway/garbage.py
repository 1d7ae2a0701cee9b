"""Python's garbage collector kept away from large graphs, whose every traversal would hold the event loop.

A graph of hundreds of agencies is some million objects: with the collector at work while it is built, requests waited
for seconds; frozen, it is looked at no more, and what it replaces is taken apart instead of looked for.
"""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from graphql import GraphQLSchema, is_introspection_type, is_specified_scalar_type

YOUNG_OBJECTS: Final = 50_000
"""Alive at once before they are looked through: a request's hundreds die by themselves long before."""

TYPES_AT_ONCE: Final = 50


@contextmanager
def left_alone() -> Iterator[None]:
    """Nothing is collected meanwhile; what is alive afterwards, or garbage already, is not looked at again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def serve() -> None:
    """Once everything is built: more than a hundred thousand objects stay, and need not be looked at again."""
    collect()
    gc.set_threshold(YOUNG_OBJECTS)


def collect() -> None:
    """Frees what was frozen and has become garbage since."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def free(schema: GraphQLSchema) -> None:
    """Frees a schema that nobody uses any more, some types at a time.

    They hold each other in circles; a collection that finds hundreds of agencies' holds the event loop for 0.7 s.
    """
    for number, named in enumerate([*schema.type_map.values()]):
        if not is_specified_scalar_type(named) and not is_introspection_type(named):
            vars(named).clear()
        if number % TYPES_AT_ONCE == 0:
            await asyncio.sleep(0)
