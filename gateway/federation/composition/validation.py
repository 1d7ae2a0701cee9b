"""Checks one subgraph by Federation's rules, before it is merged with others."""

from collections.abc import Iterator, Sequence

from gateway.federation.composition.context_checks import check_contexts
from gateway.federation.composition.costs import check_costs
from gateway.federation.composition.field_sets import FieldSet
from gateway.federation.composition.roles import FieldRoles
from gateway.federation.directives import GUARDS
from gateway.federation.hints import CodedMessage, CompositionError, ElementProblem, quote_names
from gateway.federation.subgraph import AppliedDirective, Element, SubgraphSchema, TypeDefinition

_INTERFACE_KEYS_SINCE = (2, 3)
_ALONE = ("EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE", "PROVIDES_ON_NON_OBJECT_FIELD")
"""Codes of a pointless `@provides`: the first such error is the only one reported for the subgraph, as Apollo does."""


def validate_subgraph(schema: SubgraphSchema, roles: FieldRoles) -> tuple[CompositionError, ...]:
    """Returns the errors of this subgraph, which do not depend on other subgraphs."""
    problems: list[ElementProblem] = []
    for definition in schema.types.values():
        problems += [(*problem, definition.name) for problem in _check_type(schema, roles, definition)]
        for element in definition.fields.values():
            coordinate = f"{definition.name}.{element.name}"
            problems += [(*problem, coordinate) for problem in _check_field(schema, roles, definition, element)]
    problems += check_contexts(schema)
    alone = [problem for problem in problems if problem[0] in _ALONE]
    return tuple(
        CompositionError(code, f"[{schema.name}] {message}", (schema.name,), coordinate)
        for code, message, coordinate in dict.fromkeys(alone[:1] or problems)
    )


def _check_type(schema: SubgraphSchema, roles: FieldRoles, definition: TypeDefinition) -> Iterator[CodedMessage]:
    name = definition.name
    readable = []
    for key in definition.list_applied("key"):
        prefix = f'On type "{name}", for @key(fields: {key.fields_printed}): '
        if definition.kind == "INTERFACE" and not _allows_interface_keys(schema):
            yield "KEY_UNSUPPORTED_ON_INTERFACE", f'Cannot use @key on interface "{name}": it needs Federation v2.3.'
            continue
        problems = list(FieldSet(schema, roles, "key", name, key).check())
        yield from ((code, prefix + message) for code, message in problems)
        if all(code != "KEY_INVALID_FIELDS" for code, _ in problems):
            readable.append(key)
    if definition.has("interfaceObject") and not definition.has("key"):
        message = f'The @interfaceObject directive can only be applied to entity types but type "{name}" has no @key.'
        yield "INTERFACE_OBJECT_USAGE_ERROR", message
    if definition.kind == "INTERFACE":
        yield from _check_interface_keys(schema, definition, readable)
    if definition.kind == "INTERFACE" or definition.has("interfaceObject"):
        kind = "interface object" if definition.has("interfaceObject") else "interface"
        yield from _check_no_guard(definition, f'{kind} "{name}"')
    yield from _check_repeated_shareable(definition, f'type "{name}"')


def _check_no_guard(element: Element, where: str) -> Iterator[CodedMessage]:
    """Yields an error for a guard on an interface: each implementation must have its own guards."""
    for directive in GUARDS:
        if element.has(directive):
            message = (
                f"Invalid use of @{directive} on {where}: @{directive} cannot be applied on interfaces, interface "
            )
            yield "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE", f"{message}fields and interface objects."


def _allows_interface_keys(schema: SubgraphSchema) -> bool:
    return schema.links.version is not None and schema.links.version >= _INTERFACE_KEYS_SINCE


def _check_interface_keys(
    schema: SubgraphSchema, definition: TypeDefinition, keys: Sequence[AppliedDirective]
) -> Iterator[CodedMessage]:
    """Checks that every implementation has the interface's keys, resolvable ones where the interface's are."""
    for key in keys:
        wanted = _normalize_fields(key.arguments.get("fields"))
        is_resolvable = key.arguments.get("resolvable") is not False
        missing, unresolvable = [], []
        for name in sorted(schema.implementations.get(definition.name, ())):
            same = [
                row
                for row in schema.types[name].list_applied("key")
                if _normalize_fields(row.arguments.get("fields")) == wanted
            ]
            if not same:
                missing.append(name)
            elif is_resolvable and all(row.arguments.get("resolvable") is False for row in same):
                unresolvable.append(name)
        if unresolvable:
            yield (
                "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
                f'Key @key(fields: {key.fields_printed}) on interface type "{definition.name}" must be resolvable on '
                f"all implementations, but is not on {quote_names(unresolvable)}.",
            )
        if missing:
            types = "type " + " and ".join(f'"{name}"' for name in missing)
            yield (
                "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
                f'Key @key(fields: {key.fields_printed}) on interface type "{definition.name}" is missing on '
                f"implementation {types}.",
            )


def _normalize_fields(fields: object) -> tuple[str, ...]:
    """Sorts the tokens of a field set, so that `"id owner { name }"` equals `"owner {name}, id"`."""
    return tuple(sorted(str(fields).replace("{", " { ").replace("}", " } ").replace(",", " ").split()))


def _check_repeated_shareable(element: Element, where: str) -> Iterator[CodedMessage]:
    parts = [applied.part for applied in element.list_applied("shareable")]
    if len(parts) != len(set(parts)):
        message = f"Invalid duplicate application of @shareable on the same declaration of {where}."
        yield "INVALID_SHAREABLE_USAGE", message


def _check_field(
    schema: SubgraphSchema, roles: FieldRoles, definition: TypeDefinition, element: Element
) -> Iterator[CodedMessage]:
    coordinate = f"{definition.name}.{element.name}"
    on_interface = definition.kind == "INTERFACE"
    if element.has("provides") and (definition.name, element.name) in roles.external:
        message = f'Cannot have both @provides and @external on field "{coordinate}".'
        yield "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE", message
    for directive, type_name in (("requires", definition.name), ("provides", element.named_type)):
        for applied in element.list_applied(directive):
            prefix = f'On field "{coordinate}", for @{directive}(fields: {applied.fields_printed}): '
            target = schema.types.get(type_name)
            if target is None or not target.is_composite:
                message = f'Invalid @provides on field "{coordinate}": its type "{element.type}" is not composite.'
                yield "PROVIDES_ON_NON_OBJECT_FIELD", message
                continue
            if on_interface:
                message = f'Cannot use @{directive} on field "{coordinate}" of an interface.'
                yield f"{directive.upper()}_UNSUPPORTED_ON_INTERFACE", message
            for code, message in FieldSet(schema, roles, directive, type_name, applied).check():
                yield code, prefix + message
    if on_interface:
        yield from _check_no_guard(element, f'field "{coordinate}"')
    yield from check_costs(schema, definition, element)
    if on_interface and element.has("external"):
        message = f'Interface type field "{coordinate}" is marked @external but @external is not allowed on interfaces.'
        yield "EXTERNAL_ON_INTERFACE", message
    if on_interface and element.has("shareable"):
        message = f'Invalid use of @shareable on field "{coordinate}": only object type fields can be marked with it.'
        yield "INVALID_SHAREABLE_USAGE", message
    yield from _check_repeated_shareable(element, f'field "{coordinate}"')
    if (definition.name, element.name) in roles.external - roles.used:
        yield (
            "EXTERNAL_UNUSED",
            f'Field "{coordinate}" is marked @external but is not used in any federation directive '
            "(@key, @provides, @requires) or to satisfy an interface; the field declaration has no use and "
            "should be removed (or the field should not be @external).",
        )
