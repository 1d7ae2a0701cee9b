"""Checks that no visible element of the API schema needs an `@inaccessible` one."""

from collections.abc import Iterator

from graphql import EnumValueNode, ListValueNode, ObjectValueNode, ValueNode

from gateway.federation.composition.merge_state import MergedElement, MergedType, Merging
from gateway.federation.hints import ElementProblem
from gateway.federation.subgraph import SPECIFIED_SCALARS


def check_inaccessible(merging: Merging) -> None:
    """Adds the errors; assumes that the merge had none."""
    if not has_inaccessible(merging):
        return  # Most supergraphs: the checks below walk every element and every default value.
    for dest in merging.types.values():
        if dest.name not in SPECIFIED_SCALARS:
            for code, message, coordinate in _check_type(merging, dest):
                merging.add_error(code, message, dest.graphs, coordinate)
    for directive in merging.directives:
        for argument in directive.arguments.values():
            if not directive.is_composed and not argument.is_inaccessible:
                for code, message, coordinate in _check_reference(
                    merging, argument, f"@{directive.name}({argument.name}:)"
                ):
                    merging.add_error(code, message, directive.graphs, coordinate)


def has_inaccessible(merging: Merging) -> bool:
    """Whether any element of the supergraph is `@inaccessible`."""
    arguments = (row for directive in merging.directives for row in directive.arguments.values())
    elements = (row for dest in merging.types.values() for row in dest.list_elements())
    return any(row.is_inaccessible for row in arguments) or any(row.is_inaccessible for row in elements)


def _check_type(merging: Merging, dest: MergedType) -> Iterator[ElementProblem]:
    name = dest.name
    if dest.is_inaccessible:
        if name == "Query":
            message = f'Type "{name}" is @inaccessible but is the root query type, which must be in the API schema.'
            yield "QUERY_ROOT_TYPE_INACCESSIBLE", message, name
        return
    children = {"fields": dest.fields, "values": dest.values}
    for kind, rows in children.items():
        if rows and all(row.is_inaccessible for row in rows.values()):
            message = f'Type "{name}" is in the API schema but all of its {kind} are @inaccessible.'
            yield "ONLY_INACCESSIBLE_CHILDREN", message, name
    if dest.members and all(merging.types[member].is_inaccessible for member in dest.members):
        message = f'Type "{name}" is in the API schema but all of its members are @inaccessible.'
        yield "ONLY_INACCESSIBLE_CHILDREN", message, name
    for field in dest.fields.values():
        if not field.is_inaccessible:
            yield from _check_field(merging, dest, field)
        else:
            yield from _check_hidden_field(merging, dest, field)


def _check_field(merging: Merging, dest: MergedType, field: MergedElement) -> Iterator[ElementProblem]:
    coordinate = f"{dest.name}.{field.name}"
    yield from _check_reference(merging, field, coordinate)
    for argument in field.arguments.values():
        where = f"{coordinate}({argument.name}:)"
        if not argument.is_inaccessible:
            yield from _check_reference(merging, argument, where)
            continue
        if argument.is_required:
            message = f'Argument "{where}" is @inaccessible but is a required argument of its field.'
            yield "REQUIRED_INACCESSIBLE", message, where
        for implemented in _find_interface_fields(merging, dest, field):
            inherited = implemented.arguments.get(argument.name)
            if inherited is not None and not inherited.is_inaccessible:
                message = f'Argument "{where}" is @inaccessible but implements an interface\'s argument that is in the '
                yield "IMPLEMENTED_BY_INACCESSIBLE", f"{message}API schema.", where


def _check_hidden_field(merging: Merging, dest: MergedType, field: MergedElement) -> Iterator[ElementProblem]:
    coordinate = f"{dest.name}.{field.name}"
    if dest.kind == "INPUT_OBJECT" and field.is_required:
        message = f'Input field "{coordinate}" is @inaccessible but is a required input field of its type.'
        yield "REQUIRED_INACCESSIBLE", message, coordinate
    if any(not implemented.is_inaccessible for implemented in _find_interface_fields(merging, dest, field)):
        message = (
            f'Field "{coordinate}" is @inaccessible but implements an interface\'s field that is in the API schema.'
        )
        yield "IMPLEMENTED_BY_INACCESSIBLE", message, coordinate


def _find_interface_fields(merging: Merging, dest: MergedType, field: MergedElement) -> Iterator[MergedElement]:
    """Yields the fields of visible interfaces that the field implements."""
    for name in dest.interfaces:
        interface = merging.types.get(name)
        if interface is not None and not interface.is_inaccessible and field.name in interface.fields:
            yield interface.fields[field.name]


def _check_reference(merging: Merging, element: MergedElement, coordinate: str) -> Iterator[ElementProblem]:
    """Checks the type and the default value of a visible element."""
    of_type = merging.types.get(element.named_type)
    if of_type is None:
        return
    if of_type.is_inaccessible and of_type.name not in SPECIFIED_SCALARS:
        message = (
            f'Type "{of_type.name}" is @inaccessible but is referenced by "{coordinate}", which is in the API schema.'
        )
        yield "REFERENCED_INACCESSIBLE", message, coordinate
    elif element.default is not None:
        for hidden, kind in _find_hidden_in_default(merging, of_type, element.default):
            message = f'{kind} "{hidden}" is @inaccessible but is used in the default value of "{coordinate}", which '
            yield "DEFAULT_VALUE_USES_INACCESSIBLE", f"{message}is in the API schema.", coordinate


def _find_hidden_in_default(merging: Merging, of_type: MergedType, default: ValueNode) -> Iterator[tuple[str, str]]:
    """Yields (coordinate, kind) of each hidden enum value and input field in a default value."""
    if isinstance(default, ListValueNode):
        for item in default.values:
            yield from _find_hidden_in_default(merging, of_type, item)
    elif isinstance(default, EnumValueNode):
        value = of_type.values.get(default.value)
        if value is not None and value.is_inaccessible:
            yield f"{of_type.name}.{value.name}", "Enum value"
    elif isinstance(default, ObjectValueNode):
        for row in default.fields:
            field = of_type.fields.get(row.name.value)
            if field is None:
                continue
            if field.is_inaccessible:
                yield f"{of_type.name}.{field.name}", "Input field"
            inner = merging.types.get(field.named_type)
            if inner is not None:
                yield from _find_hidden_in_default(merging, inner, row.value)
