"""What holds of every stored complaint at every instant, whatever was done and whatever failed."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from resolvers import policy
from resolvers.documents import ComplaintDoc
from resolvers.domain import custody_chain, sla
from resolvers.domain.lifecycle import OPEN, TRANSITIONS
from resolvers.store.database import NEVER

STATUSES = {row.source for row in TRANSITIONS} | {row.target for row in TRANSITIONS}


def check(row: ComplaintDoc, rows: Mapping[str, ComplaintDoc]) -> None:
    """One holder, a whole chain, clocks and readers that agree with the rest; `rows` has what it was merged into."""
    assert row["status"] in STATUSES
    assert row["holder"] == row["holders"][-1]
    assert len(set(row["holders"])) == len(row["holders"])
    assert row["nextDueAt"] == (sla.find_next_due(row["clocks"]) or NEVER)
    assert row["readers"] == policy.compute_readers(row)
    assert (row["closedAt"] is None) == (row["status"] in OPEN)
    assert (row["hold"] is not None) == (row["status"] == "ON_HOLD")
    _check_custody(row)
    if row["status"].startswith("CLOSED"):
        assert any(
            told["kind"] == "FINAL" and told["approved"] and told["visibility"] != "INTERNAL"
            for told in row["followUps"]
        )
    if row["status"] == "MERGED":
        assert row["mergedInto"] is not None
        target = rows[row["mergedInto"]]
        assert target["status"] != "MERGED"
        assert row["_id"] in target["followers"]
        assert row["followers"] == []


def _check_custody(row: ComplaintDoc) -> None:
    assert custody_chain.find_first_broken(row["forwardings"]) is None
    given = [link for link in row["forwardings"] if link["action"] != "RETURN"]
    assert all(link["byRole"] == "NATIONAL_ADMIN" for link in given[3:])
    holder = "kemenpanrb" if row["takenInBy"] is None else row["takenInBy"]
    for link in row["forwardings"]:
        assert link["from"] == holder
        holder = link["to"]
    assert row["holder"] == holder


def total_run(row: ComplaintDoc, now: datetime) -> timedelta:
    """How long the one TOTAL clock has run, which began with the submission and stands only while it is closed."""
    [total] = [clock for clock in row["clocks"] if clock["kind"] == "TOTAL"]
    assert total["startedAt"] == row["receivedAt"]
    assert (total["stoppedAt"] is None) == (row["status"] in OPEN)
    stood = sum((pause["end"] - pause["start"] for pause in total["pauses"] if pause["end"] is not None), timedelta())
    run: timedelta = (total["stoppedAt"] or now) - total["startedAt"] - stood
    return run
