"""What is asked of an object: fields and fragments, normalised.

Fragments are written out, conditions sit on fields, literal ones are decided, and the same field with the same
arguments stands once. Response keys are our own here, the same wherever a field is asked for: the client's names
come back when the answer is shaped.
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
"""A variable, and what it must be for the field to be asked for."""

Conditions = frozenset[Condition]

ALWAYS: Final[Conditions] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A field that is asked for; `arguments` as they are printed, `variables` those that stand in them."""

    name: str
    arguments: str = ""
    variables: frozenset[str] = frozenset()
    conditions: Conditions = ALWAYS
    selections: tuple["Item", ...] = ()
    apart: str = ""
    """Tells it from the same field that is to be had apart: a mutation's response key, or what a `@requires` needs."""

    def narrowed(self, selections: Sequence["Item"]) -> "Field":
        """The same field with less inside."""
        return Field(self.name, self.arguments, self.variables, self.conditions, tuple(selections), self.apart)


@dataclass(frozen=True, slots=True, eq=False)
class Fragment:
    """What is asked of the objects of a type alone."""

    type_name: str
    selections: tuple["Item", ...]


Item = Field | Fragment

TYPENAME: Final = Field("__typename")

INTROSPECTION: Final = frozenset({"__schema", "__type"})
"""Answered by the gateway itself, never asked of a subgraph."""


@dataclass(slots=True)
class Normaliser:
    """Selection sets of one document, or of a `fields` argument, to items."""

    supergraph: Supergraph
    fragments: Mapping[str, FragmentDefinitionNode] = field(default_factory=dict)
    denied: frozenset[str] = frozenset()
    """Coordinates that are left out: the caller may not have them."""

    def items(self, selection_set: SelectionSetNode, type_name: str) -> tuple[Item, ...]:
        """What a selection set asks of an object whose static type is `type_name`."""
        return merged(self._items(selection_set, type_name, ALWAYS))

    def _items(self, selection_set: SelectionSetNode, type_name: str, conditions: Conditions) -> Iterator[Item]:
        for selection in selection_set.selections:
            own = _conditions(selection.directives, conditions)
            if own is None:
                continue
            if isinstance(selection, FieldNode):
                name = selection.name.value
                if name not in INTROSPECTION and f"{type_name}.{name}" not in self.denied:
                    yield from self._allowed(self._field(selection, type_name, own), type_name)
                continue
            fragment: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments[selection.name.value]
                inherited = _conditions(fragment.directives, own)
                if inherited is None:
                    continue
                own = inherited
            assert isinstance(fragment, InlineFragmentNode | FragmentDefinitionNode)  # noqa: S101 - the kinds left
            condition = type_name if fragment.type_condition is None else fragment.type_condition.name.value
            inner = self._items(fragment.selection_set, condition, own)
            if condition == type_name or type_name in self.supergraph.subtypes(condition):
                yield from inner
            else:
                yield Fragment(condition, merged(inner))

    def _allowed(self, item: Field, type_name: str) -> Iterator[Item]:
        """The field of an abstract type is asked of those of its objects alone of which the caller may have it."""
        possible = self.supergraph.possible_types(type_name)
        if not any(f"{name}.{item.name}" in self.denied for name in possible if self.denied):
            yield item
            return
        for name in sorted(possible):
            if f"{name}.{item.name}" not in self.denied:
                yield Fragment(name, (item,))

    def _field(self, field_node: FieldNode, type_name: str, conditions: Conditions) -> Field:
        name = field_node.name.value
        arguments = sorted(field_node.arguments or (), key=lambda argument: argument.name.value)
        inner: tuple[Item, ...] = ()
        if field_node.selection_set is not None:
            named = self.supergraph.field_type(type_name, name)
            assert named is not None  # noqa: S101 - validation has refused unknown fields
            # Where every condition is false a selection set must still not be empty.
            inner = self.items(field_node.selection_set, named) or (TYPENAME,)
        printed = ", ".join(print_ast(argument) for argument in arguments)
        apart = apart_key(self.supergraph, type_name, field_node)
        return Field(name, printed, frozenset(_variables(arguments)), conditions, inner, apart)


def apart_key(supergraph: Supergraph, type_name: str, field_node: FieldNode) -> str:
    """The response key of a mutation: asked for twice it is done twice. Nothing for any other field."""
    is_mutation = type_name == supergraph.root_types.get("mutation")
    return (field_node.alias or field_node.name).value if is_mutation else ""


def merged(items: Iterable[Item]) -> tuple[Item, ...]:
    """Each field and each fragment once, what stands inside them joined, in the order of their first mention."""
    found: dict[Any, list[Item]] = {}
    for item in items:
        found.setdefault(_identity(item), []).append(item)
    return tuple(rows[0] if len(rows) == 1 else _joined(rows) for rows in found.values())


def _identity(item: Item) -> Any:
    return item.type_name if isinstance(item, Fragment) else (item.name, item.arguments, item.conditions, item.apart)


def _joined(rows: list[Item]) -> Item:
    inner = merged(selection for row in rows for selection in row.selections)
    first = rows[0]
    return Fragment(first.type_name, inner) if isinstance(first, Fragment) else first.narrowed(inner)


def conflict(one: Iterable[Item], other: Iterable[Item]) -> bool:
    """Whether both ask for a field of one name with different arguments, or apart: no one object can hold both."""
    rows = list(_fields(other))
    return any(
        field.name == row.name
        and ((field.arguments, field.apart) != (row.arguments, row.apart) or conflict(field.selections, row.selections))
        for field in _fields(one)
        for row in rows
    )


def _fields(items: Iterable[Item]) -> Iterator[Field]:
    for item in items:
        if isinstance(item, Field):
            yield item
        else:
            yield from _fields(item.selections)


def _variables(arguments: Iterable[ArgumentNode]) -> Iterator[str]:
    waiting: list[Any] = [argument.value for argument in arguments]
    while waiting:
        value = waiting.pop()
        if isinstance(value, VariableNode):
            yield value.name.value
        waiting += getattr(value, "values", None) or ()
        waiting += [inner.value for inner in getattr(value, "fields", None) or ()]


def condition_variables(nodes: Iterable[Node]) -> tuple[str, ...]:
    """The variables that any @skip or @include in the nodes asks."""
    found: dict[str, None] = {}

    class Conditions(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
            if node.name.value in ("skip", "include"):
                for argument in node.arguments or ():
                    if isinstance(argument.value, VariableNode):
                        found[argument.value.name.value] = None

    for node in nodes:
        visit(node, Conditions())
    return tuple(found)


def _conditions(directives: Sequence[DirectiveNode] | None, inherited: Conditions) -> Conditions | None:
    """The conditions with those of @skip and @include; None where a literal says that it is left out."""
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
