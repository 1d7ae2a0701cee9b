"""Runs a Program: what one request holds, and many coroutines stepped together so that loads come in batches."""

import asyncio
import types
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from graphql import FieldNode, GraphQLField, GraphQLObjectType, GraphQLResolveInfo
from graphql.execution.values import VariableValues
from graphql.pyutils import Path, is_awaitable

from gateway.executor.collect import Source
from resolvers.paging.keys import Keys
from resolvers.paging.listing import Listing
from resolvers.request.context import RequestContext
from schema.selection import SelectionInfo

JsonObject = dict[str, Any]


class Declined(Exception):
    """A value is not as the contract says: the reference executor decides what that means for the answer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Failure(NamedTuple):
    """What a resolver raised, in the place of its result."""

    error: Exception


class Kept(NamedTuple):
    """What a resolver gave, kept so that it is not called twice: for each field node, each document's in order."""

    documents: Sequence[Any]
    field_nodes: Sequence[FieldNode]
    outcomes: Sequence[Any]


class Outcome(NamedTuple):
    """What a resolver gave for a document."""

    parent: Any
    value: Any


@dataclass(slots=True)
class Run:
    """One request's state; the Program that it runs is shared and holds none."""

    context: RequestContext
    variables: VariableValues
    source: Source
    is_encoded: bool = True
    """The answer is going to be encoded and nothing else: parts of it may be JSON already."""
    kept: list[Kept] = field(default_factory=list)

    def outcomes(self) -> dict[tuple[int, int], Outcome]:
        """By the parent document's identity and the field node's; as whoever does not know the selection reads them."""
        for _, _, outcomes in self.kept:
            for outcome in outcomes:
                if isinstance(outcome, Listing):
                    outcome.zone()
        return {
            (id(document), id(field_node)): Outcome(document, outcome)
            for documents, field_nodes, outcomes in self.kept
            for number, field_node in enumerate(field_nodes)
            for document, outcome in zip(documents, outcomes[number * len(documents) :], strict=False)
        }

    def info(self, place: "Place") -> SelectionInfo:
        field = place.field.extensions["strawberry-definition"]
        return SelectionInfo(self.context, place.keys, field, lambda: self.raw_info(place))

    def raw_info(self, place: "Place") -> GraphQLResolveInfo[RequestContext]:
        return GraphQLResolveInfo(
            place.field_nodes[0].name.value,
            place.field_nodes,
            place.field.type,
            place.parent,
            Path(None, place.response_key, place.parent.name),
            self.source.schema,
            dict(self.source.fragments),
            None,
            self.source.operation,
            self.variables,
            self.context,
            is_awaitable,
            None,
            _NO_HELPERS,
        )


class Place(NamedTuple):
    """Where a field stands in the operation, and the keys that the selection below needs of its documents."""

    response_key: str
    field_nodes: list[FieldNode]
    field: GraphQLField
    parent: GraphQLObjectType
    keys: Keys


_NO_HELPERS: Final[Any] = None


class Step(Protocol):
    """A field that is read before the documents are shaped, or several of one kind."""

    async def run(self, run: Run, documents: Sequence[Any]) -> Sequence[list[Any]]:
        """For each field the completed value of every document, in order."""
        ...


class Objects(Protocol):
    """Documents of a selection's type to what is answered for them, in order."""

    async def run(self, run: Run, documents: Sequence[Any]) -> list[Any]: ...


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection set on one object type: what must be read first, then one generated function over all documents."""

    steps: tuple[Step, ...]
    shape: Callable[..., list[JsonObject]]
    keys: Keys
    serial: bool = False
    is_lasting: bool = False
    """A document's answer is the same for all requests, and small."""

    async def run(self, run: Run, documents: Sequence[Any]) -> list[Any]:
        if not self.steps:
            return self.shape(run, documents)
        if self.serial or len(self.steps) == 1:
            results = [await step.run(run, documents) for step in self.steps]
        else:
            results = successes(await together([step.run(run, documents) for step in self.steps]))
        return self.shape(run, documents, *[column for columns in results for column in columns])


def successes(outcomes: Sequence[Any]) -> list[Any]:
    """Raises the first failure."""
    for outcome in outcomes:
        if outcome.__class__ is Failure:
            raise outcome.error
    return list(outcomes)


async def together(coroutines: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """What each returns, or the Failure with what it raised.

    Each runs at once up to where it waits, so that whatever they ask of a loader goes into one batch; one that need
    not wait costs no turn of the event loop, and none becomes a task of its own. They must not cancel the task that
    they run in, as `asyncio.timeout` does.
    """
    if len(coroutines) == 1:
        return [await _outcome(coroutines[0])]
    results: list[Any] = [None] * len(coroutines)
    waiting: dict[int, Any] = {}
    try:
        for index, coroutine in enumerate(coroutines):
            _step(coroutine, index, results, waiting)
        while waiting:
            await _any_done(list({id(future): future for future in waiting.values()}.values()))
            for index, future in list(waiting.items()):
                if future is None or future.done():
                    del waiting[index]
                    _step(coroutines[index], index, results, waiting)
    finally:
        for coroutine in coroutines:
            coroutine.close()
    return results


async def _outcome(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await coroutine
    except Exception as error:
        return Failure(error)


def _step(coroutine: Coroutine[Any, Any, Any], index: int, results: list[Any], waiting: dict[int, Any]) -> None:
    try:
        future = coroutine.send(None)
    except StopIteration as done:
        results[index] = done.value
    except Exception as error:
        results[index] = Failure(error)
    else:
        waiting[index] = future
        if future is not None:
            # As a task does with what it is handed: another coroutine may wait for the same future.
            future._asyncio_future_blocking = False


async def _any_done(futures: list[Any]) -> None:
    if None in futures:
        await asyncio.sleep(0)
    elif len(futures) == 1:
        await _hand_on(futures[0])
    else:
        await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


@types.coroutine
def _hand_on(future: Any) -> Generator[Any, None, None]:
    """Waits for a future that a coroutine has yielded, without taking its result."""
    if not future.done():
        future._asyncio_future_blocking = True
        try:
            yield future
        except Exception as error:
            # A task throws what the future failed with: that is for the coroutine which waits for the future.
            if not future.done() or future.cancelled() or future.exception() is not error:
                raise


class Opens(Protocol):
    """A subscription's one root field: gives a document for each event."""

    def open(self, run: Run) -> AsyncGenerator[Any, None]: ...


@dataclass(frozen=True, slots=True)
class Program:
    """An operation, compiled."""

    source: Source
    root: Selection
    fields: int
    """Compiled, in all of its selections: what it takes in memory goes with it."""
    opens: Opens | None = None
    """Of a subscription, whose program is run for each event."""

    async def run(self, run: Run, event: Any = None) -> JsonObject:
        """The answer's data. Raises Declined where the reference executor has to complete it from `run.outcomes()`."""
        try:
            [data] = await self.root.run(run, (event,))
        except Declined:
            raise
        except Exception as error:
            raise Declined(type(error).__name__) from error
        answer: JsonObject = data
        return answer
