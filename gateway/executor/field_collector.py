"""Collects the fields of selection sets by response key, as the specification's CollectFields does.

@skip and @include are decided here, so a compiled program has no conditions: an operation with the variables `a` and
`b` in conditions is compiled once for each combination of their values that is asked for.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    is_abstract_type,
)

CollectedFields = dict[str, list[FieldNode]]
"""Field nodes by response key, in the order of the answer: `{a b: a a}` → {"a": [a, a], "b": [a]}."""


class Unsupported(Exception):
    """The operation cannot be compiled; `reason` is a label of the metric of referred operations."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class OperationSource:
    """The operation to compile. `conditions` are the values of the variables in its @skip and @include."""

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    conditions: Mapping[str, bool]

    def collect_fields(self, parent: GraphQLObjectType, selection_sets: Iterable[SelectionSetNode]) -> CollectedFields:
        """Returns the fields that the selection sets, merged, select on an object type. Raises Unsupported."""
        collected: CollectedFields = {}
        visited: set[str] = set()
        for selection_set in selection_sets:
            self._collect(parent, selection_set, collected, visited)
        return collected

    def _collect(
        self,
        parent: GraphQLObjectType,
        selection_set: SelectionSetNode,
        collected: CollectedFields,
        visited: set[str],
    ) -> None:
        """`visited` are the fragments that have been spread already: a second spread adds nothing."""
        for selection in selection_set.selections:
            if not self._is_included(selection):
                continue
            if isinstance(selection, FieldNode):
                key = (selection.alias or selection.name).value
                collected.setdefault(key, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                if self._is_applicable(selection.type_condition, parent):
                    self._collect(parent, selection.selection_set, collected, visited)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in visited:
                visited.add(selection.name.value)
                fragment = self.fragments[selection.name.value]
                if self._is_applicable(fragment.type_condition, parent):
                    self._collect(parent, fragment.selection_set, collected, visited)

    def _is_applicable(self, condition: NamedTypeNode | None, parent: GraphQLObjectType) -> bool:
        if condition is None or condition.name.value == parent.name:
            return True
        named = self.schema.type_map[condition.name.value]
        return is_abstract_type(named) and self.schema.is_sub_type(named, parent)

    def _is_included(self, selection: SelectionNode) -> bool:
        included = True
        for directive in selection.directives or ():
            if directive.name.value == "skip":
                included &= not self._evaluate(directive)
            elif directive.name.value == "include":
                included &= self._evaluate(directive)
            else:
                raise Unsupported("directive")
        return included

    def _evaluate(self, directive: DirectiveNode) -> bool:
        """Returns the value of the directive's one argument, `if`."""
        value = (directive.arguments or ())[0].value
        if isinstance(value, VariableNode):
            return self.conditions[value.name.value]
        if isinstance(value, BooleanValueNode):
            return value.value
        raise Unsupported("directive")


def find_condition_variables(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> tuple[str, ...]:
    """Returns the variables that @skip and @include name anywhere in the document, sorted.

    Also those below a parent that another condition skips: the key of a compiled program must not depend on values.
    """
    names: set[str] = set()
    waiting: list[SelectionSetNode] = [operation.selection_set, *(f.selection_set for f in fragments.values())]
    declared = {definition.variable.name.value for definition in operation.variable_definitions or ()}
    while waiting:
        for selection in waiting.pop().selections:
            names.update(_find_variables(selection.directives or ()))
            inner: Any = getattr(selection, "selection_set", None)
            if inner is not None:
                waiting.append(inner)
    return tuple(sorted(names & declared))


def _find_variables(directives: Iterable[DirectiveNode]) -> Iterator[str]:
    for directive in directives:
        for argument in directive.arguments or ():
            if isinstance(argument.value, VariableNode):
                yield argument.value.name.value
