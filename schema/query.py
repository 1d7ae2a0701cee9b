"""The root query type; each field is bound to a function in `resolvers/`."""

from collections.abc import Callable, Sequence

import strawberry

from resolvers.agencies import agency as agencies
from resolvers.agencies import category as categories
from resolvers.agencies import region as regions
from resolvers.agencies import team as teams
from resolvers.complaints import audit, complaint_list, node, reporter_rights, similar
from resolvers.complaints import complaint as complaints
from resolvers.complaints import routing as routings
from resolvers.documents import ActionPlanDoc, AgencyDoc, CategoryDoc, ComplaintDoc, RegionDoc, TeamDoc
from resolvers.paging.listing import Arguments, Listing
from resolvers.registry import subgraph as subgraphs
from resolvers.results import (
    AuditVerificationResult,
    ChainVerificationResult,
    ReporterRecordResult,
    RoutingPreviewResult,
    ViewerResult,
)
from resolvers.system_documents import SubgraphVersionDoc, SupergraphDoc
from schema.agency import Agency, AgencyConnection, AgencyFilter
from schema.audit import AuditConnection, AuditVerification
from schema.binding import CallArguments, called, object_type
from schema.category import Category
from schema.complaint import Complaint, ComplaintConnection
from schema.complaint_filter import ComplaintFilter
from schema.enums import ComplaintOrder, RegionLevel
from schema.input_values import to_dict
from schema.node import Node
from schema.page import ContextInfo
from schema.region import Region
from schema.reporter import IdentityReadConnection, ReporterRecord
from schema.routing import RoutingChainVerification, RoutingPreview, RoutingPreviewInput
from schema.selection import collect_keys
from schema.subgraph import Subgraph, Supergraph
from schema.team import Team, TeamConnection, TeamFilter
from schema.viewer import Viewer


async def _look_up_complaints(
    info: ContextInfo, calls: Sequence[CallArguments]
) -> Callable[[CallArguments], ComplaintDoc | None]:
    """Looks up the complaints of all calls of `complaint` in a request with one command."""
    is_proving = any(call.get("secret") is not None for call in calls)
    texts = [call["id"] for call in calls]
    shown = await complaints.look_up_many(info.context, texts, collect_keys(info), is_proving=is_proving)
    return lambda call: shown(call["id"], call.get("secret"))


@object_type()
class Query:
    @called(Viewer)
    def viewer(info: ContextInfo) -> ViewerResult:
        """Who sent this request."""
        viewer = info.context.viewer
        return {
            "subject": viewer.subject,
            "role": viewer.role,
            "agency": viewer.agency,
            "scopes": sorted(viewer.scopes),
        }

    @called(Node | None, commands=1)
    async def node(info: ContextInfo, id: strawberry.ID) -> ComplaintDoc | TeamDoc | ActionPlanDoc | AgencyDoc | None:
        """An object by its id; null if there is none, or the viewer may not know of it."""
        return await node.by_id(info.context, id, collect_keys(info))

    @called(Complaint | None, commands=1, batch=_look_up_complaints)
    async def complaint(info: ContextInfo, id: strawberry.ID, secret: str | None = None) -> ComplaintDoc | None:
        """A complaint by its tracking ID; null if there is none, or the viewer may not know of it.

        A citizen without an account passes the secret that submission returned.
        """
        return await complaints.by_tracking_id(info.context, id, secret=secret, keys=collect_keys(info))

    @called(ComplaintConnection, commands=1, paged=True)
    def complaints(
        info: ContextInfo,
        filter: ComplaintFilter | None = None,
        order_by: ComplaintOrder | None = ComplaintOrder.RECEIVED_DESC,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Listing:
        """The complaints that the viewer may know of; newest first by default."""
        arguments = Arguments(first, after, last, before)
        return complaint_list.list_complaints(
            info.context, to_dict(filter), order_by, arguments, keys=collect_keys(info)
        )

    @called(list[Complaint], commands=3)
    async def similar_complaints(
        info: ContextInfo, text: str, region: strawberry.ID | None = None, first: int | None = 5
    ) -> list[ComplaintDoc]:
        """Public complaints with a similar text, the most similar first; for use before submission. first: 1 to 10."""
        return await similar.find_similar(info.context, text, region=region, first=first)

    @called(AuditConnection | None, commands=2, paged=True)
    async def audit_log(
        info: ContextInfo, complaint: strawberry.ID, first: int | None = None, after: str | None = None
    ) -> Listing | None:
        """[jejak audit] Who did what with the complaint, oldest first; null for those who may not read it."""
        return await audit.list_entries(info.context, complaint, Arguments(first, after))

    @called(AuditVerification | None, commands=2)
    async def verify_audit(info: ContextInfo, complaint: strawberry.ID) -> AuditVerificationResult | None:
        """Whether the audit of the complaint is complete and unaltered; null for those who may not read auditLog."""
        found = await audit.verify(info.context, complaint)
        return None if found is None else found.to_document()

    @called(IdentityReadConnection, commands=2, paged=True)
    async def identity_reads(
        info: ContextInfo,
        complaint: strawberry.ID | None = None,
        secret: str | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Listing:
        """The log of those who read who reported a complaint, newest first.

        Reporters read it for their own complaint, agencies for complaints that they held, overseers for all; for others
        it is empty.
        """
        arguments = Arguments(first, after)
        return await audit.list_identity_reads(info.context, complaint, arguments, secret=secret)

    @called(ReporterRecord | None, commands=4)
    async def reporter_record(
        info: ContextInfo, complaint: strawberry.ID, secret: str | None = None
    ) -> ReporterRecordResult | None:
        """All personal data stored about the reporter of a complaint; null for everybody but the reporter."""
        return await reporter_rights.read_record(info.context, complaint, secret=secret)

    @called(Agency | None, commands=1)
    async def agency(info: ContextInfo, id: strawberry.ID) -> AgencyDoc | None:
        """An agency by its slug (kab-badung); null if there is none."""
        return await agencies.by_id(info.context, id)

    @called(AgencyConnection, commands=1, paged=True)
    def agencies(
        info: ContextInfo,
        filter: AgencyFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Listing:
        """Agencies by name."""
        return agencies.list_agencies(
            info.context, to_dict(filter), Arguments(first, after, last, before), keys=collect_keys(info)
        )

    @called(Team | None, commands=1)
    async def team(info: ContextInfo, id: strawberry.ID) -> TeamDoc | None:
        """A team by its id (TM-…); null if there is none."""
        return await teams.by_id(info.context, id)

    @called(TeamConnection, commands=1, paged=True)
    def teams(
        info: ContextInfo,
        filter: TeamFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Listing:
        """Teams by name."""
        return teams.list_teams(
            info.context, to_dict(filter), Arguments(first, after, last, before), keys=collect_keys(info)
        )

    @called(Region | None, commands=1)
    async def region(info: ContextInfo, code: strawberry.ID) -> RegionDoc | None:
        """A region by its Kemendagri code (51.03); null if there is none."""
        return await regions.by_code(info.context, code)

    @called(list[Region], commands=1)
    async def regions(
        info: ContextInfo, level: RegionLevel | None = None, parent: strawberry.ID | None = None
    ) -> list[RegionDoc]:
        """All regions that match, by code."""
        return await regions.list_regions(info.context, level=level, parent=parent)

    @called(Category | None, commands=1)
    async def category(info: ContextInfo, code: strawberry.ID) -> CategoryDoc | None:
        """A category by its code (ROAD.POTHOLE); null if there is none."""
        return await categories.by_code(info.context, code)

    @called(list[Category], commands=1)
    async def categories(info: ContextInfo) -> list[CategoryDoc]:
        """All categories, by code."""
        return await categories.list_categories(info.context)

    @called(RoutingPreview, commands=2)
    async def routing_preview(info: ContextInfo, input: RoutingPreviewInput) -> RoutingPreviewResult:
        """Where the routing rules would send a complaint, and why. Nothing is submitted or stored."""
        question = routings.Question(input.title, input.body, input.category, input.region, input.named_agency)
        return await routings.preview(info.context, question)

    @called(RoutingChainVerification | None, commands=1)
    async def verify_routing_chain(
        info: ContextInfo, complaint: strawberry.ID, secret: str | None = None
    ) -> ChainVerificationResult | None:
        """Whether the chain of custody of a complaint is valid; null if the viewer may not know of the complaint."""
        return await routings.verify_chain(info.context, complaint, secret=secret)

    @called(list[Subgraph], commands=2)
    async def subgraphs(info: ContextInfo) -> list[SubgraphVersionDoc]:
        """The agencies' live subgraphs, by agency."""
        return await subgraphs.list_published(info.context)

    @called(Supergraph, commands=1)
    async def supergraph(info: ContextInfo) -> SupergraphDoc:
        """The composed graph that is served now."""
        return await subgraphs.read_live(info.context.store)
