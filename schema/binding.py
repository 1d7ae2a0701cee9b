"""Bindings: each GraphQL field declares where its data comes from.

    column    a key of the document, or a substitute for viewers who may not read it
    derived   a pure function of named keys
    loaded    a document by its id, or a list of documents by their ids, read in batches
    called    a function with GraphQL arguments
    action    a mutation: its document goes into the payload, a refusal into `userErrors`
    streamed  a subscription: one document for each event

Both executors, the Mongo projection, the cost limit and the tests read the declarations; `binding_of(field)` returns
the one of a field in the built schema.
"""

import asyncio
import functools
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLInputField
from strawberry import Info
from strawberry.utils.str_converters import to_camel_case

from resolvers.agencies.reference import Register
from resolvers.documents import Document
from resolvers.errors import Refused
from resolvers.policy import VisibilityRule
from resolvers.request.context import RequestContext

_SUBJECT = "__binding_subject__"
"""Attribute of a payload class: its key for the document."""
_PAYLOAD_KEYS = "__binding_payload_keys__"
"""Attribute of a class: its keys."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A substitute for a key's value: `of(document)`, a pure function that reads only the keys `needs`."""

    of: Callable[[Any], Any]
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A key of the document. Viewers whom `visible` refuses read `masked` instead, or null; for `passes` see Called."""

    key: str
    visible: VisibilityRule[Any] | None = None
    masked: Masked | None = None
    passes: bool = False

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.key, *(self.visible.keys if self.visible else ()), *(self.masked.needs if self.masked else ()))


@dataclass(frozen=True, slots=True)
class Derived:
    """`compute(context, document)`, which reads only the keys `needs` of the document."""

    compute: Callable[[RequestContext, Document], Any]
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """`load(context, id)` for the id under `key`, or for each id of a list. Null if `visible` refuses the viewer."""

    load: Callable[[RequestContext, str], Awaitable[Any]]
    key: str
    visible: VisibilityRule[Any] | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.key, *(self.visible.keys if self.visible else ()))

    @property
    def register(self) -> Register[Any] | None:
        """The reference data that the documents belong to, if any."""
        return self.load if isinstance(self.load, Register) else None


@dataclass(frozen=True, slots=True)
class Called:
    """A function of the parent document, `info` and GraphQL arguments.

    `commands` is the number of database commands of one call, for the cost limit. `passes` means that the selection
    below concerns the same documents (`edges { node { title } }` of a list), so that the projection includes its keys.
    With a `register`, the result depends only on that register, and may be cached until the register changes.
    """

    resolve: Callable[..., Any]
    needs: tuple[str, ...]
    commands: int = 0
    paged: bool = False
    passes: bool = False
    register: Register[Any] | None = None
    batch: "Batch | None" = None


CallArguments = Mapping[str, Any]
"""The GraphQL arguments of one call."""

Batch = Callable[[Any, Sequence[CallArguments]], Awaitable[Callable[[CallArguments], Any]]]
"""Makes all calls of a field in one request at once: `(info, [arguments, …])` → a function that returns the value for
the arguments of one call, or raises its error."""


@dataclass(frozen=True, slots=True)
class Action:
    """A mutation; `subject` is the payload's key for the document."""

    perform: Callable[..., Awaitable[Any]]
    subject: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Streamed:
    """A subscription: `open(info, arguments…)` yields a document for each event."""

    open: Callable[..., AsyncGenerator[Any, None]]
    needs: tuple[str, ...] = ()


Binding = Column | Derived | Loaded | Called | Action | Streamed


def binding_of(field: GraphQLField | GraphQLInputField) -> Binding | None:
    """Returns the binding of a field in the built schema; None for introspection and federation fields."""
    definition = field.extensions.get("strawberry-definition")
    return None if definition is None else definition.metadata.get("binding")


def column(
    key: str,
    *,
    visible: VisibilityRule[Any] | None = None,
    masked: Masked | None = None,
    passes: bool = False,
    name: str | None = None,
    description: str | None = None,
) -> Any:
    def read(root: Any, info: Info[RequestContext, None]) -> Any:
        if visible is None or _is_seen(visible, info.context, root):
            return root[key]
        return None if masked is None else masked.of(root)

    return _make_field(read, Column(key, visible, masked, passes), name=name, description=description)


def _is_seen(visible: VisibilityRule[Any], context: RequestContext, document: Document) -> bool:
    return visible.decide(context.viewer, context.proven)(document)


def derived(
    compute: Callable[[RequestContext, Any], Any],
    *,
    needs: tuple[str, ...],
    name: str | None = None,
    description: str | None = None,
) -> Any:
    def read(root: Any, info: Info[RequestContext, None]) -> Any:
        return compute(info.context, root)

    return _make_field(read, Derived(compute, needs), name=name, description=description)


def loaded(
    load: Callable[[RequestContext, str], Awaitable[Any]],
    *,
    key: str,
    visible: VisibilityRule[Any] | None = None,
    name: str | None = None,
    description: str | None = None,
) -> Any:
    async def each(context: RequestContext, ids: Sequence[str]) -> list[Any]:
        # All ids are requested before the first is awaited, so that the loader reads them in one batch.
        return await asyncio.gather(*(load(context, document_id) for document_id in ids))

    def read(root: Any, info: Info[RequestContext, None]) -> Any:
        if visible is not None and not _is_seen(visible, info.context, root):
            return None
        value = root[key]
        if value is None:
            return None
        return each(info.context, value) if isinstance(value, list) else load(info.context, value)

    return _make_field(read, Loaded(load, key, visible), name=name, description=description)


def called(
    graphql_type: Any,
    *,
    needs: tuple[str, ...] = (),
    commands: int = 0,
    paged: bool = False,
    passes: bool = False,
    register: Register[Any] | None = None,
    batch: "Batch | None" = None,
    name: str | None = None,
) -> Callable[[Callable[..., Any]], Any]:
    """Binds a function `(parent: Parent[…], info, *, arguments…)`; its docstring is the field's description."""

    def bind(resolve: Callable[..., Any]) -> Any:
        return strawberry.field(
            resolver=staticmethod(resolve),
            graphql_type=graphql_type,
            name=name,
            description=inspect.getdoc(resolve),
            metadata={"binding": Called(resolve, needs, commands, paged, passes, register, batch)},
        )

    return bind


def action(payload: Any) -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """Binds a mutation `(info, input)`: the returned document goes into the payload, a Refused into `userErrors`.

    A mutation whose payload has further keys returns an ActionResult.
    """
    subject: str = getattr(payload, _SUBJECT)
    empty: Document = dict.fromkeys(getattr(payload, _PAYLOAD_KEYS))

    def bind(perform: Callable[..., Awaitable[Any]]) -> Any:
        @functools.wraps(perform)
        async def resolve(*args: Any, **kwargs: Any) -> Document:
            try:
                returned = await perform(*args, **kwargs)
            except Refused as refused:
                error = {"code": refused.code, "message": str(refused), "field": refused.field}
                return {**empty, subject: refused.document, "userErrors": [error]}
            result = returned if isinstance(returned, ActionResult) else ActionResult(returned, {})
            return {**empty, **result.further, subject: result.document, "userErrors": []}

        return strawberry.field(
            resolver=staticmethod(resolve),
            graphql_type=payload,
            description=inspect.getdoc(perform),
            metadata={"binding": Action(perform, subject)},
        )

    return bind


def streamed(graphql_type: Any) -> Callable[[Callable[..., AsyncGenerator[Any, None]]], Any]:
    """Binds a subscription `(info, arguments…)`; its docstring is the field's description."""

    def bind(open: Callable[..., AsyncGenerator[Any, None]]) -> Any:
        return strawberry.subscription(
            resolver=staticmethod(open),
            graphql_type=graphql_type,
            description=inspect.getdoc(open),
            metadata={"binding": Streamed(open)},
        )

    return bind


@dataclass(frozen=True, slots=True)
class ActionResult:
    """An action's document, and the values of its payload's further keys."""

    document: Any
    further: Document


def _make_field(read: Callable[..., Any], binding: Binding, *, name: str | None, description: str | None) -> Any:
    return strawberry.field(resolver=read, name=name, description=description, metadata={"binding": binding})


def object_type(
    *, keys: tuple[str, ...] = (), subject: str | None = None, name: str | None = None
) -> Callable[[type], Any]:
    """Makes a class the GraphQL type of documents; its docstring is the description.

    A bare annotation declares the column of the same name in camel case: `term_from: Date` reads `termFrom`. `keys`
    make the type a federation entity; `subject` is a payload's key for its document.
    """

    def decorate(cls: type) -> Any:
        for attribute in inspect.get_annotations(cls):
            if attribute not in cls.__dict__:
                setattr(cls, attribute, column(to_camel_case(attribute)))
        if keys or len(cls.__mro__) > 2:
            # Strawberry would compare the value's class, but documents are dicts. graphql-core would then refuse a
            # member of an interface or of `_entities`, with an error that prints the whole document.
            setattr(cls, "is_type_of", classmethod(lambda cls, value, info: isinstance(value, dict)))  # noqa: B010
        setattr(cls, _SUBJECT, subject)
        setattr(cls, _PAYLOAD_KEYS, tuple(to_camel_case(attribute) for attribute in inspect.get_annotations(cls)))
        # Not `cls.__doc__`: that may be inherited, and Python generates one for a dataclass.
        own = cls.__dict__.get("__doc__")
        description = own and inspect.cleandoc(own)
        if keys:
            return strawberry.federation.type(keys=list(keys), description=description, name=name)(cls)
        return strawberry.type(description=description, name=name)(cls)

    return decorate
