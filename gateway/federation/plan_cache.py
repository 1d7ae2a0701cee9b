"""Plans that are kept: by what an operation asks, what the caller may not have, and the override labels that count.

A cache belongs to one supergraph. An operation is known by its printed text without its name, its fragments with it,
so that the same operation in another layout, or under another name, is planned once. Labels that planning did not
ask about do not count.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Generic, TypeVar

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    print_ast,
)

Plan = TypeVar("Plan")
Digest = bytes
Names = frozenset[str]


@dataclass(slots=True)
class PlanCache(Generic[Plan]):
    """The last `size` plans that were asked for."""

    size: int
    _plans: "OrderedDict[tuple[Digest, Names, Names], Plan]" = field(default_factory=OrderedDict)
    _asked_labels: "OrderedDict[Digest, Names]" = field(default_factory=OrderedDict)
    _digests: "OrderedDict[tuple[int, str], tuple[DocumentNode, Digest]]" = field(default_factory=OrderedDict)
    """By a document's identity and an operation's name; the document is kept, so that its identity stays its own."""

    def __len__(self) -> int:
        return len(self._plans)

    def find_digest(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> Digest:
        key = (id(document), "" if operation.name is None else operation.name.value)
        found = self._digests.get(key)
        if found is None:
            found = self._digests[key] = document, digest_operation(operation, fragments)
            self._drop_oldest(self._digests)
        else:
            self._digests.move_to_end(key)
        return found[1]

    def get(self, digest: Digest, labels: Names, denied: Names) -> Plan | None:
        key = (digest, labels & self._asked_labels.get(digest, labels), denied)
        found = self._plans.get(key)
        if found is not None:
            self._plans.move_to_end(key)
        return found

    def put(self, digest: Digest, labels: Names, denied: Names, asked_labels: Iterable[str], plan: Plan) -> None:
        """`asked_labels` are those that planning has asked about: where they fall alike, the plan is the same."""
        known = self._asked_labels.pop(digest, frozenset()) | frozenset(asked_labels)
        self._asked_labels[digest] = known
        self._plans[digest, labels & known, denied] = plan
        self._drop_oldest(self._asked_labels)
        self._drop_oldest(self._plans)

    def _drop_oldest(self, rows: "OrderedDict[Any, Any]") -> None:
        if len(rows) > self.size:
            rows.popitem(last=False)


def digest_operation(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Digest:
    """The same for operations that differ in layout, in their name, or in fragments that they do not use."""
    unnamed = OperationDefinitionNode(**{key: getattr(operation, key) for key in operation.keys if key != "name"})
    used = sorted(find_used_fragments(operation, fragments))
    return sha256("\n".join(map(print_ast, (unnamed, *(fragments[name] for name in used)))).encode()).digest()


def find_used_fragments(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> set[str]:
    """Names of the fragments that are spread in the operation, and in those fragments."""
    seen: set[str] = set()
    waiting: list[Any] = [operation.selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name not in seen:
                    seen.add(name)
                    waiting.append(fragments[name].selection_set)
            elif selection.selection_set is not None:
                waiting.append(selection.selection_set)
    return seen
