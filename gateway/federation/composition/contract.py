"""Applies a contract: hides elements from the API schema by their `@tag`s. The supergraph stays whole."""

from collections.abc import Iterator
from typing import NamedTuple

from graphql import ConstDirectiveNode, NameNode

from gateway.federation.composition.merge_directives import read_argument
from gateway.federation.composition.merge_state import MergedElement, Merging
from gateway.federation.subgraph import ROOTS, SPECIFIED_SCALARS


class Contract(NamedTuple):
    """Tags that decide what a variant hides.

    `exclude` hides elements that have one of its tags. `include`, if not empty, hides fields that have none of its tags
    and whose type has none either. An excluded element stays hidden even if it is included.
    """

    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()


def apply_contract(merging: Merging, contract: Contract) -> None:
    """Marks elements `@inaccessible` by the contract, then types that are empty or out of reach as a result."""
    for dest in merging.types.values():
        for element in dest.list_elements():
            if _read_tags(element) & contract.exclude:
                _hide(element)
        if contract.include and dest.kind in ("OBJECT", "INTERFACE") and not _read_tags(dest) & contract.include:
            for field in dest.fields.values():
                if not _read_tags(field) & contract.include:
                    _hide(field)
    for dest in merging.types.values():
        # GraphQL allows no type without fields. The query type stays: an API without queries is reported as an error.
        children = [*dest.fields.values(), *dest.values.values()]
        if children and all(child.is_inaccessible for child in children) and dest.name != ROOTS["query"]:
            _hide(dest)
    _hide_unions_without_members(merging)
    if contract.include:
        reachable = set(_find_reachable_types(merging))
        for dest in merging.types.values():
            if dest.name not in reachable:
                _hide(dest)


def _hide_unions_without_members(merging: Merging) -> None:
    for dest in merging.types.values():
        if dest.kind == "UNION" and all(merging.types[member].is_inaccessible for member in dest.members):
            _hide(dest)


def _find_reachable_types(merging: Merging) -> Iterator[str]:
    """Yields the types that clients can reach from the root types through elements that are not hidden."""
    waiting = [name for name in ROOTS.values() if name in merging.types]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        dest = merging.types.get(name)
        if name in seen or dest is None or dest.is_inaccessible:
            continue
        seen.add(name)
        yield name
        waiting += [*dest.members, *dest.interfaces, *merging.abstract.get(name, ())]
        for field in dest.fields.values():
            if not field.is_inaccessible:
                waiting.append(field.named_type)
                waiting += [row.named_type for row in field.arguments.values() if not row.is_inaccessible]


def _read_tags(element: MergedElement) -> set[str]:
    return {str(read_argument(row)) for row in element.directives if row.name.value == "tag"}


def _hide(element: MergedElement) -> None:
    if not element.is_inaccessible and element.name not in SPECIFIED_SCALARS:
        element.directives.append(ConstDirectiveNode(name=NameNode(value="inaccessible"), arguments=()))
