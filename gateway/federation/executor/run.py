"""Walks the plan: sends each fetch once what it needs is known, and merges the answers."""

import asyncio
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

from gateway.federation.executor.contexts import Sharing, Taking, shared, taking
from gateway.federation.executor.merge import (
    Build,
    Object,
    Places,
    builder,
    merge,
    merge_entities,
    objects_at,
    places_at,
    representations,
)
from gateway.federation.executor.shape import MAX_PLACES
from gateway.federation.executor.subgraphs import FAILED, Ask, Caller, MaySend, ShowsMessages, SubgraphFailed, shown
from gateway.federation.planner.fetches import Path
from gateway.federation.planner.plan import Entities, Fetch, QueryPlan
from gateway.federation.planner.selection import Conditions

MAX_ERRORS: Final = 1000
"""So many errors of subgraphs has one answer: what a subgraph says many times over is not multiplied further."""

MAX_PATH: Final = 200
"""No error stands deeper: a longer path is a subgraph's lie."""

MAX_CONTEXTS: Final = 50
"""So many different contextual values one request has at most: its document grows with each."""


@dataclass(frozen=True, slots=True)
class Step:
    """A fetch with its body but for the variables, and its builders of representations."""

    position: int
    fetch: Fetch
    prefix: bytes
    names: tuple[tuple[str, bytes], ...]
    """The operation's variables that it sends, with how each begins in JSON."""
    builders: tuple[Build, ...]
    takings: tuple[Taking, ...] = ()

    def body(self, variables: Sequence[bytes]) -> bytes:
        """What is sent; `variables` as own_variables gives them, and representations besides."""
        return b"%b%b}}" % (self.prefix, b",".join(variables))

    def asking_apart(self, count: int) -> "Step":
        """The step that asks about objects with so many different sets of contextual values."""
        fetch, contextual = self.fetch, self.fetch.contextual
        assert contextual is not None  # noqa: S101 - only what takes from contexts asks apart
        [about] = fetch.entities
        entities = tuple(
            replace(about, alias=contextual.alias(number), variable=contextual.representations(number))
            for number in range(count)
        )
        document = contextual.document(about.type_name, count)
        fetch = replace(fetch, document=document, entities=entities)
        return replace(self, fetch=fetch, prefix=_prefix(document), builders=self.builders * count)


@dataclass(frozen=True, slots=True)
class Stage:
    """Steps that may overlap."""

    steps: tuple[Step, ...]
    waits: Mapping[int, int]
    """For how many of the stage's steps each one waits, by position."""
    followers: Mapping[int, tuple[Step, ...]]
    """Who waits for each."""


@dataclass(frozen=True, slots=True)
class Program:
    """A plan made ready to run: in stages, of which each waits for all of the one before."""

    stages: tuple[Stage, ...]
    kind: str


def compile_plan(plan: QueryPlan) -> Program:
    steps = []
    for position, fetch in enumerate(plan.fetches):
        names = tuple((name, b"%b:" % orjson.dumps(name)) for name in fetch.variables)
        builders = tuple(builder(entities.representation, entities.type_name) for entities in fetch.entities)
        takings = () if fetch.contextual is None else tuple(map(taking, fetch.contextual.values))
        steps.append(Step(position, fetch, _prefix(fetch.document), names, builders, takings))
    return Program(tuple(_stages(steps)), plan.kind)


def _prefix(document: str) -> bytes:
    return b'{"query":' + orjson.dumps(document) + b',"variables":{'


def _stages(steps: list[Step]) -> Iterator[Stage]:
    """Cuts where all that comes after waits for all that came before."""
    before: list[frozenset[int]] = []
    for step in steps:
        after = step.fetch.after
        before.append(frozenset(after).union(*(before[position] for position in after)))
    start = 0
    for cut in range(1, len(steps) + 1):
        past = set(range(start, cut))
        if all(past <= known for known in before[cut:]):
            yield _stage(steps[start:cut])
            start = cut


def _stage(steps: Sequence[Step]) -> Stage:
    followers: dict[int, list[Step]] = {step.position: [] for step in steps}
    waits = {}
    for step in steps:
        before = [position for position in step.fetch.after if position in followers]
        waits[step.position] = len(before)
        for position in before:
            followers[position].append(step)
    return Stage(tuple(steps), waits, {position: tuple(rows) for position, rows in followers.items()})


@dataclass(slots=True)
class Run:
    """One execution: what has been merged so far, and what went wrong."""

    variables: Mapping[str, Any]
    ask: Ask
    caller: Caller
    data: Object
    errors: list[Object] = field(default_factory=list)
    """Those that subgraphs told, under the keys that they were asked with."""
    failures: list[Object] = field(default_factory=list)
    """One for each request that was not answered."""
    shows_messages: ShowsMessages = shown
    """Whether subgraphs' own messages reach the client, which may tell more than a subgraph's owner thinks."""
    may_send: MaySend | None = None
    times: list[Object] | None = None
    """What each request took, where somebody wants to know."""

    async def all(self, program: Program, event: Object | None = None) -> None:
        """Runs every fetch; the event of a subscription is the answer to its first."""
        stages = program.stages
        if event is not None:
            self._put(stages[0].steps[0].fetch, [self.data], event)
            stages = stages[1:]
        for stage in stages:
            if len(stage.steps) > 1:
                await self._together(stage)
            elif (asking := self._due(stage.steps[0])) is not None:
                await asking

    async def _together(self, stage: Stage) -> None:
        """A task for each fetch that has something to ask about: a plan may have hundreds for types that are absent."""
        waits = dict(stage.waits)
        async with asyncio.TaskGroup() as group:

            def begin(ready: list[Step]) -> None:
                while ready:
                    step = ready.pop()
                    asking = self._due(step)
                    if asking is None:
                        ready += released(step)
                    else:
                        group.create_task(ended(step, asking))

            def released(step: Step) -> Iterator[Step]:
                for follower in stage.followers[step.position]:
                    waits[follower.position] -= 1
                    if not waits[follower.position]:
                        yield follower

            async def ended(step: Step, asking: Coroutine[Any, Any, None]) -> None:
                await asking
                begin(list(released(step)))

            begin([step for step in reversed(stage.steps) if not waits[step.position]])

    def _due(self, step: Step) -> Coroutine[Any, Any, None] | None:
        """What sends the fetch, now that all it needs is known; None where there is nothing to ask about."""
        fetch = step.fetch
        if fetch.conditions and not self._holds(fetch.conditions):
            return None
        if not fetch.entities:
            targets = objects_at(self.data, fetch.path)
            return self._root(step, targets) if targets else None
        if fetch.contextual is not None:
            sharing = shared(self.data, fetch.path, step.takings)
            return self._contextual(step, sharing) if sharing else None
        found = [
            objects_at(self.data, entities.path) if not entities.conditions or self._holds(entities.conditions) else []
            for entities in fetch.entities
        ]
        return self._entities(step, found) if any(found) else None

    async def _contextual(self, step: Step, sharing: list[Sharing]) -> None:
        """Asks about the objects, those with the same contextual values together, so many at once at most."""
        starts = range(0, len(sharing), MAX_CONTEXTS)
        await asyncio.gather(*(self._apart(step, sharing[start : start + MAX_CONTEXTS]) for start in starts))

    async def _apart(self, step: Step, sharing: list[Sharing]) -> None:
        contextual = step.fetch.contextual
        assert contextual is not None  # noqa: S101 - only what takes from contexts is asked apart
        taken = [
            b'"%b%d":%b' % (contextual.taken(number).encode(), at, value)
            for number, row in enumerate(sharing)
            for at, value in enumerate(row.values)
        ]
        await self._entities(step.asking_apart(len(sharing)), [row.objects for row in sharing], taken)

    async def _entities(self, step: Step, places: list[list[Object]], taken: Sequence[bytes] = ()) -> None:
        parts, sent = [*self.own_variables(step), *taken], []
        for entities, build, objects in zip(step.fetch.entities, step.builders, places, strict=True):
            encoded, owners = await self._representations(step.fetch.subgraph, objects, build)
            parts.append(b'"%b":%b' % (entities.variable.encode(), encoded))
            sent.append((entities, owners))
        if not any(owners for _, owners in sent):
            return
        answer = await self._asked(step, parts, step.fetch.entities[0].path)
        if answer is None:
            return
        found = answer.get("data")
        for entities, owners in sent:
            rows = found.get(entities.alias) if type(found) is dict else None
            if type(rows) is list:
                merge_entities(rows, owners)
        if "errors" in answer:
            self._note_entity_errors(step.fetch, answer, sent)

    async def _representations(
        self, subgraph: str, objects: list[Object], build: Build
    ) -> tuple[bytes, list[list[Object]]]:
        made, owners = representations(objects, build)
        if self.may_send is not None and made:
            allowed = await self.may_send(subgraph, made, self.caller)
            made = [row for row, is_allowed in zip(made, allowed, strict=True) if is_allowed]
            owners = [rows for rows, is_allowed in zip(owners, allowed, strict=True) if is_allowed]
        return orjson.dumps(made), owners

    async def _root(self, step: Step, targets: list[Object]) -> None:
        answer = await self._asked(step, self.own_variables(step), step.fetch.path)
        if answer is not None:
            self._put(step.fetch, targets, answer)

    def _put(self, fetch: Fetch, targets: list[Object], answer: Object) -> None:
        found = answer.get("data")
        if isinstance(found, dict):
            for target in targets:
                merge(target, found)
        errors = _listed(answer)
        places = places_at(self.data, fetch.path)[:MAX_PLACES] if errors else []
        for error in errors[:MAX_ERRORS]:
            path = _path(error)
            if path is None:
                self._note(fetch.subgraph, error, _plain(fetch.path) or None)
                continue
            for _, at in places:
                self._note(fetch.subgraph, error, [*at, *path])

    async def _asked(self, step: Step, parts: list[bytes], path: Path) -> Object | None:
        body = step.body(parts)
        started = time.perf_counter()
        try:
            return await self.ask(step.fetch.subgraph, body, step.fetch.kind, self.caller)
        except SubgraphFailed as failed:
            self.note_failure(step.fetch.subgraph, failed, _plain(path))
            return None
        finally:
            if self.times is not None:
                took_ms = round((time.perf_counter() - started) * 1000, 3)
                self.times.append({"fetch": step.position, "serviceName": step.fetch.subgraph, "ms": took_ms})

    def note_failure(self, subgraph: str, failed: SubgraphFailed, path: list[str | int]) -> None:
        extensions = {"code": failed.code, "serviceName": subgraph}
        error: Object = {"message": str(failed), "extensions": extensions}
        self.failures.append(error | ({"path": path} if path else {}))

    def own_variables(self, step: Step) -> list[bytes]:
        given = self.variables
        return [start + orjson.dumps(given[name]) for name, start in step.names if name in given]

    def _holds(self, conditions: Conditions) -> bool:
        return all(bool(self.variables.get(variable)) is wanted for variable, wanted in conditions)

    def _note_entity_errors(
        self, fetch: Fetch, answer: Object, sent: list[tuple[Entities, list[list[Object]]]]
    ) -> None:
        by_alias = {entities.alias: (entities, owners) for entities, owners in sent}
        places: dict[str, dict[int, list[tuple[str | int, ...]]]] = {}
        whole = _plain(fetch.entities[0].path) or None
        for error in _listed(answer)[:MAX_ERRORS]:
            match _path(error):
                case [str(alias), int(number), *inside] if alias in by_alias:
                    pass
                case _:
                    self._note(fetch.subgraph, error, whole)
                    continue
            entities, owners = by_alias[alias]
            if alias not in places:
                places[alias] = _by_object(places_at(self.data, entities.path))
            objects = dict.fromkeys(map(id, owners[number])) if 0 <= number < len(owners) else ()
            found = [at for known in objects for at in places[alias].get(known, ())]
            for at in found[:MAX_PLACES]:
                self._note(fetch.subgraph, error, [*at, *inside])
            if not found:
                self._note(fetch.subgraph, error, whole)

    def _note(self, subgraph: str, error: Object, path: list[Any] | None) -> None:
        if len(self.errors) >= MAX_ERRORS:
            return
        given = error.get("extensions")
        extensions = dict(given) if isinstance(given, dict) else {}
        if not self.shows_messages(subgraph, self.caller):
            error = {}
            extensions = {"code": extensions["code"]} if isinstance(extensions.get("code"), str) else {}
        extensions = {"code": FAILED} | extensions | {"serviceName": subgraph}
        noted: Object = {"message": str(error.get("message", f"The subgraph {subgraph} reported an error."))}
        self.errors.append(noted | ({"path": path} if path else {}) | {"extensions": extensions})


def _by_object(places: Places) -> dict[int, list[tuple[str | int, ...]]]:
    """Where each object stands: one that was fetched for several may stand at several places."""
    found: dict[int, list[tuple[str | int, ...]]] = {}
    for row, at in places:
        found.setdefault(id(row), []).append(at)
    return found


def _plain(path: Path) -> list[str | int]:
    return [element for element in path if isinstance(element, str)]


def _path(error: Object) -> list[str | int] | None:
    """Where an error says that it stands; None where it says nothing that is a path."""
    path = error.get("path")
    if type(path) is list and all(type(element) in (str, int) for element in path):
        return path[:MAX_PATH]
    return None


def _listed(answer: Object) -> list[Object]:
    errors = answer.get("errors")
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
