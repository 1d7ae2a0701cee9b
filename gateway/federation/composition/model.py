"""Makes the supergraph's model, which the planner reads, from merged definitions."""

from collections.abc import Iterator

from graphql import DirectiveDefinitionNode, DocumentNode, build_ast_schema, validate_schema

from gateway.federation.api_schema import without_inaccessible
from gateway.federation.composition.definitions import definition_nodes
from gateway.federation.composition.guards import NO_DEMAND, Alternatives, Demand, demand_of
from gateway.federation.composition.inaccessible import any_inaccessible, check_inaccessible
from gateway.federation.composition.merge_directives import contexts_set
from gateway.federation.composition.merged import JoinField, MergedElement, MergedType, Merging
from gateway.federation.fields import parse_fields
from gateway.federation.specified import values_misfit
from gateway.federation.supergraph import Key, Rule, Subgraph, SubgraphField, SubgraphType, Supergraph


def supergraph(merging: Merging) -> Supergraph | None:
    """Of a merging without errors; None where what has been merged does not hold together, which is then added."""
    definitions = tuple(definition_nodes(merging))
    schema = build_ast_schema(DocumentNode(definitions=definitions), assume_valid_sdl=True)
    problems = [error.message for error in validate_schema(schema)]
    if merging.composed:
        problems += values_misfit(definitions, schema)
    for message in problems:
        merging.error("INVALID_GRAPHQL", message)
    if not problems:
        check_inaccessible(merging)
    if merging.errors:
        return None
    composed = {directive.name for directive in merging.directives if directive.is_composed}
    if not composed and not any_inaccessible(merging):
        api_schema = schema
    else:
        visible = (
            node
            for node in definitions
            if not (isinstance(node, DirectiveDefinitionNode) and node.name.value in composed)
        )
        api_schema = without_inaccessible(DocumentNode(definitions=tuple(visible)))
    return Supergraph(_subgraphs(merging), schema, api_schema, dict(_rules(merging)), contexts_set(merging))


def _rules(merging: Merging) -> Iterator[tuple[str, Rule]]:
    for dest in merging.types.values():
        elements = ((dest.name, dest), *((f"{dest.name}.{field.name}", field) for field in dest.fields.values()))
        for coordinate, element in elements:
            demand = demand_of(element)
            if demand != Demand():
                yield coordinate, Rule(demand.authenticated, _of(demand.scopes), _of(demand.policies))


def _of(alternatives: Alternatives) -> tuple[frozenset[str], ...]:
    return () if alternatives == NO_DEMAND else tuple(sorted(alternatives, key=sorted))


def _subgraphs(merging: Merging) -> dict[str, Subgraph]:
    subgraphs = {member.name: Subgraph(member.name, member.schema.url) for member in merging.members}
    for dest in merging.types.values():
        if dest.kind in ("OBJECT", "INTERFACE"):
            _add_composite(subgraphs, dest)
        elif dest.kind == "UNION":
            for join in dest.join_types:
                subgraphs[join.graph].types[dest.name] = SubgraphType()
            for graph, member in dest.join_members:
                subgraphs[graph].types[dest.name].possible_types.add(member)
    for dest in merging.types.values():
        if dest.kind == "OBJECT":
            for graph, interface in dest.join_implements:
                subgraphs[graph].types[interface].possible_types.add(dest.name)
    return subgraphs


def _add_composite(subgraphs: dict[str, Subgraph], dest: MergedType) -> None:
    types: dict[str, SubgraphType] = {}
    for join in dest.join_types:
        here = types[join.graph] = subgraphs[join.graph].types.setdefault(dest.name, SubgraphType())
        here.is_interface_object = join.is_interface_object
        if join.key is not None:
            here.keys.append(Key(parse_fields(join.key), join.resolvable))
    for field in dest.fields.values():
        if not field.joins:
            for here in types.values():
                here.fields[field.name] = SubgraphField(field.type)
        for row in field.joins:
            if row.graph is not None:
                types[row.graph].fields[field.name] = _field(field, row)


def _field(field: MergedElement, join: JoinField) -> SubgraphField:
    return SubgraphField(
        join.type or field.type,
        external=join.external,
        requires=parse_fields(join.requires) if join.requires else None,
        provides=parse_fields(join.provides) if join.provides else None,
        overridden=join.override is None and (join.used_overridden or join.override_label is not None),
        label=join.override_label,
        contexts=join.context_arguments,
    )
