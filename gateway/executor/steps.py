"""What is read before documents are shaped: embedded objects with reads inside, loads by id, calls with arguments."""

import types
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import GraphQLAbstractType

from gateway.executor.arguments import Arguments
from gateway.executor.run import Declined, Failure, Objects, Place, Run, Selection, successes, together
from resolvers.context import RequestContext
from resolvers.policy import Rule
from schema.binding import Document

Read = Callable[[Run, Sequence[Document]], list[Any]]
"""A value of each document, in their order."""


class Wrapping(NamedTuple):
    """The wrapping types of a field of objects: `Type`, `Type!`, `[Type]`, `[Type!]!` …"""

    required: bool
    listed: bool
    item_required: bool = False


@dataclass(frozen=True, slots=True)
class Abstract:
    """Documents of an interface's or a union's types, each shaped as its own type's selection says."""

    resolve_type: Callable[..., Any]
    graphql_type: GraphQLAbstractType
    selections: Mapping[str, Selection]
    place: Place

    @property
    def keys(self) -> frozenset[str]:
        return frozenset().union(*(selection.keys for selection in self.selections.values()))

    async def run(self, run: Run, documents: Sequence[Any]) -> list[Any]:
        info = run.info(self.place)._raw_info
        names = [self.resolve_type(document, info, self.graphql_type) for document in documents]
        shaped: list[Any] = [None] * len(documents)
        for name in dict.fromkeys(names):
            indexes = [index for index, named in enumerate(names) if named == name]
            answers = await self.selections[name].run(run, [documents[index] for index in indexes])
            for index, answer in zip(indexes, answers, strict=True):
                shaped[index] = answer
        return shaped


async def completed(objects: Objects, run: Run, values: list[Any], wrapping: Wrapping) -> list[Any]:
    """The values, objects or lists of them, as they are answered."""
    if wrapping.listed:
        return await _lists(objects, run, values, wrapping)
    present = [value for value in values if value is not None]
    if len(present) == len(values):
        return await objects.run(run, present)
    if wrapping.required:
        raise Declined("null")
    shaped = iter(await objects.run(run, present) if present else ())
    return [None if value is None else next(shaped) for value in values]


async def _lists(objects: Objects, run: Run, values: list[Any], wrapping: Wrapping) -> list[Any]:
    items: list[Any] = []
    for value in values:
        if value is None:
            if wrapping.required:
                raise Declined("null")
        elif isinstance(value, list | tuple):
            items.extend(value)
        else:
            raise Declined("list")
    shaped = await completed(objects, run, items, Wrapping(wrapping.item_required, listed=False))
    if len(values) == 1 and values[0] is not None:
        return [shaped]
    rows = iter(shaped)
    return [None if value is None else [next(rows) for _ in value] for value in values]


@dataclass(frozen=True, slots=True)
class Embedded:
    """An object or list inside the document, below which something has to be loaded or called."""

    read: Read
    objects: Objects
    wrapping: Wrapping

    async def run(self, run: Run, documents: Sequence[Any]) -> list[Any]:
        return await completed(self.objects, run, self.read(run, documents), self.wrapping)


@dataclass(frozen=True, slots=True)
class Load:
    """Documents by the ids under `key`: each id is loaded once and each document shaped once."""

    load: Callable[[RequestContext, str], Awaitable[Any]]
    key: str
    visible: Rule | None
    objects: Objects
    wrapping: Wrapping

    async def run(self, run: Run, documents: Sequence[Any]) -> list[Any]:
        wanted = self._wanted(run, documents)
        if self.wrapping.listed:
            ids = dict.fromkeys(found for each in wanted if each is not None for found in each)
        else:
            ids = dict.fromkeys(found for found in wanted if found is not None)
        answers = await self._answers(run, list(ids))
        if self.wrapping.listed:
            return [None if each is None else [answers[found] for found in each] for each in wanted]
        return [None if found is None else answers[found] for found in wanted]

    def _wanted(self, run: Run, documents: Sequence[Any]) -> list[Any]:
        key, visible, context = self.key, self.visible, run.context
        if visible is None:
            wanted = [document[key] for document in documents]
        else:
            is_seen = visible.decide(context.viewer, context.proven)
            wanted = [document[key] if is_seen(document) else None for document in documents]
        if self.wrapping.required and None in wanted:
            raise Declined("null")
        if any(isinstance(found, list) != self.wrapping.listed for found in wanted if found is not None):
            raise Declined("list")
        return wanted

    async def _answers(self, run: Run, ids: list[Any]) -> dict[Any, Any]:
        context, load = run.context, self.load
        if len(ids) == 1:
            loaded = [await load(context, ids[0])]
        else:
            loaded = successes(await together([_awaited(load(context, found)) for found in ids]))
        required = self.wrapping.item_required if self.wrapping.listed else self.wrapping.required
        return dict(zip(ids, await completed(self.objects, run, loaded, Wrapping(required, listed=False)), strict=True))


def _awaited(value: Any) -> Any:
    return value if isinstance(value, types.CoroutineType) else _await(value)


async def _await(value: Awaitable[Any]) -> Any:
    return await value


@dataclass(frozen=True, slots=True)
class Call:
    """A function of context, document and arguments, called once for each document."""

    resolve: Callable[..., Any]
    arguments: Arguments
    parent_name: str | None
    info_name: str | None
    place: Place
    complete: Callable[[Run, list[Any]], Awaitable[list[Any]]]

    async def run(self, run: Run, documents: Sequence[Any]) -> list[Any]:
        arguments = self.arguments.of(run)
        if self.info_name is not None:
            arguments[self.info_name] = run.info(self.place)
        return await self.complete(run, await self._called(run, documents, arguments))

    async def _called(self, run: Run, documents: Sequence[Any], arguments: dict[str, Any]) -> list[Any]:
        resolve, parent_name, field_node = self.resolve, self.parent_name, self.place.field_nodes[0]
        values: list[Any] = []
        waiting: list[int] = []
        for document in documents:
            if parent_name is not None:
                arguments[parent_name] = document
            try:
                value = resolve(**arguments)
            except Exception as error:
                value = Failure(error)
            if isinstance(value, types.CoroutineType | Awaitable):
                waiting.append(len(values))
            values.append(value)
        if waiting:
            settled = await together([_awaited(values[index]) for index in waiting])
            for index, value in zip(waiting, settled, strict=True):
                values[index] = value
        for document, value in zip(documents, values, strict=True):
            run.keep(document, field_node, value)
        return successes(values)
