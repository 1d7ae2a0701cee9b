"""Finds the type and the default value of an element on which its subgraphs agree."""

from collections.abc import Iterable, Mapping, Sequence

from graphql import print_ast

from gateway.federation.composition.merge_state import ElementSource, MergedElement, Merging
from gateway.federation.composition.values import is_subtype, print_canonical
from gateway.federation.hints import name_subgraphs


def find_common_type(abstract: Mapping[str, set[str]], types: Iterable[str], *, is_input: bool) -> str | None:
    """Returns the widest of an output's types, the narrowest of an input's; None where two are not comparable.

    # output: Int!, Int → Int      input: Int!, Int → Int!      String, Int → None

    Compares each type with the result so far, as Apollo's composition does.
    """
    first, *others = dict.fromkeys(types)
    agreed = first
    for other in others:
        wide, narrow = (other, agreed) if is_input else (agreed, other)
        if is_subtype(abstract, narrow, wide):
            continue
        if not is_subtype(abstract, wide, narrow):
            return None
        agreed = other
    return agreed


def group_by_value(rows: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Groups (graph, value): `{"Int": ["a", "c"], "String": ["b"]}`."""
    graphs: dict[str, list[str]] = {}
    for graph, value in rows:
        graphs.setdefault(value, []).append(graph)
    return graphs


def describe_values(values: Mapping[str, list[str]], noun: str, quote: str = '"') -> str:
    """Returns `it has type "Int" in subgraph "a" but type "String" in subgraph "b"`."""
    parts = [f"{noun} {quote}{value}{quote} in {name_subgraphs(graphs)}" for value, graphs in values.items()]
    return f"it has {' but '.join((parts[0], ' and '.join(parts[1:])))}" if len(parts) > 1 else f"it has {parts[0]}"


def agree_on_type(
    merging: Merging, sources: Sequence[ElementSource], dest: MergedElement, where: tuple[str, str], *, is_input: bool
) -> bool:
    """Sets the merged type, and returns whether all subgraphs have the same one.

    Adds an error where the types are not comparable, a hint where they differ. `where` is the element's kind and
    coordinate.
    """
    types = dict.fromkeys(source.element.type for source in sources)
    if len(types) == 1:
        dest.type = next(iter(types))
        return True
    kind, coordinate = where
    agreed = find_common_type(merging.abstract, types, is_input=is_input)
    described = describe_values(group_by_value((source.graph, source.element.type) for source in sources), "type")
    graphs = [source.graph for source in sources]
    dest.type = agreed or next(iter(types))
    if agreed is None:
        code = "FIELD_ARGUMENT_TYPE_MISMATCH" if kind == "argument" else "FIELD_TYPE_MISMATCH"
        merging.add_error(
            code, f'Type of {kind} "{coordinate}" is incompatible across subgraphs: {described}', graphs, coordinate
        )
    else:
        code = "ARGUMENT" if kind == "argument" else "FIELD"
        message = f'Type of {kind} "{coordinate}" is inconsistent but compatible across subgraphs: will use "{agreed}"'
        merging.add_hint(f"INCONSISTENT_BUT_COMPATIBLE_{code}_TYPE", f"{message}; {described}", graphs, coordinate)
    return False


def agree_on_default(
    merging: Merging, sources: Sequence[ElementSource], dest: MergedElement, where: tuple[str, str]
) -> None:
    """Sets the default value if all subgraphs have the same; else adds an error, or a hint where some have none."""
    defaults = [source.element.default for source in sources]
    if all(default is None for default in defaults):
        return
    kind, coordinate = where
    graphs = [source.graph for source in sources]
    printed = [(graph, print_ast(default)) for graph, default in zip(graphs, defaults, strict=True) if default]
    values = group_by_value(printed)
    distinct = {print_canonical(default) for default in defaults if default is not None}
    if len(distinct) > 1:
        code = "INPUT_FIELD_DEFAULT_MISMATCH" if kind == "input field" else "FIELD_ARGUMENT_DEFAULT_MISMATCH"
        described = describe_values(values, "default value", "")
        message = f'{kind.capitalize()} "{coordinate}" has incompatible default values across subgraphs: {described}'
        merging.add_error(code, message, graphs, coordinate)
    elif None in defaults:
        merging.add_hint(
            "INCONSISTENT_DEFAULT_VALUE_PRESENCE",
            f'{kind.capitalize()} "{coordinate}" has a default value in only some subgraphs: will not use a default '
            f"in the supergraph ({describe_values(values, 'default value', '')}).",
            graphs,
            coordinate,
        )
    else:
        dest.default = defaults[0]
