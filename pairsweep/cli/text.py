"""A sweep's results in words, for ``show`` and for the end of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from pairsweep.analyses.registry import variables
from pairsweep.dataset.select import point_words
from pairsweep.sweep.results import LabelledFailure

REASONS_SHOWN = 5
NUMBERS_SHOWN = 8  # of one result of a point; of more, only how many and between which


def result_text(name: str, result: object) -> str:
    """Give one result of a point with its units; a code with what it means, of a long array only its range."""
    variable = variables()[name]
    values = np.asarray(result)
    if variable.flags:
        return f"{values} ({variable.flags[int(values)]})"
    units = f" {variable.units}" if variable.units not in ("", "1") else ""
    known = values[np.isfinite(values)]  # bins that this grid has not are NaN
    if values.ndim == 0:
        return f"{result}{units}"
    if known.size <= NUMBERS_SHOWN:
        return f"{', '.join(f'{value:.6g}' for value in known) or 'nan'}{units}"
    return f"{known.size:,} numbers ({', '.join(variable.trailing)}), {known.min():.6g} to {known.max():.6g}{units}"


def failure_lines(failures: Sequence[LabelledFailure]) -> list[str]:
    """Each reason once, the most frequent first, with a point where it happened."""
    first = {failure.reason: failure for failure in reversed(failures)}
    counts = Counter(failure.reason for failure in failures)
    lines = []
    for reason, count in counts.most_common(REASONS_SHOWN):
        lines.append(f"  failed       {count:,} x {reason}")
        if first[reason].at:  # the one point of a sweep without axes has no place
            lines.append(f"               e.g. at {point_words(first[reason].at)}")
    if len(counts) > REASONS_SHOWN:
        lines.append(
            f"               and {len(counts) - REASONS_SHOWN} more reasons: ps.errors(store) lists all"
        )
    return lines
