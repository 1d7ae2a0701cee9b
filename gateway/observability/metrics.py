"""Counters and gauges, and their exposition."""

from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest

REGISTRY: Final = CollectorRegistry()
MEDIA_TYPE: Final = CONTENT_TYPE_LATEST

referred: Final = Counter(
    "satugraf_referred_operations_total",
    "Operations that the reference executor answered or completed, by reason; the others ran compiled.",
    ["reason"],
    registry=REGISTRY,
)

reference_data_age: Final = Gauge(
    "satugraf_reference_data_age_seconds",
    "How long ago the agencies, regions, categories and teams in this process were known to be current.",
    registry=REGISTRY,
)


def exposition() -> bytes:
    """In Prometheus' text format."""
    return generate_latest(REGISTRY)
