"""A sweep's results in words, for ``show`` and for the end of a run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from pairsweep.contract.vocab import ANGLE_LADDER, GROWTH_DETAILS, VARIABLES
from pairsweep.dataset.query import Summary
from pairsweep.sweep.run import LabelledFailure

REASONS_SHOWN = 5
NUMBERS_SHOWN = 8  # of one result of a point; of more, only how many and between which


def labels(at: Mapping[str, object]) -> str:
    """Name a point by its values on the axes."""
    return ", ".join(
        f"{name} = {value:.6g}" if isinstance(value, float) else f"{name} = {value}"
        for name, value in at.items()
    )


def result_text(name: str, result: object) -> str:
    """Give one result of a point with its units; a code with what it means, of a long array only its range."""
    variable = (VARIABLES | GROWTH_DETAILS | ANGLE_LADDER)[name]
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


def summary_lines(summary: Summary, failures: Sequence[LabelledFailure] = ()) -> list[str]:
    """Say what was swept, how much is done, what is unstable and why points failed."""
    lines = [summary.title or "(untitled)"]
    for axis in summary.axes:
        units = f" {axis.units}" if axis.units not in ("", "1") else ""
        span = _value(axis.first) if axis.size == 1 else f"{_value(axis.first)} ... {_value(axis.last)}"
        lines.append(f"  {axis.name:<12} {axis.size:>6} values   {span}{units}")
    states = f"{summary.done:,} done, {summary.failed:,} failed, {summary.pending:,} pending"
    lines.append(f"  points       {summary.points:,}: {states}")
    known = sum(summary.modes.values())
    if known:
        kinds = ", ".join(
            f"{count:,} {kind}" for kind, count in summary.modes.items() if count and kind != "stable"
        )
        lines.append(f"  unstable     {summary.unstable:,} of {known:,}" + (f" ({kinds})" if kinds else ""))
    if summary.largest_growth > 0:
        where = labels(summary.largest_at)
        lines.append(
            f"  largest      growth rate {summary.largest_growth:.6g} MeV" + (f" at {where}" if where else "")
        )
        lines.append(f"               an e-fold in {summary.largest_efold_seconds:.3g} s")
    verdicts = ", ".join(f"{count:,} {verdict}" for verdict, count in summary.verdicts.items() if count)
    if verdicts:
        lines.append(f"  verdicts     {verdicts}")
    if math.isfinite(summary.largest_norm_drift):
        lines.append(
            f"  drifts       energy {summary.largest_energy_drift:.1e}, |S| {summary.largest_norm_drift:.1e} at most"
        )
    return lines + _failure_lines(failures)


def _failure_lines(failures: Sequence[LabelledFailure]) -> list[str]:
    """Each reason once, the most frequent first, with a point where it happened."""
    first = {failure.reason: failure for failure in reversed(failures)}
    counts = Counter(failure.reason for failure in failures)
    lines = []
    for reason, count in counts.most_common(REASONS_SHOWN):
        lines.append(f"  failed       {count:,} x {reason}")
        lines.append(f"               e.g. at {labels(first[reason].at)}")
    if len(counts) > REASONS_SHOWN:
        lines.append(
            f"               and {len(counts) - REASONS_SHOWN} more reasons: ps.errors(store) lists all"
        )
    return lines


def _value(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
