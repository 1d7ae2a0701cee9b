"""Parse and validate; the cache of both by document."""

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
from gateway.operation.lru import Recent

CACHED_DOCUMENTS: Final = 500
CACHED_BYTES: Final = 24_000_000
_BYTES_PER_TOKEN: Final = 1_000
_BYTES_PER_CHARACTER: Final = 4
_ENTRY_BYTES: Final = 8_000
"""What is kept of a document takes at most this, as tracemalloc says: a test measures it again."""
MAX_ERRORS: Final = 20


class InvalidDocument(Exception):
    """The document cannot be run by anyone, with any variables; `code` says at which step it failed."""

    def __init__(self, code: str, errors: Sequence[GraphQLError]) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    document: DocumentNode
    operations: Mapping[str, OperationDefinitionNode]
    """By name; the anonymous one's is empty."""
    fragments: Mapping[str, FragmentDefinitionNode]
    prepared: dict[str, Any] = field(default_factory=dict)
    """By operation name, what is worked out of each once; it is forgotten with the document."""


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    tokens: int = TOKEN_LIMIT
    shape: ShapeLimits = field(default_factory=ShapeLimits)


@dataclass(slots=True)
class Documents:
    """Documents checked against a schema; the last ones, refused ones too, so that repetition costs nothing."""

    schema: GraphQLSchema
    introspection: bool = True
    limits: DocumentLimits = field(default_factory=DocumentLimits)
    input_checks: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    """By input object type, what its values are checked by: made at its first variable."""
    _checked: Recent["CheckedDocument | InvalidDocument"] = field(
        default_factory=lambda: Recent(CACHED_DOCUMENTS, CACHED_BYTES)
    )

    def check(self, text: str) -> CheckedDocument:
        """Raises InvalidDocument."""
        found = self._checked.get(text)
        if found is None:
            found, tokens = self._check(text)
            size_bytes = _ENTRY_BYTES + len(text) * _BYTES_PER_CHARACTER + tokens * _BYTES_PER_TOKEN
            self._checked.put(text, found, size_bytes)
        if isinstance(found, InvalidDocument):
            # A new one each time: the one that is kept would keep the request's frames too.
            raise InvalidDocument(found.code, found.errors)
        return found

    def grow(self, text: str, size_bytes: int) -> None:
        """Says that what is kept of a document has become larger."""
        self._checked.grow(text, size_bytes)

    def recent(self, count: int) -> list[str]:
        """The valid documents that were asked for last, the latest first."""
        valid = [text for text, checked in self._checked.latest() if isinstance(checked, CheckedDocument)]
        return valid[:count]

    def _check(self, text: str) -> tuple[CheckedDocument | InvalidDocument, int]:
        """With the number of tokens that are kept for it: a refusal after parsing names nodes, which hold them all."""
        document = self._parsed(text)
        if isinstance(document, InvalidDocument):
            return document, 0
        rules = specified_rules if self.introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
        hidden = not self.introspection
        errors = validate(self.schema, document, rules, max_errors=MAX_ERRORS, hide_suggestions=hidden)
        found = InvalidDocument("GRAPHQL_VALIDATION_FAILED", errors) if errors else _sorted(document)
        return found, _unchained(document)

    def _parsed(self, text: str) -> DocumentNode | InvalidDocument:
        if len(text) > SOURCE_LIMIT_CHARACTERS:
            sentence = f"The document has {len(text)} characters; at most {SOURCE_LIMIT_CHARACTERS} are taken."
            return InvalidDocument(TooLarge.code, [GraphQLError(sentence)])
        try:
            document = parse(text, max_tokens=self.limits.tokens)
            check_shape(document, self.limits.shape)
        except GraphQLSyntaxError as error:
            # Its traceback holds what was parsed until then.
            return InvalidDocument("GRAPHQL_PARSE_FAILED", [error.with_traceback(None)])
        except RecursionError:
            return InvalidDocument(TooLarge.code, [GraphQLError("The document is nested too deeply.")])
        except TooLarge as error:
            return InvalidDocument(TooLarge.code, [GraphQLError(str(error))])
        return document


def _unchained(document: DocumentNode) -> int:
    """Counts the tokens and parts them: nobody reads on from one, and chained both ways they would outlive us."""
    token: Token | None = document.loc.start_token if document.loc else None
    count = 0
    while token is not None:
        following = token.next
        token.prev = token.next = None
        token, count = following, count + 1
    return count


def _sorted(document: DocumentNode) -> CheckedDocument:
    operations: dict[str, OperationDefinitionNode] = {}
    fragments: dict[str, FragmentDefinitionNode] = {}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            operations[definition.name.value if definition.name else ""] = definition
        elif isinstance(definition, FragmentDefinitionNode):
            fragments[definition.name.value] = definition
    return CheckedDocument(document, operations, fragments)
