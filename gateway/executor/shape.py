"""Writes the function that turns documents of one type into answers: every leaf checked, nulls where they may be.

What is not as the contract says raises: `Declined`, or what Python raises for a missing key or a wrong type. The
answer is then completed by the reference executor, which knows how far a null goes and what the error is called.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLScalarType,
    Undefined,
)

from gateway.executor.collect import Unsupported
from gateway.executor.run import Declined, Run
from resolvers.policy import Rule
from schema.scalars import print_instants

Inner = Callable[[Run, Any], list[Any]]
"""The shape of the objects inside: documents to answers."""

_CHECKS: Final = {
    "String": "{x}.__class__ is not str",
    "ID": "{x}.__class__ is not str",
    "Boolean": "{x}.__class__ is not bool",
    "Int": "{x}.__class__ is not int or not -2147483648 <= {x} <= 2147483647",
    "Float": "{x}.__class__ is not float or not -INFINITY < {x} < INFINITY",
}


def _printed(leaf: GraphQLScalarType | GraphQLEnumType) -> Callable[[Any], Any]:
    """The leaf's own conversion, for a value that is not yet as it is printed."""

    def convert(value: Any) -> Any:
        if value is None:
            raise Declined("null")
        printed = leaf.coerce_output_value(value)
        if printed is None or printed is Undefined:
            raise Declined("leaf")
        return printed

    return convert


def _missing() -> None:
    raise Declined("null")


def _sequence(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return value
    raise Declined("list")


@dataclass(slots=True)
class Writer:
    """A function in the making: its lines, and the objects that they name."""

    names: dict[str, Any] = field(
        default_factory=lambda: {"missing": _missing, "sequence": _sequence, "INFINITY": math.inf}
    )
    before: list[str] = field(default_factory=list)
    """Run once."""
    lines: list[str] = field(default_factory=list)
    """Run for each document `d`."""
    entries: list[str] = field(default_factory=list)
    """The answer's, key and value."""
    results: list[tuple[int, str]] = field(default_factory=list)
    """The steps by number, each with a variable that holds one of its values for the document."""
    columns: list[tuple[str, str]] = field(default_factory=list)
    """What holds a value of each document, with a variable that holds the document's."""
    is_lasting: bool = True
    """A document's answer is the same for all requests, and small."""
    rules: dict[Rule, str] = field(default_factory=dict)
    """The variable that holds each one's decision on the document."""

    def bind(self, value: Any) -> str:
        name = f"o{len(self.names)}"
        self.names[name] = value
        return name

    def variable(self) -> str:
        return self.bind(None).replace("o", "x", 1)

    def seen(self, rule: Rule) -> str:
        """The variable that says whether the viewer sees the document, decided once for all fields that ask."""
        self.is_lasting = False
        if rule not in self.rules:
            decided, self.rules[rule] = self.variable(), self.variable()
            self.before.append(f"{decided} = {self.bind(rule.decide)}(context.viewer, context.proven)")
            self.write(0, f"{self.rules[rule]} = {decided}(d)")
        return self.rules[rule]

    def instants(self, key: str) -> str:
        """The variable that holds an instant as it is printed, or None."""
        column, x = self.variable(), self.variable()
        self.before.append(f"{column} = {self.bind(print_instants)}([d[{key!r}] for d in documents])")
        self.columns.append((column, x))
        return x

    def write(self, depth: int, line: str) -> None:
        self.lines.append("    " * (depth + 2) + line)

    def answer(self, response_key: str, value: str) -> None:
        self.entries.append(f"{response_key!r}: {value}")

    def complete(self, graphql_type: GraphQLOutputType, x: str, inner: Inner | None, depth: int = 0) -> None:
        """Writes what makes of the variable `x` the answer's value."""
        if isinstance(graphql_type, GraphQLNonNull):
            self._complete_present(graphql_type.of_type, x, inner, depth)
        else:
            self.write(depth, f"if {x} is not None:")
            self._complete_present(graphql_type, x, inner, depth + 1)

    def _complete_present(self, graphql_type: GraphQLOutputType, x: str, inner: Inner | None, depth: int) -> None:
        if isinstance(graphql_type, GraphQLList):
            self._complete_list(graphql_type, x, inner, depth)
        elif isinstance(graphql_type, GraphQLScalarType | GraphQLEnumType):
            self._complete_leaf(graphql_type, x, depth)
        elif inner is None:
            raise Unsupported("type")
        else:
            self.write(depth, f"if {x} is None: missing()")
            self.write(depth, f"{x} = {self.bind(inner)}(run, ({x},))[0]")

    def _complete_list(self, graphql_type: GraphQLList[Any], x: str, inner: Inner | None, depth: int) -> None:
        item, items = self.variable(), self.variable()
        self.write(depth, f"if {x}.__class__ is not list: {x} = sequence({x})")
        if inner is not None and isinstance(graphql_type.of_type, GraphQLNonNull):
            self.write(depth, f"if None in {x}: missing()")
            self.write(depth, f"{x} = {self.bind(inner)}(run, {x})")
            return
        self.write(depth, f"{items} = []")
        self.write(depth, f"for {item} in {x}:")
        self.complete(graphql_type.of_type, item, inner, depth + 1)
        self.write(depth + 1, f"{items}.append({item})")
        self.write(depth, f"{x} = {items}")

    def _complete_leaf(self, leaf: GraphQLScalarType | GraphQLEnumType, x: str, depth: int) -> None:
        if isinstance(leaf, GraphQLEnumType) and all(type(value.value) is str for value in leaf.values.values()):
            names = self.bind({value.value: name for name, value in leaf.values.items()})
            self.write(depth, f"{x} = {names}.get({x}) or {self.bind(_printed(leaf))}({x})")
        elif leaf.name in _CHECKS:
            self.write(depth, f"if {_CHECKS[leaf.name].format(x=x)}: {x} = {self.bind(_printed(leaf))}({x})")
        elif leaf.name == "DateTime":
            # It refuses what is no instant by itself, and pages are full of them.
            self.write(depth, f"{x} = {self.bind(leaf.coerce_output_value)}({x})")
        else:
            self.write(depth, f"{x} = {self.bind(_printed(leaf))}({x})")

    def function(self, answer: str | None = None) -> Callable[..., list[Any]]:
        """`shape(run, documents, *results)`: the answers, objects unless `answer` names a variable, in their order."""
        results = [variable for _, variable in sorted(self.results, key=itemgetter(0))]
        parameters = [f"r{index}" for index in range(len(results))]
        variables = [*results, *(x for _, x in self.columns)]
        values = [*parameters, *(column for column, _ in self.columns)]
        loop = f"for d, {', '.join(variables)} in zip(documents, {', '.join(values)}):"
        source = "\n".join(
            [
                f"def shape({', '.join(['run', 'documents', *parameters])}):",
                "    context = run.context",
                *(f"    {line}" for line in self.before),
                "    answers = []",
                f"    {loop if values else 'for d in documents:'}",
                *self.lines,
                f"        answers.append({answer or '{' + ', '.join(self.entries) + '}'})",
                "    return answers",
            ]
        )
        names = dict(self.names)
        exec(compile(source, "<shape>", "exec"), names)  # noqa: S102 - written above, from the contract's own names
        # Taken out, lest the function and its globals keep each other.
        function: Callable[..., list[Any]] = names.pop("shape")
        return function
