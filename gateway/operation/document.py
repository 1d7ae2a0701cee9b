"""Parse and validate; the cache of both by document."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    parse,
    validate,
)
from graphql.validation import NoSchemaIntrospectionCustomRule, specified_rules

from gateway.limits.shape import SOURCE_LIMIT_CHARACTERS, TOKEN_LIMIT, ShapeLimits, TooLarge, check_shape

CACHED_DOCUMENTS: Final = 500
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


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    tokens: int = TOKEN_LIMIT
    shape: ShapeLimits = field(default_factory=ShapeLimits)


@dataclass(slots=True)
class Documents:
    """Documents checked against a schema; the last 500, refused ones too, so that repetition costs nothing."""

    schema: GraphQLSchema
    introspection: bool = True
    limits: DocumentLimits = field(default_factory=DocumentLimits)
    _checked: "OrderedDict[str, CheckedDocument | InvalidDocument]" = field(default_factory=OrderedDict)

    def check(self, text: str) -> CheckedDocument:
        """Raises InvalidDocument."""
        found = self._checked.get(text)
        if found is None:
            found = self._check(text)
            self._checked[text] = found
            if len(self._checked) > CACHED_DOCUMENTS:
                self._checked.popitem(last=False)
        else:
            self._checked.move_to_end(text)
        if isinstance(found, InvalidDocument):
            raise found
        return found

    def recent(self, count: int) -> list[str]:
        """The valid documents that were asked for last, the latest first."""
        valid = [text for text, checked in self._checked.items() if isinstance(checked, CheckedDocument)]
        return valid[: -count - 1 : -1]

    def _check(self, text: str) -> CheckedDocument | InvalidDocument:
        if len(text) > SOURCE_LIMIT_CHARACTERS:
            sentence = f"The document has {len(text)} characters; at most {SOURCE_LIMIT_CHARACTERS} are taken."
            return InvalidDocument(TooLarge.code, [GraphQLError(sentence)])
        try:
            document = parse(text, max_tokens=self.limits.tokens)
            check_shape(document, self.limits.shape)
        except GraphQLSyntaxError as error:
            return InvalidDocument("GRAPHQL_PARSE_FAILED", [error])
        except RecursionError:
            return InvalidDocument(TooLarge.code, [GraphQLError("The document is nested too deeply.")])
        except TooLarge as error:
            return InvalidDocument(TooLarge.code, [GraphQLError(str(error))])
        rules = specified_rules if self.introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
        hidden = not self.introspection
        errors = validate(self.schema, document, rules, max_errors=MAX_ERRORS, hide_suggestions=hidden)
        if errors:
            return InvalidDocument("GRAPHQL_VALIDATION_FAILED", errors)
        return _sorted(document)


def _sorted(document: DocumentNode) -> CheckedDocument:
    operations: dict[str, OperationDefinitionNode] = {}
    fragments: dict[str, FragmentDefinitionNode] = {}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            operations[definition.name.value if definition.name else ""] = definition
        elif isinstance(definition, FragmentDefinitionNode):
            fragments[definition.name.value] = definition
    return CheckedDocument(document, operations, fragments)
