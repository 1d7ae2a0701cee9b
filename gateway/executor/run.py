"""Runs a Program: the state of one request, the compiled selections, and the stepping of concurrent coroutines.

A selection works on all documents of its depth at once: first its steps load what is not in the documents, then one
generated function (`ShapeWriter`) builds every answer.
"""

import asyncio
import types
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from graphql import FieldNode, GraphQLField, GraphQLObjectType, GraphQLResolveInfo
from graphql.execution.values import VariableValues
from graphql.pyutils import Path, is_awaitable

from gateway.executor.field_collector import OperationSource
from resolvers.paging.keys import ProjectionKeys
from resolvers.paging.listing import Listing
from resolvers.request.context import RequestContext
from schema.selection import SelectionInfo

JsonObject = dict[str, Any]


class Declined(Exception):
    """A value breaks the contract, so the reference executor decides what the answer is.

    `reason` is a label of the metric of referred operations.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Failure(NamedTuple):
    """An exception that a resolver raised, in the place of its result."""

    error: Exception


class Outcome(NamedTuple):
    """The result of a resolver for a document, or the Failure."""

    parent: Any
    value: Any


class ResolverOutcomes(NamedTuple):
    """The outcomes of one ResolverCall: for the first field node each document's in order, then the next node's."""

    documents: Sequence[Any]
    field_nodes: Sequence[FieldNode]
    outcomes: Sequence[Any]


@dataclass(slots=True)
class OperationRun:
    """The state of one request. The Program is shared by requests and holds no state."""

    context: RequestContext
    variables: VariableValues
    source: OperationSource
    is_encoded: bool = True
    """Whether the answer is only encoded afterwards: parts of it may then be cached JSON."""
    called: list[ResolverOutcomes] = field(default_factory=list)

    def collect_outcomes(self) -> dict[tuple[int, int], Outcome]:
        """Returns all outcomes by the identities of the parent document and of the field node.

        Identities are unique here because `called` keeps every document alive, and Outcome the parent.
        """
        for _, _, outcomes in self.called:
            for outcome in outcomes:
                if isinstance(outcome, Listing):
                    # Its rows may hold datetimes without a time zone, which only the generated code understands.
                    outcome.zone_instants()
        return {
            (id(document), id(field_node)): Outcome(document, outcome)
            for documents, field_nodes, outcomes in self.called
            for number, field_node in enumerate(field_nodes)
            for document, outcome in zip(documents, outcomes[number * len(documents) :], strict=False)
        }

    def make_info(self, selected: "OperationField") -> SelectionInfo:
        """Returns the `info` of a resolver. graphql-core's, which is costly, is made only if the resolver reads it."""
        field = selected.field.extensions["strawberry-definition"]
        return SelectionInfo(self.context, selected.keys, field, lambda: self.make_core_info(selected))

    def make_core_info(self, selected: "OperationField") -> GraphQLResolveInfo[RequestContext]:
        return GraphQLResolveInfo(
            selected.field_nodes[0].name.value,
            selected.field_nodes,
            selected.field.type,
            selected.parent,
            Path(None, selected.response_key, selected.parent.name),
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


class OperationField(NamedTuple):
    """A field of the operation. `keys` are what the selection below it reads of a document."""

    response_key: str
    field_nodes: list[FieldNode]
    field: GraphQLField
    parent: GraphQLObjectType
    keys: ProjectionKeys


_NO_HELPERS: Final[Any] = None


class LoadStep(Protocol):
    """Loads one field that is not in the documents, or several aliases of it, before the documents are shaped."""

    async def run(self, run: OperationRun, documents: Sequence[Any]) -> Sequence[list[Any]]:
        """Returns for each response key the completed values, one for each document, in order."""
        ...


class ObjectSelection(Protocol):
    """A compiled selection on documents: returns their answers, in order."""

    async def run(self, run: OperationRun, documents: Sequence[Any]) -> list[Any]: ...


@dataclass(frozen=True, slots=True)
class CompiledSelection:
    """A selection set on one object type: its steps, then one generated function over all documents."""

    steps: tuple[LoadStep, ...]
    shape: Callable[..., list[JsonObject]]
    keys: ProjectionKeys
    serial: bool = False
    """Whether the steps run one after the other: at the root of a mutation."""
    is_lasting: bool = False
    """Whether a document's answer is the same for all requests, and small: it may be cached."""

    async def run(self, run: OperationRun, documents: Sequence[Any]) -> list[Any]:
        if not self.steps:
            return self.shape(run, documents)
        if self.serial or len(self.steps) == 1:
            results = [await step.run(run, documents) for step in self.steps]
        else:
            results = unwrap_outcomes(await run_together([step.run(run, documents) for step in self.steps]))
        return self.shape(run, documents, *[column for columns in results for column in columns])


def unwrap_outcomes(outcomes: Sequence[Any]) -> list[Any]:
    """Returns the values, or raises the error of the first Failure."""
    for outcome in outcomes:
        if outcome.__class__ is Failure:
            raise outcome.error
    return list(outcomes)


async def run_together(coroutines: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Runs coroutines concurrently inside the current task, and returns their results or Failures, in order.

    Like asyncio.gather, but without a task for each coroutine. First each runs up to its first wait, so that all of
    them ask a loader before it sends its batch. A coroutine that does not wait costs no turn of the event loop.
    Coroutines must not cancel the task that they run in, as `asyncio.timeout` does.
    """
    if len(coroutines) == 1:
        return [await _capture_outcome(coroutines[0])]
    results: list[Any] = [None] * len(coroutines)
    # By index of a coroutine: the future that it waits for; None if it only gave up its turn (`asyncio.sleep(0)`).
    waiting: dict[int, Any] = {}
    try:
        for index, coroutine in enumerate(coroutines):
            _advance(coroutine, index, results, waiting)
        while waiting:
            # Several coroutines may wait for one future, for example one batch of a loader.
            await _wait_any(list({id(future): future for future in waiting.values()}.values()))
            for index, future in list(waiting.items()):
                if future is None or future.done():
                    del waiting[index]
                    _advance(coroutines[index], index, results, waiting)
    finally:
        # If this task is cancelled, the coroutines must run their `finally` blocks too.
        for coroutine in coroutines:
            coroutine.close()
    return results


async def _capture_outcome(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await coroutine
    except Exception as error:
        return Failure(error)


def _advance(coroutine: Coroutine[Any, Any, Any], index: int, results: list[Any], waiting: dict[int, Any]) -> None:
    """Runs a coroutine up to its next wait or its end, as `asyncio.Task.__step` does."""
    try:
        future = coroutine.send(None)
    except StopIteration as done:
        results[index] = done.value
    except Exception as error:
        results[index] = Failure(error)
    else:
        waiting[index] = future
        if future is not None:
            # A task resets this flag of every future that it is handed. Without that, a second coroutine that waits
            # for the same future could not be told from a broken `yield`, and asyncio would raise RuntimeError.
            future._asyncio_future_blocking = False


async def _wait_any(futures: list[Any]) -> None:
    if None in futures:
        await asyncio.sleep(0)
    elif len(futures) == 1:
        await _wait_future(futures[0])
    else:
        await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


@types.coroutine
def _wait_future(future: Any) -> Generator[Any, None, None]:
    """Waits for a future that a coroutine has yielded, without taking its result."""
    if not future.done():
        future._asyncio_future_blocking = True
        try:
            yield future
        except Exception as error:
            # The task throws the future's own exception in here. The coroutine that waits for the future gets it from
            # there; any other exception is for this task.
            if not future.done() or future.cancelled() or future.exception() is not error:
                raise


OpenEvents = Callable[[OperationRun], AsyncGenerator[Any, None]]
"""Opens the event stream of a subscription's one root field: a document for each event."""


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled operation. It holds no state of a request, so requests share it."""

    source: OperationSource
    root: CompiledSelection
    fields: int
    """Number of compiled fields, in all selections: the program's memory grows with it."""
    open_events: OpenEvents | None = None
    """Only for a subscription. The program itself is run for each event."""

    async def run(self, run: OperationRun, event: Any = None) -> JsonObject:
        """Returns the answer's data.

        Raises Declined if the reference executor has to complete the answer, from `run.collect_outcomes()`.
        """
        try:
            [data] = await self.root.run(run, (event,))
        except Declined:
            raise
        except Exception as error:
            # A resolver's error: graphql-core knows its path, and how far the null goes.
            raise Declined(type(error).__name__) from error
        answer: JsonObject = data
        return answer
