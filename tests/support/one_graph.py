"""What tests of the graph at /graphql share: a stored complaint, and the wait until what was published is served."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from support.examples import a_complaint
from support.portal import Portal

from resolvers.store.database import Store


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - the change happens in the gateway
            await asyncio.sleep(0.05)


async def knows(portal: Portal, field: str) -> bool:
    found = await portal.data('{ __type(name: "Complaint") { fields { name } } }')
    return field in {row["name"] for row in found["__type"]["fields"]}


async def a_stored(store: Store, **given: Any) -> str:
    complaint = a_complaint(**given)
    await store.complaints.insert_one(complaint)
    complaint_id: str = complaint["_id"]
    return complaint_id
