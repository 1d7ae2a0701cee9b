"""Checks that subgraphs use the same local name for a directive that composition copies into the supergraph."""

from typing import Final

from gateway.federation.composition.merge_state import Merging
from gateway.federation.directives import DIRECTIVES, MERGED_DIRECTIVES
from gateway.federation.hints import name_subgraphs
from gateway.federation.subgraph import Element, SubgraphSchema, TypeDefinition

_NAMED: Final = frozenset({*(name for name in MERGED_DIRECTIVES if name in DIRECTIVES), "context"})


def check_link_names(merging: Merging) -> None:
    """Adds an error for each directive that has different local names."""
    graphs_by_local: dict[str, dict[str, list[str]]] = {}
    for member in merging.members:
        for name, local in _find_used_names(member.schema).items():
            graphs_by_local.setdefault(name, {}).setdefault(local, []).append(member.name)
    for name, by_local in graphs_by_local.items():
        if len(by_local) > 1:
            names = " but ".join(
                f'"@{local}" in {name_subgraphs(graphs)}' for local, graphs in sorted(by_local.items())
            )
            message = f'The "@{name}" directive is imported with mismatched name between subgraphs: it is {names}.'
            graphs = sorted(graph for rows in by_local.values() for graph in rows)
            merging.add_error("LINK_IMPORT_NAME_MISMATCH", message, graphs, "schema")


def _find_used_names(schema: SubgraphSchema) -> dict[str, str]:
    """Returns the local name of each directive that the subgraph applies, by Federation's name."""
    names: dict[str, str] = {}
    for definition in schema.types.values():
        for element in _list_elements(definition):
            for name in element.directives:
                if name in _NAMED and name not in names:
                    names[name] = next(iter(element.list_applied(name))).node.name.value
    return names


def _list_elements(definition: TypeDefinition) -> list[Element]:
    inner = [*definition.fields.values(), *definition.values.values()]
    return [
        definition,
        *inner,
        *(argument for field in definition.fields.values() for argument in field.arguments.values()),
    ]
