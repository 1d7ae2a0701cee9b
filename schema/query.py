"""Root query: a list of fields, each bound to a feature."""

from collections.abc import Callable, Sequence

import strawberry

from resolvers.agencies import agency as agencies
from resolvers.agencies import category as categories
from resolvers.agencies import region as regions
from resolvers.agencies import team as teams
from resolvers.complaints import audit, complaint_list, node, reporter_rights, similar
from resolvers.complaints import complaint as complaints
from resolvers.complaints import routing as routings
from resolvers.paging.listing import Arguments, Listing
from resolvers.registry import subgraph as subgraphs
from schema.agency import Agency, AgencyConnection, AgencyFilter
from schema.audit import AuditConnection, AuditVerification
from schema.binding import Document, Given, called, object_type
from schema.category import Category
from schema.complaint import Complaint, ComplaintConnection
from schema.complaint_filter import ComplaintFilter
from schema.enums import ComplaintOrder, RegionLevel
from schema.given import given
from schema.node import Node
from schema.page import ContextInfo
from schema.region import Region
from schema.reporter import IdentityReadConnection, ReporterRecord
from schema.routing import RoutingChainVerification, RoutingPreview, RoutingPreviewInput
from schema.selection import keys
from schema.subgraph import Subgraph, Supergraph
from schema.team import Team, TeamConnection, TeamFilter
from schema.viewer import Viewer


async def _complaints(info: ContextInfo, asked: Sequence[Given]) -> Callable[[Given], Document | None]:
    is_proving = any(each.get("secret") is not None for each in asked)
    texts = [each["id"] for each in asked]
    shown = await complaints.looked_up(info.context, texts, keys(info), is_proving=is_proving)
    return lambda each: shown(each["id"], each.get("secret"))


@object_type()
class Query:
    @called(Viewer)
    def viewer(info: ContextInfo) -> Document:
        viewer = info.context.viewer
        return {
            "subject": viewer.subject,
            "role": viewer.role,
            "agency": viewer.agency,
            "scopes": sorted(viewer.scopes),
        }

    @called(Node | None, commands=1)
    async def node(info: ContextInfo, id: strawberry.ID) -> Document | None:
        """Anything by its id; null when there is none or the viewer may not know that there is one."""
        return await node.by_id(info.context, id, keys(info))

    @called(Complaint | None, commands=1, batch=_complaints)
    async def complaint(info: ContextInfo, id: strawberry.ID, secret: str | None = None) -> Document | None:
        """Null when there is none or the viewer may not know that there is one: the two look the same.

        A citizen without an account passes the secret that submission returned.
        """
        return await complaints.by_tracking_id(info.context, id, secret=secret, keys=keys(info))

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
        """The complaints that the viewer may know of, newest first unless ordered otherwise."""
        arguments = Arguments(first, after, last, before)
        return complaint_list.listing(info.context, given(filter), order_by, arguments, keys=keys(info))

    @called(list[Complaint], commands=3)
    async def similar_complaints(
        info: ContextInfo, text: str, region: strawberry.ID | None = None, first: int | None = 5
    ) -> list[Document]:
        """Public complaints that read alike, the likest first; asked before filing. `first` is at most 10."""
        return await similar.complaints(info.context, text, region=region, first=first)

    @called(AuditConnection | None, commands=2, paged=True)
    async def audit_log(
        info: ContextInfo, complaint: strawberry.ID, first: int | None = None, after: str | None = None
    ) -> Listing | None:
        """[jejak audit] Who did what with the complaint, oldest first; null for whom there is nothing to read."""
        return await audit.of_complaint(info.context, complaint, Arguments(first, after))

    @called(AuditVerification | None, commands=2)
    async def verify_audit(info: ContextInfo, complaint: strawberry.ID) -> Document | None:
        """Whether the audit of the complaint is whole and unaltered; null where auditLog is."""
        found = await audit.verify(info.context, complaint)
        return None if found is None else found.as_document()

    @called(IdentityReadConnection, commands=2, paged=True)
    async def identity_reads(
        info: ContextInfo,
        complaint: strawberry.ID | None = None,
        secret: str | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Listing:
        """Who read who reported, newest first: its reporter for one complaint, an agency for what it held, overseers.

        Empty for whom there is nothing to read.
        """
        arguments = Arguments(first, after)
        return await audit.identity_reads(info.context, complaint, arguments, secret=secret)

    @called(ReporterRecord | None, commands=4)
    async def reporter_record(
        info: ContextInfo, complaint: strawberry.ID, secret: str | None = None
    ) -> Document | None:
        """All that is kept of the reporter, for the reporter alone; null for everybody else."""
        return await reporter_rights.access(info.context, complaint, secret=secret)

    @called(Agency | None, commands=1)
    async def agency(info: ContextInfo, id: strawberry.ID) -> Document | None:
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
        """By name."""
        return agencies.listing(info.context, given(filter), Arguments(first, after, last, before), keys=keys(info))

    @called(Team | None, commands=1)
    async def team(info: ContextInfo, id: strawberry.ID) -> Document | None:
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
        """By name."""
        return teams.listing(info.context, given(filter), Arguments(first, after, last, before), keys=keys(info))

    @called(Region | None, commands=1)
    async def region(info: ContextInfo, code: strawberry.ID) -> Document | None:
        return await regions.by_code(info.context, code)

    @called(list[Region], commands=1)
    async def regions(
        info: ContextInfo, level: RegionLevel | None = None, parent: strawberry.ID | None = None
    ) -> list[Document]:
        """By code, all that match."""
        return await regions.listing(info.context, level=level, parent=parent)

    @called(Category | None, commands=1)
    async def category(info: ContextInfo, code: strawberry.ID) -> Document | None:
        return await categories.by_code(info.context, code)

    @called(list[Category], commands=1)
    async def categories(info: ContextInfo) -> list[Document]:
        """The whole tree, by code."""
        return await categories.listing(info.context)

    @called(RoutingPreview, commands=2)
    async def routing_preview(info: ContextInfo, input: RoutingPreviewInput) -> Document:
        """What the routing rules would make of a complaint, with their reasons; nothing is filed or kept."""
        question = routings.Question(input.title, input.body, input.category, input.region, input.named_agency)
        return await routings.preview(info.context, question)

    @called(RoutingChainVerification | None, commands=1)
    async def verify_routing_chain(
        info: ContextInfo, complaint: strawberry.ID, secret: str | None = None
    ) -> Document | None:
        """Null where there is no such complaint, or the viewer may not know that there is one."""
        return await routings.verify_chain(info.context, complaint, secret=secret)

    @called(list[Subgraph], commands=2)
    async def subgraphs(info: ContextInfo) -> list[Document]:
        """The agencies' subgraphs that are live, by agency."""
        return await subgraphs.published(info.context)

    @called(Supergraph, commands=1)
    async def supergraph(info: ContextInfo) -> Document:
        return await subgraphs.live(info.context.store)
