"""The Prometheus metrics."""

from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY: Final = CollectorRegistry()
MEDIA_TYPE: Final = CONTENT_TYPE_LATEST

referred_operations: Final = Counter(
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

subgraph_seconds: Final = Histogram(
    "satugraf_subgraph_request_seconds",
    "How long agencies' subgraphs took, those that failed too; _count is the number of requests.",
    ["subgraph"],
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10),
    registry=REGISTRY,
)

subgraph_failures: Final = Counter(
    "satugraf_subgraph_failures_total",
    "Requests to agencies' subgraphs that gave no answer, by error code; also those that were not sent.",
    ["subgraph", "code"],
    registry=REGISTRY,
)

subgraph_breaker_open: Final = Gauge(
    "satugraf_subgraph_breaker_open",
    "1 while an agency's subgraph is left alone.",
    ["subgraph"],
    registry=REGISTRY,
)

subscriptions: Final = Gauge(
    "satugraf_subscriptions",
    "Subscriptions to complaints and inboxes that are open in this process.",
    registry=REGISTRY,
)

connections: Final = Gauge(
    "satugraf_stream_connections", "Websockets and event streams that are open in this process.", registry=REGISTRY
)

live_events: Final = Counter(
    "satugraf_live_events_total", "Results of subscriptions that were made for subscribers.", registry=REGISTRY
)

live_lag: Final = Gauge(
    "satugraf_live_lag_seconds",
    "How long ago everything that had changed in the database was known to be told to subscribers.",
    registry=REGISTRY,
)

closed_connections: Final = Counter(
    "satugraf_closed_streams_total",
    "Websockets that were closed here, by close code, and event streams that were ended here, by error code.",
    ["code"],
    registry=REGISTRY,
)


def render_metrics() -> bytes:
    """Returns all metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)


def forget_subgraph(subgraph: str) -> None:
    """Removes all series of a subgraph that is not in the graph any more."""
    for series in (subgraph_seconds, subgraph_failures, subgraph_breaker_open):
        series.remove_by_labels({"subgraph": subgraph})
