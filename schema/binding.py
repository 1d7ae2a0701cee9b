"""How a field says where its data comes from; both executors, the projection, the cost limit and the tests read it.

    column    a key of the document, or what is read in its place by others
    derived   a pure function of named keys
    loaded    one document by id (or a list of them), batched
    called    a function with GraphQL arguments
    action    a mutation: its document into the payload, a refusal into `userErrors`
    streamed  a subscription: a document for each event

The binding stays readable in the built schema: `binding_of(field)`.
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
from resolvers.errors import Refused
from resolvers.policy import Rule
from resolvers.request.context import RequestContext

Document = dict[str, Any]
_SUBJECT = "__binding_subject__"
_BESIDE = "__binding_beside__"


@dataclass(frozen=True, slots=True)
class Masked:
    """What is read in the place of a key: `of(document)`, a pure function that reads `needs` and nothing else."""

    of: Callable[[Document], Any]
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """The document's own key; to whom `visible` says no what `masked` says, or null; for `passes` see Called."""

    key: str
    visible: Rule | None = None
    masked: Masked | None = None
    passes: bool = False

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.key, *(self.visible.keys if self.visible else ()), *(self.masked.needs if self.masked else ()))


@dataclass(frozen=True, slots=True)
class Derived:
    """`compute(context, document)`; reads the `needs` of the document and nothing else."""

    compute: Callable[[RequestContext, Document], Any]
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """`load(context, id)` for the id, or each of the ids, under `key`."""

    load: Callable[[RequestContext, str], Awaitable[Any]]
    key: str
    visible: Rule | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.key, *(self.visible.keys if self.visible else ()))

    @property
    def register(self) -> Register | None:
        """The reference data that the documents are of, if any."""
        return self.load if isinstance(self.load, Register) else None


@dataclass(frozen=True, slots=True)
class Called:
    """A function of context, document and GraphQL arguments.

    `commands` is what one call costs the database, in commands; `passes` says that the selection below is still of
    the same documents (a page's edges), so that their projection reaches through it. What is called for a document of
    a `register` gives what follows from that register alone.
    """

    resolve: Callable[..., Any]
    needs: tuple[str, ...]
    commands: int = 0
    paged: bool = False
    passes: bool = False
    register: Register | None = None
    batch: "Batch | None" = None


Given = Mapping[str, Any]
"""One call's arguments."""

Batch = Callable[[Any, Sequence[Given]], Awaitable[Callable[[Given], Any]]]
"""The same for all calls of one request: of `info` and their arguments, what gives each its value, or raises."""


@dataclass(frozen=True, slots=True)
class Action:
    """A mutation; `subject` is the payload's field for the document."""

    perform: Callable[..., Awaitable[Any]]
    subject: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Streamed:
    """A subscription: a function of context and GraphQL arguments gives a document for each event."""

    open: Callable[..., AsyncGenerator[Document, None]]
    needs: tuple[str, ...] = ()


Binding = Column | Derived | Loaded | Called | Action | Streamed


def binding_of(field: GraphQLField | GraphQLInputField) -> Binding | None:
    """The binding that a field of the built schema was declared with; None for introspection and federation fields."""
    definition = field.extensions.get("strawberry-definition")
    return None if definition is None else definition.metadata.get("binding")


def column(
    key: str,
    *,
    visible: Rule | None = None,
    masked: Masked | None = None,
    passes: bool = False,
    name: str | None = None,
    description: str | None = None,
) -> Any:
    def read(root: Any, info: Info[RequestContext, None]) -> Any:
        if visible is None or _is_seen(visible, info.context, root):
            return root[key]
        return None if masked is None else masked.of(root)

    return _field(read, Column(key, visible, masked, passes), name=name, description=description)


def _is_seen(visible: Rule, context: RequestContext, document: Document) -> bool:
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

    return _field(read, Derived(compute, needs), name=name, description=description)


def loaded(
    load: Callable[[RequestContext, str], Awaitable[Any]],
    *,
    key: str,
    visible: Rule | None = None,
    name: str | None = None,
    description: str | None = None,
) -> Any:
    async def each(context: RequestContext, ids: Sequence[str]) -> list[Any]:
        # Every id is asked for before the first has come: the loader reads them in one batch.
        return await asyncio.gather(*(load(context, wanted) for wanted in ids))

    def read(root: Any, info: Info[RequestContext, None]) -> Any:
        if visible is not None and not _is_seen(visible, info.context, root):
            return None
        wanted = root[key]
        if wanted is None:
            return None
        return each(info.context, wanted) if isinstance(wanted, list) else load(info.context, wanted)

    return _field(read, Loaded(load, key, visible), name=name, description=description)


def called(
    graphql_type: Any,
    *,
    needs: tuple[str, ...] = (),
    commands: int = 0,
    paged: bool = False,
    passes: bool = False,
    register: Register | None = None,
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
    """Binds a mutation `(info, input)`; what it returns goes into the payload, a Refused into `userErrors`."""
    subject: str = getattr(payload, _SUBJECT)
    beside: Document = dict.fromkeys(getattr(payload, _BESIDE))

    def bind(perform: Callable[..., Awaitable[Any]]) -> Any:
        @functools.wraps(perform)
        async def settle(*args: Any, **kwargs: Any) -> Document:
            try:
                done = await perform(*args, **kwargs)
            except Refused as refused:
                error = {"code": refused.code, "message": str(refused), "field": refused.field}
                return {**beside, subject: refused.document, "userErrors": [error]}
            result = done if isinstance(done, Done) else Done(done, {})
            return {**beside, **result.beside, subject: result.document, "userErrors": []}

        return strawberry.field(
            resolver=staticmethod(settle),
            graphql_type=payload,
            description=inspect.getdoc(perform),
            metadata={"binding": Action(perform, subject)},
        )

    return bind


def streamed(graphql_type: Any) -> Callable[[Callable[..., AsyncGenerator[Document, None]]], Any]:
    """Binds a subscription `(info, arguments…)`; its docstring is the field's description."""

    def bind(open: Callable[..., AsyncGenerator[Document, None]]) -> Any:
        return strawberry.subscription(
            resolver=staticmethod(open),
            graphql_type=graphql_type,
            description=inspect.getdoc(open),
            metadata={"binding": Streamed(open)},
        )

    return bind


@dataclass(frozen=True, slots=True)
class Done:
    """What an action gives its payload: the document, and what stands beside it under the payload's own keys."""

    document: Any
    beside: Document


def _field(read: Callable[..., Any], binding: Binding, *, name: str | None, description: str | None) -> Any:
    return strawberry.field(resolver=read, name=name, description=description, metadata={"binding": binding})


def object_type(
    *, keys: tuple[str, ...] = (), subject: str | None = None, name: str | None = None
) -> Callable[[type], Any]:
    """A type over documents: a bare annotation is the column of that name, the docstring is the description.

    `keys` makes it a federation entity; `subject` a payload whose document stands under that key.
    """

    def decorate(cls: type) -> Any:
        for attribute in inspect.get_annotations(cls):
            if attribute not in cls.__dict__:
                setattr(cls, attribute, column(to_camel_case(attribute)))
        if keys or len(cls.__mro__) > 2:
            # Documents are plain dicts: without this graphql-core refuses the members of an interface or of
            # `_entities`, and prints the whole document.
            setattr(cls, "is_type_of", classmethod(lambda cls, value, info: isinstance(value, dict)))  # noqa: B010
        setattr(cls, _SUBJECT, subject)
        setattr(cls, _BESIDE, tuple(to_camel_case(attribute) for attribute in inspect.get_annotations(cls)))
        own = cls.__dict__.get("__doc__")  # a dataclass's base has one of Python's making
        description = own and inspect.cleandoc(own)
        if keys:
            return strawberry.federation.type(keys=list(keys), description=description, name=name)(cls)
        return strawberry.type(description=description, name=name)(cls)

    return decorate
