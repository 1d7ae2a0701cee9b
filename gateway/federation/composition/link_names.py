"""Directives that go into the supergraph must have the same name in all subgraphs that use them."""

from typing import Final

from gateway.federation.composition.merge_state import Merging
from gateway.federation.directives import DIRECTIVES, MERGED_DIRECTIVES
from gateway.federation.hints import name_subgraphs
from gateway.federation.subgraph import Element, SubgraphSchema, TypeDefinition

_NAMED: Final = frozenset({*(name for name in MERGED_DIRECTIVES if name in DIRECTIVES), "context"})


def check_link_names(merging: Merging) -> None:
    """Adds an error for each directive that is called differently."""
    found: dict[str, dict[str, list[str]]] = {}
    for member in merging.members:
        for name, here in _find_used_names(member.schema).items():
            found.setdefault(name, {}).setdefault(here, []).append(member.name)
    for name, by_local in found.items():
        if len(by_local) > 1:
            told = " but ".join(f'"@{here}" in {name_subgraphs(graphs)}' for here, graphs in sorted(by_local.items()))
            message = f'The "@{name}" directive is imported with mismatched name between subgraphs: it is {told}.'
            graphs = sorted(graph for rows in by_local.values() for graph in rows)
            merging.add_error("LINK_IMPORT_NAME_MISMATCH", message, graphs, "schema")


def _find_used_names(schema: SubgraphSchema) -> dict[str, str]:
    """Names here by the directive's own, of those that the subgraph uses."""
    found: dict[str, str] = {}
    for definition in schema.types.values():
        for element in _list_elements(definition):
            for name in element.directives:
                if name in _NAMED and name not in found:
                    found[name] = next(iter(element.list_applied(name))).node.name.value
    return found


def _list_elements(definition: TypeDefinition) -> list[Element]:
    inner = [*definition.fields.values(), *definition.values.values()]
    return [
        definition,
        *inner,
        *(argument for field in definition.fields.values() for argument in field.arguments.values()),
    ]
