"""Generates the function that turns documents of one object type into answers.

A generated function has no loop over fields and no dispatch by type, which is most of what completing values costs.
For `{id title receivedAt holder {name}}` on Complaint, where a rule masks the title, the function is (names shortened):

    def shape(run, documents, r0):                      # r0: the holders, loaded by a step before
        context = run.context
        x1 = o2(context.viewer, context.proven)         # the rule, decided once for the viewer
        x3 = o4([d['receivedAt'] for d in documents])   # all instants are printed in one call
        answers = []
        for d, x5, x6 in zip(documents, r0, x3):
            if d.__class__ is not dict: missing()
            x7 = d['_id']
            if x7.__class__ is not str: x7 = o8(x7)     # rarely: the scalar's own conversion
            x9 = x1(d)                                  # once for all fields with this rule
            x10 = d['title'] if x9 else o11(d)          # o11: the masked title
            if x10.__class__ is not str: x10 = o12(x10)
            if x6 is None: missing()                    # receivedAt is non-null
            answers.append({'id': x7, 'title': x10, 'receivedAt': x6, 'holder': x5})
        return answers

A value that breaks the contract raises: Declined, or the KeyError or TypeError of the generated line. The reference
executor then completes the answer, since it knows how far a null propagates and what the error says.
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

from gateway.executor.field_collector import Unsupported
from gateway.executor.run import Declined, OperationRun
from resolvers.policy import VisibilityRule
from schema.scalars import print_instants

ShapeObjects = Callable[[OperationRun, Any], list[Any]]
"""The generated function of the objects inside a document: embedded documents to answers."""

_MISMATCHES: Final = {
    "String": "{x}.__class__ is not str",
    "ID": "{x}.__class__ is not str",
    "Boolean": "{x}.__class__ is not bool",
    "Int": "{x}.__class__ is not int or not -2147483648 <= {x} <= 2147483647",
    "Float": "{x}.__class__ is not float or not -INFINITY < {x} < INFINITY",
}
"""By scalar, the expression that is true for a value which is not in its printed form already.

`__class__ is` is faster than isinstance, and for Int it also excludes bool.
"""


def _make_converter(leaf: GraphQLScalarType | GraphQLEnumType) -> Callable[[Any], Any]:
    """Returns the leaf's own conversion, for a value that is not in its printed form."""

    def convert(value: Any) -> Any:
        if value is None:
            raise Declined("null")
        printed = leaf.coerce_output_value(value)
        if printed is None or printed is Undefined:
            raise Declined("leaf")
        return printed

    return convert


def _decline_null() -> None:
    raise Declined("null")


def _check_sequence(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return value
    raise Declined("list")


@dataclass(slots=True)
class ShapeWriter:
    """A function under construction: its lines, and the objects that its names stand for.

    Names that begin with `o` are bound objects, with `x` local variables, with `r` results of steps.
    """

    names: dict[str, Any] = field(
        default_factory=lambda: {"missing": _decline_null, "sequence": _check_sequence, "INFINITY": math.inf}
    )
    before: list[str] = field(default_factory=list)
    """Lines that run once, before the loop."""
    lines: list[str] = field(default_factory=list)
    """Lines that run for each document `d`."""
    entries: list[str] = field(default_factory=list)
    """The answer's items in source form: `'id': x7`."""
    results: list[tuple[int, str]] = field(default_factory=list)
    """Index of a step, with the variable that holds its value for the document. A step may have several."""
    columns: list[tuple[str, str]] = field(default_factory=list)
    """Variable of a list with one value for each document, with the variable that holds the document's value."""
    is_lasting: bool = True
    """Whether a document's answer is the same for all requests: no rule, no derived value, no result of a step."""
    rules: dict[VisibilityRule[Any], str] = field(default_factory=dict)
    """By rule, the variable that holds its decision on the document."""

    def bind(self, value: Any) -> str:
        """Returns a new name for an object, which the generated function finds in its globals."""
        name = f"o{len(self.names)}"
        self.names[name] = value
        return name

    def make_variable(self) -> str:
        return self.bind(None).replace("o", "x", 1)

    def write_rule(self, rule: VisibilityRule[Any]) -> str:
        """Returns the variable that says whether the viewer sees the document; written once for all its fields."""
        self.is_lasting = False
        if rule not in self.rules:
            decided, self.rules[rule] = self.make_variable(), self.make_variable()
            self.before.append(f"{decided} = {self.bind(rule.decide)}(context.viewer, context.proven)")
            self.write(0, f"{self.rules[rule]} = {decided}(d)")
        return self.rules[rule]

    def write_instants(self, key: str) -> str:
        """Returns the variable that holds the document's instant in its printed form, or None."""
        column, x = self.make_variable(), self.make_variable()
        self.before.append(f"{column} = {self.bind(print_instants)}([d[{key!r}] for d in documents])")
        self.columns.append((column, x))
        return x

    def write(self, depth: int, line: str) -> None:
        self.lines.append("    " * (depth + 2) + line)

    def add_entry(self, response_key: str, value: str) -> None:
        self.entries.append(f"{response_key!r}: {value}")

    def write_completion(
        self, graphql_type: GraphQLOutputType, x: str, inner: ShapeObjects | None, depth: int = 0
    ) -> None:
        """Writes the lines that complete the value of the variable `x`: the specification's CompleteValue.

        `inner` shapes the objects of a composite type.
        """
        if isinstance(graphql_type, GraphQLNonNull):
            # No check for None here: each completion below fails for None by itself.
            self._write_present(graphql_type.of_type, x, inner, depth)
        else:
            self.write(depth, f"if {x} is not None:")
            self._write_present(graphql_type, x, inner, depth + 1)

    def _write_present(self, graphql_type: GraphQLOutputType, x: str, inner: ShapeObjects | None, depth: int) -> None:
        if isinstance(graphql_type, GraphQLList):
            self._write_list(graphql_type, x, inner, depth)
        elif isinstance(graphql_type, GraphQLScalarType | GraphQLEnumType):
            self._write_leaf(graphql_type, x, depth)
        elif inner is None:
            raise Unsupported("type")
        else:
            self.write(depth, f"if {x} is None: missing()")
            self.write(depth, f"{x} = {self.bind(inner)}(run, ({x},))[0]")

    def _write_list(self, graphql_type: GraphQLList[Any], x: str, inner: ShapeObjects | None, depth: int) -> None:
        item, items = self.make_variable(), self.make_variable()
        self.write(depth, f"if {x}.__class__ is not list: {x} = sequence({x})")
        if inner is not None and isinstance(graphql_type.of_type, GraphQLNonNull):
            # [Type!]: one call shapes all objects of the list.
            self.write(depth, f"if None in {x}: missing()")
            self.write(depth, f"{x} = {self.bind(inner)}(run, {x})")
            return
        self.write(depth, f"{items} = []")
        self.write(depth, f"for {item} in {x}:")
        self.write_completion(graphql_type.of_type, item, inner, depth + 1)
        self.write(depth + 1, f"{items}.append({item})")
        self.write(depth, f"{x} = {items}")

    def _write_leaf(self, leaf: GraphQLScalarType | GraphQLEnumType, x: str, depth: int) -> None:
        if isinstance(leaf, GraphQLEnumType) and all(type(value.value) is str for value in leaf.values.values()):
            names = self.bind({value.value: name for name, value in leaf.values.items()})
            self.write(depth, f"{x} = {names}.get({x}) or {self.bind(_make_converter(leaf))}({x})")
        elif leaf.name in _MISMATCHES:
            self.write(depth, f"if {_MISMATCHES[leaf.name].format(x=x)}: {x} = {self.bind(_make_converter(leaf))}({x})")
        elif leaf.name == "DateTime":
            # Called directly, since pages hold many: our scalar raises for every value that is not an instant.
            self.write(depth, f"{x} = {self.bind(leaf.coerce_output_value)}({x})")
        else:
            self.write(depth, f"{x} = {self.bind(_make_converter(leaf))}({x})")

    def build_function(self, answer: str | None = None) -> Callable[..., list[Any]]:
        """Compiles the source and returns `shape(run, documents, *results)`, which returns the answers in order.

        An answer is an object with the entries, or the variable `answer` if one is named.
        """
        # CompiledSelection.run hands over results in the order of the steps; entries may name them in another order.
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
        exec(compile(source, "<shape>", "exec"), names)  # noqa: S102 - the source has only names of ours
        # A function keeps its globals alive. Were it one of them, only the garbage collector could free both.
        function: Callable[..., list[Any]] = names.pop("shape")
        return function
