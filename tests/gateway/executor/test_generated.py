"""What random operations are made of: all that the executors could differ in."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    VariableNode,
    parse,
)
from support.differential import corrupted
from support.examples import a_complaint
from support.operations import Asked, Generator
from support.portal import EVERYONE

import schema
from resolvers.domain.vocabulary import Role

PAGES = {"nodes", "edges"}
VALUES: dict[str, list[Any]] = {
    "chance": [0.3],
    **{name: [1] for name in ("Int", "Float", "String", "Boolean", "ID", "DateTime", "Date", "_Any")},
}


def every(node: Any) -> Iterator[Any]:
    if isinstance(node, list | tuple):
        for each in node:
            yield from every(each)
    elif hasattr(node, "keys") and hasattr(node, "kind"):
        yield node
        for key in node.keys:
            if key != "loc":
                yield from every(getattr(node, key))


def features(asked: Asked, document: DocumentNode) -> Iterator[str]:
    nodes = list(every(document))
    operations = [node for node in nodes if isinstance(node, OperationDefinitionNode)]
    if len(operations) > 1:
        yield "several operations"
    for node in nodes:
        if isinstance(node, FieldNode | FragmentSpreadNode | InlineFragmentNode):
            yield node.kind
            yield from (f"@{directive.name.value} on {node.kind}" for directive in node.directives or ())
        if isinstance(node, FieldNode):
            yield from of_field(node)
        if isinstance(node, InlineFragmentNode) and node.type_condition is not None:
            yield f"on {node.type_condition.name.value}"
        if isinstance(node, ListValueNode | ObjectValueNode) and has_variable(node):
            yield f"variable in {node.kind}"
    for operation in operations:
        for definition in operation.variable_definitions or ():
            name = definition.variable.name.value
            default = "with default" if definition.default_value else "without default"
            given = "absent" if name not in asked.variables else "null" if asked.variables[name] is None else "given"
            yield f"variable {given} {default}"


def of_field(node: FieldNode) -> Iterator[str]:
    if node.alias is not None:
        yield "alias"
    inside = {inner.name.value for inner in every(node.selection_set) if isinstance(inner, FieldNode)}
    if node.name.value in PAGES and not inside.isdisjoint(PAGES):
        yield "page in a page"


def has_variable(node: Any) -> bool:
    return any(isinstance(inner, VariableNode) for inner in every(node))


EXPECTED = {
    "several operations",
    "alias",
    "field",
    "fragment_spread",
    "inline_fragment",
    *(f"@{name} on {on}" for name in ("skip", "include") for on in ("field", "fragment_spread", "inline_fragment")),
    *(f"variable {given} without default" for given in ("absent", "null", "given")),
    *(f"variable {given} with default" for given in ("absent", "null", "given")),
    "variable in object_value",
    "variable in list_value",
}


def asked_for(root: str, count: int, *, subgraph: bool = False) -> Counter[str]:
    built = (schema.build_subgraph() if subgraph else schema.build())._schema
    generator = Generator(built, VALUES, random.Random(1), root=root)
    found: Counter[str] = Counter()
    for _ in range(count):
        asked = generator.operation()
        found.update(set(features(asked, parse(asked.text))))
    return found


@pytest.mark.parametrize(("root", "subgraph"), [("query", True), ("query", False), ("mutation", False)])
def test_random_operations_use_all_that_executors_could_differ_in(root: str, subgraph: bool) -> None:
    found = asked_for(root, 600, subgraph=subgraph)
    assert found.keys() >= EXPECTED
    assert "on Node" in found  # an interface
    assert ("on _Entity" in found) is subgraph  # a union


def test_documents_are_corrupted_in_each_way() -> None:
    chance = random.Random(1)
    whole: Any = a_complaint(location={"text": None, "region": "51.03"})
    ways: Counter[str] = Counter()
    for _ in range(200):
        broken = corrupted(whole, chance)
        inside, kept = (broken["location"], whole["location"]) if broken.keys() == whole.keys() else (broken, whole)
        rows = (inside, kept) if isinstance(inside, dict) and inside != kept else (broken, whole)
        for key, value in rows[1].items():
            if key not in rows[0]:
                ways["missing"] += 1
            elif repr(rows[0][key]) != repr(value):
                ways[{"None": "null", "'NO_SUCH_VALUE'": "no member"}.get(repr(rows[0][key]), "other type")] += 1
    assert ways.keys() == {"missing", "null", "no member", "other type"}


def test_every_role_asks() -> None:
    """The system itself asks nothing."""
    assert {viewer.role for viewer in EVERYONE} == set(Role) - {Role.SYSTEM}
