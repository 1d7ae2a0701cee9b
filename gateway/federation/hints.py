"""Messages of composition: errors, which prevent a supergraph, and hints, which do not."""

from typing import Final, NamedTuple


class SubgraphLocation(NamedTuple):
    """A position in a subgraph's SDL; `line` and `column` begin at 1."""

    subgraph: str
    line: int
    column: int


CodedMessage = tuple[str, str]
"""An error code of Apollo's and the message."""

ElementProblem = tuple[str, str, str]
"""An error code of Apollo's, the message, and the coordinate of the element that is wrong."""


class CompositionError(NamedTuple):
    """An error; `code` is Apollo's, `subgraphs` names the subgraphs that cause it."""

    code: str
    message: str
    subgraphs: tuple[str, ...] = ()
    coordinate: str = ""
    """The element that is wrong, by its name in the supergraph: `Type.field(argument:)`, `@directive` or `schema`."""
    locations: tuple[SubgraphLocation, ...] = ()


class Hint(NamedTuple):
    """A remark about subgraphs that does not prevent a supergraph; its attributes are those of an error."""

    code: str
    message: str
    subgraphs: tuple[str, ...] = ()
    coordinate: str = ""
    locations: tuple[SubgraphLocation, ...] = ()

    @property
    def level(self) -> str:
        return HINT_LEVELS[self.code]


HINT_LEVELS: Final = {
    "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE": "INFO",
    "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE": "INFO",
    "INCONSISTENT_DEFAULT_VALUE_PRESENCE": "WARN",
    "INCONSISTENT_ENTITY": "DEBUG",
    "INCONSISTENT_OBJECT_VALUE_TYPE_FIELD": "DEBUG",
    "INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD": "DEBUG",
    "INCONSISTENT_INPUT_OBJECT_FIELD": "WARN",
    "INCONSISTENT_UNION_MEMBER": "DEBUG",
    "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM": "WARN",
    "INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM": "DEBUG",
    "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE": "DEBUG",
    "INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS": "WARN",
    "INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE": "WARN",
    "INCONSISTENT_DESCRIPTION": "WARN",
    "INCONSISTENT_ARGUMENT_PRESENCE": "WARN",
    "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS": "WARN",
    "MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS": "INFO",
    "NO_EXECUTABLE_DIRECTIVE_INTERSECTION": "WARN",
    "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS": "WARN",
    "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN": "WARN",
    "FROM_SUBGRAPH_DOES_NOT_EXIST": "WARN",
    "OVERRIDDEN_FIELD_CAN_BE_REMOVED": "INFO",
    "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED": "INFO",
    "OVERRIDE_MIGRATION_IN_PROGRESS": "INFO",
    "UNUSED_ENUM_TYPE": "DEBUG",
    "DIRECTIVE_COMPOSITION_INFO": "INFO",
    "DIRECTIVE_COMPOSITION_WARN": "WARN",
    "IMPLICITLY_UPGRADED_FEDERATION_VERSION": "INFO",
}
"""Levels of hints by code; the codes and levels are Apollo's."""


def quote_names(names: list[str] | tuple[str, ...], last: str = "and") -> str:
    """Returns `"a", "b" and "c"`."""
    quoted = [f'"{name}"' for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"


def name_subgraphs(names: list[str] | tuple[str, ...]) -> str:
    """Returns `subgraph "a"` or `subgraphs "a" and "b"`."""
    return f"subgraph{'s' if len(names) > 1 else ''} {quote_names(names)}"
