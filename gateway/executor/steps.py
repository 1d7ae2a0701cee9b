"""What is read before documents are shaped: embedded objects with reads inside, loads by id, calls with arguments."""

import itertools
import types
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson
from graphql import GraphQLAbstractType

from gateway.executor.arguments import Arguments
from gateway.executor.run import Declined, Failure, Kept, Objects, Place, Run, Selection, successes, together
from resolvers.agencies.reference import Register
from resolvers.answer_cache import Made
from resolvers.documents import Document
from resolvers.paging.keys import Keys
from resolvers.request.loaders import Ready
from schema.binding import Batch, Loaded

Read = Callable[[Run, Sequence[Document]], list[Any]]
"""A value of each document, in their order."""


_NUMBERS: Final = itertools.count()
"""Of the steps whose answers are kept."""


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
    def keys(self) -> Keys:
        every = [selection.keys for selection in self.selections.values()]
        read = frozenset[str]().union(*(keys.read for keys in every))
        printed = frozenset[str]().union(*(keys.printed for keys in every))
        return Keys(read | printed, printed - read)

    async def run(self, run: Run, documents: Sequence[Any]) -> list[Any]:
        info = run.raw_info(self.place)
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

    async def run(self, run: Run, documents: Sequence[Any]) -> list[list[Any]]:
        return [await completed(self.objects, run, self.read(run, documents), self.wrapping)]


@dataclass(frozen=True, slots=True)
class Load:
    """Documents by the ids under `key`: each id is loaded once and each document shaped once."""

    binding: Loaded
    objects: Selection | Abstract
    wrapping: Wrapping
    number: int = field(default_factory=_NUMBERS.__next__)

    async def run(self, run: Run, documents: Sequence[Any]) -> list[list[Any]]:
        made = self._made(run)
        if made is not None:
            answers, key = made.of(self.number), self.binding.key
            try:
                return [[answers[document[key]] for document in documents]]
            except (KeyError, TypeError):
                pass  # one that is not there yet, or no id: what follows says which
        return [await self._loaded(run, documents, made)]

    def _made(self, run: Run) -> Made | None:
        """The answers that are there already, where the documents' can be the same for all."""
        is_the_same = self.binding.visible is None and not self.wrapping.listed
        return _made(run, self.binding.register, self.objects) if is_the_same else None

    async def _loaded(self, run: Run, documents: Sequence[Any], made: Made | None) -> list[Any]:
        wanted = self._wanted(run, documents)
        if self.wrapping.listed:
            ids = dict.fromkeys(found for each in wanted if each is not None for found in each)
        else:
            ids = dict.fromkeys(found for found in wanted if found is not None)
        answers = await self._answers(run, list(ids))
        if made is not None:
            _keep(made, self.number, {found: answers[found] for found in ids if found in made.by_id})
        if self.wrapping.listed:
            return [None if each is None else [answers[found] for found in each] for each in wanted]
        return [None if found is None else answers[found] for found in wanted]

    def _wanted(self, run: Run, documents: Sequence[Any]) -> list[Any]:
        key, visible, context = self.binding.key, self.binding.visible, run.context
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
        context, load = run.context, self.binding.load
        loaded = await _settled([load(context, found) for found in ids])
        required = self.wrapping.item_required if self.wrapping.listed else self.wrapping.required
        return dict(zip(ids, await completed(self.objects, run, loaded, Wrapping(required, listed=False)), strict=True))


def _made(run: Run, register: Register | None, objects: Objects | None) -> Made | None:
    """What has been made of the register's documents already, where it is the same for all requests."""
    if register is None or not run.is_encoded or not isinstance(objects, Selection) or not objects.is_lasting:
        return None
    return register.made(run.context)


def _keep(made: Made, maker: int, answers: Mapping[Any, Any]) -> dict[Any, orjson.Fragment]:
    """The answers as JSON, kept."""
    encoded = {key: orjson.dumps(answer) for key, answer in answers.items()}
    kept = {key: orjson.Fragment(answer) for key, answer in encoded.items()}
    made.keep(maker, kept, sum(map(len, encoded.values())))
    return kept


async def _settled(values: list[Any]) -> list[Any]:
    return successes(await _outcomes(values))


async def _outcomes(values: list[Any]) -> list[Any]:
    """What each of the values is, or comes to where it has to be awaited, or the Failure that it came to."""
    waiting: list[int] = []
    for index, value in enumerate(values):
        if value.__class__ is Ready:
            values[index] = value.value
        elif value.__class__ not in _AT_ONCE and isinstance(value, Awaitable):
            waiting.append(index)
    if waiting:
        settled = await together([_awaited(values[index]) for index in waiting])
        for index, value in zip(waiting, settled, strict=True):
            values[index] = value
    return values


_AT_ONCE: Final = frozenset({dict, list, str, Failure, type(None)})


def _awaited(value: Any) -> Any:
    return value if isinstance(value, types.CoroutineType) else _await(value)


async def _await(value: Awaitable[Any]) -> Any:
    return await value


class Asked(NamedTuple):
    """One of the response keys that a function is called for; below all of them the same is selected."""

    arguments: Arguments
    place: Place


@dataclass(frozen=True, slots=True)
class Call:
    """A function of context, document and arguments, called once for each document, or as often under each alias."""

    resolve: Callable[..., Any]
    asked: list[Asked]
    parent_name: str | None
    info_name: str | None
    complete: Callable[[Run, list[Any]], Awaitable[list[Any]]]
    objects: Objects | None
    register: Register | None
    batch: Batch | None
    number: int = field(default_factory=_NUMBERS.__next__)

    async def run(self, run: Run, documents: Sequence[Any]) -> list[list[Any]]:
        made = _made(run, self.register, self.objects)
        if made is None or len(self.asked) > 1 or self.asked[0].arguments.read or not documents:
            return await self._answers(run, documents)
        if any(made.by_id.get(document["_id"]) is not document for document in documents):
            return await self._answers(run, documents)
        answers = made.of(self.number)
        missing = [document for document in documents if document["_id"] not in answers]
        if missing:
            [found] = await self._answers(run, missing)
            ids = [document["_id"] for document in missing]
            answers = answers | _keep(made, self.number, dict(zip(ids, found, strict=True)))
        return [[answers[document["_id"]] for document in documents]]

    async def _answers(self, run: Run, documents: Sequence[Any]) -> list[list[Any]]:
        if self.batch is not None:
            outcomes = await self._at_once(run, self.batch, len(documents))
        else:
            outcomes = await _outcomes([value for asked in self.asked for value in self._called(run, documents, asked)])
        run.kept.append(Kept(documents, [place.field_nodes[0] for _, place in self.asked], outcomes))
        answers = await self.complete(run, successes(outcomes))
        if len(self.asked) == 1:
            return [answers]
        count = len(documents)
        return [answers[number * count : (number + 1) * count] for number in range(len(self.asked))]

    async def _at_once(self, run: Run, batch: Batch, count: int) -> list[Any]:
        every = [asked.arguments.of(run) for asked in self.asked for _ in range(count)]
        try:
            value_of = await batch(run.info(self.asked[0].place), every)
        except Exception as error:
            return [Failure(error)] * len(every)
        outcomes: list[Any] = []
        for arguments in every:
            try:
                outcomes.append(value_of(arguments))
            except Exception as error:
                outcomes.append(Failure(error))
        return outcomes

    def _called(self, run: Run, documents: Sequence[Any], asked: Asked) -> Iterator[Any]:
        resolve, parent_name = self.resolve, self.parent_name
        arguments = asked.arguments.of(run)
        if self.info_name is not None:
            arguments[self.info_name] = run.info(asked.place)
        for document in documents:
            if parent_name is not None:
                arguments[parent_name] = document
            try:
                yield resolve(**arguments)
            except Exception as error:
                yield Failure(error)
