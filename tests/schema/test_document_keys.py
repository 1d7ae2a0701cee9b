"""The keys that bindings name are keys of the documents that each type of the contract is made of.

A binding names keys by strings: `column("dueAt")`, `needs=("clocks", "zone")`. Here each of them is looked up in the
TypedDict of the type's documents (resolvers/documents.py, system_documents.py, results.py), so that a typing error or a
key that was renamed fails before a request reads nothing. A dotted key, such as `location.region`, is followed inside.
"""

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, get_named_type

import schema
from resolvers import documents, results, system_documents
from resolvers.domain import sla
from schema.binding import Called, Column, binding_of

BUILT = schema.build_subgraph()._schema

MADE_OF: Mapping[str, Any] = {
    "ActionPlan": documents.ActionPlanDoc,
    "Agency": documents.AgencyDoc,
    "AuditEntry": documents.AuditEntryDoc,
    "AuditVerification": results.AuditVerificationResult,
    "Category": documents.CategoryDoc,
    "Clock": sla.ClockDoc,
    "Closure": documents.ClosureDoc,
    "ClosureProposal": documents.ClosureProposalDoc,
    "Commitment": documents.CommitmentDoc,
    "Complaint": documents.ComplaintDoc,
    "Decree": documents.DecreeDoc,
    "FollowUp": documents.FollowUpDoc,
    "Forwarding": documents.ForwardingDoc,
    "Hold": documents.HoldDoc,
    "IdentityRead": documents.IdentityReadDoc,
    "LocalCase": results.LocalCaseResult,
    "Location": documents.LocationDoc,
    "Milestone": results.MilestoneResult,
    "Node": documents.ComplaintDoc,
    "OperationPlanCost": results.OperationPlanCostResult,
    "OrgUnit": documents.OrgUnitDoc,
    "PersonalDataFinding": results.PersonalDataFindingResult,
    "Rating": documents.RatingDoc,
    "Region": documents.RegionDoc,
    "Reporter": results.ReporterResult,
    "ReporterRecord": results.ReporterRecordResult,
    "RoutingCandidate": results.RoutingCandidateResult,
    "RoutingChainVerification": results.ChainVerificationResult,
    "RoutingPreview": results.RoutingPreviewResult,
    "Subgraph": system_documents.SubgraphVersionDoc,
    "SubgraphFinding": results.SubgraphFindingResult,
    "SubgraphHealth": results.SubgraphHealthResult,
    "SubgraphVersion": system_documents.SubgraphVersionDoc,
    "Supergraph": system_documents.SupergraphDoc,
    "Team": documents.TeamDoc,
    "TeamHealth": results.TeamHealthResult,
    "TeamMember": documents.TeamMemberDoc,
    "Viewer": results.ViewerResult,
}
"""The documents of each type; a new type is added here, or its name ends like those below."""

COMPUTED = ("Query", "Mutation", "Subscription", "PageInfo", "UserError", "_Service")
"""Types that are made of arguments, of a page or of an exception, not of a document."""
COMPUTED_ENDINGS = ("Connection", "Edge", "Payload")
"""Connections are made of a Listing, edges of a row and its Listing, payloads of an action's result."""


def object_types() -> Iterator[GraphQLObjectType | GraphQLInterfaceType]:
    for named in BUILT.type_map.values():
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType) and not named.name.startswith("__"):
            yield named


def bound_fields() -> Iterator[tuple[str, GraphQLField]]:
    for named in object_types():
        if named.name in MADE_OF:
            for name, field in named.fields.items():
                yield f"{named.name}.{name}", field


FIELDS = dict(bound_fields())


def members(shape: Any) -> Iterator[Any]:
    """The TypedDicts in a type such as `list[ClockDoc] | None`."""
    if is_typeddict(shape):
        yield shape
    elif get_origin(shape) in (list, Union, UnionType):
        for inside in get_args(shape):
            yield from members(inside)


def has_key(shape: Any, path: str) -> bool:
    """Whether the TypedDict has the key, and what it holds the rest of a dotted one."""
    key, _, rest = path.partition(".")
    hints = get_type_hints(shape)
    return key in hints and (not rest or any(has_key(inside, rest) for inside in members(hints[key])))


@pytest.mark.parametrize("name", [named.name for named in object_types()])
def test_every_type_says_which_documents_it_is_made_of(name: str) -> None:
    is_computed = name in COMPUTED or name.endswith(COMPUTED_ENDINGS)
    assert is_computed is not (name in MADE_OF), f"{name}: add its TypedDict to MADE_OF"


@pytest.mark.parametrize("name", FIELDS)
def test_every_key_that_a_binding_names_is_one_of_its_documents(name: str) -> None:
    binding = binding_of(FIELDS[name])
    assert binding is not None
    shape = MADE_OF[name.partition(".")[0]]
    assert [key for key in getattr(binding, "needs", ()) if not has_key(shape, key)] == []


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if get_named_type(field.type).name in MADE_OF])
def test_a_columns_value_is_a_document_of_the_columns_type(name: str) -> None:
    """`Complaint.clocks` is a column of the type Clock: its TypedDict must hold the TypedDict of Clock there."""
    field = FIELDS[name]
    binding = binding_of(field)
    if not isinstance(binding, Column):
        return  # a function makes it, whose result mypy checks
    held = list(members(get_type_hints(MADE_OF[name.partition(".")[0]])[binding.key]))
    assert held == [MADE_OF[get_named_type(field.type).name]]


@pytest.mark.parametrize(
    ("path", "is_there"),
    [
        ("revision", True),
        ("revison", False),
        ("location.region", True),
        ("location.regoin", False),
        ("clocks.pauses.end", True),
        ("clocks.pauses.until", False),
        ("title.length", False),
    ],
)
def test_keys_are_looked_up_inside_lists_and_what_may_be_null(path: str, is_there: bool) -> None:
    assert has_key(documents.ComplaintDoc, path) is is_there


def test_most_bindings_name_keys() -> None:
    """Guards the test above against checking nothing."""
    silent = {name for name, field in FIELDS.items() if not getattr(binding_of(field), "needs", ())}
    assert silent == {"Viewer.teams"}
    assert any(isinstance(binding_of(field), Called) for field in FIELDS.values())
