"""A field's arguments: constants made once, variables put in at run time, then what the resolver takes."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from graphql import FieldNode, GraphQLArgument, GraphQLField, GraphQLNonNull, Undefined, ValueNode, VariableNode
from graphql.language import ListValueNode, ObjectValueNode
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal
from strawberry.scalars import is_scalar
from strawberry.types.arguments import convert_argument
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryOptional,
    StrawberryType,
    has_object_definition,
)
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.lazy_type import LazyType

from gateway.executor.collect import Source, Unsupported
from gateway.executor.run import Declined, Run

Read = Callable[[Run], Any]
Convert = Callable[[Any], Any]

_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Arguments:
    """`of(run)` gives the resolver's keyword arguments, new at each call."""

    constants: dict[str, Any]
    read: tuple[tuple[str, Read, Convert], ...]

    def of(self, run: Run) -> dict[str, Any]:
        arguments = dict(self.constants)
        for name, read, convert in self.read:
            value = read(run)
            if value is not _ABSENT:
                arguments[name] = convert(value)
        return arguments


def compiled(source: Source, field: GraphQLField, field_node: FieldNode) -> Arguments:
    definition = field.extensions["strawberry-definition"]
    given = {argument.name.value: argument.value for argument in field_node.arguments or ()}
    config = source.schema.extensions["strawberry-definition"].config
    taken = {config.name_converter.from_argument(argument): argument for argument in definition.arguments}
    constants: dict[str, Any] = {}
    read: list[tuple[str, Read, Convert]] = []
    for name, argument in field.args.items():
        convert = _converter(source, taken[name].type)
        value = given.get(name)
        if value is not None and _holds_variables(value):
            read.append((taken[name].python_name, _reader(argument, value), convert))
            continue
        constant = _default(argument) if value is None else coerce_input_literal(value, argument.type)
        if value is not None and constant is Undefined:
            raise Unsupported("argument")
        if constant is _ABSENT:
            continue
        if isinstance(constant, list | dict):
            # Made anew for each request: a resolver may change what it is given.
            read.append((taken[name].python_name, partial(_constant, constant), convert))
        else:
            constants[taken[name].python_name] = convert(constant)
    return Arguments(constants, tuple(read))


def _constant(value: Any, run: Run) -> Any:
    return value


def _holds_variables(value: ValueNode) -> bool:
    if isinstance(value, VariableNode):
        return True
    if isinstance(value, ListValueNode):
        return any(_holds_variables(item) for item in value.values)
    return isinstance(value, ObjectValueNode) and any(_holds_variables(field.value) for field in value.fields)


def _default(argument: GraphQLArgument) -> Any:
    default = coerce_default_value(argument)
    if default is not Undefined:
        return default
    if isinstance(argument.type, GraphQLNonNull):
        raise Unsupported("argument")
    return _ABSENT


def _reader(argument: GraphQLArgument, value: ValueNode) -> Read:
    if not isinstance(value, VariableNode):
        return _literal_reader(argument, value)
    name, required, default = (
        value.name.value,
        isinstance(argument.type, GraphQLNonNull),
        coerce_default_value(argument),
    )

    def read(run: Run) -> Any:
        coerced = run.variables.coerced
        if name in coerced:
            if required and coerced[name] is None:
                raise Declined("argument")
            return coerced[name]
        if default is not Undefined:
            return default
        if required:
            raise Declined("argument")
        return _ABSENT

    return read


def _literal_reader(argument: GraphQLArgument, value: ValueNode) -> Read:
    """A list or an input object that holds variables: put together by graphql-core, which knows of absent ones."""

    def read(run: Run) -> Any:
        coerced = coerce_input_literal(value, argument.type, run.variables)
        if coerced is Undefined:
            raise Declined("argument")
        return coerced

    return read


def _converter(source: Source, taken: StrawberryType | type) -> Convert:
    """What Strawberry makes of a coerced value of this type, decided once."""
    converter = source.schema.extensions["strawberry-definition"].schema_converter
    config, scalars = converter.config, converter.scalar_registry

    def as_strawberry_does(value: Any) -> Any:
        return convert_argument(value, taken, scalars, config)

    def optional(convert: Convert) -> Convert:
        return lambda value: None if value is None else convert(value)

    if isinstance(taken, StrawberryMaybe):
        return as_strawberry_does
    if isinstance(taken, StrawberryOptional):
        return _converter(source, taken.of_type)
    if isinstance(taken, StrawberryList):
        convert_item = _converter(source, taken.of_type)
        return optional(lambda values: [convert_item(value) for value in values])
    if isinstance(taken, LazyType):
        return _converter(source, taken.resolve_type())
    if isinstance(taken, StrawberryEnumDefinition) or is_scalar(taken, scalars):
        return lambda value: value
    if has_object_definition(taken) and taken.__strawberry_definition__.from_input is None:
        return optional(_input_converter(source, taken))
    return as_strawberry_does


def _input_converter(source: Source, taken: Any) -> Convert:
    definition = taken.__strawberry_definition__
    named = source.schema.extensions["strawberry-definition"].config.name_converter.from_field
    fields = [
        (named(field), field.python_name, _converter(source, field.resolve_type(type_definition=definition)))
        for field in definition.fields
    ]
    absent = {
        field.python_name: None
        for field in definition.fields
        if field.default_value is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }

    def convert(values: Any) -> Any:
        given = {python: convert(values[name]) for name, python, convert in fields if name in values}
        return taken(**(absent | given))

    return convert
