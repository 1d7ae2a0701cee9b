"""Builds the supergraph's model, which the planner uses, from merged definitions."""

from collections.abc import Iterator

from graphql import DirectiveDefinitionNode, DocumentNode, build_ast_schema, validate_schema

from gateway.federation.api_schema import build_api_schema
from gateway.federation.composition.definitions import build_definitions
from gateway.federation.composition.guards import NO_DEMAND, Alternatives, Demand, read_demand
from gateway.federation.composition.inaccessible import check_inaccessible, has_inaccessible
from gateway.federation.composition.merge_directives import find_context_types
from gateway.federation.composition.merge_state import JoinField, MergedElement, MergedType, Merging
from gateway.federation.fields import parse_fields
from gateway.federation.specification_checks import check_argument_values
from gateway.federation.supergraph import AccessRule, Key, Subgraph, SubgraphField, SubgraphType, Supergraph


def build_supergraph(merging: Merging) -> Supergraph | None:
    """Builds the model of a merge without errors; adds an error and returns None if the merged schema is invalid."""
    definitions = tuple(build_definitions(merging))
    schema = build_ast_schema(DocumentNode(definitions=definitions), assume_valid_sdl=True)
    problems = [error.message for error in validate_schema(schema)]
    if merging.composed:
        problems += check_argument_values(definitions, schema)
    for message in problems:
        merging.add_error("INVALID_GRAPHQL", message)
    if not problems:
        check_inaccessible(merging)
    if merging.errors:
        return None
    composed = {directive.name for directive in merging.directives if directive.is_composed}
    # Building a large schema takes long: without hidden elements, one serves as both.
    if not composed and not has_inaccessible(merging):
        api_schema = schema
    else:
        visible = (
            node
            for node in definitions
            if not (isinstance(node, DirectiveDefinitionNode) and node.name.value in composed)
        )
        api_schema = build_api_schema(DocumentNode(definitions=tuple(visible)))
    return Supergraph(
        _build_subgraphs(merging), schema, api_schema, dict(_build_rules(merging)), find_context_types(merging)
    )


def _build_rules(merging: Merging) -> Iterator[tuple[str, AccessRule]]:
    for dest in merging.types.values():
        elements = ((dest.name, dest), *((f"{dest.name}.{field.name}", field) for field in dest.fields.values()))
        for coordinate, element in elements:
            demand = read_demand(element)
            if demand != Demand():
                yield (
                    coordinate,
                    AccessRule(
                        demand.authenticated, _sort_alternatives(demand.scopes), _sort_alternatives(demand.policies)
                    ),
                )


def _sort_alternatives(alternatives: Alternatives) -> tuple[frozenset[str], ...]:
    return () if alternatives == NO_DEMAND else tuple(sorted(alternatives, key=sorted))


def _build_subgraphs(merging: Merging) -> dict[str, Subgraph]:
    subgraphs = {member.name: Subgraph(member.name, member.schema.url) for member in merging.members}
    for dest in merging.types.values():
        if dest.kind in ("OBJECT", "INTERFACE"):
            _add_composite(subgraphs, dest)
        elif dest.kind == "UNION":
            for join in dest.join_types:
                subgraphs[join.graph].types[dest.name] = SubgraphType()
            for graph, member in dest.join_members:
                subgraphs[graph].types[dest.name].possible_types.add(member)
    # A second pass: in the first, an interface may come after the objects that implement it.
    for dest in merging.types.values():
        if dest.kind == "OBJECT":
            for graph, interface in dest.join_implements:
                subgraphs[graph].types[interface].possible_types.add(dest.name)
    return subgraphs


def _add_composite(subgraphs: dict[str, Subgraph], dest: MergedType) -> None:
    """Adds an object or interface, its keys and its fields to the subgraphs that have it."""
    types: dict[str, SubgraphType] = {}
    for join in dest.join_types:
        local = types[join.graph] = subgraphs[join.graph].types.setdefault(dest.name, SubgraphType())
        local.is_interface_object = join.is_interface_object
        if join.key is not None:
            local.keys.append(Key(parse_fields(join.key), join.resolvable))
    for field in dest.fields.values():
        if not field.joins:
            for local in types.values():
                local.fields[field.name] = SubgraphField(field.type)
        for row in field.joins:
            if row.graph is not None:
                types[row.graph].fields[field.name] = _build_field(field, row)


def _build_field(field: MergedElement, join: JoinField) -> SubgraphField:
    return SubgraphField(
        join.type or field.type,
        external=join.external,
        requires=parse_fields(join.requires) if join.requires else None,
        provides=parse_fields(join.provides) if join.provides else None,
        overridden=join.override is None and (join.used_overridden or join.override_label is not None),
        label=join.override_label,
        contexts=join.context_arguments,
    )
