"""What stored curves say: the linear phase of a run, from the curve alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.evolution.kernels.phase import linear_phase

Floats = NDArray[np.float64]

FEWEST_SAMPLES = 3


def phase_of(values: Floats) -> slice | None:
    """Linear phase of a stored curve (T,); None where it does not rise by a factor of two out of what it begins with.

    A run starts with a fast beat about the forced response, which a stored curve contains: the growing mode counts
    once it stands out twice above the beat of the first twentieth of the run.
    """
    if not (values.size > FEWEST_SAMPLES and np.isfinite(values).all()):
        return None
    top = int(np.argmax(values >= 0.5 * values.max()))
    while top + 1 < values.size and values[top + 1] > values[top]:
        top += 1
    quiet = values[: max(values.size // 20, 1)].max()
    start, stop = linear_phase(values, top, quiet)
    if stop - start < FEWEST_SAMPLES or not values[stop - 1] > 2.0 * max(values[start], quiet):
        return None
    return slice(start, stop)


def rate_of(time: Floats, values: Floats) -> float:
    """Growth rate in the linear phase of a stored curve, in the inverse unit of ``time``; NaN without one."""
    phase = phase_of(values)
    return float("nan") if phase is None else float(np.polyfit(time[phase], np.log(values[phase]), 1)[0])
