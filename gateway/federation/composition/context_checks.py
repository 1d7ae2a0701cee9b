"""Checks `@context` and `@fromContext` in one subgraph: names, uses, and the types of what is selected."""

import re
from collections.abc import Iterator
from typing import Final

from graphql import FieldNode, GraphQLError, InlineFragmentNode, SelectionNode, SelectionSetNode

from gateway.federation.composition.contexts import find_context_setters, read_context_value
from gateway.federation.composition.values import is_subtype
from gateway.federation.fields import parse_fields
from gateway.federation.hints import CodedMessage, ElementProblem
from gateway.federation.subgraph import Element, SubgraphSchema, TypeDefinition

_NAME: Final = re.compile(r"^[A-Za-z0-9]+$")
_INVALID: Final = "CONTEXT_INVALID_SELECTION"


def check_contexts(schema: SubgraphSchema) -> Iterator[ElementProblem]:
    """Yields every problem with contexts in the subgraph."""
    contexts = find_context_setters(schema)
    for name, types in contexts.items():
        if "_" in name or not _NAME.match(name):
            message = f'Context name "{name}" is invalid: it may contain only letters and digits, no underscore.'
            yield "CONTEXT_NAME_INVALID", message, types[0].name
    for directive in schema.directive_definitions.values():
        if any(
            schema.links.names.get(applied.name.value) == "fromContext"
            for argument in directive.arguments or ()
            for applied in argument.directives or ()
        ):
            message = f'@fromContext cannot be used on an argument of the directive "@{directive.name.value}".'
            yield "CONTEXT_NOT_SET", message, f"@{directive.name.value}"
    for definition in schema.types.values():
        for field in definition.fields.values():
            for argument in field.arguments.values():
                if argument.has("fromContext"):
                    where = f"{definition.name}.{field.name}({argument.name}:)"
                    for code, message in _check_argument(schema, contexts, (definition, field, argument), where):
                        yield code, message, where


def _check_argument(
    schema: SubgraphSchema,
    contexts: dict[str, list[TypeDefinition]],
    elements: tuple[TypeDefinition, Element, Element],
    where: str,
) -> Iterator[CodedMessage]:
    """Checks one argument with `@fromContext`; `elements` are its type, its field and the argument."""
    definition, field, argument = elements
    if definition.kind != "OBJECT":
        yield "CONTEXT_NOT_SET", f'@fromContext cannot be used on a field of an abstract type: "{where}".'
        return
    for name in definition.interfaces:
        if name in schema.types and field.name in schema.types[name].fields:
            message = (
                f'@fromContext cannot be used on a field that implements the interface field "{name}.{field.name}".'
            )
            yield "CONTEXT_NOT_SET", message
    if argument.default is not None:
        yield "CONTEXT_NOT_SET", f'@fromContext arguments may not have a default value: "{where}".'
    if not any(key.arguments.get("resolvable") is not False for key in definition.list_applied("key")):
        message = f'Object "{definition.name}" has no resolvable key but has a field with a contextual argument.'
        yield "CONTEXT_NO_RESOLVABLE_KEY", message
    value = read_context_value(argument)
    if value is None:
        message = f'@fromContext of "{where}" does not name a context and a selection, as in "$context {{ field }}".'
        yield "NO_CONTEXT_IN_SELECTION", message
    elif value.context not in contexts:
        yield "CONTEXT_NOT_SET", f'Context "{value.context}" is used at "{where}" but is never set.'
    else:
        refusal = _explain_misfit(schema, contexts[value.context], value.selection, argument)
        if refusal is not None:
            yield _INVALID, f'Context "{value.context}" is used in "{where}" but the selection is invalid: {refusal}.'


def _explain_misfit(
    schema: SubgraphSchema, types: list[TypeDefinition], selection: str, argument: Element
) -> str | None:
    """Returns why the selection does not give the argument's value on every type that sets the context."""
    try:
        parsed = parse_fields(selection)
    except GraphQLError as error:
        return error.message
    for definition in types:
        for name in sorted(schema.possible_types(definition.name)) or [definition.name]:
            refusal = _explain_misfit_on(schema, schema.types.get(name, definition), parsed, argument)
            if refusal is not None:
                return refusal
    return None


def _explain_misfit_on(
    schema: SubgraphSchema, definition: TypeDefinition, selection: SelectionSetNode, argument: Element, lists: int = 0
) -> str | None:
    """Returns why the selection does not give the argument's value on one type.

    `lists` counts the lists on the way to the type, each of which makes the value a list:
    # { rows { tags } } with rows: [Row] and tags: [String] → [[String]]
    """
    # A context may have a selection for each type that sets it: $place ... on Region { code } ... on City { number }
    applying = [node for node in selection.selections if _applies_to(definition, node)]
    if not applying:
        return f'no type condition matches the location "{definition.name}"'
    node = applying[0]
    if node.directives:
        return "directives are not allowed in it"
    if isinstance(node, InlineFragmentNode):
        return _explain_misfit_on(schema, definition, node.selection_set, argument, lists)
    if len(applying) > 1:
        return "it selects more than one field"
    assert isinstance(node, FieldNode)  # noqa: S101 - a parsed field set has no spread that applies
    if node.alias is not None:
        return "aliases are not allowed in it"
    field = definition.fields.get(node.name.value)
    if field is None:
        return f'type "{definition.name}" has no field "{node.name.value}"'
    if node.selection_set is not None:
        inner = schema.types.get(field.named_type)
        if inner is None:
            return "a leaf has no fields"
        return _explain_misfit_on(schema, inner, node.selection_set, argument, lists + field.type.count("["))
    abstract = {name: schema.implementations.get(name, set()) for name in schema.implementations}
    selected = "[" * lists + field.type + "]" * lists
    if not is_subtype(abstract, selected, argument.type):
        return f'the type of the selection "{selected}" does not match the expected type "{argument.type}"'
    return None


def _applies_to(definition: TypeDefinition, node: SelectionNode) -> bool:
    if isinstance(node, InlineFragmentNode):
        condition = node.type_condition
        return condition is None or condition.name.value in (definition.name, *definition.interfaces)
    return isinstance(node, FieldNode)
