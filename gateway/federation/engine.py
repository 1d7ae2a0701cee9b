"""Plans operations on a supergraph once and executes them many times."""

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
from gateway.federation.executor.run import MAX_ERRORS, PlanProgram, PlanRun, compile_plan
from gateway.federation.executor.shape import ResponseShape, make_introspection_key
from gateway.federation.executor.subgraphs import (
    ANONYMOUS_CALLER,
    Ask,
    Caller,
    Listen,
    MaySend,
    Object,
    ShowsMessages,
    SubgraphFailed,
    show_messages,
)
from gateway.federation.labels import IsActive, find_active_labels, is_drawn_by_percent
from gateway.federation.plan_cache import PlanCache
from gateway.federation.planner.paths import TooComplex
from gateway.federation.planner.plan import plan_to_json
from gateway.federation.planner.planner import PlannedOperation, plan_operation
from gateway.federation.planner.selection import INTROSPECTION, find_condition_variables
from gateway.federation.supergraph import Supergraph

CACHED_PLANS: Final = 1000
CACHED_CLAIMS: Final = 1000
MAX_SHAPES: Final = 64
MAX_FETCHES: Final = 1000
"""Most fetches in one plan. Fetches for types that do not occur in the data are planned but not sent."""


@dataclass(slots=True)
class CompiledPlan:
    """An operation after planning and compilation. It does not depend on variable values, so requests share it.

    Only the shape of the response depends on them: on the Boolean variables of `@skip` and `@include`.
    There is one ResponseShape for each combination of their values, made when it is first needed.
    """

    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    planned: PlannedOperation
    program: PlanProgram
    introspection: DocumentNode | None
    """The operation's `__schema` and `__type` fields, which the engine answers itself."""
    conditions: tuple[str, ...]
    """The variables of `@skip` and `@include`."""
    denied: frozenset[str]
    """Coordinates (`Type.field`) that the caller's claims do not allow."""
    refusals: list[Object]
    """The errors that tell the client about denied fields."""
    _shapes: "OrderedDict[tuple[bool, ...], ResponseShape]" = field(default_factory=OrderedDict)

    def find_shape(self, supergraph: Supergraph, variables: Mapping[str, Any]) -> ResponseShape:
        outcome = tuple(bool(variables.get(name)) for name in self.conditions)
        shape = self._shapes.get(outcome)
        if shape is None:
            truths = dict(zip(self.conditions, outcome, strict=True))
            shape = ResponseShape(
                supergraph.api_schema, supergraph.schema, self.fragments, self.planned.keys, truths, self.denied
            )
            self._shapes[outcome] = shape
            if len(self._shapes) > MAX_SHAPES:
                self._shapes.popitem(last=False)
        return shape


class NotStreamed(Exception):
    """This engine has no `listen`, so it cannot serve subscriptions."""


@dataclass(slots=True, weakref_slot=True)
class Engine:
    """Executes operations against the subgraphs. They must be valid in the API schema."""

    supergraph: Supergraph
    ask: Ask
    shows_messages: ShowsMessages = show_messages
    listen: Listen | None = None
    may_send: MaySend | None = None
    max_fetches: int = MAX_FETCHES
    is_active: IsActive = is_drawn_by_percent
    """Decides whether an override label is active; called once per request and label."""
    _plans: PlanCache[CompiledPlan] = field(default_factory=lambda: PlanCache(CACHED_PLANS))
    _denied: "OrderedDict[Claims, frozenset[str]]" = field(default_factory=OrderedDict)

    def prepare(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        claims: Claims = ANONYMOUS,
        labels: frozenset[str] | None = None,
    ) -> CompiledPlan:
        """Returns the planned operation, from the cache if it was planned before.

        Callers share a plan if the same coordinates are denied to them. `labels` are the active override labels;
        by default `is_active` decides. Raises Unplannable and TooComplex.
        """
        denied = self._find_denied(claims)
        if labels is None:
            labels = find_active_labels(self.supergraph, self.is_active)
        digest = self._plans.find_digest(document, operation, fragments)
        found = self._plans.get(digest, labels, denied)
        if found is None:
            found = self._plan(operation, fragments, denied, labels)
            self._plans.put(digest, labels, denied, found.planned.graph.used_labels, found)
        return found

    def _find_denied(self, claims: Claims) -> frozenset[str]:
        if not self.supergraph.rules:
            return NOTHING_DENIED
        if claims not in self._denied:
            self._denied[claims] = find_denied_fields(self.supergraph, claims)
            if len(self._denied) > CACHED_CLAIMS:
                self._denied.popitem(last=False)
        return self._denied[claims]

    def _plan(
        self,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        denied: frozenset[str],
        labels: frozenset[str],
    ) -> CompiledPlan:
        planned = plan_operation(self.supergraph, operation, fragments, labels, denied)
        if len(planned.plan.fetches) > self.max_fetches:
            raise TooComplex(
                f"The plan has {len(planned.plan.fetches)} fetches; at most {self.max_fetches} are allowed."
            )
        local = tuple(_find_introspection(operation.selection_set, fragments))
        introspection = None
        if local:
            definition = OperationDefinitionNode(
                operation=operation.operation,
                variable_definitions=operation.variable_definitions,
                directives=(),
                selection_set=SelectionSetNode(selections=local),
            )
            introspection = DocumentNode(definitions=(definition, *fragments.values()))
        conditions = find_condition_variables((operation, *fragments.values()))
        return CompiledPlan(
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
        prepared: CompiledPlan,
        raw: Mapping[str, Any],
        variables: Mapping[str, Any],
        caller: Caller = ANONYMOUS_CALLER,
        explained: bool = False,
    ) -> Object:
        """Returns the response. `raw` are the variables as the client sent them, `variables` their coerced values.

        If `explained`, the response's extensions hold the plan and the time of each fetch.
        """
        run = self._start_run(raw, variables, caller)
        refusals = list(prepared.refusals)
        if explained:
            run.times = []
        if prepared.introspection is not None:
            result = execute_sync(self.supergraph.api_schema, prepared.introspection, variable_values=dict(raw))
            run.data |= {make_introspection_key(key): value for key, value in (result.data or {}).items()}
            refusals += [dict(error.formatted) for error in result.errors or ()]
        await run.run_program(prepared.program)
        answer = self._build_response(prepared, variables, run, refusals)
        if explained:
            answer["extensions"] = {"queryPlan": plan_to_json(prepared.planned.plan), "fetches": run.times}
        return answer

    async def subscribe(
        self,
        prepared: CompiledPlan,
        raw: Mapping[str, Any],
        variables: Mapping[str, Any],
        caller: Caller = ANONYMOUS_CALLER,
    ) -> AsyncGenerator[Object, None]:
        """Yields a response for each event of the subscription. Raises NotStreamed.

        Ends when the subgraph's stream ends. If the stream breaks off, the last response holds the error.
        """
        if self.listen is None:
            raise NotStreamed
        first = prepared.program.stages[0].steps[0]
        subgraph = first.fetch.subgraph
        request = first.make_request(self._start_run(raw, variables, caller).select_variables(first))
        try:
            async with aclosing(self.listen(subgraph, request, caller)) as events:
                async for event in events:
                    run = self._start_run(raw, variables, caller)
                    await run.run_program(prepared.program, event)
                    yield self._build_response(prepared, variables, run, list(prepared.refusals))
        except SubgraphFailed as failed:
            run = self._start_run(raw, variables, caller)
            run.note_failure(subgraph, failed, [])
            yield {"data": None, "errors": [*prepared.refusals, *run.failures]}

    def _start_run(self, raw: Mapping[str, Any], variables: Mapping[str, Any], caller: Caller) -> PlanRun:
        # Raw values win: the subgraph coerces them itself. The coerced ones add the defaults of absent variables.
        return PlanRun(
            {**variables, **raw}, self.ask, caller, {}, shows_messages=self.shows_messages, may_send=self.may_send
        )

    def _build_response(
        self, prepared: CompiledPlan, variables: Mapping[str, Any], run: PlanRun, errors: list[Object]
    ) -> Object:
        """`errors` are those known before the run; their paths are in the client's response keys already."""
        shape = prepared.find_shape(self.supergraph, variables)

        def relocate(error: Object) -> list[Object]:
            # One field of a plan may serve several response keys of the client: {a: name b: name} → one error for each.
            if "path" not in error:
                return [error]
            paths = shape.find_client_paths(prepared.operation, run.data, error["path"])
            return [error | {"path": path} for path in paths]

        errors += [relocate(failure)[0] for failure in run.failures]
        errors += islice((copy for error in run.errors for copy in relocate(error)), MAX_ERRORS)
        data = shape.build_data(prepared.operation, run.data, errors)
        return {"data": data, "errors": errors} if errors else {"data": data}


def _find_introspection(
    selection_set: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[FieldNode]:
    """Yields the `__schema` and `__type` fields at the root, through fragments."""
    for selection in selection_set.selections:
        match selection:
            case FieldNode() if selection.name.value in INTROSPECTION:
                yield selection
            case FragmentSpreadNode():
                yield from _find_introspection(fragments[selection.name.value].selection_set, fragments)
            case InlineFragmentNode():
                yield from _find_introspection(selection.selection_set, fragments)
