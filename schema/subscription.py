"""Root subscription: a list of fields, each bound to a feature."""

from collections.abc import AsyncGenerator

import strawberry

from resolvers.complaints import live
from schema.binding import Document, object_type, streamed
from schema.complaint import Complaint
from schema.complaint_filter import ComplaintFilter
from schema.given import given
from schema.page import ContextInfo
from schema.selection import keys


@object_type()
class Subscription:
    """An event is the state after one or more changes, as the viewer may read it then; its `revision` says which.

    Revisions of one complaint never go back; one may come twice. docs/live.md says how a stream ends and goes on.
    """

    @streamed(Complaint)
    def complaint_changed(
        info: ContextInfo, complaint: strawberry.ID, secret: str | None = None
    ) -> AsyncGenerator[Document, None]:
        """The complaint as it is, then after each change.

        Ends with NOT_FOUND as soon as there is none that the viewer may know of. A citizen without an account passes
        the secret that submission returned.
        """
        return live.complaint_changed(info.context, complaint, secret=secret, keys=keys(info))

    @streamed(Complaint)
    def agency_inbox(
        info: ContextInfo, agency: strawberry.ID, filter: ComplaintFilter | None = None
    ) -> AsyncGenerator[Document, None]:
        """What this agency holds: new, changed, due; and once more, with another holder, what it has handed on.

        For its own staff and system, the coordinator of its province, the national desk and oversight. `filter` asks
        about the state after the change.
        """
        return live.agency_inbox(info.context, agency, given(filter), keys=keys(info))
