"""Chooses the operation of a document and coerces its variables.

The checks of variables are compiled once an operation. Where a check fails, graphql-core coerces the same values again
and words the error.
"""

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
    """The quick check does not recognise the value. graphql-core decides whether it is one of the type."""


def choose_operation(checked: CheckedDocument, name: str | None) -> OperationDefinitionNode:
    """Return the operation of that name, or the only operation. Raises InvalidDocument."""
    if name is not None and name not in checked.operations:
        raise _bad_input(f"There is no operation {name!r} in the document.")
    if name is None and len(checked.operations) != 1:
        raise _bad_input(f"The document has {len(checked.operations)} operations: say in operationName which to run.")
    return checked.operations[name] if name is not None else next(iter(checked.operations.values()))


def coerce_variables(
    documents: Documents, definition: OperationDefinitionNode, variables: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the variables' values, with defaults filled in. Raises InvalidDocument."""
    return _coerce_by_graphql_core(documents, definition, variables).coerced


def _coerce_by_graphql_core(
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
    """The compiled checks of an operation's variables. Values that they do not recognise go to graphql-core."""

    documents: Documents
    definition: OperationDefinitionNode
    checks: tuple[tuple[str, Check, Any], ...]
    """Name, check, and the value where the variable is not sent: its default, else `Undefined`, or `_REQUIRED`."""

    def coerce(self, sent: Mapping[str, Any]) -> VariableValues:
        """Raises InvalidDocument."""
        values: dict[str, Any] = {}
        try:
            for name, check, absent in self.checks:
                if name in sent:
                    values[name] = check(sent[name])
                elif absent is _REQUIRED:
                    raise _Mismatch
                elif absent is not Undefined:
                    values[name] = absent
        except (_Mismatch, GraphQLError, ValueError, TypeError, KeyError, RecursionError):
            return _coerce_by_graphql_core(self.documents, self.definition, sent)
        return VariableValues({}, values)


_REQUIRED: Final = object()


def compile_variables(documents: Documents, definition: OperationDefinitionNode) -> Variables:
    """Compile the checks. A default of a wrong type makes its variable required: graphql-core refuses it then."""
    checks: list[tuple[str, Check, Any]] = []
    for variable in definition.variable_definitions or ():
        name, declared = variable.variable.name.value, type_from_ast(documents.schema, variable.type)
        assert declared is not None  # noqa: S101 - validation has refused unknown types
        assert is_input_type(declared)  # noqa: S101 - validation has refused output types
        absent: Any = _REQUIRED if isinstance(declared, GraphQLNonNull) else Undefined
        if variable.default_value is not None:
            values = get_variable_values(documents.schema, [variable], {})
            absent = _REQUIRED if isinstance(values, list) else values.coerced[name]
        checks.append((name, _make_check(declared, documents.input_checks), absent))
    return Variables(documents, definition, tuple(checks))


def _make_check(declared: GraphQLInputType, known: dict[str, Check]) -> Check:
    if isinstance(declared, GraphQLNonNull):
        return _require(_make_present_check(declared.of_type, known))
    check = _make_present_check(declared, known)
    return lambda value: None if value is None else check(value)


def _require(check: Check) -> Check:
    def check_required(value: Any) -> Any:
        if value is None:
            raise _Mismatch
        return check(value)

    return check_required


def _make_present_check(declared: GraphQLInputType, known: dict[str, Check]) -> Check:
    if isinstance(declared, GraphQLList):
        return _make_list_check(_make_check(declared.of_type, known))
    if isinstance(declared, GraphQLInputObjectType):
        if declared.name not in known:
            # An input type may contain itself, so its check is looked up when it runs.
            known[declared.name] = lambda value: known[declared.name](value)
            known[declared.name] = _make_input_object_check(declared, known)
        return lambda value: known[declared.name](value)
    if isinstance(declared, GraphQLEnumType):
        return _make_enum_check(declared)
    assert isinstance(declared, GraphQLScalarType)  # noqa: S101 - the only kind left
    return _SCALARS.get(declared.name, declared.coerce_input_value)


def _make_list_check(check_item: Check) -> Check:
    def check(value: Any) -> Any:
        if value.__class__ is not list:
            raise _Mismatch
        return [check_item(item) for item in value]

    return check


def _make_enum_check(declared: GraphQLEnumType) -> Check:
    members = {name: declared.coerce_input_value(name) for name in declared.values}

    def check(value: Any) -> Any:
        if value.__class__ is not str:
            raise _Mismatch
        return members[value]

    return check


def _make_input_object_check(declared: GraphQLInputObjectType, known: dict[str, Check]) -> Check:
    checks = {name: (field.out_name or name, _make_check(field.type, known)) for name, field in declared.fields.items()}
    required = [name for name, field in declared.fields.items() if is_required_input_field(field)]
    absent = {name: field for name, field in declared.fields.items() if coerce_default_value(field) is not Undefined}

    def check(value: Any) -> Any:
        if value.__class__ is not dict or declared.is_one_of or not value.keys() <= checks.keys():
            raise _Mismatch
        if any(name not in value for name in required):
            raise _Mismatch
        # The order is that of the type's fields, as in graphql-core.
        values = {}
        for name, (out_name, check_field) in checks.items():
            if name in value:
                values[out_name] = check_field(value[name])
            elif name in absent:
                values[out_name] = coerce_default_value(absent[name])
        return declared.out_type(values)

    return check


def _make_kind_check(kind: type) -> Check:
    def check(value: Any) -> Any:
        if value.__class__ is not kind:
            raise _Mismatch
        return value

    return check


def _check_int(value: Any) -> int:
    if value.__class__ is not int or not -(2**31) <= value < 2**31:
        raise _Mismatch
    return int(value)


def _check_float(value: Any) -> float:
    if value.__class__ is not float or not math.isfinite(value):
        raise _Mismatch
    return float(value)


_SCALARS: Final[dict[str, Check]] = {
    "String": _make_kind_check(str),
    "ID": _make_kind_check(str),
    "Boolean": _make_kind_check(bool),
    "Int": _check_int,
    "Float": _check_float,
}


def _bad_input(sentence: str) -> InvalidDocument:
    return InvalidDocument("BAD_USER_INPUT", [GraphQLError(sentence)])
