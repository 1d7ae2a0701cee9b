"""Chooses the operation and coerces its variables: checks made once, graphql-core's own words where one fails."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    OperationDefinitionNode,
    Undefined,
    is_input_type,
    is_required_input_field,
    type_from_ast,
)
from graphql.execution.values import VariableValues, get_variable_values
from graphql.utilities.coerce_input_value import coerce_default_value

from gateway.operation.document import CheckedDocument, Documents, InvalidDocument

Check = Callable[[Any], Any]

MAX_ERRORS: Final = 20


class _Mismatch(Exception):
    """Not at once recognised as a value of the type; it may be one still."""


def chosen(checked: CheckedDocument, name: str | None) -> OperationDefinitionNode:
    """The operation of that name, or the only one. Raises InvalidDocument."""
    if name is not None and name not in checked.operations:
        raise _bad_input(f"There is no operation {name!r} in the document.")
    if name is None and len(checked.operations) != 1:
        raise _bad_input(f"The document has {len(checked.operations)} operations: say in operationName which to run.")
    return checked.operations[name] if name is not None else next(iter(checked.operations.values()))


def coerced(
    documents: Documents, definition: OperationDefinitionNode, variables: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The variables' values, defaults filled in. Raises InvalidDocument."""
    return _by_graphql_core(documents, definition, variables).coerced


def _by_graphql_core(
    documents: Documents, definition: OperationDefinitionNode, variables: Mapping[str, Any]
) -> VariableValues:
    values = get_variable_values(
        documents.schema,
        definition.variable_definitions or (),
        dict(variables),
        max_errors=MAX_ERRORS,
        hide_suggestions=not documents.introspection,
    )
    if isinstance(values, list):
        raise InvalidDocument("BAD_USER_INPUT", values)
    return values


@dataclass(frozen=True, slots=True)
class Variables:
    """An operation's variables; what their checks do not recognise at once, graphql-core decides upon."""

    documents: Documents
    definition: OperationDefinitionNode
    checks: tuple[tuple[str, Check, Any], ...]
    """Name, check, and the value where none is sent: `Undefined` where that is none, `_REQUIRED` where one must be."""

    def coerced(self, given: Mapping[str, Any]) -> VariableValues:
        """Raises InvalidDocument."""
        values: dict[str, Any] = {}
        try:
            for name, check, absent in self.checks:
                if name in given:
                    values[name] = check(given[name])
                elif absent is _REQUIRED:
                    raise _Mismatch
                elif absent is not Undefined:
                    values[name] = absent
        except (_Mismatch, GraphQLError, ValueError, TypeError, KeyError, RecursionError):
            return _by_graphql_core(self.documents, self.definition, given)
        return VariableValues({}, values)


_REQUIRED: Final = object()


def compiled(documents: Documents, definition: OperationDefinitionNode) -> Variables:
    """Raises InvalidDocument for a default that is no value of its type."""
    checks: list[tuple[str, Check, Any]] = []
    for variable in definition.variable_definitions or ():
        name, declared = variable.variable.name.value, type_from_ast(documents.schema, variable.type)
        assert declared is not None  # noqa: S101 - validation has refused unknown types
        assert is_input_type(declared)  # noqa: S101 - and output types
        absent: Any = _REQUIRED if isinstance(declared, GraphQLNonNull) else Undefined
        if variable.default_value is not None:
            values = get_variable_values(documents.schema, [variable], {})
            absent = _REQUIRED if isinstance(values, list) else values.coerced[name]
        checks.append((name, _check(declared, documents.input_checks), absent))
    return Variables(documents, definition, tuple(checks))


def _check(declared: GraphQLInputType, known: dict[str, Check]) -> Check:
    if isinstance(declared, GraphQLNonNull):
        return _required(_check_present(declared.of_type, known))
    check = _check_present(declared, known)
    return lambda value: None if value is None else check(value)


def _required(check: Check) -> Check:
    def required(value: Any) -> Any:
        if value is None:
            raise _Mismatch
        return check(value)

    return required


def _check_present(declared: GraphQLInputType, known: dict[str, Check]) -> Check:
    if isinstance(declared, GraphQLList):
        return _list(_check(declared.of_type, known))
    if isinstance(declared, GraphQLInputObjectType):
        if declared.name not in known:
            # An input may hold itself: its check is looked up when it runs.
            known[declared.name] = lambda value: known[declared.name](value)
            known[declared.name] = _input_object(declared, known)
        return lambda value: known[declared.name](value)
    if isinstance(declared, GraphQLEnumType):
        return _enum(declared)
    assert isinstance(declared, GraphQLScalarType)  # noqa: S101 - the only kind left
    return _SCALARS.get(declared.name, declared.coerce_input_value)


def _list(check_item: Check) -> Check:
    def check(value: Any) -> Any:
        if value.__class__ is not list:
            raise _Mismatch
        return [check_item(item) for item in value]

    return check


def _enum(declared: GraphQLEnumType) -> Check:
    members = {name: declared.coerce_input_value(name) for name in declared.values}

    def check(value: Any) -> Any:
        if value.__class__ is not str:
            raise _Mismatch
        return members[value]

    return check


def _input_object(declared: GraphQLInputObjectType, known: dict[str, Check]) -> Check:
    checks = {name: (field.out_name or name, _check(field.type, known)) for name, field in declared.fields.items()}
    required = [name for name, field in declared.fields.items() if is_required_input_field(field)]
    absent = {name: field for name, field in declared.fields.items() if coerce_default_value(field) is not Undefined}

    def check(value: Any) -> Any:
        if value.__class__ is not dict or declared.is_one_of or not value.keys() <= checks.keys():
            raise _Mismatch
        if any(name not in value for name in required):
            raise _Mismatch
        # In the order of the definition, as graphql-core gives them.
        values = {}
        for name, (out_name, check_field) in checks.items():
            if name in value:
                values[out_name] = check_field(value[name])
            elif name in absent:
                values[out_name] = coerce_default_value(absent[name])
        return declared.out_type(values)

    return check


def _of(kind: type) -> Check:
    def check(value: Any) -> Any:
        if value.__class__ is not kind:
            raise _Mismatch
        return value

    return check


def _int(value: Any) -> int:
    if value.__class__ is not int or not -(2**31) <= value < 2**31:
        raise _Mismatch
    return int(value)


def _float(value: Any) -> float:
    if value.__class__ is not float or not math.isfinite(value):
        raise _Mismatch
    return float(value)


_SCALARS: Final[dict[str, Check]] = {
    "String": _of(str),
    "ID": _of(str),
    "Boolean": _of(bool),
    "Int": _int,
    "Float": _float,
}


def _bad_input(sentence: str) -> InvalidDocument:
    return InvalidDocument("BAD_USER_INPUT", [GraphQLError(sentence)])
