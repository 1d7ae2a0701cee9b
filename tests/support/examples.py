"""Stored documents for tests: `a_complaint(status=…)`."""

import secrets
from datetime import UTC, datetime
from typing import Any

from resolvers import policy
from resolvers.complaints.intake import NEW_HISTORY
from resolvers.documents import ComplaintDoc, apply_changes
from resolvers.domain import tracking_id
from resolvers.personal_data import publication

RECEIVED = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


def a_complaint(**given: Any) -> ComplaintDoc:
    """A complaint as it is stored, its readers computed; held by Badung and verified unless `given` says otherwise."""
    complaint: ComplaintDoc = {
        **NEW_HISTORY,
        **publication.scan_texts("", "").make_keys(),
        "_id": tracking_id.make_id("LP", secrets.token_bytes(16)),
        "class": "COMPLAINT",
        "category": "ROAD.POTHOLE",
        "sensitive": False,
        "title": "Jalan berlubang",
        "originalTitle": "Jalan berlubang",
        "publicTitle": "[Jalan berlubang, Kabupaten Badung]",
        "regionName": "Kabupaten Badung",
        "body": "Lubang besar di jalan depan pasar.",
        "status": "ROUTED",
        "channel": "WEB",
        "location": None,
        "region": "51.03",
        "province": "51",
        "occurredOn": None,
        "anonymous": False,
        "confidential": False,
        "namedAgency": None,
        "takenInBy": None,
        "holder": "kab-badung",
        "holderKind": "REGENCY",
        "holderProvince": "prov-bali",
        "holders": ["kemenpanrb", "kab-badung"],
        "policyVersion": "5/2025",
        "reporterSubject": "wayan",
        "secretHash": "",
        "receivedAt": RECEIVED,
        "verifiedAt": RECEIVED,
        "updatedAt": RECEIVED,
        "readers": [],
        "custodian": None,
    }
    complaint = apply_changes(complaint, given)
    readers = policy.compute_readers(complaint)
    texts = publication.scan_texts(complaint["title"], complaint["body"])
    derived = {**texts.make_keys(published=policy.is_public(readers)), **given, "readers": readers}
    return apply_changes(complaint, derived)
