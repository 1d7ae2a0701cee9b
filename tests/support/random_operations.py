"""Writes random operations that are valid in a schema. A seed decides everything."""

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


def write_random_operation(schema: GraphQLSchema, seed: int) -> str:
    """Returns a valid operation: first with few aliases; if its fields conflict, with more.

    An object is fetched once for all its aliases, so a forbidden null inside it nulls it for all of them, which
    graphql-core does not do. So an operation selects either breaking fields or aliases of objects, never both.
    """
    has_breaking = any("bad" in getattr(named, "fields", {}) for named in schema.type_map.values())
    for aliased, breaks in ((0.1, has_breaking), (0.1, False), (0.3, False), (1.0, False)):
        text = _OperationWriter(Random(seed), schema, aliased, breaks=breaks).write_document()
        invalid = validate(schema, parse(text))
        if not invalid:
            return text
    raise AssertionError(f"not valid: {invalid} {text}")


class _OperationWriter:
    def __init__(self, chance: Random, schema: GraphQLSchema, aliased: float, *, breaks: bool) -> None:
        self.chance = chance
        self.schema = schema
        self.aliased = aliased
        self.breaks = breaks
        self.left = 60
        self.names = iter(range(100_000))
        self.fragments: list[str] = []

    def write_document(self) -> str:
        mutation = self.schema.mutation_type
        is_mutation = mutation is not None and self.chance.random() < 0.2
        root: Any = mutation if is_mutation else self.schema.query_type
        extra = [self.chance.choice(INTROSPECTION)] if not is_mutation and self.chance.random() < 0.1 else []
        parts = [USED, *self.write_parts(root, 4), *extra]
        if len(self.fragments) or self.chance.random() < 0.5:
            # GraphQL requires a variable that only a fragment uses to be declared, too.
            parts.append("lone: __typename @include(if: $yes)")
        variables = VARIABLES if "$x" in " ".join([*parts, *self.fragments]) else VARIABLES.replace(", $x: Int = 2", "")
        return " ".join(["mutation" if is_mutation else "query", variables, "{", *parts, "}", *self.fragments])

    def write_selection(self, named: Any, depth: int) -> str:
        parts = list(self.write_parts(named, depth))
        return "{ " + " ".join(parts or ["__typename"]) + " }"

    def write_parts(self, named: Any, depth: int) -> Iterator[str]:
        if self.chance.random() < 0.15:
            yield "__typename"
        if not isinstance(named, GraphQLUnionType):
            names = list(named.fields)
            if self.chance.random() < 0.3:
                self.chance.shuffle(names)
            for name in names:
                yield from self.write_field(named, name, depth)
        if isinstance(named, GraphQLInterfaceType | GraphQLUnionType):
            for possible in self.schema.get_possible_types(named):
                if self.chance.random() < 0.6:
                    yield self.write_fragment(possible, depth)
        for other in self.find_overlapping(named):
            if self.chance.random() < 0.08:
                yield self.write_fragment(other, depth)

    def find_overlapping(self, named: Any) -> list[Any]:
        own = set(self.list_possible_types(named))
        return [
            other
            for other in self.schema.type_map.values()
            if isinstance(other, GraphQLInterfaceType | GraphQLUnionType | GraphQLObjectType)
            and not other.name.startswith("__")
            and own & set(self.list_possible_types(other))
        ]

    def list_possible_types(self, named: Any) -> list[Any]:
        return [named] if isinstance(named, GraphQLObjectType) else list(self.schema.get_possible_types(named))

    def write_field(self, named: Any, name: str, depth: int) -> Iterator[str]:
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
            inside = "" if leaf else self.write_selection(of, depth - 1)
            arguments = "" if is_plain else self.write_arguments(field)
            yield f"{alias}{name}{arguments} {self.choose_condition()} {inside}"

    def write_arguments(self, field: Any) -> str:
        if not field.args or self.chance.random() < 0.4:
            return ""
        return f"(x: {self.chance.choice(['1', '2', '3', '$x', 'null'])})"

    def write_fragment(self, named: Any, depth: int) -> str:
        assert is_composite_type(named)
        inside = self.write_selection(named, depth - 1)
        condition = self.choose_condition()
        if self.chance.random() < 0.25:
            name = f"F{next(self.names)}"
            self.fragments.append(f"fragment {name} on {named.name} {inside}")
            return f"...{name} {condition}"
        return f"... on {named.name} {condition} {inside}"

    def choose_condition(self) -> str:
        chance = self.chance.random()
        if chance < 0.7:
            return ""
        if chance < 0.73:
            return self.chance.choice(LITERAL_CONDITIONS)
        found = self.chance.sample(CONDITIONS, 1)
        if chance > 0.97:
            found.append(self.chance.choice([row for row in CONDITIONS if row[:3] != found[0][:3]]))
        return " ".join(found)
