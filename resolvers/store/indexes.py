"""Every index, with the query that it serves."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from pymongo import ASCENDING, DESCENDING, IndexModel

from resolvers.store.database import Store

ESCALATED = "escalationLevel"


class Index(NamedTuple):
    """A list's index: the keys that the query bounds by value, then the sort key, then `_id` to break ties."""

    bounded: tuple[str, ...]
    sort: str
    worth: int = 0
    """Counts as so many bounded keys when an index is chosen, if that is more than it has."""
    escalated_only: bool = False
    """Whether it contains only escalated complaints, which are few. It then serves only lists of those."""

    @property
    def name(self) -> str:
        return "_".join((*self.bounded, self.sort, *(("escalated",) if self.escalated_only else ())))

    @property
    def needs(self) -> set[str]:
        """The keys that a query must bound to use this index."""
        return {*self.bounded, *((ESCALATED,) if self.escalated_only else ())}

    def to_model(self) -> IndexModel:
        part: dict[str, Any] = {"partialFilterExpression": {ESCALATED: {"$gt": 0}}} if self.escalated_only else {}
        return IndexModel([(key, ASCENDING) for key in (*self.bounded, self.sort, "_id")], name=self.name, **part)


# Every list of complaints bounds `readers` and `status` by value, by all values if the caller names none. Each
# combination is then one sorted run of the index, and MongoDB merges the runs instead of sorting in memory:
#   readers in [public], status in [ROUTED, CLOSED], by receivedAt
#     → merge of (public, ROUTED, receivedAt…) and (public, CLOSED, receivedAt…)
COMPLAINT_LISTS = (
    Index(("readers", "status"), "receivedAt"),  # complaints
    Index(("readers", "status"), "updatedAt"),  # what changed last
    Index(("readers", "status"), "nextDueAt"),  # what is due next
    Index(("readers", "holder", "status"), "receivedAt"),  # an agency's complaints
    Index(("readers", "holder", "status"), "updatedAt"),
    Index(("readers", "holder", "status"), "nextDueAt"),  # an agency's inbox
    Index(("readers", "province", "status"), "receivedAt"),  # a province, with everything inside it
    Index(("readers", "region", "status"), "receivedAt"),  # a regency or city
    Index(("readers", "category", "status"), "receivedAt"),
    Index(("readers", "team", "status"), "receivedAt"),  # a team's complaints
    Index(("readers", "assignee", "status"), "nextDueAt"),  # a liaison's work
    Index(("readers", "unit", "status"), "nextDueAt"),  # a unit's work
    Index(("readers", "status"), "receivedAt", escalated_only=True),  # what is stuck anywhere
    Index(("readers", "status"), "nextDueAt", escalated_only=True),
    Index(("readers", "holder", "status"), "nextDueAt", escalated_only=True),  # what is stuck with an agency
    Index(("words",), "receivedAt", worth=3),  # search and similar complaints; unless bounded by agency or region
)

# 682 agencies and about as many teams: every list bounds `kind`, by all kinds if the caller names none.
AGENCY_LISTS = (
    Index(("kind",), "name"),
    Index(("connected", "kind"), "name"),
    Index(("pilot", "kind"), "name"),
    Index(("province", "kind"), "name"),  # the regencies of a province, too
)
TEAM_LISTS = (
    Index(("kind",), "name"),
    Index(("agency", "kind"), "name"),  # an agency's teams, too
    Index(("agencyProvince", "kind"), "name"),
)
PLAN_LISTS = (Index(("agency",), "periodFrom"),)  # an agency's plans
REGION_LISTS = (Index(("parent",), "level"), Index(("level",), "parent"))

WAKE = "wakeAt"
_WAKE = IndexModel([("wakeAt", ASCENDING), ("_id", ASCENDING)], name=WAKE)  # documents whose next step is due
# Reporters for whom it is not known yet whether their complaint was stored.
_UNCLAIMED = IndexModel("wakeAt", name=WAKE, sparse=True)
IDENTITY_READ_LISTS = (Index(("complaint",), "at"), Index(("readers",), "at"))

AUDIT_PENDING = "audit_pending"
# Complaints with an entry that is not in the audit's collection yet. Sparse: it contains only those few.
_WAITING = IndexModel("auditPending.sequence", name=AUDIT_PENDING, sparse=True)
_AUDIT = IndexModel([("complaint", ASCENDING), ("sequence", ASCENDING)], name="complaint_sequence", unique=True)
_BREACH = IndexModel("at", name="at")  # reads of identities between two instants

# The idempotency key of the submission that created a document.
_CREATION = IndexModel("creation.key", name="creation_key", unique=True, sparse=True)
_MEMBERSHIP = IndexModel("members.subject", name="members_subject", sparse=True)
# An agency's versions of its subgraph, newest first.
_VERSIONS = IndexModel([("agency", ASCENDING), ("version", DESCENDING)], name="agency_version", unique=True)
# Usage since a day; MongoDB deletes each document when its `until` has passed.
_USAGE = IndexModel("day", name="day")
_EXPIRY = IndexModel("until", name="until", expireAfterSeconds=0)


def choose(lists: Iterable[Index], bounded: Iterable[str], sort: str) -> str | None:
    """Returns the name of the index that gives the order and bounds the most keys; None if none gives the order."""
    keys = set(bounded)
    fitting = [index for index in lists if index.sort == sort and keys.issuperset(index.needs)]
    return max(fitting, key=lambda index: max(index.worth, len(index.needs))).name if fitting else None


async def create(store: Store) -> None:
    """Creates the missing indexes; safe to run again."""
    await store.complaints.create_indexes([*_to_models(COMPLAINT_LISTS), _CREATION, _WAKE, _WAITING])
    await store.agencies.create_indexes([*_to_models(AGENCY_LISTS), _WAKE])
    await store.teams.create_indexes([*_to_models(TEAM_LISTS), _CREATION, _MEMBERSHIP, _WAKE])
    await store.action_plans.create_indexes([*_to_models(PLAN_LISTS), _CREATION])
    await store.reporters.create_indexes([_UNCLAIMED])
    await store.identity_reads.create_indexes([*_to_models(IDENTITY_READ_LISTS), _BREACH])
    await store.audit.create_indexes([_AUDIT])
    await store.regions.create_indexes(_to_models(REGION_LISTS))
    await store.subgraph_versions.create_indexes([_VERSIONS])
    for usage in (store.field_usage, store.operation_usage):
        await usage.create_indexes([_USAGE, _EXPIRY])


def _to_models(lists: Iterable[Index]) -> list[IndexModel]:
    return [index.to_model() for index in lists]
