"""Selection sets to response keys, as the specification collects them, with @skip and @include decided."""

from collections.abc import Iterable, Mapping
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

Fields = dict[str, list[FieldNode]]
Conditions = Mapping[str, bool]


class Unsupported(Exception):
    """The operation cannot be compiled; `reason` is a metric's label."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Source:
    """The operation that is compiled; `conditions` are the values of the variables that decide what is included."""

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    conditions: Conditions

    def fields(self, parent: GraphQLObjectType, selection_sets: Iterable[SelectionSetNode]) -> Fields:
        """Field nodes by response key, in the order in which they are answered."""
        collected: Fields = {}
        spread: set[str] = set()
        for selection_set in selection_sets:
            self._collect(parent, selection_set, collected, spread)
        return collected

    def _collect(
        self, parent: GraphQLObjectType, selection_set: SelectionSetNode, collected: Fields, spread: set[str]
    ) -> None:
        for selection in selection_set.selections:
            if not self._is_included(selection):
                continue
            if isinstance(selection, FieldNode):
                key = (selection.alias or selection.name).value
                collected.setdefault(key, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                if self._applies(selection.type_condition, parent):
                    self._collect(parent, selection.selection_set, collected, spread)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in spread:
                spread.add(selection.name.value)
                fragment = self.fragments[selection.name.value]
                if self._applies(fragment.type_condition, parent):
                    self._collect(parent, fragment.selection_set, collected, spread)

    def _applies(self, condition: NamedTypeNode | None, parent: GraphQLObjectType) -> bool:
        if condition is None or condition.name.value == parent.name:
            return True
        named = self.schema.type_map[condition.name.value]
        return is_abstract_type(named) and self.schema.is_sub_type(named, parent)

    def _is_included(self, selection: SelectionNode) -> bool:
        included = True
        for directive in selection.directives or ():
            if directive.name.value == "skip":
                included &= not self._condition(directive)
            elif directive.name.value == "include":
                included &= self._condition(directive)
            else:
                raise Unsupported("directive")
        return included

    def _condition(self, directive: DirectiveNode) -> bool:
        value = (directive.arguments or ())[0].value
        if isinstance(value, VariableNode):
            return self.conditions[value.name.value]
        if isinstance(value, BooleanValueNode):
            return value.value
        raise Unsupported("directive")


def condition_variables(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> tuple[str, ...]:
    """The variables that @skip and @include name anywhere, under a parent that is skipped too."""
    names: set[str] = set()
    waiting: list[SelectionSetNode] = [operation.selection_set, *(f.selection_set for f in fragments.values())]
    declared = {definition.variable.name.value for definition in operation.variable_definitions or ()}
    while waiting:
        for selection in waiting.pop().selections:
            names.update(_variables_of(selection.directives or ()))
            inner: Any = getattr(selection, "selection_set", None)
            if inner is not None:
                waiting.append(inner)
    return tuple(sorted(names & declared))


def _variables_of(directives: Iterable[DirectiveNode]) -> Iterable[str]:
    for directive in directives:
        for argument in directive.arguments or ():
            if isinstance(argument.value, VariableNode):
                yield argument.value.name.value
