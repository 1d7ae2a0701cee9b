"""Root query: a list of fields, each bound to a feature."""

import strawberry

from resolvers import agency as agencies
from resolvers import category as categories
from resolvers import complaint as complaints
from resolvers import complaint_list, node
from resolvers import region as regions
from resolvers import routing as routings
from resolvers import team as teams
from resolvers.listing import Arguments, Listing
from schema.agency import Agency, AgencyConnection, AgencyFilter
from schema.binding import Document, called, object_type
from schema.category import Category
from schema.complaint import Complaint, ComplaintConnection
from schema.complaint_filter import ComplaintFilter
from schema.enums import ComplaintOrder, RegionLevel
from schema.given import given
from schema.node import Node
from schema.page import ContextInfo
from schema.region import Region
from schema.routing import RoutingChainVerification, RoutingPreview, RoutingPreviewInput
from schema.selection import keys
from schema.team import Team, TeamConnection, TeamFilter
from schema.viewer import Viewer


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
        return await node.by_id(info.context, id)

    @called(Complaint | None, commands=1)
    async def complaint(info: ContextInfo, id: strawberry.ID, secret: str | None = None) -> Document | None:
        """Null when there is none or the viewer may not know that there is one: the two look the same.

        A citizen without an account passes the secret that submission returned.
        """
        return await complaints.by_tracking_id(info.context, id, secret=secret)

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
        return agencies.listing(info.context, given(filter), Arguments(first, after, last, before))

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
        return teams.listing(info.context, given(filter), Arguments(first, after, last, before))

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
