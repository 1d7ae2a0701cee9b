"""Normalises selection sets to items: the form in which the planner sees an operation.

Fragments are expanded, conditions move from fragments to their fields, literal conditions are evaluated, and a field
with the same arguments and conditions occurs once. Aliases disappear: the plan has response keys of its own
(fetches.ResponseKeys), and the executor puts the client's names back (executor/shape.py).
    # { a: name  b: name  ... @include(if: $x) { rank }  ... on Car { wheels } }
    # → Field(name), Field(rank, if $x), Fragment(Car, [Field(wheels)])
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Node,
    SelectionSetNode,
    VariableNode,
    Visitor,
    print_ast,
    visit,
)

from gateway.federation.supergraph import Supergraph

Condition = tuple[str, bool]
"""A variable of `@skip` or `@include`, and the value that it must have for the field to be included."""

FieldConditions = frozenset[Condition]
"""All must hold. Empty: the field is always included."""

ALWAYS: Final[FieldConditions] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A selected field. `arguments` are printed GraphQL, sorted by name; `variables` are those that they use.

    Compared by identity, so that the planner can cheaply use tuples of items as cache keys.
    """

    name: str
    arguments: str = ""
    variables: frozenset[str] = frozenset()
    conditions: FieldConditions = ALWAYS
    selections: tuple["SelectionItem", ...] = ()
    variant: str = ""
    """Keeps this field separate from the same field elsewhere: a mutation's response key, or a requirement (nulls)."""

    def narrow(self, selections: Sequence["SelectionItem"]) -> "Field":
        """Returns the same field with other selections inside."""
        return Field(self.name, self.arguments, self.variables, self.conditions, tuple(selections), self.variant)


@dataclass(frozen=True, slots=True, eq=False)
class Fragment:
    """Selections that apply only to objects of one type."""

    type_name: str
    selections: tuple["SelectionItem", ...]


SelectionItem = Field | Fragment

TYPENAME: Final = Field("__typename")

INTROSPECTION: Final = frozenset({"__schema", "__type"})
"""Fields that the gateway answers itself; no subgraph is asked for them."""


@dataclass(slots=True)
class Normaliser:
    """Turns the selection sets of one document, or of a directive's `fields` argument, into items."""

    supergraph: Supergraph
    fragments: Mapping[str, FragmentDefinitionNode] = field(default_factory=dict)
    denied: frozenset[str] = frozenset()
    """Coordinates (`Type.field`) that the caller may not see; they are left out."""

    def normalise(self, selection_set: SelectionSetNode, type_name: str) -> tuple[SelectionItem, ...]:
        """Returns the items of a selection set on an object whose static type is `type_name`."""
        return merge_items(self._expand(selection_set, type_name, ALWAYS))

    def _expand(
        self, selection_set: SelectionSetNode, type_name: str, conditions: FieldConditions
    ) -> Iterator[SelectionItem]:
        for selection in selection_set.selections:
            own = _add_conditions(selection.directives, conditions)
            if own is None:
                continue
            if isinstance(selection, FieldNode):
                name = selection.name.value
                if name not in INTROSPECTION and f"{type_name}.{name}" not in self.denied:
                    yield from self._split_allowed(self._make_field(selection, type_name, own), type_name)
                continue
            fragment: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments[selection.name.value]
                inherited = _add_conditions(fragment.directives, own)
                if inherited is None:
                    continue
                own = inherited
            assert isinstance(fragment, InlineFragmentNode | FragmentDefinitionNode)  # noqa: S101 - the kinds left
            condition = type_name if fragment.type_condition is None else fragment.type_condition.name.value
            inner = self._expand(fragment.selection_set, condition, own)
            # A fragment that every object of this type matches is no restriction: its items are inlined.
            if condition == type_name or type_name in self.supergraph.subtypes(condition):
                yield from inner
            else:
                yield Fragment(condition, merge_items(inner))

    def _split_allowed(self, item: Field, type_name: str) -> Iterator[SelectionItem]:
        """Splits a field of an abstract type into fragments if it is denied on some of the object types.

        # node { secret }, Car.secret denied → node { ... on Bike { secret } }
        """
        possible = self.supergraph.possible_types(type_name)
        if not any(f"{name}.{item.name}" in self.denied for name in possible if self.denied):
            yield item
            return
        for name in sorted(possible):
            if f"{name}.{item.name}" not in self.denied:
                yield Fragment(name, (item,))

    def _make_field(self, field_node: FieldNode, type_name: str, conditions: FieldConditions) -> Field:
        name = field_node.name.value
        arguments = sorted(field_node.arguments or (), key=lambda argument: argument.name.value)
        inner: tuple[SelectionItem, ...] = ()
        if field_node.selection_set is not None:
            named = self.supergraph.field_type(type_name, name)
            assert named is not None  # noqa: S101 - validation has refused unknown fields
            # All fields inside may be excluded by literal conditions, but GraphQL forbids an empty selection set.
            inner = self.normalise(field_node.selection_set, named) or (TYPENAME,)
        printed = ", ".join(print_ast(argument) for argument in arguments)
        variant = make_variant(self.supergraph, type_name, field_node)
        return Field(name, printed, frozenset(_find_variables(arguments)), conditions, inner, variant)


def make_variant(supergraph: Supergraph, type_name: str, field_node: FieldNode) -> str:
    """Returns a mutation field's response key: two aliases of one mutation are executed twice. Else ""."""
    is_mutation = type_name == supergraph.root_types.get("mutation")
    return (field_node.alias or field_node.name).value if is_mutation else ""


def merge_items(items: Iterable[SelectionItem]) -> tuple[SelectionItem, ...]:
    """Merges equal fields and fragments, and the selections inside them, in the order of their first occurrence."""
    groups: dict[Any, list[SelectionItem]] = {}
    for item in items:
        groups.setdefault(_identify(item), []).append(item)
    return tuple(rows[0] if len(rows) == 1 else _join(rows) for rows in groups.values())


def _identify(item: SelectionItem) -> Any:
    return item.type_name if isinstance(item, Fragment) else (item.name, item.arguments, item.conditions, item.variant)


def _join(rows: list[SelectionItem]) -> SelectionItem:
    inner = merge_items(selection for row in rows for selection in row.selections)
    first = rows[0]
    return Fragment(first.type_name, inner) if isinstance(first, Fragment) else first.narrow(inner)


def has_conflict(one: Iterable[SelectionItem], other: Iterable[SelectionItem]) -> bool:
    """Whether both select a field of one name with different arguments or variants.

    A representation names fields without arguments, so it cannot hold both.
    """
    rows = list(_flatten_fragments(other))
    return any(
        field.name == row.name
        and (
            (field.arguments, field.variant) != (row.arguments, row.variant)
            or has_conflict(field.selections, row.selections)
        )
        for field in _flatten_fragments(one)
        for row in rows
    )


def _flatten_fragments(items: Iterable[SelectionItem]) -> Iterator[Field]:
    for item in items:
        if isinstance(item, Field):
            yield item
        else:
            yield from _flatten_fragments(item.selections)


def _find_variables(arguments: Iterable[ArgumentNode]) -> Iterator[str]:
    waiting: list[Any] = [argument.value for argument in arguments]
    while waiting:
        value = waiting.pop()
        if isinstance(value, VariableNode):
            yield value.name.value
        waiting += getattr(value, "values", None) or ()
        waiting += [inner.value for inner in getattr(value, "fields", None) or ()]


def find_condition_variables(nodes: Iterable[Node]) -> tuple[str, ...]:
    """Returns the variables of every `@skip` and `@include` in the nodes, in document order."""
    found: dict[str, None] = {}

    class ConditionVisitor(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
            if node.name.value in ("skip", "include"):
                for argument in node.arguments or ():
                    if isinstance(argument.value, VariableNode):
                        found[argument.value.name.value] = None

    for node in nodes:
        visit(node, ConditionVisitor())
    return tuple(found)


def _add_conditions(directives: Sequence[DirectiveNode] | None, inherited: FieldConditions) -> FieldConditions | None:
    """Adds the conditions of `@skip` and `@include`. Returns None if they can never hold.

    That is: a literal excludes the selection, or one variable would have to be both true and false.
    """
    found = inherited
    for directive in directives or ():
        name = directive.name.value
        if name not in ("skip", "include"):
            continue
        wanted = name == "include"
        value = (directive.arguments or ())[0].value
        if isinstance(value, BooleanValueNode):
            if value.value is not wanted:
                return None
        else:
            assert isinstance(value, VariableNode)  # noqa: S101 - validation has refused anything else
            found |= {(value.name.value, wanted)}
    variables = [variable for variable, _ in found]
    return None if len(variables) != len(set(variables)) else found
