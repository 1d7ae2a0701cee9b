"""The goals: a peer's CPU per request divided by ours must be at least this."""

from collections.abc import Mapping
from typing import Final

GOALS: Final[Mapping[str, Mapping[str, float]]] = {
    "stock": {"Q1": 12, "Q2": 25, "Q3": 15, "Q4": 8, "Q5": 6, "Q6": 40},
    "stock+caches": {"Q1": 5, "Q2": 25, "Q3": 12, "Q4": 5, "Q5": 2.5, "Q6": 10},
    "rest": {"Q1": 0.9, "Q2": 0.9, "Q3": 0.9, "Q4": 0.9, "Q5": 0.9, "Q6": 0.9},
    "mercurius": {"Q1": 2.5, "Q2": 5, "Q3": 5, "Q6": 3.5},
    "mercurius-tuned": {"Q1": 1.0, "Q2": 2, "Q3": 2, "Q4": 2, "Q5": 0.9, "Q6": 2},
}
MEMORY_MIB: Final = 250
GROWTH: Final = 1.3
"""Time at the largest size divided by time at the smallest, for pages that an index serves."""
LIVE_P99_MS: Final = 500
"""Latency from a write to its subscribers, with 1 000 subscribers and 50 changes a second."""
