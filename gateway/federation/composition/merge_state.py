"""The supergraph's definitions while and after they are merged, each with the subgraphs it comes from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from graphql import ConstDirectiveNode, ConstValueNode

from gateway.federation.composition.roles import Coordinate, FieldRoles
from gateway.federation.hints import CompositionError, Hint
from gateway.federation.links import Link
from gateway.federation.subgraph import Element, SubgraphSchema, TypeDefinition
from gateway.federation.supergraph import ContextArgument


class Member(NamedTuple):
    """A subgraph that takes part in the composition."""

    schema: SubgraphSchema
    roles: FieldRoles

    @property
    def name(self) -> str:
        return self.schema.name


class TypeSource(NamedTuple):
    """A type as one subgraph defines it."""

    member: Member
    definition: TypeDefinition

    @property
    def graph(self) -> str:
        return self.member.name

    @property
    def is_interface_object(self) -> bool:
        return self.definition.has("interfaceObject")


class ElementSource(NamedTuple):
    """A field or other element as one subgraph defines it; `owner` is the type it is in there."""

    member: Member
    owner: TypeDefinition
    element: Element

    @property
    def graph(self) -> str:
        return self.member.name

    @property
    def coordinate(self) -> Coordinate:
        return self.owner.name, self.element.name

    @property
    def is_external(self) -> bool:
        return self.coordinate in self.member.roles.external

    @property
    def is_resolved(self) -> bool:
        return self.member.roles.is_resolved(self.coordinate)


@dataclass(slots=True)
class JoinField:
    """The arguments of a `@join__field`; without `graph`, the field is there through an interface object."""

    graph: str | None = None
    requires: str | None = None
    provides: str | None = None
    type: str | None = None
    external: bool = False
    override: str | None = None
    used_overridden: bool = False
    override_label: str | None = None
    context_arguments: tuple[ContextArgument, ...] = ()


class JoinType(NamedTuple):
    """The arguments of a `@join__type`."""

    graph: str
    key: str | None = None
    extension: bool = False
    resolvable: bool = True
    is_interface_object: bool = False


@dataclass(slots=True)
class MergedElement:
    """A field, argument, input field or enum value of the supergraph."""

    name: str
    description: str | None = None
    type: str = ""
    default: ConstValueNode | None = None
    directives: list[ConstDirectiveNode] = field(default_factory=list)
    arguments: dict[str, "MergedElement"] = field(default_factory=dict)
    joins: list[JoinField] = field(default_factory=list)
    """Empty where all subgraphs with the type have the element just so."""
    graphs: list[str] = field(default_factory=list)

    @property
    def named_type(self) -> str:
        return self.type.strip("[]!")

    @property
    def is_required(self) -> bool:
        return self.type.endswith("!") and self.default is None

    @property
    def is_inaccessible(self) -> bool:
        return any(directive.name.value == "inaccessible" for directive in self.directives)


@dataclass(slots=True)
class MergedDirective(MergedElement):
    """A directive's definition in the supergraph."""

    is_repeatable: bool = False
    locations: tuple[str, ...] = ()
    is_composed: bool = False
    """Whether `@composeDirective` brought it here: then it is no part of the API schema."""


@dataclass(slots=True)
class MergedType(MergedElement):
    """A type of the supergraph, of any kind."""

    kind: str = "OBJECT"
    interfaces: list[str] = field(default_factory=list)
    fields: dict[str, MergedElement] = field(default_factory=dict)
    values: dict[str, MergedElement] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)
    join_types: list[JoinType] = field(default_factory=list)
    join_implements: list[tuple[str, str]] = field(default_factory=list)
    """(graph, interface)."""
    join_members: list[tuple[str, str]] = field(default_factory=list)
    """(graph, member of the union)."""


@dataclass(slots=True)
class Merging:
    """The state of one composition: its subgraphs in the order of their names, and what has been found."""

    members: list[Member]
    sources: dict[str, list[TypeSource]] = field(default_factory=dict)
    """By type name."""
    interface_objects: dict[str, list[TypeSource]] = field(default_factory=dict)
    """Those of `sources` that are interface objects."""
    types: dict[str, MergedType] = field(default_factory=dict)
    abstract: dict[str, set[str]] = field(default_factory=dict)
    """By interface or union: the types that a value may have, interfaces that implement it included."""
    used_as_output: dict[str, str] = field(default_factory=dict)
    """A coordinate where the type is used, by type name."""
    used_as_input: dict[str, str] = field(default_factory=dict)
    directives: list[MergedDirective] = field(default_factory=list)
    composed: dict[str, Link] = field(default_factory=dict)
    """Links of the directives that `@composeDirective` takes into the supergraph, by directive name."""
    errors: list[CompositionError] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)

    def add_error(self, code: str, message: str, graphs: Iterable[str] = (), coordinate: str = "") -> None:
        self.errors.append(CompositionError(code, message, tuple(graphs), coordinate))

    def add_hint(self, code: str, message: str, graphs: Iterable[str] = (), coordinate: str = "") -> None:
        self.hints.append(Hint(code, message, tuple(graphs), coordinate))

    def list_graphs(self, type_name: str) -> Iterator[str]:
        return (source.graph for source in self.sources.get(type_name, ()))
