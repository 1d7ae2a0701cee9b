"""A contract variant: the same supergraph with less of it in the API schema, chosen by `@tag`."""

from collections.abc import Iterator
from typing import NamedTuple

from graphql import ConstDirectiveNode, NameNode

from gateway.federation.composition.merge_directives import read_argument
from gateway.federation.composition.merge_state import MergedElement, MergedType, Merging
from gateway.federation.subgraph import ROOTS, SPECIFIED_SCALARS


class Contract(NamedTuple):
    """Elements with an excluded tag are hidden; with `include`, so are fields that neither they nor their type has."""

    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()


def apply_contract(merging: Merging, contract: Contract) -> None:
    """Marks `@inaccessible` what the contract leaves out, and types that are then empty or out of reach."""
    for dest in merging.types.values():
        for element in _elements(dest):
            if _read_tags(element) & contract.exclude:
                _hide(element)
        if contract.include and dest.kind in ("OBJECT", "INTERFACE") and not _read_tags(dest) & contract.include:
            for field in dest.fields.values():
                if not _read_tags(field) & contract.include:
                    _hide(field)
    for dest in merging.types.values():
        children = [*dest.fields.values(), *dest.values.values()]
        if children and all(child.is_inaccessible for child in children) and dest.name != ROOTS["query"]:
            _hide(dest)
    _hide_unions_without_members(merging)
    if contract.include:
        reached = set(_find_reachable_types(merging))
        for dest in merging.types.values():
            if dest.name not in reached:
                _hide(dest)


def _hide_unions_without_members(merging: Merging) -> None:
    for dest in merging.types.values():
        if dest.kind == "UNION" and all(merging.types[member].is_inaccessible for member in dest.members):
            _hide(dest)


def _find_reachable_types(merging: Merging) -> Iterator[str]:
    """Types that clients can come to from the roots, through what is not hidden."""
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


def _elements(dest: MergedType) -> Iterator[MergedElement]:
    yield dest
    yield from dest.values.values()
    for field in dest.fields.values():
        yield field
        yield from field.arguments.values()


def _read_tags(element: MergedElement) -> set[str]:
    return {str(read_argument(row)) for row in element.directives if row.name.value == "tag"}


def _hide(element: MergedElement) -> None:
    if not element.is_inaccessible and element.name not in SPECIFIED_SCALARS:
        element.directives.append(ConstDirectiveNode(name=NameNode(value="inaccessible"), arguments=()))
