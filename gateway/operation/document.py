"""Parses and validates documents, and caches both results by the document's text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    Token,
    parse,
    validate,
)
from graphql.validation import NoSchemaIntrospectionCustomRule, specified_rules

from gateway.limits.shape import SOURCE_LIMIT_CHARACTERS, TOKEN_LIMIT, ShapeLimits, TooLarge, check_shape
from gateway.operation.lru import LruCache

CACHED_DOCUMENTS: Final = 500
CACHED_BYTES: Final = 24_000_000
_BYTES_PER_TOKEN: Final = 1_000
_BYTES_PER_CHARACTER: Final = 4
_ENTRY_BYTES: Final = 8_000
"""Upper bounds for the memory of a cached document. A test measures them with tracemalloc."""
MAX_ERRORS: Final = 20


class InvalidDocument(Exception):
    """The request cannot be run. `code` says which step failed: parsing, a limit, validation, or its variables."""

    def __init__(self, code: str, errors: Sequence[GraphQLError]) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """A valid document."""

    document: DocumentNode
    operations: Mapping[str, OperationDefinitionNode]
    """By name; the anonymous operation's name is empty."""
    fragments: Mapping[str, FragmentDefinitionNode]
    derived: dict[str, Any] = field(default_factory=dict)
    """By operation name, the results of compiling it. They live as long as the document is cached."""


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    tokens: int = TOKEN_LIMIT
    shape: ShapeLimits = field(default_factory=ShapeLimits)


@dataclass(slots=True)
class Documents:
    """Checks documents against a schema. Caches the latest, refused ones too: repeating one costs little."""

    schema: GraphQLSchema
    introspection: bool = True
    limits: DocumentLimits = field(default_factory=DocumentLimits)
    input_checks: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    """By the name of an input object type, the check of its values. Made for the first variable of the type."""
    _checked: LruCache["CheckedDocument | InvalidDocument"] = field(
        default_factory=lambda: LruCache(CACHED_DOCUMENTS, CACHED_BYTES)
    )

    def check(self, text: str) -> CheckedDocument:
        """Raises InvalidDocument."""
        found = self._checked.get(text)
        if found is None:
            found, tokens = self._check(text)
            size_bytes = _ENTRY_BYTES + len(text) * _BYTES_PER_CHARACTER + tokens * _BYTES_PER_TOKEN
            self._checked.put(text, found, size_bytes)
        if isinstance(found, InvalidDocument):
            # Raise a copy: raising the cached exception would make it hold this request's frames.
            raise InvalidDocument(found.code, found.errors)
        return found

    def grow(self, text: str, size_bytes: int) -> None:
        """Add to the size of a cached document, when more is derived from it."""
        self._checked.grow(text, size_bytes)

    def list_recent(self, count: int) -> list[str]:
        """The texts of valid documents, most recently used first."""
        valid = [text for text, checked in self._checked.iterate_latest() if isinstance(checked, CheckedDocument)]
        return valid[:count]

    def _check(self, text: str) -> tuple[CheckedDocument | InvalidDocument, int]:
        """Return the result and the number of tokens that it keeps alive.

        The errors of an invalid document name its nodes, and those hold all of its tokens.
        """
        document = self._parse(text)
        if isinstance(document, InvalidDocument):
            return document, 0
        rules = specified_rules if self.introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
        hidden = not self.introspection
        errors = validate(self.schema, document, rules, max_errors=MAX_ERRORS, hide_suggestions=hidden)
        found = InvalidDocument("GRAPHQL_VALIDATION_FAILED", errors) if errors else _sort_definitions(document)
        return found, _unlink_tokens(document)

    def _parse(self, text: str) -> DocumentNode | InvalidDocument:
        if len(text) > SOURCE_LIMIT_CHARACTERS:
            sentence = f"The document has {len(text)} characters; at most {SOURCE_LIMIT_CHARACTERS} are taken."
            return InvalidDocument(TooLarge.code, [GraphQLError(sentence)])
        try:
            document = parse(text, max_tokens=self.limits.tokens)
            check_shape(document, self.limits.shape)
        except GraphQLSyntaxError as error:
            # Its traceback would hold the nodes that were parsed before the error.
            return InvalidDocument("GRAPHQL_PARSE_FAILED", [error.with_traceback(None)])
        except RecursionError:
            return InvalidDocument(TooLarge.code, [GraphQLError("The document is nested too deeply.")])
        except TooLarge as error:
            return InvalidDocument(TooLarge.code, [GraphQLError(str(error))])
        return document


def _unlink_tokens(document: DocumentNode) -> int:
    """Count the tokens, and unlink each from its neighbours.

    graphql-core links tokens in both directions. Those cycles would keep a dropped document alive until the garbage
    collector runs, and nobody follows the links after parsing.
    """
    token: Token | None = document.loc.start_token if document.loc else None
    count = 0
    while token is not None:
        following = token.next
        token.prev = token.next = None
        token, count = following, count + 1
    return count


def _sort_definitions(document: DocumentNode) -> CheckedDocument:
    operations: dict[str, OperationDefinitionNode] = {}
    fragments: dict[str, FragmentDefinitionNode] = {}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            operations[definition.name.value if definition.name else ""] = definition
        elif isinstance(definition, FragmentDefinitionNode):
            fragments[definition.name.value] = definition
    return CheckedDocument(document, operations, fragments)
