"""A supergraph ready to serve: operations planned once, run many times."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    execute_sync,
)

from gateway.federation.authorization import ANONYMOUS, NOTHING_DENIED, Claims, find_denied_fields, list_refusals
from gateway.federation.executor.run import MAX_ERRORS, Program, Run, compile_plan
from gateway.federation.executor.shape import Shape, introspected
from gateway.federation.executor.subgraphs import (
    NOBODY,
    Ask,
    Caller,
    Listen,
    MaySend,
    ShowsMessages,
    SubgraphFailed,
    shown,
)
from gateway.federation.labels import IsActive, find_active_labels, is_drawn_by_percent
from gateway.federation.plan_cache import PlanCache
from gateway.federation.planner.paths import TooComplex
from gateway.federation.planner.plan import as_json
from gateway.federation.planner.planner import Planned, plan
from gateway.federation.planner.selection import INTROSPECTION, condition_variables
from gateway.federation.supergraph import Supergraph

CACHED_PLANS: Final = 1000
CACHED_CLAIMS: Final = 1000
MAX_SHAPES: Final = 64
MAX_FETCHES: Final = 1000
"""So many fetches may a plan have; those for types that do not turn up in the data are not sent."""

Object = dict[str, Any]


@dataclass(slots=True)
class Prepared:
    """An operation planned and compiled; its shapes by how its conditions fall."""

    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    planned: Planned
    program: Program
    introspection: DocumentNode | None
    conditions: tuple[str, ...]
    denied: frozenset[str]
    refusals: list[Object]
    _shapes: "OrderedDict[tuple[bool, ...], Shape]" = field(default_factory=OrderedDict)

    def shape(self, supergraph: Supergraph, variables: Mapping[str, Any]) -> Shape:
        outcome = tuple(bool(variables.get(name)) for name in self.conditions)
        found = self._shapes.get(outcome)
        if found is None:
            truths = dict(zip(self.conditions, outcome, strict=True))
            found = Shape(
                supergraph.api_schema, supergraph.schema, self.fragments, self.planned.keys, truths, self.denied
            )
            self._shapes[outcome] = found
            if len(self._shapes) > MAX_SHAPES:
                self._shapes.popitem(last=False)
        return found


class NotStreamed(Exception):
    """The host of this engine streams no subscriptions."""


@dataclass(slots=True, weakref_slot=True)
class Engine:
    """Executes operations that are valid in the API schema against the subgraphs."""

    supergraph: Supergraph
    ask: Ask
    shows_messages: ShowsMessages = shown
    listen: Listen | None = None
    may_send: MaySend | None = None
    max_fetches: int = MAX_FETCHES
    is_active: IsActive = is_drawn_by_percent
    """Whether an override's label is active: asked once a request."""
    _plans: PlanCache[Prepared] = field(default_factory=lambda: PlanCache(CACHED_PLANS))
    _denied: "OrderedDict[Claims, frozenset[str]]" = field(default_factory=OrderedDict)

    def prepare(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        claims: Claims = ANONYMOUS,
        labels: frozenset[str] | None = None,
    ) -> Prepared:
        """The operation's plan, made once for all callers who may have the same. Raises Unplannable and TooComplex.

        `labels` are the override labels that are active; by default those that `is_active` says.
        """
        denied = self._denied_to(claims)
        if labels is None:
            labels = find_active_labels(self.supergraph, self.is_active)
        digest = self._plans.find_digest(document, operation, fragments)
        found = self._plans.get(digest, labels, denied)
        if found is None:
            found = self._prepare(operation, fragments, denied, labels)
            self._plans.put(digest, labels, denied, found.planned.graph.asked_labels, found)
        return found

    def _denied_to(self, claims: Claims) -> frozenset[str]:
        if not self.supergraph.rules:
            return NOTHING_DENIED
        if claims not in self._denied:
            self._denied[claims] = find_denied_fields(self.supergraph, claims)
            if len(self._denied) > CACHED_CLAIMS:
                self._denied.popitem(last=False)
        return self._denied[claims]

    def _prepare(
        self,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        denied: frozenset[str],
        labels: frozenset[str],
    ) -> Prepared:
        planned = plan(self.supergraph, operation, fragments, labels, denied)
        if len(planned.plan.fetches) > self.max_fetches:
            raise TooComplex(f"The plan has {len(planned.plan.fetches)} fetches; at most {self.max_fetches} are taken.")
        local = tuple(_introspection(operation.selection_set, fragments))
        introspection = None
        if local:
            asked = OperationDefinitionNode(
                operation=operation.operation,
                variable_definitions=operation.variable_definitions,
                directives=(),
                selection_set=SelectionSetNode(selections=local),
            )
            introspection = DocumentNode(definitions=(asked, *fragments.values()))
        conditions = condition_variables((operation, *fragments.values()))
        return Prepared(
            operation,
            fragments,
            planned,
            compile_plan(planned.plan),
            introspection,
            conditions,
            denied,
            list_refusals(self.supergraph, operation, fragments, denied),
        )

    async def execute(
        self,
        prepared: Prepared,
        raw: Mapping[str, Any],
        variables: Mapping[str, Any],
        caller: Caller = NOBODY,
        explained: bool = False,
    ) -> Object:
        """The response: `raw` are the variables as they were sent, `variables` their coerced values.

        Where `explained`, its extensions hold the plan and what each fetch took.
        """
        run = self._run(raw, variables, caller)
        refusals = list(prepared.refusals)
        if explained:
            run.times = []
        if prepared.introspection is not None:
            found = execute_sync(self.supergraph.api_schema, prepared.introspection, variable_values=dict(raw))
            run.data |= {introspected(key): value for key, value in (found.data or {}).items()}
            refusals += [dict(error.formatted) for error in found.errors or ()]
        await run.all(prepared.program)
        answer = self._shaped(prepared, variables, run, refusals)
        if explained:
            answer["extensions"] = {"queryPlan": as_json(prepared.planned.plan), "fetches": run.times}
        return answer

    async def subscribe(
        self, prepared: Prepared, raw: Mapping[str, Any], variables: Mapping[str, Any], caller: Caller = NOBODY
    ) -> AsyncGenerator[Object, None]:
        """A response for each event; ends when the subgraph's stream does, with an error where that breaks off."""
        if self.listen is None:
            raise NotStreamed
        first = prepared.program.stages[0].steps[0]
        subgraph = first.fetch.subgraph
        body = first.body(self._run(raw, variables, caller).own_variables(first))
        try:
            async with aclosing(self.listen(subgraph, body, caller)) as events:
                async for event in events:
                    run = self._run(raw, variables, caller)
                    await run.all(prepared.program, event)
                    yield self._shaped(prepared, variables, run, list(prepared.refusals))
        except SubgraphFailed as failed:
            run = self._run(raw, variables, caller)
            run.note_failure(subgraph, failed, [])
            yield {"data": None, "errors": [*prepared.refusals, *run.failures]}

    def _run(self, raw: Mapping[str, Any], variables: Mapping[str, Any], caller: Caller) -> Run:
        return Run(
            {**variables, **raw}, self.ask, caller, {}, shows_messages=self.shows_messages, may_send=self.may_send
        )

    def _shaped(self, prepared: Prepared, variables: Mapping[str, Any], run: Run, errors: list[Object]) -> Object:
        """The answer; `errors` are those known before the run, whose paths are the client's already."""
        shape = prepared.shape(self.supergraph, variables)

        def placed(error: Object) -> list[Object]:
            if "path" not in error:
                return [error]
            paths = shape.client_paths(prepared.operation, run.data, error["path"])
            return [error | {"path": path} for path in paths]

        errors += [placed(failure)[0] for failure in run.failures]
        errors += islice((at for error in run.errors for at in placed(error)), MAX_ERRORS)
        shaped = shape.respond(prepared.operation, run.data, errors)
        return {"data": shaped, "errors": errors} if errors else {"data": shaped}


def _introspection(
    selection_set: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[FieldNode]:
    """The root fields that we answer ourselves."""
    for selection in selection_set.selections:
        match selection:
            case FieldNode() if selection.name.value in INTROSPECTION:
                yield selection
            case FragmentSpreadNode():
                yield from _introspection(fragments[selection.name.value].selection_set, fragments)
            case InlineFragmentNode():
                yield from _introspection(selection.selection_set, fragments)
