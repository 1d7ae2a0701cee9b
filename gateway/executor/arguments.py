"""Compiles a field's arguments into the keyword arguments of its resolver.

Literals are coerced when the operation is compiled, variables when it runs. Strawberry's conversion of each type (to
enum members, input classes …) is chosen once.
"""

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

from gateway.executor.field_collector import OperationSource, Unsupported
from gateway.executor.run import Declined, OperationRun

ReadArgument = Callable[[OperationRun], Any]
"""Returns an argument's coerced value in a request, or _ABSENT."""
ConvertArgument = Callable[[Any], Any]
"""Converts a coerced value to the resolver's type, as Strawberry does."""

_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class CompiledArguments:
    constants: dict[str, Any]
    readers: tuple[tuple[str, ReadArgument, ConvertArgument], ...]
    """Arguments with variables, or with a list or object: they are made anew for each call."""

    def build(self, run: OperationRun) -> dict[str, Any]:
        """Returns the resolver's keyword arguments, a new dictionary at each call."""
        arguments = dict(self.constants)
        for name, read, convert in self.readers:
            value = read(run)
            if value is not _ABSENT:
                arguments[name] = convert(value)
        return arguments


def compile_arguments(source: OperationSource, field: GraphQLField, field_node: FieldNode) -> CompiledArguments:
    """Raises Unsupported for an argument that validation would not have let pass."""
    definition = field.extensions["strawberry-definition"]
    values = {argument.name.value: argument.value for argument in field_node.arguments or ()}
    config = source.schema.extensions["strawberry-definition"].config
    parameters = {config.name_converter.from_argument(argument): argument for argument in definition.arguments}
    constants: dict[str, Any] = {}
    readers: list[tuple[str, ReadArgument, ConvertArgument]] = []
    for name, argument in field.args.items():
        convert = _make_converter(source, parameters[name].type)
        value = values.get(name)
        if value is not None and _has_variables(value):
            readers.append((parameters[name].python_name, _make_reader(argument, value), convert))
            continue
        constant = _read_default(argument) if value is None else coerce_input_literal(value, argument.type)
        if value is not None and constant is Undefined:
            raise Unsupported("argument")
        if constant is _ABSENT:
            continue
        if isinstance(constant, list | dict):
            # `convert` copies it for each request, because a resolver may change its arguments.
            readers.append((parameters[name].python_name, partial(_read_constant, constant), convert))
        else:
            constants[parameters[name].python_name] = convert(constant)
    return CompiledArguments(constants, tuple(readers))


def _read_constant(value: Any, run: OperationRun) -> Any:
    return value


def _has_variables(value: ValueNode) -> bool:
    if isinstance(value, VariableNode):
        return True
    if isinstance(value, ListValueNode):
        return any(_has_variables(item) for item in value.values)
    return isinstance(value, ObjectValueNode) and any(_has_variables(field.value) for field in value.fields)


def _read_default(argument: GraphQLArgument) -> Any:
    default = coerce_default_value(argument)
    if default is not Undefined:
        return default
    if isinstance(argument.type, GraphQLNonNull):
        raise Unsupported("argument")
    return _ABSENT


def _make_reader(argument: GraphQLArgument, value: ValueNode) -> ReadArgument:
    if not isinstance(value, VariableNode):
        return _make_literal_reader(argument, value)
    name, required, default = (
        value.name.value,
        isinstance(argument.type, GraphQLNonNull),
        coerce_default_value(argument),
    )

    def read(run: OperationRun) -> Any:
        coerced = run.variables.coerced
        if name in coerced:
            # A nullable variable with a default may stand for a non-null argument; null is then an error of the field.
            if required and coerced[name] is None:
                raise Declined("argument")
            return coerced[name]
        if default is not Undefined:
            return default
        if required:
            raise Declined("argument")
        return _ABSENT

    return read


def _make_literal_reader(argument: GraphQLArgument, value: ValueNode) -> ReadArgument:
    """Reads a list or input object with variables inside. graphql-core builds it, without absent variables."""

    def read(run: OperationRun) -> Any:
        coerced = coerce_input_literal(value, argument.type, run.variables)
        if coerced is Undefined:
            raise Declined("argument")
        return coerced

    return read


def _make_converter(source: OperationSource, parameter: StrawberryType | type) -> ConvertArgument:
    """Returns Strawberry's conversion of a coerced value to the parameter's type.

    `convert_argument` inspects the type at each call. Known kinds of types are decided once, here; for all others the
    converter calls `convert_argument` itself.
    """
    converter = source.schema.extensions["strawberry-definition"].schema_converter
    config, scalars = converter.config, converter.scalar_registry

    def convert_by_strawberry(value: Any) -> Any:
        return convert_argument(value, parameter, scalars, config)

    def keep_none(convert: ConvertArgument) -> ConvertArgument:
        return lambda value: None if value is None else convert(value)

    if isinstance(parameter, StrawberryMaybe):
        return convert_by_strawberry
    if isinstance(parameter, StrawberryOptional):
        return _make_converter(source, parameter.of_type)
    if isinstance(parameter, StrawberryList):
        convert_item = _make_converter(source, parameter.of_type)
        return keep_none(lambda values: [convert_item(value) for value in values])
    if isinstance(parameter, LazyType):
        return _make_converter(source, parameter.resolve_type())
    if isinstance(parameter, StrawberryEnumDefinition) or is_scalar(parameter, scalars):
        return lambda value: value
    if has_object_definition(parameter) and parameter.__strawberry_definition__.from_input is None:
        return keep_none(_make_input_converter(source, parameter))
    return convert_by_strawberry


def _make_input_converter(source: OperationSource, input_class: Any) -> ConvertArgument:
    definition = input_class.__strawberry_definition__
    graphql_name = source.schema.extensions["strawberry-definition"].config.name_converter.from_field
    fields = [
        (
            graphql_name(field),
            field.python_name,
            _make_converter(source, field.resolve_type(type_definition=definition)),
        )
        for field in definition.fields
    ]
    # A nullable field without a default that the client leaves out becomes None.
    absent = {
        field.python_name: None
        for field in definition.fields
        if field.default_value is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }

    def convert(values: Any) -> Any:
        present = {python: convert(values[name]) for name, python, convert in fields if name in values}
        return input_class(**(absent | present))

    return convert
