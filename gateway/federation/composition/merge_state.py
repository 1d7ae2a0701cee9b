"""The state of a merge: the supergraph's definitions and, for each, the subgraphs it comes from."""

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
    """A field, argument or enum value as one subgraph defines it; `owner` is the type that contains it there."""

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
    """The arguments of a `@join__field`. Without `graph`, an interface object adds the field to the type."""

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
    """Empty if every subgraph that has the type has the same element: then `@join__field` is not printed."""
    graphs: list[str] = field(default_factory=list)
    """Names of the subgraphs that define it."""

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
    """Whether `@composeDirective` brought it here: then it is not part of the API schema."""


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

    def list_elements(self) -> Iterator[MergedElement]:
        """Yields the type, its enum values, its fields and their arguments."""
        yield self
        yield from self.values.values()
        for element in self.fields.values():
            yield element
            yield from element.arguments.values()


@dataclass(slots=True)
class Merging:
    """The state of one composition. The phases add to it: merged types, then errors and hints."""

    members: list[Member]
    """In the order of the subgraphs' names, so that nothing depends on the order in which they were given."""
    sources: dict[str, list[TypeSource]] = field(default_factory=dict)
    """Every subgraph's definition of a type, by type name."""
    interface_objects: dict[str, list[TypeSource]] = field(default_factory=dict)
    """The `sources` that are interface objects."""
    types: dict[str, MergedType] = field(default_factory=dict)
    abstract: dict[str, set[str]] = field(default_factory=dict)
    """Implementing types by interface, other interfaces included, and members by union."""
    used_as_output: dict[str, str] = field(default_factory=dict)
    """The coordinate of the first field that returns the type, by type name."""
    used_as_input: dict[str, str] = field(default_factory=dict)
    """The coordinate of the first argument or input field of the type, by type name."""
    directives: list[MergedDirective] = field(default_factory=list)
    composed: dict[str, Link] = field(default_factory=dict)
    """Links of the directives that `@composeDirective` keeps in the supergraph, by directive name."""
    errors: list[CompositionError] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)

    def add_error(self, code: str, message: str, graphs: Iterable[str] = (), coordinate: str = "") -> None:
        self.errors.append(CompositionError(code, message, tuple(graphs), coordinate))

    def add_hint(self, code: str, message: str, graphs: Iterable[str] = (), coordinate: str = "") -> None:
        self.hints.append(Hint(code, message, tuple(graphs), coordinate))

    def list_graphs(self, type_name: str) -> Iterator[str]:
        return (source.graph for source in self.sources.get(type_name, ()))
