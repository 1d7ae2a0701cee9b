"""One version of the whole graph: which operations the national graph answers alone, and which need subgraphs."""

from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    visit,
)

from gateway.graph.federated import FederatedGraph
from gateway.graph.national import NationalGraphs
from gateway.operation.document import InvalidDocument
from gateway.operation.lru import LruCache

REMEMBERED_DOCUMENTS: Final = 2_000
REMEMBERED_BYTES: Final = 8_000_000
_ENTRY_BYTES: Final = 200
_LOCAL_CASE: Final = "LocalCase"


@dataclass(slots=True)
class GraphVersion:
    """The graph at a version of the registry. A request keeps the version that it began with."""

    number: int
    national: NationalGraphs
    federated: FederatedGraph | None = None
    """The national graph and the agencies' together; None where no agency has published a subgraph."""
    _is_national_by_text: "LruCache[bool]" = field(
        default_factory=lambda: LruCache(REMEMBERED_DOCUMENTS, REMEMBERED_BYTES)
    )

    def is_national(self, text: str) -> bool:
        """Whether the national graph alone answers the document. Decided once for each text."""
        if self.federated is None:
            return True
        known = self._is_national_by_text.get(text)
        if known is None:
            known = self._decide_is_national(text)
            self._is_national_by_text.put(text, known, _ENTRY_BYTES + len(text))
        return known

    def _decide_is_national(self, text: str) -> bool:
        documents = self.national.served.documents
        try:
            document = documents.check(text).document
        except InvalidDocument:
            return False
        return selects_national_alone(documents.schema, document)

    def warm(self, before: "GraphVersion") -> None:
        """Plan the operations that the version before was asked last."""
        if self.federated is not None and before.federated is not None:
            self.federated.warm(before.federated)


@dataclass(slots=True)
class CurrentGraph:
    """Holds the version that new requests begin with. The live graph exchanges it; endpoints read it."""

    version: GraphVersion


def copy_bindings(national: GraphQLSchema, api_schema: GraphQLSchema) -> None:
    """Give the fields of a composed schema the national bindings, so that they cost the same with and without it."""
    composite = GraphQLObjectType | GraphQLInterfaceType
    for name, declared in national.type_map.items():
        composed = api_schema.type_map.get(name)
        if isinstance(declared, composite) and isinstance(composed, composite):
            for field_name, field_ in declared.fields.items():
                if field_name in composed.fields:
                    composed.fields[field_name].extensions = field_.extensions


def selects_national_alone(national: GraphQLSchema, document: DocumentNode) -> bool:
    """Whether a document that is valid in the national schema selects nothing that only the composed graph knows.

    That is: no field of a local case but its id (agencies add theirs), and no introspection (of the wider schema).
    """
    types = TypeInfo(national)
    needs_subgraphs: list[str] = []

    class FieldVisitor(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            name, parent = node.name.value, types.get_parent_type()
            is_local_case = parent is not None and (
                parent.name == _LOCAL_CASE
                or (isinstance(parent, GraphQLObjectType) and any(row.name == _LOCAL_CASE for row in parent.interfaces))
            )
            if name in ("__schema", "__type") or (is_local_case and name not in ("__typename", "id")):
                needs_subgraphs.append(name)

    visit(document, TypeInfoVisitor(types, FieldVisitor()))
    return not needs_subgraphs
