"""The root subscription type; each field is bound to a function in `resolvers/`."""

from collections.abc import AsyncGenerator

import strawberry

from resolvers.complaints import live
from resolvers.documents import ComplaintDoc
from schema.binding import object_type, streamed
from schema.complaint import Complaint
from schema.complaint_filter import ComplaintFilter
from schema.input_values import to_dict
from schema.page import ContextInfo
from schema.selection import collect_keys


@object_type()
class Subscription:
    """An event is a complaint after one or more changes, as the viewer may read it at that time.

    The `revision` of a complaint never decreases in a stream, but may be sent twice. docs/live.md says how streams end
    and how to resume them.
    """

    @streamed(Complaint)
    def complaint_changed(
        info: ContextInfo, complaint: strawberry.ID, secret: str | None = None
    ) -> AsyncGenerator[ComplaintDoc, None]:
        """The complaint as it is now, then after each change.

        Ends with NOT_FOUND if there is no such complaint or the viewer may not know of it, now or later. A citizen
        without an account passes the secret that submission returned.
        """
        return live.watch_complaint(info.context, complaint, secret=secret, keys=collect_keys(info))

    @streamed(Complaint)
    def agency_inbox(
        info: ContextInfo, agency: strawberry.ID, filter: ComplaintFilter | None = None
    ) -> AsyncGenerator[ComplaintDoc, None]:
        """Complaints that this agency holds, after each change; and once more a complaint that it handed over.

        For its own staff and system, the coordinator of its province, the national desk and oversight. `filter` applies
        to the complaint after the change.
        """
        return live.watch_inbox(info.context, agency, to_dict(filter), keys=collect_keys(info))
