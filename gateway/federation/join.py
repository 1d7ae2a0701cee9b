"""Reads a supergraph's SDL in the join specification (v0.3 to v0.5) into the model that the planner uses.

Source: specs.apollo.dev/join.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from graphql import (
    ConstDirectiveNode,
    DirectiveDefinitionNode,
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumValueNode,
    FieldDefinitionNode,
    GraphQLError,
    GraphQLSyntaxError,
    InterfaceTypeDefinitionNode,
    Lexer,
    NameNode,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    Source,
    Token,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    Visitor,
    build_ast_schema,
    value_from_ast_untyped,
    visit,
)
from graphql.language.parser import Parser

from gateway.federation.api_schema import build_api_schema
from gateway.federation.directives import GUARDS
from gateway.federation.fields import parse_fields
from gateway.federation.supergraph import (
    AccessRule,
    ContextArgument,
    Key,
    Subgraph,
    SubgraphField,
    SubgraphType,
    Supergraph,
)
from gateway.federation.type_nodes import print_type_node

_ENFORCED: Final = frozenset(GUARDS) | {"link", "join", "core", "federation", "tag", "inaccessible", "cost", "context"}
"""Features that this engine enforces; a supergraph that requires another one is refused."""

_NAMESPACES: Final = (
    *("join__", "link__", "core__", "federation__"),
    *("requiresScopes__", "policy__", "context__", "cost__", "tag__", "inaccessible__", "authenticated__"),
)
"""Prefixes of names that belong to specifications, not to the graph."""

_SPECIFIED: Final = _ENFORCED | {"listSize"}
"""Directives that specifications define: their definitions are not part of the graph's schema."""

_GRAPHS: Final = "join__Graph"

CompositeNode = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode


class InvalidSupergraph(Exception):
    """The SDL is not a supergraph that this engine can serve; the message says why."""


def read_supergraph(sdl: str) -> Supergraph:
    """Raises InvalidSupergraph for an SDL that is not a supergraph or requires a feature that is not enforced here."""
    try:
        document = _parse_without_tokens(sdl)
    except GraphQLSyntaxError as error:
        raise InvalidSupergraph(f"The supergraph is not valid GraphQL: {error.message}") from None
    check_features(_read_links(document))
    try:
        return _build_supergraph(_restore_directive_names(document))
    except (KeyError, TypeError, GraphQLError) as failure:
        raise InvalidSupergraph(f"The supergraph is inconsistent: {failure}.") from None


def _parse_without_tokens(sdl: str) -> DocumentNode:
    """Parses the SDL and cuts the lexer's chain of tokens.

    Tokens refer to their neighbours in both directions. A large SDL has hundreds of thousands: as reference cycles they
    would stay in memory until the garbage collector's next full run.
    """
    lexer = Lexer(Source(sdl))
    document = Parser(lexer.source, no_location=True, lexer=lexer).parse_document()
    token: Token | None = lexer.token
    while token is not None:
        before = token.prev
        token.prev = token.next = None
        token = before
    return document


def _restore_directive_names(document: DocumentNode) -> DocumentNode:
    """Renames linked directives to their specifications' names.

    # @link(url: ".../tag/v0.3", as: "label") type T @label(name: "x") → type T @tag(name: "x")
    """
    original: dict[str, str] = {}
    for arguments in _read_links(document):
        feature = _read_feature_name(arguments)
        original[str(arguments.get("as") or feature)] = feature
        for row in arguments.get("import") or ():
            if isinstance(row, dict) and row.get("as"):
                original[str(row["as"]).removeprefix("@")] = str(row["name"]).removeprefix("@")
    renamed = {local: name for local, name in original.items() if local != name}

    class DirectiveRenamer(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> DirectiveNode | None:
            name = renamed.get(node.name.value)
            return None if name is None else DirectiveNode(name=NameNode(value=name), arguments=node.arguments)

        def enter_directive_definition(self, node: DirectiveDefinitionNode, *_: Any) -> DirectiveDefinitionNode | None:
            name = renamed.get(node.name.value)
            if name is None:
                return None
            fields = {key: getattr(node, key) for key in node.keys}
            return DirectiveDefinitionNode(**fields | {"name": NameNode(value=name)})

    return visit(document, DirectiveRenamer()) if renamed else document


def _read_feature_name(arguments: dict[str, Any]) -> str:
    """Returns the name of a linked specification: the segment of the URL before the version."""
    parts = str(arguments.get("url", "")).rstrip("/").split("/")
    return parts[-2] if len(parts) > 1 else ""


def _build_supergraph(document: DocumentNode) -> Supergraph:
    subgraphs = _read_subgraphs(document)
    for definition in document.definitions:
        if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            _read_fields(definition, subgraphs)
        elif isinstance(definition, UnionTypeDefinitionNode):
            _read_members(definition, subgraphs)
    own = DocumentNode(definitions=tuple(_select_own_definitions(document)))
    visible = DocumentNode(definitions=tuple(_drop_linked_directives(document, own)))
    schema = build_ast_schema(own, assume_valid_sdl=True)
    by_name = {graph.name: graph for graph in subgraphs.values()}
    return Supergraph(by_name, schema, build_api_schema(visible), dict(_read_rules(document)), _read_contexts(document))


def _read_contexts(document: DocumentNode) -> dict[str, frozenset[str]]:
    """Returns the types that set each context, by the context's name."""
    contexts: dict[str, frozenset[str]] = {}
    for definition in document.definitions:
        if isinstance(definition, TypeDefinitionNode):
            for applied in _read_directives(definition, "context"):
                name = str(applied["name"])
                contexts[name] = contexts.get(name, frozenset()) | {definition.name.value}
    return contexts


def _read_rules(document: DocumentNode) -> Iterator[tuple[str, AccessRule]]:
    """Yields (`Type` or `Type.field`, its rule) for every element that has one."""
    for definition in document.definitions:
        if not isinstance(definition, TypeDefinitionNode):
            continue
        name = definition.name.value
        fields = getattr(definition, "fields", None) or ()
        for coordinate, node in ((name, definition), *((f"{name}.{row.name.value}", row) for row in fields)):
            rule = _read_rule(node)
            if rule != AccessRule():
                yield coordinate, rule


def _read_rule(node: Any) -> AccessRule:
    scopes = next(_read_directives(node, "requiresScopes"), {}).get("scopes", ())
    policies = next(_read_directives(node, "policy"), {}).get("policies", ())
    return AccessRule(
        any(True for _ in _read_directives(node, "authenticated")),
        tuple(frozenset(row) for row in scopes),
        tuple(frozenset(row) for row in policies),
    )


def check_features(links: Iterable[dict[str, Any]]) -> None:
    """Raises InvalidSupergraph for a linked feature that must be enforced and is not enforced here.

    `links` are the arguments of `@link`; `for` says that the feature must be enforced.
    """
    for arguments in links:
        if arguments.get("for") in ("SECURITY", "EXECUTION") and _read_feature_name(arguments) not in _ENFORCED:
            raise InvalidSupergraph(f"The supergraph requires {arguments['url']}, which is not enforced here.")


def _read_links(document: DocumentNode) -> Iterator[dict[str, Any]]:
    for definition in document.definitions:
        if isinstance(definition, SchemaDefinitionNode):
            yield from (_read_arguments(directive) for directive in definition.directives or ())


def _read_subgraphs(document: DocumentNode) -> dict[str, Subgraph]:
    """Returns the subgraphs by their value of the enum `join__Graph`; their types are still empty."""
    for definition in document.definitions:
        if isinstance(definition, EnumTypeDefinitionNode) and definition.name.value == _GRAPHS:
            subgraphs = {}
            for value in definition.values or ():
                graph = next(_read_directives(value, "join__graph"), {"name": value.name.value, "url": ""})
                subgraphs[value.name.value] = Subgraph(str(graph["name"]), str(graph["url"]))
            return subgraphs
    raise InvalidSupergraph("The supergraph names no subgraphs: it has no enum join__Graph.")


def _read_fields(definition: CompositeNode, subgraphs: dict[str, Subgraph]) -> None:
    """Adds an object or interface to the subgraphs that its `@join__type`s name: its keys, interfaces and fields."""
    name = definition.name.value
    types: dict[str, tuple[SubgraphType, str]] = {}
    for of_type in _read_directives(definition, "join__type"):
        graph = subgraphs[of_type["graph"]]
        local = graph.types.setdefault(name, SubgraphType())
        types[of_type["graph"]] = local, graph.name
        local.is_interface_object |= bool(of_type.get("isInterfaceObject"))
        if of_type.get("key"):
            local.keys.append(Key(parse_fields(of_type["key"]), of_type.get("resolvable", True)))
    if isinstance(definition, ObjectTypeDefinitionNode):
        for implements in _read_directives(definition, "join__implements"):
            interface = subgraphs[implements["graph"]].types.setdefault(implements["interface"], SubgraphType())
            interface.possible_types.add(name)
    # Every @join__type has been read by now: a field needs the types of all subgraphs.
    for field in definition.fields or ():
        _read_field(field, types)


def _read_field(field: FieldDefinitionNode, types: dict[str, tuple[SubgraphType, str]]) -> None:
    """Adds a field to its subgraphs. `types` gives the subgraph's type and name by its value of `join__Graph`."""
    name, printed = field.name.value, print_type_node(field.type)
    joined = list(_read_directives(field, "join__field"))
    if not joined:
        # A field without @join__field is in every subgraph that has the type, and is the same there.
        for local, _ in types.values():
            local.fields[name] = SubgraphField(printed)
        return
    taken_over = {row["override"]: row.get("overrideLabel") for row in joined if row.get("override")}
    for row in joined:
        if row.get("graph") not in types:
            continue  # Without a graph: the field comes from an interface object and is read with the interface.
        local, graph = types[row["graph"]]
        # The SDL says on the new owner's row only that it took the field; the old owner's row needs the label too:
        # b @join__field(graph: B, override: "a", overrideLabel: "percent(5)") → a keeps it while the label is off.
        moved = graph in taken_over and not row.get("override") and not row.get("external")
        local.fields[name] = SubgraphField(
            row.get("type") or printed,
            external=bool(row.get("external")),
            requires=parse_fields(row["requires"]) if row.get("requires") else None,
            provides=parse_fields(row["provides"]) if row.get("provides") else None,
            overridden=moved or bool(row.get("usedOverridden")),
            label=taken_over[graph] if moved else row.get("overrideLabel"),
            contexts=tuple(ContextArgument(**argument) for argument in row.get("contextArguments") or ()),
        )


def _read_members(definition: UnionTypeDefinitionNode, subgraphs: dict[str, Subgraph]) -> None:
    """Adds a union's members to its subgraphs; without any `@join__unionMember`, every subgraph has all members."""
    name = definition.name.value
    for of_type in _read_directives(definition, "join__type"):
        subgraphs[of_type["graph"]].types.setdefault(name, SubgraphType())
    members = list(_read_directives(definition, "join__unionMember"))
    for row in members:
        subgraphs[row["graph"]].types[name].possible_types.add(row["member"])
    if not members:
        for of_type in _read_directives(definition, "join__type"):
            local = subgraphs[of_type["graph"]].types[name]
            local.possible_types |= {member.name.value for member in definition.types or ()}


def _select_own_definitions(document: DocumentNode) -> Iterator[Any]:
    """Yields the graph's own definitions, without the specifications' types and directives."""
    for definition in document.definitions:
        if isinstance(definition, SchemaDefinitionNode):
            yield definition
        elif isinstance(definition, TypeDefinitionNode | DirectiveDefinitionNode):
            name = definition.name.value
            is_directive = isinstance(definition, DirectiveDefinitionNode)
            if not name.startswith(_NAMESPACES) and not (is_directive and name in _SPECIFIED):
                yield definition


def _drop_linked_directives(document: DocumentNode, own: DocumentNode) -> Iterator[Any]:
    """Yields the definitions without directives of linked specifications, which clients cannot use."""
    linked: set[str] = set()
    for definition in document.definitions:
        for arguments in _read_directives(definition, "link") if isinstance(definition, SchemaDefinitionNode) else ():
            linked.add(str(arguments.get("as") or str(arguments.get("url")).split("/")[-2:][0]))
            for row in arguments.get("import") or ():
                local = row.get("as", row.get("name")) if isinstance(row, dict) else row
                linked.add(str(local).removeprefix("@"))
    for node in own.definitions:
        name = node.name.value if isinstance(node, DirectiveDefinitionNode) else ""
        if not name or (name not in linked and name.split("__")[0] not in linked):
            yield node


def _read_directives(node: Any, name: str) -> Iterator[dict[str, Any]]:
    """Yields the arguments of each application of the directive to the node."""
    for directive in node.directives or ():
        if directive.name.value == name:
            yield _read_arguments(directive)


def _read_arguments(directive: ConstDirectiveNode) -> dict[str, Any]:
    values = ((argument.name.value, argument.value) for argument in directive.arguments or ())
    return {
        name: value.value if isinstance(value, EnumValueNode) else value_from_ast_untyped(value)
        for name, value in values
    }
