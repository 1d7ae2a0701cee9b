"""Walks the plan: sends each fetch once what it needs is known, and merges the answers."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.federation.executor.merge import (
    Build,
    Object,
    builder,
    merge,
    merge_entities,
    objects_at,
    places_at,
    representations,
)
from gateway.federation.executor.subgraphs import FAILED, Ask, Caller, MaySend, SubgraphFailed
from gateway.federation.planner.fetches import Path
from gateway.federation.planner.plan import Entities, Fetch, QueryPlan
from gateway.federation.planner.selection import Conditions


@dataclass(frozen=True, slots=True)
class Step:
    """A fetch with its body but for the variables, and its builders of representations."""

    position: int
    fetch: Fetch
    prefix: bytes
    names: tuple[tuple[str, bytes], ...]
    """The operation's variables that it sends, with how each begins in JSON."""
    builders: tuple[Build, ...]

    def body(self, variables: Sequence[bytes]) -> bytes:
        """What is sent; `variables` as own_variables gives them, and representations besides."""
        return b"%b%b}}" % (self.prefix, b",".join(variables))


@dataclass(frozen=True, slots=True)
class Program:
    """A plan made ready to run: steps in stages, of which each waits for all of the one before."""

    stages: tuple[tuple[Step, ...], ...]
    kind: str


def compile_plan(plan: QueryPlan) -> Program:
    steps = []
    for position, fetch in enumerate(plan.fetches):
        prefix = b'{"query":' + orjson.dumps(fetch.document) + b',"variables":{'
        names = tuple((name, b"%b:" % orjson.dumps(name)) for name in fetch.variables)
        builders = tuple(builder(entities.representation, entities.type_name) for entities in fetch.entities)
        steps.append(Step(position, fetch, prefix, names, builders))
    return Program(tuple(_stages(steps)), plan.kind)


def _stages(steps: list[Step]) -> Iterator[tuple[Step, ...]]:
    """Cuts where all that comes after waits for all that came before."""
    before: list[frozenset[int]] = []
    for step in steps:
        after = step.fetch.after
        before.append(frozenset(after).union(*(before[position] for position in after)))
    start = 0
    for cut in range(1, len(steps) + 1):
        past = set(range(start, cut))
        if all(past <= known for known in before[cut:]):
            yield tuple(steps[start:cut])
            start = cut


@dataclass(slots=True)
class Run:
    """One execution: what has been merged so far, and what went wrong."""

    variables: Mapping[str, Any]
    ask: Ask
    caller: Caller
    data: Object
    errors: list[Object]
    shows_messages: bool = True
    """Whether subgraphs' own messages reach the client, which may tell more than a subgraph's owner thinks."""
    may_send: MaySend | None = None
    times: list[Object] | None = None
    """What each request took, where somebody wants to know."""

    async def all(self, program: Program, event: Object | None = None) -> None:
        """Runs every fetch; the event of a subscription is the answer to its first."""
        stages = program.stages
        if event is not None:
            self._put(stages[0][0].fetch, [self.data], event)
            stages = stages[1:]
        for stage in stages:
            if len(stage) == 1:
                await self.step(stage[0])
            else:
                await self._together(stage)

    async def _together(self, stage: tuple[Step, ...]) -> None:
        tasks: dict[int, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            for step in stage:
                tasks[step.position] = group.create_task(self._once_known(step, tasks))

    async def _once_known(self, step: Step, tasks: Mapping[int, asyncio.Task[None]]) -> None:
        for position in step.fetch.after:
            if position in tasks:
                await tasks[position]
        await self.step(step)

    async def step(self, step: Step) -> None:
        fetch = step.fetch
        if fetch.conditions and not self._holds(fetch.conditions):
            return
        if not fetch.entities:
            await self._root(step)
            return
        parts, sent, count = self.own_variables(step), [], 0
        for entities, build in zip(fetch.entities, step.builders, strict=True):
            asked = not entities.conditions or self._holds(entities.conditions)
            objects = objects_at(self.data, entities.path) if asked else []
            encoded, owners = self._representations(fetch.subgraph, objects, build)
            parts.append(b'"%b":%b' % (entities.variable.encode(), encoded))
            sent.append((entities, owners))
            count += len(owners)
        if not count:
            return
        answer = await self._asked(step, parts, fetch.entities[0].path)
        if answer is None:
            return
        found = answer.get("data")
        for entities, owners in sent:
            rows = found.get(entities.alias) if type(found) is dict else None
            if type(rows) is list:
                merge_entities(rows, owners)
        if "errors" in answer:
            self._note_entity_errors(fetch, answer, sent)

    def _representations(self, subgraph: str, objects: list[Object], build: Build) -> tuple[bytes, list[list[Object]]]:
        made, owners = representations(objects, build)
        if self.may_send is not None and made:
            allowed = self.may_send(subgraph, made, self.caller)
            made = [row for row, is_allowed in zip(made, allowed, strict=True) if is_allowed]
            owners = [rows for rows, is_allowed in zip(owners, allowed, strict=True) if is_allowed]
        return orjson.dumps(made), owners

    async def _root(self, step: Step) -> None:
        targets = objects_at(self.data, step.fetch.path)
        if not targets:
            return
        answer = await self._asked(step, self.own_variables(step), step.fetch.path)
        if answer is not None:
            self._put(step.fetch, targets, answer)

    def _put(self, fetch: Fetch, targets: list[Object], answer: Object) -> None:
        found = answer.get("data")
        if isinstance(found, dict):
            for target in targets:
                merge(target, found)
        for error in _listed(answer):
            path = error.get("path")
            prefix = _plain(fetch.path)
            self._note(fetch.subgraph, error, [*prefix, *path] if isinstance(path, list) else prefix or None)

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
        self.errors.append(error | ({"path": path} if path else {}))

    def own_variables(self, step: Step) -> list[bytes]:
        given = self.variables
        return [start + orjson.dumps(given[name]) for name, start in step.names if name in given]

    def _holds(self, conditions: Conditions) -> bool:
        return all(bool(self.variables.get(variable)) is wanted for variable, wanted in conditions)

    def _note_entity_errors(
        self, fetch: Fetch, answer: Object, sent: list[tuple[Entities, list[list[Object]]]]
    ) -> None:
        by_alias = {entities.alias: (entities, owners) for entities, owners in sent}
        for error in _listed(answer):
            path = error.get("path")
            where: list[str | int] | None = _plain(fetch.entities[0].path) or None
            if isinstance(path, list) and len(path) > 1 and path[0] in by_alias and isinstance(path[1], int):
                entities, owners = by_alias[path[0]]
                owner = owners[path[1]][0] if path[1] < len(owners) else None
                at = next((at for row, at in places_at(self.data, entities.path) if row is owner), None)
                where = where if at is None else [*at, *path[2:]]
            self._note(fetch.subgraph, error, where)

    def _note(self, subgraph: str, error: Object, path: list[Any] | None) -> None:
        given = error.get("extensions")
        extensions = dict(given) if isinstance(given, dict) else {}
        if not self.shows_messages:
            error = {}
            extensions = {"code": extensions["code"]} if isinstance(extensions.get("code"), str) else {}
        extensions = {"code": FAILED} | extensions | {"serviceName": subgraph}
        noted: Object = {"message": str(error.get("message", f"The subgraph {subgraph} reported an error."))}
        self.errors.append(noted | ({"path": path} if path else {}) | {"extensions": extensions})


def _plain(path: Path) -> list[str | int]:
    return [element for element in path if isinstance(element, str)]


def _listed(answer: Object) -> list[Object]:
    errors = answer.get("errors")
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
