"""Walks the plan: sends each fetch once what it needs is known, and merges the answers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from gateway.federation.executor.merge import Build, Object, builder, merge, objects_at, places_at, representations
from gateway.federation.planner.fetches import Path
from gateway.federation.planner.plan import Entities, Fetch, QueryPlan
from gateway.federation.planner.selection import Conditions

Ask = Callable[[str, bytes, str], Awaitable[Object]]
"""Sends a body to a subgraph (its name, the body, the kind of operation); the answer as an object.

Raises SubgraphFailed where there is none.
"""

FAILED: Final = "DOWNSTREAM_SERVICE_ERROR"


class SubgraphFailed(Exception):
    """The subgraph gave no answer that can be used; `code` says how it failed."""

    def __init__(self, message: str, code: str = FAILED) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Program:
    """A plan made ready to run: bodies but for their variables, walkers and builders."""

    steps: "tuple[Step, ...]"
    kind: str


@dataclass(frozen=True, slots=True)
class Step:
    fetch: Fetch
    prefix: bytes
    builders: tuple[Build, ...]


def compile_plan(plan: QueryPlan) -> Program:
    steps = []
    for fetch in plan.fetches:
        prefix = b'{"query":' + orjson.dumps(fetch.document) + b',"variables":{'
        builders = tuple(builder(entities.representation, entities.type_name) for entities in fetch.entities)
        steps.append(Step(fetch, prefix, builders))
    return Program(tuple(steps), plan.kind)


@dataclass(slots=True)
class Run:
    """One execution: what has been merged so far, and what went wrong."""

    variables: Mapping[str, Any]
    ask: Ask
    data: Object
    errors: list[Object]
    shows_messages: bool = True
    """Whether subgraphs' own messages reach the client, which may tell more than a subgraph's owner thinks."""

    async def all(self, program: Program) -> None:
        steps = program.steps
        if len(steps) == 1:
            await self.step(steps[0])
            return
        if all(number - 1 in step.fetch.after for number, step in enumerate(steps) if number):
            for step in steps:
                await self.step(step)
            return
        tasks: list[asyncio.Task[None]] = []
        async with asyncio.TaskGroup() as group:
            for step in steps:
                before = [tasks[position] for position in step.fetch.after]
                tasks.append(group.create_task(self._once_known(step, before)))

    async def _once_known(self, step: Step, before: list[asyncio.Task[None]]) -> None:
        for task in before:
            await task
        await self.step(step)

    async def step(self, step: Step) -> None:
        fetch = step.fetch
        if not self._holds(fetch.conditions):
            return
        if not fetch.is_entity:
            await self._root(step)
            return
        sent: list[tuple[Entities, list[list[Object]]]] = []
        parts = self._own_variables(fetch)
        for entities, build in zip(fetch.entities, step.builders, strict=True):
            asked = self._holds(entities.conditions)
            objects = objects_at(self.data, entities.path) if asked else []
            encoded, owners = representations(objects, build)
            parts.append(b'"%s":[%s]' % (entities.variable.encode(), b",".join(encoded)))
            sent.append((entities, owners))
        if not any(owners for _, owners in sent):
            return
        answer = await self._asked(step, parts, fetch.entities[0].path)
        if answer is None:
            return
        found = answer.get("data")
        for entities, owners in sent:
            rows = found.get(entities.alias) if isinstance(found, dict) else None
            if isinstance(rows, list):
                for row, objects in zip(rows, owners, strict=False):
                    if isinstance(row, dict):
                        for owner in objects:
                            merge(owner, row)
        self._note_entity_errors(fetch, answer, sent)

    async def _root(self, step: Step) -> None:
        fetch = step.fetch
        targets = objects_at(self.data, fetch.path)
        if not targets:
            return
        answer = await self._asked(step, self._own_variables(fetch), fetch.path)
        if answer is None:
            return
        found = answer.get("data")
        if isinstance(found, dict):
            for target in targets:
                merge(target, found)
        for error in _listed(answer):
            path = error.get("path")
            prefix = _plain(fetch.path)
            self._note(fetch.subgraph, error, [*prefix, *path] if isinstance(path, list) else prefix or None)

    async def _asked(self, step: Step, parts: list[bytes], path: Path) -> Object | None:
        body = step.prefix + b",".join(parts) + b"}}"
        try:
            return await self.ask(step.fetch.subgraph, body, step.fetch.kind)
        except SubgraphFailed as failed:
            extensions = {"code": failed.code, "serviceName": step.fetch.subgraph}
            error: Object = {"message": str(failed), "extensions": extensions}
            plain = _plain(path)
            self.errors.append(error | ({"path": plain} if plain else {}))
            return None

    def _own_variables(self, fetch: Fetch) -> list[bytes]:
        return [
            b'"%s":%s' % (name.encode(), orjson.dumps(self.variables[name]))
            for name in fetch.variables
            if name in self.variables
        ]

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
