"""Random operations over the contract, whatever its fields are, with their variables."""

import json
import random
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationType,
    get_named_type,
    is_composite_type,
)

Values = dict[str, list[Any]]
"""Values by scalar or by argument name: what random arguments are made of."""


@dataclass(frozen=True, slots=True)
class Asked:
    text: str
    operation_name: str | None
    variables: dict[str, Any]


@dataclass(slots=True)
class Generator:
    """Operations of one seed; what it makes is valid but for fields that cannot be merged, which validation finds."""

    schema: GraphQLSchema
    values: Values
    random: random.Random
    root: str = "query"
    favoured: dict[str, list[str]] = field(default_factory=dict)
    """Fields that are chosen in so many of all cases, by type."""
    favours: float = 0.6
    _declared: dict[str, str] = field(default_factory=dict)
    _given: dict[str, Any] = field(default_factory=dict)
    _fragments: list[str] = field(default_factory=list)
    _count: int = 0

    def operation(self) -> Asked:
        self._declared, self._given, self._fragments, self._count = {}, {}, [], 0
        root_type = self.schema.get_root_type(OperationType(self.root))
        assert root_type is not None
        selection = self._selection(root_type, self.random.randint(2, 6))
        names = self._declared
        declared = f"({', '.join(f'${name}: {kind}' for name, kind in names.items())})" if names else ""
        operations = [f"{self.root} A{declared} {selection}"]
        if self.random.random() < 0.2:
            operations.insert(self.random.randint(0, 1), "query B { viewer { role } }")
        chosen = "A" if len(operations) > 1 or self.random.random() < 0.5 else None
        return Asked(" ".join([*operations, *self._fragments]), chosen, self._given)

    def _name(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"

    def _selection(self, parent: GraphQLNamedType, depth: int) -> str:
        parts = [self._part(parent, depth) for _ in range(self.random.randint(1, 5))]
        kept = [part for part in parts if part]
        return "{ " + " ".join(kept or ["__typename"]) + " }"

    def _part(self, parent: GraphQLNamedType, depth: int) -> str:
        chance = self.random.random()
        if chance < 0.07:
            return f"__typename{self._condition()}"
        if (chance < 0.17 or isinstance(parent, GraphQLUnionType)) and depth > 0:
            return f"...{self._on(parent)}{self._condition()} {self._selection(self._narrowed, depth - 1)}"
        if chance < 0.25 and depth > 0:
            on = self._on(parent) or f" on {parent.name}"
            name, inner = self._name("F"), self._selection(self._narrowed, depth - 1)
            self._fragments.append(f"fragment {name}{on} {inner}")
            again = f" ...{name}{self._condition()}" if self.random.random() < 0.3 else ""
            return f"...{name}{self._condition()}{again}"
        return self._field(parent, depth)

    _narrowed: Any = None

    def _on(self, parent: GraphQLNamedType) -> str:
        """A type condition that can apply; `_narrowed` is what it narrows to."""
        choices: list[GraphQLNamedType] = [parent]
        if isinstance(parent, GraphQLInterfaceType | GraphQLUnionType):
            choices += self.schema.get_possible_types(parent) * 2
        elif isinstance(parent, GraphQLObjectType):
            choices += parent.interfaces
        self._narrowed = self.random.choice(choices)
        return f" on {self._narrowed.name}" if self._narrowed is not parent or self.random.random() < 0.5 else ""

    def _field(self, parent: GraphQLNamedType, depth: int) -> str:
        if isinstance(parent, GraphQLUnionType):
            return ""
        assert isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
        names = [
            name for name, candidate in parent.fields.items() if depth > 0 or not is_composite_type(named(candidate))
        ]
        if not names:
            return ""
        favoured = self.favoured.get(parent.name)
        name = self.random.choice(favoured if favoured and self.random.random() < self.favours else names)
        declared = parent.fields[name]
        arguments = self._arguments(declared)
        alias = f"{self._name('a')}: " if arguments or self.random.random() < 0.15 else ""
        returned = named(declared)
        inner = f" {self._selection(returned, depth - 1)}" if is_composite_type(returned) else ""
        return f"{alias}{name}{arguments}{self._condition()}{inner}"

    def _condition(self) -> str:
        if self.random.random() > 0.1:
            return ""
        directive = self.random.choice(["skip", "include"])
        if self.random.random() < 0.4:
            return f" @{directive}(if: {self.random.choice(['true', 'false'])})"
        name = self._name("c")
        self._declared[name] = self.random.choice(["Boolean!", "Boolean! = true", "Boolean = false", "Boolean = true"])
        if self._declared[name] == "Boolean!" or self.random.random() < 0.5:
            self._given[name] = self.random.random() < 0.5
        elif self._declared[name].startswith("Boolean =") and self.random.random() < 0.1:
            self._given[name] = None
        return f" @{directive}(if: ${name})"

    def _arguments(self, declared: GraphQLField) -> str:
        given = [
            f"{name}: {self._argument(name, argument)}"
            for name, argument in declared.args.items()
            if isinstance(argument.type, GraphQLNonNull) or self.random.random() < self.values["chance"][0]
        ]
        return f"({', '.join(given)})" if given else ""

    def _argument(self, name: str, argument: GraphQLArgument) -> str:
        if self.random.random() < 0.4:
            return self._variable(name, argument.type)
        return self._literal(name, argument.type)

    def _variable(self, name: str, declared: Any) -> str:
        variable = self._name("v")
        nullable = not isinstance(declared, GraphQLNonNull)
        self._declared[variable] = str(declared)
        chance = self.random.random()
        if nullable and chance < 0.2:
            return f"${variable}"
        if nullable and chance < 0.3:
            self._given[variable] = None
        elif chance < 0.4 and not isinstance(get_named_type(declared), GraphQLInputObjectType):
            self._declared[variable] += f" = {written(declared, self._value(name, declared))}"
        else:
            self._given[variable] = self._value(name, declared)
        return f"${variable}"

    def _literal(self, name: str, declared: Any) -> str:
        inner = declared.of_type if isinstance(declared, GraphQLNonNull) else declared
        if isinstance(inner, GraphQLInputObjectType):
            fields = [
                f"{key}: {(self._variable if self.random.random() < 0.3 else self._literal)(key, value.type)}"
                for key, value in inner.fields.items()
                if isinstance(value.type, GraphQLNonNull) or self.random.random() < 0.2
            ]
            return "{" + ", ".join(fields) + "}"
        if isinstance(inner, GraphQLList) and self.random.random() < 0.3:
            return f"[{self._variable(name, inner.of_type)}]"
        return written(declared, self._value(name, declared))

    def _value(self, name: str, declared: Any) -> Any:
        if isinstance(declared, GraphQLNonNull):
            return self._value(name, declared.of_type)
        if isinstance(declared, GraphQLList):
            return [self._value(name, declared.of_type) for _ in range(self.random.randint(0, 4))]
        if isinstance(declared, GraphQLEnumType):
            return self.random.choice(list(declared.values))
        if isinstance(declared, GraphQLInputObjectType):
            return {
                key: self._value(key, value.type)
                for key, value in declared.fields.items()
                if isinstance(value.type, GraphQLNonNull) or self.random.random() < 0.2
            }
        return self.random.choice(self.values.get(name) or self.values[declared.name])


def named(declared: GraphQLField) -> GraphQLNamedType:
    return get_named_type(declared.type)


def written(declared: Any, value: Any) -> str:
    """The value as a document has it."""
    if value is None:
        return "null"
    if isinstance(declared, GraphQLNonNull):
        return written(declared.of_type, value)
    if isinstance(declared, GraphQLList):
        return f"[{', '.join(written(declared.of_type, item) for item in value)}]"
    if isinstance(declared, GraphQLEnumType):
        return str(value)
    if isinstance(declared, GraphQLInputObjectType):
        fields = declared.fields
        return "{" + ", ".join(f"{key}: {written(fields[key].type, item)}" for key, item in value.items()) + "}"
    return json.dumps(value)
