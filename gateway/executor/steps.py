"""The steps that load values before documents are shaped: embedded objects, loads by id, calls of resolvers.

Each step works on all documents of a selection at once and returns its values as columns: one list for each response
key, with one value for each document.
"""

import itertools
import types
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson
from graphql import GraphQLAbstractType

from gateway.executor.arguments import CompiledArguments
from gateway.executor.run import (
    CompiledSelection,
    Declined,
    Failure,
    ObjectSelection,
    OperationField,
    OperationRun,
    ResolverOutcomes,
    run_together,
    unwrap_outcomes,
)
from resolvers.agencies.reference import Register
from resolvers.answer_cache import AnswerCache
from resolvers.documents import Document
from resolvers.paging.keys import ProjectionKeys
from resolvers.request.loaders import Ready
from schema.binding import Batch, Loaded

ReadColumn = Callable[[OperationRun, Sequence[Document]], list[Any]]
"""Returns one value for each document, in order."""


_NUMBERS: Final = itertools.count()
"""Numbers of the steps: the answer cache keeps their answers by it."""


class Wrapping(NamedTuple):
    """The non-null and list types around a field's object type: `[Type!]` → (False, True, True)."""

    required: bool
    listed: bool
    item_required: bool = False


@dataclass(frozen=True, slots=True)
class AbstractSelection:
    """The selection on an interface or a union: one compiled selection for each object type, by name."""

    resolve_type: Callable[..., Any]
    graphql_type: GraphQLAbstractType
    selections: Mapping[str, CompiledSelection]
    selected: OperationField

    @property
    def keys(self) -> ProjectionKeys:
        keys_by_type = [selection.keys for selection in self.selections.values()]
        read = frozenset[str]().union(*(keys.read for keys in keys_by_type))
        printed = frozenset[str]().union(*(keys.printed for keys in keys_by_type))
        # A key that one type only prints and another reads must be read as a datetime.
        return ProjectionKeys(read | printed, printed - read)

    async def run(self, run: OperationRun, documents: Sequence[Any]) -> list[Any]:
        """Groups the documents by type, shapes each group, and puts the answers back into their order."""
        info = run.make_core_info(self.selected)
        names = [self.resolve_type(document, info, self.graphql_type) for document in documents]
        shaped: list[Any] = [None] * len(documents)
        for name in dict.fromkeys(names):
            indexes = [index for index, named in enumerate(names) if named == name]
            answers = await self.selections[name].run(run, [documents[index] for index in indexes])
            for index, answer in zip(indexes, answers, strict=True):
                shaped[index] = answer
        return shaped


async def complete_objects(
    objects: ObjectSelection, run: OperationRun, values: list[Any], wrapping: Wrapping
) -> list[Any]:
    """Returns the answers of values that are documents or lists of documents. Raises Declined for other values.

    All documents are shaped in one call, whether they come from one list or from many.
    """
    if wrapping.listed:
        return await _complete_lists(objects, run, values, wrapping)
    present = [value for value in values if value is not None]
    if len(present) == len(values):
        return await objects.run(run, present)
    if wrapping.required:
        raise Declined("null")
    shaped = iter(await objects.run(run, present) if present else ())
    return [None if value is None else next(shaped) for value in values]


async def _complete_lists(
    objects: ObjectSelection, run: OperationRun, values: list[Any], wrapping: Wrapping
) -> list[Any]:
    """Flattens the lists, shapes all items, and cuts the answers into lists again: [[a], None, [b, c]] → a, b, c."""
    items: list[Any] = []
    for value in values:
        if value is None:
            if wrapping.required:
                raise Declined("null")
        elif isinstance(value, list | tuple):
            items.extend(value)
        else:
            raise Declined("list")
    shaped = await complete_objects(objects, run, items, Wrapping(wrapping.item_required, listed=False))
    if len(values) == 1 and values[0] is not None:
        return [shaped]
    rows = iter(shaped)
    return [None if value is None else [next(rows) for _ in value] for value in values]


@dataclass(frozen=True, slots=True)
class EmbeddedObjects:
    """Objects inside the documents whose own selection has steps; without steps the generated function shapes them."""

    read: ReadColumn
    objects: ObjectSelection
    wrapping: Wrapping

    async def run(self, run: OperationRun, documents: Sequence[Any]) -> list[list[Any]]:
        return [await complete_objects(self.objects, run, self.read(run, documents), self.wrapping)]


@dataclass(frozen=True, slots=True)
class LoadById:
    """Loads documents by the ids under the binding's key. Each id is loaded once, and its document shaped once.

    # 50 complaints of 3 agencies, {holder {name}} → one batch of 3 ids, 3 answers, which 50 objects share
    """

    binding: Loaded
    objects: CompiledSelection | AbstractSelection
    wrapping: Wrapping
    number: int = field(default_factory=_NUMBERS.__next__)

    async def run(self, run: OperationRun, documents: Sequence[Any]) -> list[list[Any]]:
        made = self._find_cache(run)
        if made is not None:
            answers, key = made.of(self.number), self.binding.key
            try:
                return [[answers[document[key]] for document in documents]]
            except (KeyError, TypeError):
                pass  # An answer that is not cached yet, or a value that is not an id: the slow way tells which.
        return [await self._load(run, documents, made)]

    def _find_cache(self, run: OperationRun) -> AnswerCache | None:
        """Returns the cached answers, or None if the answer depends on the viewer or is a list."""
        is_the_same = self.binding.visible is None and not self.wrapping.listed
        return _find_cache(run, self.binding.register, self.objects) if is_the_same else None

    async def _load(self, run: OperationRun, documents: Sequence[Any], made: AnswerCache | None) -> list[Any]:
        """Returns the completed value of each document. `rows` are their ids, or lists of ids for a list field."""
        rows = self._read_ids(run, documents)
        if self.wrapping.listed:
            ids = dict.fromkeys(each for row in rows if row is not None for each in row)
        else:
            ids = dict.fromkeys(row for row in rows if row is not None)
        answers = await self._load_answers(run, list(ids))
        if made is not None:
            # Only ids that the register holds: others may be any text, and would fill the cache.
            _cache_answers(made, self.number, {each: answers[each] for each in ids if each in made.by_id})
        if self.wrapping.listed:
            return [None if row is None else [answers[each] for each in row] for row in rows]
        return [None if row is None else answers[row] for row in rows]

    def _read_ids(self, run: OperationRun, documents: Sequence[Any]) -> list[Any]:
        key, visible, context = self.binding.key, self.binding.visible, run.context
        if visible is None:
            ids = [document[key] for document in documents]
        else:
            is_seen = visible.decide(context.viewer, context.proven)
            ids = [document[key] if is_seen(document) else None for document in documents]
        if self.wrapping.required and None in ids:
            raise Declined("null")
        if any(isinstance(each, list) != self.wrapping.listed for each in ids if each is not None):
            raise Declined("list")
        return ids

    async def _load_answers(self, run: OperationRun, ids: list[Any]) -> dict[Any, Any]:
        context, load = run.context, self.binding.load
        # Every load is started before the first is awaited: the loader puts all of them into one batch.
        loaded = unwrap_outcomes(await _await_values([load(context, each) for each in ids]))
        required = self.wrapping.item_required if self.wrapping.listed else self.wrapping.required
        answers = await complete_objects(self.objects, run, loaded, Wrapping(required, listed=False))
        return dict(zip(ids, answers, strict=True))


def _find_cache(
    run: OperationRun, register: Register[Any] | None, objects: ObjectSelection | None
) -> AnswerCache | None:
    """Returns the cached answers about the register's documents if they are the same for all requests, else None.

    The cache holds JSON, so the answer must be going to be encoded.
    """
    if register is None or not run.is_encoded or not isinstance(objects, CompiledSelection) or not objects.is_lasting:
        return None
    return register.find_cache(run.context)


def _cache_answers(made: AnswerCache, maker: int, answers: Mapping[Any, Any]) -> dict[Any, orjson.Fragment]:
    """Encodes the answers, keeps them in the cache and returns them as JSON fragments."""
    encoded = {key: orjson.dumps(answer) for key, answer in answers.items()}
    kept = {key: orjson.Fragment(answer) for key, answer in encoded.items()}
    made.keep(maker, kept, sum(map(len, encoded.values())))
    return kept


async def _await_values(values: list[Any]) -> list[Any]:
    """Replaces each awaitable in the list by its result, or by a Failure; all are awaited together."""
    waiting: list[int] = []
    for index, value in enumerate(values):
        if value.__class__ is Ready:
            values[index] = value.value
        elif value.__class__ not in _NEVER_AWAITABLE and isinstance(value, Awaitable):
            waiting.append(index)
    if waiting:
        results = await run_together([_to_coroutine(values[index]) for index in waiting])
        for index, value in zip(waiting, results, strict=True):
            values[index] = value
    return values


_NEVER_AWAITABLE: Final = frozenset({dict, list, str, Failure, type(None)})
"""`isinstance(value, Awaitable)` is slow: the usual classes of results skip it."""


def _to_coroutine(value: Any) -> Any:
    return value if isinstance(value, types.CoroutineType) else _await(value)


async def _await(value: Awaitable[Any]) -> Any:
    return await value


class AliasedCall(NamedTuple):
    """One response key of a called field, with its arguments."""

    arguments: CompiledArguments
    selected: OperationField


@dataclass(frozen=True, slots=True)
class ResolverCall:
    """Calls a resolver once for each document and each alias.

    Aliases with the same selection share one step, so that all their results are shaped together:
    # {a: complaint(id: "1") {title} b: complaint(id: "2") {title}} → one step, two calls, one batch of the loader
    """

    resolve: Callable[..., Any]
    aliases: list[AliasedCall]
    parent_name: str | None
    """Name of the resolver's parameter for the document; None if it takes none."""
    info_name: str | None
    complete: Callable[[OperationRun, list[Any]], Awaitable[list[Any]]]
    objects: ObjectSelection | None
    register: Register[Any] | None
    batch: Batch | None
    """Resolves all calls of the step in one read; None if each call is made by itself."""
    number: int = field(default_factory=_NUMBERS.__next__)

    async def run(self, run: OperationRun, documents: Sequence[Any]) -> list[list[Any]]:
        made = _find_cache(run, self.register, self.objects)
        # Cached by the document alone: a call with variable arguments, or a document that is not the register's own
        # object, may give another answer.
        if made is None or len(self.aliases) > 1 or self.aliases[0].arguments.readers or not documents:
            return await self._resolve_documents(run, documents)
        if any(made.by_id.get(document["_id"]) is not document for document in documents):
            return await self._resolve_documents(run, documents)
        answers = made.of(self.number)
        missing = [document for document in documents if document["_id"] not in answers]
        if missing:
            [resolved] = await self._resolve_documents(run, missing)
            ids = [document["_id"] for document in missing]
            answers = answers | _cache_answers(made, self.number, dict(zip(ids, resolved, strict=True)))
        return [[answers[document["_id"]] for document in documents]]

    async def _resolve_documents(self, run: OperationRun, documents: Sequence[Any]) -> list[list[Any]]:
        if self.batch is not None:
            outcomes = await self._call_batch(run, self.batch, len(documents))
        else:
            outcomes = await _await_values(
                [value for alias in self.aliases for value in self._call_each(run, documents, alias)]
            )
        # Noted before anything can decline: a mutation that was performed must not be performed again.
        field_nodes = [selected.field_nodes[0] for _, selected in self.aliases]
        run.called.append(ResolverOutcomes(documents, field_nodes, outcomes))
        answers = await self.complete(run, unwrap_outcomes(outcomes))
        if len(self.aliases) == 1:
            return [answers]
        count = len(documents)
        return [answers[number * count : (number + 1) * count] for number in range(len(self.aliases))]

    async def _call_batch(self, run: OperationRun, batch: Batch, count: int) -> list[Any]:
        all_arguments = [alias.arguments.build(run) for alias in self.aliases for _ in range(count)]
        try:
            value_of = await batch(run.make_info(self.aliases[0].selected), all_arguments)
        except Exception as error:
            return [Failure(error)] * len(all_arguments)
        outcomes: list[Any] = []
        # One call may fail by itself: a broken document spoils no other.
        for arguments in all_arguments:
            try:
                outcomes.append(value_of(arguments))
            except Exception as error:
                outcomes.append(Failure(error))
        return outcomes

    def _call_each(self, run: OperationRun, documents: Sequence[Any], alias: AliasedCall) -> Iterator[Any]:
        resolve, parent_name = self.resolve, self.parent_name
        arguments = alias.arguments.build(run)
        if self.info_name is not None:
            arguments[self.info_name] = run.make_info(alias.selected)
        for document in documents:
            if parent_name is not None:
                arguments[parent_name] = document
            try:
                yield resolve(**arguments)
            except Exception as error:
                yield Failure(error)
