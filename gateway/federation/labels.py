"""Decides which labels of progressive `@override`s are active for a request."""

import random
import re
from collections.abc import Callable
from typing import Final

from gateway.federation.supergraph import Supergraph

IsActive = Callable[[str], bool]

_PERCENT: Final = re.compile(r"percent\((\d{1,3}(?:\.\d{1,8})?)\)")


def is_drawn_by_percent(label: str) -> bool:
    """Draws whether the label is active: `percent(5)` is for 5 % of the calls, any other label never."""
    match = _PERCENT.fullmatch(label)
    # A cryptographic generator is not needed: the draw only spreads load.
    return match is not None and random.random() * 100 < float(match[1])  # noqa: S311


def find_active_labels(supergraph: Supergraph, is_active: IsActive) -> frozenset[str]:
    return frozenset(label for label in supergraph.labels if is_active(label))
