"""The database of the measurements: a private mongod with synthetic complaints, and the ids that are queried."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient, ReplaceOne

from gateway.auth.tokens import mint
from gateway.mongod import run_embedded
from resolvers import policy
from resolvers.domain import tracking_id
from resolvers.domain.vocabulary import ComplaintStatus, Role
from resolvers.viewer import PUBLIC, Viewer

ROOT: Final = Path(__file__).parents[1]
DEVELOPMENT_KEY: Final = "the development key of the measurements"
SECRET_KEY: Final = "the secret key of the measurements"
VIEWER: Final = Viewer(Role.AGENCY_ADMIN, "bench-admin", "kab-badung")
"""The viewer of every operation: an agency's admin, for whom policy filters and masks."""
IN_PROGRESS_COPIES: Final = 512
SAMPLED: Final = 2000
CACHE_GIGABYTES: Final = 4.0
"""mongod's cache: large enough for all three sizes of the growth measurement."""

Document = dict[str, Any]


@contextmanager
def run_database(folder: Path) -> Iterator[str]:
    """Runs a private mongod over the folder and yields its URI. Data that were seeded before stay."""
    folder.mkdir(parents=True, exist_ok=True)
    with run_embedded(folder, cache_gigabytes=CACHE_GIGABYTES) as uri:
        yield uri


def mint_token() -> str:
    return mint(
        DEVELOPMENT_KEY,
        role=VIEWER.role,
        subject=VIEWER.subject or "",
        now=datetime.now(UTC),
        lifetime=timedelta(days=1),
        agency=VIEWER.agency,
    )


def _make_id(number: int) -> str:
    return tracking_id.make_id("LP", hashlib.sha256(b"measured %d" % number).digest())


@dataclass(frozen=True)
class Dataset:
    """A database of synthetic complaints."""

    uri: str
    complaints: int

    @property
    def name(self) -> str:
        return f"bench_{self.complaints}"

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a server over it.

        The background worker is off: synthetic complaints are due for upkeep, and its steps would change the answers
        that are checked and cost CPU that is measured.
        """
        return {
            "SATUGRAF_MODE": "development",
            "SATUGRAF_MONGODB_URI": self.uri,
            "SATUGRAF_MONGODB_DATABASE": self.name,
            "SATUGRAF_SECRET_KEY": SECRET_KEY,
            "SATUGRAF_DEVELOPMENT_KEY": DEVELOPMENT_KEY,
            "SATUGRAF_WORKER": "false",
        }

    @cached_property
    def _database(self) -> Any:
        client: MongoClient[Document] = MongoClient(self.uri, tz_aware=True)
        return client[self.name]

    def close(self) -> None:
        self._database.client.close()

    def seed(self) -> None:
        """Seeds the database by `satugraf seed`, which does nothing if it was seeded before.

        Drops the positions of change streams: otherwise each server would first read all seeded changes, which keeps
        mongod busy for a quarter of a minute.
        """
        command = [sys.executable, "-m", "gateway", "seed", "--complaints", str(self.complaints)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, **self.environment}, check=True)
        self.reset_in_progress()
        self._database.change_tokens.drop()

    def read_mongod_pid(self) -> int:
        return int(self._database.command("serverStatus")["pid"])

    def read_complaint(self, complaint_id: str) -> Document:
        found: Document = self._database.complaints.find_one({"_id": complaint_id})
        return found

    def read_audit_entry(self, complaint: Document) -> Document | None:
        """Returns the last audit entry, which is still on the complaint or has been moved to its collection."""
        last = {"complaint": complaint["_id"], "sequence": complaint["auditHead"]["sequence"]}
        waiting = [row for row in complaint.get("auditPending", ()) if row["sequence"] == last["sequence"]]
        entry: Document | None = waiting[0] if waiting else self._database.audit.find_one(last)
        return entry

    @cached_property
    def own_complaints(self) -> list[str]:
        """Closed complaints of the viewer's agency, with team and follow-ups."""
        wanted = {"holder": VIEWER.agency, "team": {"$ne": None}, "closedAt": {"$ne": None}}
        return self._find_ids(wanted)

    @cached_property
    def public_complaints(self) -> list[str]:
        """Public complaints of the viewer's agency."""
        return self._find_ids({"holder": VIEWER.agency, "readers": {"$in": list(policy.list_groups(PUBLIC))}})

    @cached_property
    def known_complaints(self) -> list[str]:
        """Complaints that the viewer may know of, in the province that has most of them."""
        province = max(self.pages, key=lambda page: page[2])[0]
        return self._find_ids({"readers": {"$in": list(policy.list_groups(VIEWER))}, "province": province})

    def _find_ids(self, wanted: Document) -> list[str]:
        return [row["_id"] for row in self._database.complaints.find(wanted, {"_id": 1}).sort("_id").limit(SAMPLED)]

    @cached_property
    def pages(self) -> list[tuple[str, str, int]]:
        """Province, status, and the number of their complaints that the viewer may know of; the largest first."""
        stages: list[Document] = [
            {"$match": {"readers": {"$in": list(policy.list_groups(VIEWER))}}},
            {"$group": {"_id": {"province": "$province", "status": "$status"}, "count": {"$sum": 1}}},
            {"$sort": {"count": -1, "_id": 1}},
        ]
        rows = self._database.complaints.aggregate(stages, hint="readers_province_status_receivedAt")
        return [(row["_id"]["province"], row["_id"]["status"], row["count"]) for row in rows]

    def reset_in_progress(self) -> list[tuple[str, int]]:
        """Writes copies of a complaint that the viewer's agency works on, and returns their ids and revisions."""
        complaints = self._database.complaints
        ids = [_make_id(number) for number in range(IN_PROGRESS_COPIES)]
        wanted = {"holder": VIEWER.agency, "status": ComplaintStatus.IN_PROGRESS, "_id": {"$nin": ids}}
        model = complaints.find_one(wanted, sort=[("_id", 1)])
        if model is None:
            raise LookupError(f"{self.name} has no complaint that {VIEWER.agency} works on: take more complaints.")
        complaints.bulk_write([ReplaceOne({"_id": each}, model | {"_id": each}, upsert=True) for each in ids])
        self._database.audit.delete_many({"complaint": {"$in": ids}})
        return [(each, model["revision"]) for each in ids]
