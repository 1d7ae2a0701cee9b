"""Caches query plans by operation, by the fields denied to the caller, and by the active override labels.

A cache belongs to one supergraph. The key of an operation is a digest of its printed text without its name, together
with the fragments that it uses: the same operation in another layout, or under another name, shares one plan. Labels
that did not influence planning are not part of the key.
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


@dataclass(slots=True)
class PlanCache(Generic[Plan]):
    """An LRU cache of `size` plans."""

    size: int
    _plans: "OrderedDict[tuple[Digest, frozenset[str], frozenset[str]], Plan]" = field(default_factory=OrderedDict)
    """By digest, active labels that influenced the plan, and denied fields."""
    _relevant_labels: "OrderedDict[Digest, frozenset[str]]" = field(default_factory=OrderedDict)
    """All labels that influenced a plan of the operation so far, by digest."""
    _digests: "OrderedDict[tuple[int, str], tuple[DocumentNode, Digest]]" = field(default_factory=OrderedDict)
    """By `id()` of a document and an operation's name; holds the document, so that no other object gets its `id()`."""

    def __len__(self) -> int:
        return len(self._plans)

    def find_digest(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> Digest:
        """Returns the operation's digest; computes it once for each document that the caller keeps."""
        key = (id(document), "" if operation.name is None else operation.name.value)
        entry = self._digests.get(key)
        if entry is None:
            entry = self._digests[key] = document, digest_operation(operation, fragments)
            self._drop_oldest(self._digests)
        else:
            self._digests.move_to_end(key)
        return entry[1]

    def get(self, digest: Digest, labels: frozenset[str], denied: frozenset[str]) -> Plan | None:
        """Returns the plan for these active labels and denied fields; None where there is none yet."""
        # Before the first plan of an operation any label may be relevant.
        key = (digest, labels & self._relevant_labels.get(digest, labels), denied)
        plan = self._plans.get(key)
        if plan is not None:
            self._plans.move_to_end(key)
        return plan

    def put(
        self,
        digest: Digest,
        labels: frozenset[str],
        denied: frozenset[str],
        relevant_labels: Iterable[str],
        plan: Plan,
    ) -> None:
        """Keeps a plan. `relevant_labels` are the labels whose state planning has read; no other label matters."""
        # The set only grows. A plan under an older, smaller key did not read the newer labels and stays valid.
        relevant = self._relevant_labels.pop(digest, frozenset()) | frozenset(relevant_labels)
        self._relevant_labels[digest] = relevant
        self._plans[digest, labels & relevant, denied] = plan
        self._drop_oldest(self._relevant_labels)
        self._drop_oldest(self._plans)

    def _drop_oldest(self, rows: "OrderedDict[Any, Any]") -> None:
        if len(rows) > self.size:
            rows.popitem(last=False)


def digest_operation(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Digest:
    """Returns the same digest for operations that differ only in layout, name, or fragments that they do not use."""
    unnamed = OperationDefinitionNode(**{key: getattr(operation, key) for key in operation.keys if key != "name"})
    used = sorted(find_used_fragments(operation, fragments))
    return sha256("\n".join(map(print_ast, (unnamed, *(fragments[name] for name in used)))).encode()).digest()


def find_used_fragments(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> set[str]:
    """Returns the names of the fragments that the operation spreads, directly or through another fragment."""
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
