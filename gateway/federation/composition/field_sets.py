"""Checks the `fields` argument of `@key`, `@requires` and `@provides` against its own subgraph."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from graphql import FieldNode, GraphQLError, InlineFragmentNode, SelectionSetNode, print_ast

from gateway.federation.composition.roles import FieldRoles
from gateway.federation.composition.values import is_valid_value
from gateway.federation.fields import parse_fields
from gateway.federation.hints import CodedMessage
from gateway.federation.subgraph import SPECIFIED_SCALARS, AppliedDirective, Element, SubgraphSchema, TypeDefinition

_INVALID: Final = "INVALID_FIELDS"
"""Suffix of the code for a field set that GraphQL cannot execute; its other problems are not reported."""
_UNKNOWN_FIELD: Final = {
    "key": "the field should either be added to this subgraph or, if it should not be resolved by this subgraph, "
    "you need to add it to this subgraph with @external",
    "requires": "if the field is defined in another subgraph, you need to add it to this subgraph with @external",
    "provides": "if the field is defined in another subgraph, you need to add it to this subgraph with @external",
}


class FieldSet(NamedTuple):
    """One `fields` argument. `type_name` is the type that it selects from; `directive` is Federation's name."""

    schema: SubgraphSchema
    roles: FieldRoles
    directive: str
    type_name: str
    applied: AppliedDirective

    def check(self) -> Iterator[CodedMessage]:
        """Yields the problems; for a field set that GraphQL cannot execute, only `…_INVALID_FIELDS`."""
        code = self.directive.upper()
        # Federation 1 also took a list of strings; reading the SDL has joined the list into one string.
        is_text = isinstance(self.applied.arguments.get("fields"), str) and self.schema.is_fed1
        if not is_text and not self.applied.has_string_fields:
            yield f"{code}_INVALID_FIELDS_TYPE", 'Invalid value for argument "fields": must be a string.'
            return
        try:
            selection = parse_fields(str(self.applied.arguments["fields"]))
        except GraphQLError as error:
            yield f"{code}_INVALID_FIELDS", error.message
            return
        problems = list(self._check_selection(self.type_name, selection, False))
        invalid = [problem for problem in problems if problem[0] == _INVALID]
        for suffix, message in invalid or problems:
            yield f"{code}_{suffix}", message

    def _check_selection(
        self, type_name: str, selection: SelectionSetNode, in_external: bool
    ) -> Iterator[CodedMessage]:
        """Checks a selection; `in_external` says that a field above it is external, which covers its fields."""
        definition = self.schema.types.get(type_name)
        if not selection.selections:
            yield _INVALID, f'A selection on "{type_name}" is empty.'
        for node in selection.selections:
            if node.directives:
                applied = " ".join(print_ast(directive) for directive in node.directives)
                yield (
                    "DIRECTIVE_IN_FIELDS_ARG",
                    f"cannot have directive applications in the @{self.directive}(fields:) argument "
                    f"but found {applied}.",
                )
            if isinstance(node, FieldNode):
                yield from self._check_field(type_name, definition, node, in_external)
            elif isinstance(node, InlineFragmentNode):
                yield from self._check_fragment(type_name, node, in_external)
            else:
                yield _INVALID, f'"{print_ast(node)}" is a fragment spread, which a field set cannot have.'

    def _check_fragment(self, type_name: str, node: InlineFragmentNode, in_external: bool) -> Iterator[CodedMessage]:
        condition = node.type_condition.name.value if node.type_condition else type_name
        definition = self.schema.types.get(condition)
        if definition is None or not definition.is_composite:
            yield _INVALID, f'Unknown type "{condition}" in the condition of a fragment.'
        else:
            yield from self._check_selection(condition, node.selection_set, in_external)

    def _check_field(
        self, type_name: str, definition: TypeDefinition | None, node: FieldNode, in_external: bool
    ) -> Iterator[CodedMessage]:
        name = node.name.value
        if name == "__typename":
            return
        element = definition.fields.get(name) if definition else None
        if element is None:
            advice = _UNKNOWN_FIELD[self.directive]
            yield _INVALID, f'Cannot query field "{name}" on type "{type_name}" ({advice}).'
            return
        if node.alias is not None:
            yield _INVALID, f'Cannot use alias "{node.alias.value}": aliases are not supported in field sets.'
        yield from self._check_arguments(type_name, element, node)
        # A key consists of the subgraph's own fields; @requires and @provides name fields of other subgraphs.
        is_external = (type_name, name) in self.roles.external
        if node.selection_set is None and self.directive != "key" and not (is_external or in_external):
            yield (
                "FIELDS_MISSING_EXTERNAL",
                f'field "{type_name}.{name}" should not be part of a @{self.directive} since it is already provided '
                "by this subgraph (it is not marked @external)",
            )
        yield from self._check_nested(type_name, element, node, in_external or is_external)

    def _check_nested(
        self, type_name: str, element: Element, node: FieldNode, in_external: bool
    ) -> Iterator[CodedMessage]:
        definition = self.schema.types.get(element.named_type)
        is_composite = (
            definition is not None and definition.is_composite and element.named_type not in SPECIFIED_SCALARS
        )
        if is_composite != (node.selection_set is not None):
            rule = "must have a selection of subfields" if is_composite else "must not have a selection"
            message = f'Field "{element.name}" {rule} since type "{element.type}" has {"" if is_composite else "no "}'
            yield _INVALID, f"{message}subfields."
        elif definition is not None and self.directive == "key" and definition.kind in ("UNION", "INTERFACE"):
            kind = definition.kind.capitalize()
            message = f'field "{type_name}.{element.name}" is a {kind} type which is not allowed in @key'
            yield "FIELDS_SELECT_INVALID_TYPE", message
        elif node.selection_set is not None:
            # A field of an interface counts as external if it is external in one implementation.
            implementations = self.schema.implementations.get(type_name, ())
            in_external |= any((possible, element.name) in self.roles.external for possible in implementations)
            yield from self._check_selection(element.named_type, node.selection_set, in_external)

    def _check_arguments(self, type_name: str, element: Element, node: FieldNode) -> Iterator[CodedMessage]:
        values = {argument.name.value: argument.value for argument in node.arguments or ()}
        if self.directive != "requires" and element.arguments:
            yield (
                "FIELDS_HAS_ARGS",
                f"field {type_name}.{element.name} cannot be included because it has arguments "
                f"(fields with argument are not allowed in @{self.directive})",
            )
        for name in sorted(values - element.arguments.keys()):
            yield _INVALID, f'Unknown argument "{name}" on field "{type_name}.{element.name}".'
        for name, argument in element.arguments.items():
            where = f"{type_name}.{element.name}({name}:)"
            if name in values and not is_valid_value(self.schema, argument.type, values[name]):
                yield (
                    _INVALID,
                    f'Invalid value {print_ast(values[name])} for argument "{where}" of type {argument.type}.',
                )
            elif argument.is_required and name not in values:
                yield _INVALID, f'Missing mandatory argument "{where}".'
