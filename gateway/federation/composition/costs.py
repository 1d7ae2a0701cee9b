"""Checks `@cost` and `@listSize`: on which fields they are applied, and what their arguments name."""

from collections.abc import Iterator
from typing import Any, Final

from gateway.federation.hints import CodedMessage
from gateway.federation.subgraph import AppliedDirective, Element, SubgraphSchema, TypeDefinition

_INT: Final = ("Int", "Int!")


def check_costs(schema: SubgraphSchema, definition: TypeDefinition, element: Element) -> Iterator[CodedMessage]:
    """Checks one field of a type."""
    coordinate = f"{definition.name}.{element.name}"
    if definition.kind == "INTERFACE" and element.has("cost"):
        yield "COST_APPLIED_TO_INTERFACE_FIELD", f'@cost cannot be applied to interface field "{coordinate}".'
    for applied in element.list_applied("listSize"):
        yield from _check_list_size(schema, element, applied, coordinate)


def _check_list_size(
    schema: SubgraphSchema, element: Element, applied: AppliedDirective, coordinate: str
) -> Iterator[CodedMessage]:
    arguments = applied.arguments
    sized = arguments.get("sizedFields")
    if not sized and not _is_list(element):
        yield "LIST_SIZE_APPLIED_TO_NON_LIST", f'@listSize is applied to "{coordinate}", which is not a list.'
    assumed = arguments.get("assumedSize")
    if isinstance(assumed, int) and assumed < 0:
        yield "LIST_SIZE_INVALID_ASSUMED_SIZE", f'The assumed size of "{coordinate}" cannot be negative.'
    for name in _read_names(arguments.get("slicingArguments")):
        argument = element.arguments.get(name)
        if argument is None:
            message = f'Slicing argument "{name}" is not an argument of "{coordinate}".'
            yield "LIST_SIZE_INVALID_SLICING_ARGUMENT", message
        elif argument.type not in _INT:
            message = f'Slicing argument "{coordinate}({name}:)" must be Int or Int!.'
            yield "LIST_SIZE_INVALID_SLICING_ARGUMENT", message
    if sized:
        yield from _check_sized_fields(schema, element, _read_names(sized))


def _check_sized_fields(schema: SubgraphSchema, element: Element, names: list[str]) -> Iterator[CodedMessage]:
    definition = schema.types.get(element.named_type)
    if definition is None or definition.kind not in ("OBJECT", "INTERFACE"):
        message = f'Sized fields cannot be used because "{element.type}" is not an object or interface.'
        yield "LIST_SIZE_INVALID_SIZED_FIELD", message
        return
    for name in names:
        field = definition.fields.get(name)
        if field is None:
            yield "LIST_SIZE_INVALID_SIZED_FIELD", f'Sized field "{name}" is not a field of type "{definition.name}".'
        elif not _is_list(field):
            yield "LIST_SIZE_APPLIED_TO_NON_LIST", f'Sized field "{definition.name}.{name}" is not a list.'


def _is_list(element: Element) -> bool:
    return element.type.startswith("[")


def _read_names(value: Any) -> list[str]:
    """Reads an argument of type `[String!]`, for which GraphQL also takes a single string or null."""
    if value is None:
        return []
    return [str(name) for name in (value if isinstance(value, list) else [value])]
