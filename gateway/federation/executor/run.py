"""Executes a query plan: sends each fetch once the data that it needs are known, and merges the answers.

The order of the work follows `Fetch.after`, not the depth of the plan's tree:
    # fetch 0 (users), fetch 1 (orders), fetch 2 after 0, fetch 3 after 1 and 2 → 2 starts while 1 is still running
"""

import asyncio
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gateway.federation.executor.completion import MAX_PLACES
from gateway.federation.executor.contexts import (
    ContextGroup,
    ContextReader,
    compile_context_reader,
    group_by_context,
)
from gateway.federation.executor.merge import (
    BuildRepresentation,
    LocatedObjects,
    build_representations,
    compile_representation,
    find_objects,
    locate_objects,
    merge,
    merge_entities,
)
from gateway.federation.executor.subgraphs import (
    FAILED,
    Ask,
    Caller,
    MaySend,
    Object,
    ShowsMessages,
    SubgraphFailed,
    SubgraphRequest,
    encode_prefix,
    show_messages,
)
from gateway.federation.planner.fetches import Path
from gateway.federation.planner.plan import EntitiesField, Fetch, QueryPlan
from gateway.federation.planner.selection import FieldConditions

MAX_ERRORS: Final = 1000
"""Most subgraph errors in one answer."""

MAX_PATH: Final = 200
"""Longest error path that is believed; a subgraph may send any path."""

MAX_CONTEXTS: Final = 50
"""Most sets of context values in one request: its document grows with each."""

_NO_VALUES: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class FetchStep:
    """A fetch that is ready to be sent: its body except the variables, and the builders of its representations."""

    position: int
    fetch: Fetch
    prefix: bytes
    """The request's JSON up to the variables: the document is encoded when the plan is compiled."""
    builders: tuple[BuildRepresentation, ...]
    readers: tuple[ContextReader, ...] = ()

    def make_request(self, variables: Mapping[str, Any]) -> SubgraphRequest:
        return SubgraphRequest(self.fetch.document, self.fetch.kind, variables, self.prefix)

    def expand_contexts(self, count: int) -> "FetchStep":
        """Returns the step with one `_entities` field for each of `count` sets of context values."""
        fetch, template = self.fetch, self.fetch.context_template
        assert template is not None  # noqa: S101 - only a fetch with context values comes here
        [first] = fetch.entities
        entities = tuple(
            replace(first, alias=template.name_alias(number), variable=template.name_representations(number))
            for number in range(count)
        )
        document = template.build_document(first.type_name, count)
        fetch = replace(fetch, document=document, entities=entities)
        return replace(self, fetch=fetch, prefix=encode_prefix(document), builders=self.builders * count)


@dataclass(frozen=True, slots=True)
class Stage:
    """Steps that may run at the same time, as far as `waits` allows."""

    steps: tuple[FetchStep, ...]
    waits: Mapping[int, int]
    """By position of a step: how many steps of the stage it waits for."""
    followers: Mapping[int, tuple[FetchStep, ...]]
    """By position of a step: the steps that wait for it."""


@dataclass(frozen=True, slots=True)
class PlanProgram:
    """A plan after compilation. Its stages run one after the other."""

    stages: tuple[Stage, ...]
    kind: str


def compile_plan(plan: QueryPlan) -> PlanProgram:
    steps = []
    for position, fetch in enumerate(plan.fetches):
        builders = tuple(
            compile_representation(entities.representation, entities.type_name) for entities in fetch.entities
        )
        template = fetch.context_template
        readers = () if template is None else tuple(map(compile_context_reader, template.values))
        steps.append(FetchStep(position, fetch, encode_prefix(fetch.document), builders, readers))
    return PlanProgram(tuple(_split_stages(steps)), plan.kind)


def _split_stages(steps: list[FetchStep]) -> Iterator[Stage]:
    """Yields stages, cut wherever every later step waits for every earlier step.

    Most plans are chains, whose stages have one step each: those run without tasks.
    # after: 0 [], 1 [0], 2 [0], 3 [1, 2] → stages {0}, {1, 2}, {3}
    """
    ancestors: list[frozenset[int]] = []
    for step in steps:
        after = step.fetch.after
        ancestors.append(frozenset(after).union(*(ancestors[position] for position in after)))
    start = 0
    for cut in range(1, len(steps) + 1):
        stage = set(range(start, cut))
        if all(stage <= known for known in ancestors[cut:]):
            yield _make_stage(steps[start:cut])
            start = cut


def _make_stage(steps: Sequence[FetchStep]) -> Stage:
    followers: dict[int, list[FetchStep]] = {step.position: [] for step in steps}
    waits = {}
    for step in steps:
        before = [position for position in step.fetch.after if position in followers]
        waits[step.position] = len(before)
        for position in before:
            followers[position].append(step)
    return Stage(tuple(steps), waits, {position: tuple(rows) for position, rows in followers.items()})


@dataclass(slots=True)
class PlanRun:
    """One execution of a plan: the data merged so far, and the errors.

    `data` is one tree under the plan's own response keys; ResponseShape turns it into the client's answer.
    """

    variables: Mapping[str, Any]
    ask: Ask
    caller: Caller
    data: Object
    errors: list[Object] = field(default_factory=list)
    """Errors that subgraphs reported. Their paths are in the plan's response keys."""
    failures: list[Object] = field(default_factory=list)
    """One error for each request that got no answer."""
    shows_messages: ShowsMessages = show_messages
    may_send: MaySend | None = None
    times: list[Object] | None = None
    """The duration of each request; None if the caller did not ask for it."""

    async def run_program(self, program: PlanProgram, event: Object | None = None) -> None:
        """Runs every fetch. `event`, of a subscription, is the answer to the first fetch."""
        stages = program.stages
        if event is not None:
            self._merge_answer(stages[0].steps[0].fetch, [self.data], event)
            stages = stages[1:]
        for stage in stages:
            if len(stage.steps) > 1:
                await self._run_stage(stage)
            # A stage of one fetch needs no task: this saves a turn of the event loop.
            elif (request := self._prepare_fetch(stage.steps[0])) is not None:
                await request

    async def _run_stage(self, stage: Stage) -> None:
        """Starts each fetch as soon as all fetches that it waits for have ended.

        Only a fetch that has something to ask gets a task: a plan may have hundreds for types that do not occur.
        """
        waits = dict(stage.waits)
        async with asyncio.TaskGroup() as group:

            def start(ready: list[FetchStep]) -> None:
                while ready:
                    step = ready.pop()
                    request = self._prepare_fetch(step)
                    if request is None:
                        ready += release_followers(step)
                    else:
                        group.create_task(finish(step, request))

            def release_followers(step: FetchStep) -> Iterator[FetchStep]:
                for follower in stage.followers[step.position]:
                    waits[follower.position] -= 1
                    if not waits[follower.position]:
                        yield follower

            async def finish(step: FetchStep, request: Coroutine[Any, Any, None]) -> None:
                await request
                start(list(release_followers(step)))

            # `start` pops from the end, hence reversed: fetches start in the order of the plan.
            start([step for step in reversed(stage.steps) if not waits[step.position]])

    def _prepare_fetch(self, step: FetchStep) -> Coroutine[Any, Any, None] | None:
        """Returns the coroutine that sends the fetch, or None if the data hold no object to ask about."""
        fetch = step.fetch
        if fetch.conditions and not self._holds(fetch.conditions):
            return None
        if not fetch.entities:
            targets = find_objects(self.data, fetch.path)
            return self._fetch_root(step, targets) if targets else None
        if fetch.context_template is not None:
            groups = group_by_context(self.data, fetch.path, step.readers)
            return self._fetch_contextual(step, groups) if groups else None
        objects = [
            find_objects(self.data, entities.path)
            if not entities.conditions or self._holds(entities.conditions)
            else []
            for entities in fetch.entities
        ]
        return self._fetch_entities(step, objects) if any(objects) else None

    async def _fetch_contextual(self, step: FetchStep, groups: list[ContextGroup]) -> None:
        """Asks about objects with context values, at most MAX_CONTEXTS sets of values per request."""
        starts = range(0, len(groups), MAX_CONTEXTS)
        await asyncio.gather(
            *(self._fetch_context_groups(step, groups[start : start + MAX_CONTEXTS]) for start in starts)
        )

    async def _fetch_context_groups(self, step: FetchStep, groups: list[ContextGroup]) -> None:
        template = step.fetch.context_template
        assert template is not None  # noqa: S101 - only a fetch with context values comes here
        values = {
            f"{template.name_values(number)}{position}": value
            for number, group in enumerate(groups)
            for position, value in enumerate(group.values)
        }
        await self._fetch_entities(step.expand_contexts(len(groups)), [group.objects for group in groups], values)

    async def _fetch_entities(
        self, step: FetchStep, objects: list[list[Object]], values: Mapping[str, Any] = _NO_VALUES
    ) -> None:
        """Sends the representations of the objects, one list for each `_entities` field, and merges the answers.

        `values` are the context variables.
        """
        variables, sent = {**self.select_variables(step), **values}, []
        for entities, build, rows in zip(step.fetch.entities, step.builders, objects, strict=True):
            variables[entities.variable], owners = await self._build_allowed(step.fetch.subgraph, rows, build)
            sent.append((entities, owners))
        if not any(owners for _, owners in sent):
            return
        answer = await self._ask(step, variables, step.fetch.entities[0].path)
        if answer is None:
            return
        data = answer.get("data")
        for entities, owners in sent:
            answered = data.get(entities.alias) if type(data) is dict else None
            if type(answered) is list:
                merge_entities(answered, owners)
        if "errors" in answer:
            self._note_entity_errors(step.fetch, answer, sent)

    async def _build_allowed(
        self, subgraph: str, objects: list[Object], build: BuildRepresentation
    ) -> tuple[list[Object], list[list[Object]]]:
        """Returns the representations that may be sent, and for each the objects that it stands for."""
        representations, owners = build_representations(objects, build)
        if self.may_send is not None and representations:
            allowed = await self.may_send(subgraph, representations, self.caller)
            representations = [row for row, is_allowed in zip(representations, allowed, strict=True) if is_allowed]
            owners = [rows for rows, is_allowed in zip(owners, allowed, strict=True) if is_allowed]
        return representations, owners

    async def _fetch_root(self, step: FetchStep, targets: list[Object]) -> None:
        answer = await self._ask(step, self.select_variables(step), step.fetch.path)
        if answer is not None:
            self._merge_answer(step.fetch, targets, answer)

    def _merge_answer(self, fetch: Fetch, targets: list[Object], answer: Object) -> None:
        data = answer.get("data")
        if isinstance(data, dict):
            for target in targets:
                merge(target, data)
        errors = _read_errors(answer)
        places = locate_objects(self.data, fetch.path)[:MAX_PLACES] if errors else []
        for error in errors[:MAX_ERRORS]:
            path = _read_path(error)
            if path is None:
                self._note(fetch.subgraph, error, _strip_types(fetch.path) or None)
                continue
            for _, above in places:
                self._note(fetch.subgraph, error, [*above, *path])

    async def _ask(self, step: FetchStep, variables: Object, path: Path) -> Object | None:
        """Returns the subgraph's answer, or notes a failure at `path` and returns None."""
        request = step.make_request(variables)
        started = time.perf_counter()
        try:
            return await self.ask(step.fetch.subgraph, request, self.caller)
        except SubgraphFailed as failed:
            self.note_failure(step.fetch.subgraph, failed, _strip_types(path))
            return None
        finally:
            if self.times is not None:
                took_ms = round((time.perf_counter() - started) * 1000, 3)
                self.times.append({"fetch": step.position, "serviceName": step.fetch.subgraph, "ms": took_ms})

    def note_failure(self, subgraph: str, failed: SubgraphFailed, path: list[str | int]) -> None:
        extensions = {"code": failed.code, "serviceName": subgraph}
        error: Object = {"message": str(failed), "extensions": extensions}
        self.failures.append(error | ({"path": path} if path else {}))

    def select_variables(self, step: FetchStep) -> Object:
        """Returns the operation's variables that the step sends, as a new dictionary."""
        variables = self.variables
        return {name: variables[name] for name in step.fetch.variables if name in variables}

    def _holds(self, conditions: FieldConditions) -> bool:
        return all(bool(self.variables.get(variable)) is wanted for variable, wanted in conditions)

    def _note_entity_errors(
        self, fetch: Fetch, answer: Object, sent: list[tuple[EntitiesField, list[list[Object]]]]
    ) -> None:
        """Notes each error at every object that it is about.

        A subgraph reports `["_entities", 2, "name"]`: the third representation. One representation may stand for
        several objects of the data, so the error is noted at `name` of each of them, at most MAX_PLACES times.
        """
        by_alias = {entities.alias: (entities, owners) for entities, owners in sent}
        paths: dict[str, dict[int, list[tuple[str | int, ...]]]] = {}
        fetch_path = _strip_types(fetch.entities[0].path) or None
        for error in _read_errors(answer)[:MAX_ERRORS]:
            match _read_path(error):
                case [str(alias), int(number), *inside] if alias in by_alias:
                    pass
                case _:
                    self._note(fetch.subgraph, error, fetch_path)
                    continue
            entities, owners = by_alias[alias]
            if alias not in paths:
                paths[alias] = _index_by_object(locate_objects(self.data, entities.path))
            identities = dict.fromkeys(map(id, owners[number])) if 0 <= number < len(owners) else ()
            found = [path for identity in identities for path in paths[alias].get(identity, ())]
            for path in found[:MAX_PLACES]:
                self._note(fetch.subgraph, error, [*path, *inside])
            if not found:
                self._note(fetch.subgraph, error, fetch_path)

    def _note(self, subgraph: str, error: Object, path: list[Any] | None) -> None:
        """Notes a subgraph's error; without its message and extensions (except the code) if the caller may not see."""
        if len(self.errors) >= MAX_ERRORS:
            return
        own = error.get("extensions")
        extensions = dict(own) if isinstance(own, dict) else {}
        if not self.shows_messages(subgraph, self.caller):
            error = {}
            extensions = {"code": extensions["code"]} if isinstance(extensions.get("code"), str) else {}
        extensions = {"code": FAILED} | extensions | {"serviceName": subgraph}
        noted: Object = {"message": str(error.get("message", f"The subgraph {subgraph} reported an error."))}
        self.errors.append(noted | ({"path": path} if path else {}) | {"extensions": extensions})


def _index_by_object(located: LocatedObjects) -> dict[int, list[tuple[str | int, ...]]]:
    """Returns the paths of each object, by its id(). An entity that was fetched once may stand at several paths."""
    paths: dict[int, list[tuple[str | int, ...]]] = {}
    for row, path in located:
        paths.setdefault(id(row), []).append(path)
    return paths


def _strip_types(path: Path) -> list[str | int]:
    return [element for element in path if isinstance(element, str)]


def _read_path(error: Object) -> list[str | int] | None:
    """Returns the error's path, or None if the subgraph gave none or something that is not a path."""
    path = error.get("path")
    if type(path) is list and all(type(element) in (str, int) for element in path):
        return path[:MAX_PATH]
    return None


def _read_errors(answer: Object) -> list[Object]:
    errors = answer.get("errors")
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
