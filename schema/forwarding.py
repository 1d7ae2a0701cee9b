"""Forwarding: a hand-over between agencies."""

from datetime import datetime

from resolvers.agencies import agency as agencies
from schema.binding import column, loaded, object_type
from schema.enums import ComplaintAction, ReturnReason, Role
from schema.lazy import LazyAgency


@object_type()
class Forwarding:
    """[disposisi] A hand-over from one agency to another: a link in the chain of custody."""

    sequence: int = column("sequence", description="1, 2, …: its place in the chain.")
    from_: LazyAgency | None = loaded(
        agencies.by_id, key="from", name="from", description="Null if no agency held it before."
    )
    to: LazyAgency = loaded(agencies.by_id, key="to")
    action: ComplaintAction
    reason: ReturnReason | None = column("reason", description="Null unless the complaint was returned.")
    note: str | None = column(
        "note", description="Null outside custody. The hash covers a salted digest of the note, not its text."
    )
    by_role: Role
    at: datetime
    previous_hash: str | None = column("previousHash", description="Hash of the link before; null for the first.")
    hash: str
