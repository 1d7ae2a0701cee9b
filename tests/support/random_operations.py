"""Random operations that are valid in a schema."""

from collections.abc import Iterator
from random import Random
from typing import Any

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
    is_leaf_type,
    parse,
    validate,
)

CONDITIONS = ("@include(if: $yes)", "@skip(if: $yes)", "@include(if: $no)", "@skip(if: $no)")
LITERAL_CONDITIONS = ("@include(if: true)", "@skip(if: true)")
INTROSPECTION = (
    "__schema { queryType { name } }",
    'shape: __type(name: "E0") { kind name fields { name type { name } } interfaces { name } }',
)
VARIABLES = "($yes: Boolean = true, $no: Boolean = false, $x: Int = 2)"
USED = "used: __typename @include(if: $yes) @skip(if: $no)"


def an_operation(schema: GraphQLSchema, seed: int) -> str:
    """Aliases are rare at first; where fields conflict, each has its own.

    A null where none may be nulls the object for all aliases, as it is fetched once: so either no object has two, or
    nothing breaks.
    """
    has_breaking = any("bad" in getattr(named, "fields", {}) for named in schema.type_map.values())
    for aliased, breaks in ((0.1, has_breaking), (0.1, False), (0.3, False), (1.0, False)):
        text = _Asking(Random(seed), schema, aliased, breaks=breaks).document()
        invalid = validate(schema, parse(text))
        if not invalid:
            return text
    raise AssertionError(f"not valid: {invalid} {text}")


class _Asking:
    def __init__(self, chance: Random, schema: GraphQLSchema, aliased: float, *, breaks: bool) -> None:
        self.chance = chance
        self.schema = schema
        self.aliased = aliased
        self.breaks = breaks
        self.left = 60
        self.names = iter(range(100_000))
        self.fragments: list[str] = []

    def document(self) -> str:
        mutation = self.schema.mutation_type
        is_mutation = mutation is not None and self.chance.random() < 0.2
        root: Any = mutation if is_mutation else self.schema.query_type
        extra = [self.chance.choice(INTROSPECTION)] if not is_mutation and self.chance.random() < 0.1 else []
        parts = [USED, *self.parts(root, 4), *extra]
        if len(self.fragments) or self.chance.random() < 0.5:
            # A variable that only a fragment uses is declared all the same.
            parts.append("lone: __typename @include(if: $yes)")
        variables = VARIABLES if "$x" in " ".join([*parts, *self.fragments]) else VARIABLES.replace(", $x: Int = 2", "")
        return " ".join(["mutation" if is_mutation else "query", variables, "{", *parts, "}", *self.fragments])

    def selection(self, named: Any, depth: int) -> str:
        parts = list(self.parts(named, depth))
        return "{ " + " ".join(parts or ["__typename"]) + " }"

    def parts(self, named: Any, depth: int) -> Iterator[str]:
        if self.chance.random() < 0.15:
            yield "__typename"
        if not isinstance(named, GraphQLUnionType):
            names = list(named.fields)
            if self.chance.random() < 0.3:
                self.chance.shuffle(names)
            for name in names:
                yield from self.field(named, name, depth)
        if isinstance(named, GraphQLInterfaceType | GraphQLUnionType):
            for possible in self.schema.get_possible_types(named):
                if self.chance.random() < 0.6:
                    yield self.fragment(possible, depth)
        for other in self.overlapping(named):
            if self.chance.random() < 0.08:
                yield self.fragment(other, depth)

    def overlapping(self, named: Any) -> list[Any]:
        own = set(self.possible(named))
        return [
            other
            for other in self.schema.type_map.values()
            if isinstance(other, GraphQLInterfaceType | GraphQLUnionType | GraphQLObjectType)
            and not other.name.startswith("__")
            and own & set(self.possible(other))
        ]

    def possible(self, named: Any) -> list[Any]:
        return [named] if isinstance(named, GraphQLObjectType) else list(self.schema.get_possible_types(named))

    def field(self, named: Any, name: str, depth: int) -> Iterator[str]:
        field = named.fields[name]
        of = get_named_type(field.type)
        leaf = is_leaf_type(of)
        if name == "bad" and not self.breaks:
            return
        if self.left <= 0 or (not leaf and depth <= 0) or self.chance.random() > (0.45 if leaf else 0.55):
            return
        is_plain = self.breaks and not leaf
        for _ in range(2 if self.chance.random() < 0.1 else 1):
            self.left -= 1
            alias = f"n{next(self.names)}: " if self.chance.random() < self.aliased and not is_plain else ""
            inside = "" if leaf else self.selection(of, depth - 1)
            arguments = "" if is_plain else self.arguments(field)
            yield f"{alias}{name}{arguments} {self.condition()} {inside}"

    def arguments(self, field: Any) -> str:
        if not field.args or self.chance.random() < 0.4:
            return ""
        return f"(x: {self.chance.choice(['1', '2', '3', '$x', 'null'])})"

    def fragment(self, named: Any, depth: int) -> str:
        assert is_composite_type(named)
        inside = self.selection(named, depth - 1)
        condition = self.condition()
        if self.chance.random() < 0.25:
            name = f"F{next(self.names)}"
            self.fragments.append(f"fragment {name} on {named.name} {inside}")
            return f"...{name} {condition}"
        return f"... on {named.name} {condition} {inside}"

    def condition(self) -> str:
        chance = self.chance.random()
        if chance < 0.7:
            return ""
        if chance < 0.73:
            return self.chance.choice(LITERAL_CONDITIONS)
        found = self.chance.sample(CONDITIONS, 1)
        if chance > 0.97:
            found.append(self.chance.choice([row for row in CONDITIONS if row[:3] != found[0][:3]]))
        return " ".join(found)
