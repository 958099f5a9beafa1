"""Ranges as people write them: ``0.1..0.5``, ``0.1:0.5``, one end open."""

from __future__ import annotations

import re

OPEN = float("inf")  # an end that is not given
_BETWEEN = re.compile(r"(?P<low>[^:]*?)(?:\.\.|:)(?P<high>[^:]*)")


def interval(text: str) -> tuple[float, float] | None:
    """Return both ends of a range, `OPEN` for one that is not given; None for what is no range."""
    found = _BETWEEN.fullmatch(text.strip())
    if found is None or not (found["low"].strip() or found["high"].strip()):
        return None
    try:
        low = float(found["low"]) if found["low"].strip() else -OPEN
        high = float(found["high"]) if found["high"].strip() else OPEN
    except ValueError:
        return None
    return (low, high) if low <= high else None
