"""Numbers read off a sampled curve: first maximum, period of the maxima, rate of the linear phase."""

from typing import NamedTuple

import numpy as np

from pairsweep.analyses.evolution.kernels.phase import LINEAR_EFOLDS, linear_phase
from pairsweep.kernels.jit import jit

# A maximum counts above half of the largest value; two are apart where the curve falls to a third between.
MAXIMUM_LEVEL = 0.5
APART_LEVEL = 1.0 / 3.0
# Maxima are periodic when their distances agree to this fraction of their mean.
PERIOD_SPREAD = 0.05
# The linear phase counts where the slopes of its two halves agree to this.
HALVES_AGREE = 0.05
FEWEST_SAMPLES = 6

_linear_phase = jit()(linear_phase)


class CurveNumbers(NamedTuple):
    """What a curve says: rate of the linear phase, MeV; first maximum, its time, 1/MeV; period, 1/MeV; NaN: none."""

    growth_rate_fit: float
    kappa_max: float
    time_of_max: float
    period: float


@jit()
def largest_of(values):
    """Return the largest of values that are not negative (numpy's own costs half a second of compilation)."""
    largest = 0.0
    for i in range(values.size):
        largest = max(largest, values[i])
    return largest


@jit(apart=True)
def first_maximum(values):
    """Index of the first interior sample above its neighbours and half the largest value; -1 without one."""
    level = MAXIMUM_LEVEL * largest_of(values)
    for i in range(1, values.size - 1):
        if values[i] >= level and values[i] >= values[i - 1] and values[i] > values[i + 1]:
            # the top of this rise, not the first ripple on its flank
            top = i
            for k in range(i + 1, values.size):
                if values[k] > values[top]:
                    top = k
                if values[k] < level:
                    break
            return top if top < values.size - 1 else -1
    return -1


@jit()
def peak_at(times, values, i):
    """Return (time, value) of the parabola through the samples i - 1, i, i + 1."""
    left = (values[i] - values[i - 1]) / (times[i] - times[i - 1])
    right = (values[i + 1] - values[i]) / (times[i + 1] - times[i])
    curvature = (right - left) / (times[i + 1] - times[i - 1])
    if not curvature < 0.0:
        return times[i], values[i]
    shift = 0.5 * (times[i - 1] + times[i]) - 0.5 * left / curvature - times[i]
    slope = left + curvature * (times[i] - times[i - 1])
    return times[i] + shift, values[i] + shift * (slope + curvature * shift)


@jit(apart=True)
def period_of_maxima(times, values):
    """Mean distance of the maxima, NaN where there are fewer than two or they are not periodic."""
    largest = largest_of(values)
    high = MAXIMUM_LEVEL * largest
    low = APART_LEVEL * largest
    count = 0
    first = np.nan
    last = np.nan
    shortest = np.inf
    longest = 0.0
    top = -1
    for i in range(values.size):
        if values[i] >= high and (top < 0 or values[i] > values[top]):
            top = i
        if values[i] < low and top > 0:
            time, _ = peak_at(times, values, top)
            if count == 0:
                first = time
            else:
                shortest = min(shortest, time - last)
                longest = max(longest, time - last)
            last = time
            count += 1
            top = -1
    if count < 2:
        return np.nan
    mean = (last - first) / (count - 1)
    return mean if longest - shortest <= PERIOD_SPREAD * mean else np.nan


@jit(apart=True)
def log_slope(times, values, start, stop):
    """Slope of the straight line through log(values) of the samples start <= i < stop."""
    count = stop - start
    mean_t = 0.0
    mean_y = 0.0
    for i in range(start, stop):
        mean_t += times[i] / count
        mean_y += np.log(values[i]) / count
    tt = 0.0
    ty = 0.0
    for i in range(start, stop):
        tt += (times[i] - mean_t) ** 2
        ty += (times[i] - mean_t) * (np.log(values[i]) - mean_y)
    return ty / tt


@jit(apart=True)
def linear_growth(times, values, top):
    """Rate of the exponential rise before the maximum at index ``top``; NaN without a linear phase."""
    start, stop = _linear_phase(values, top, 0.0)
    if stop < FEWEST_SAMPLES:
        return np.nan
    if stop - start < FEWEST_SAMPLES or not 0.0 < values[start] * np.exp(LINEAR_EFOLDS) <= values[stop - 1]:
        return np.nan
    middle = (start + stop) // 2
    rate = log_slope(times, values, start, stop)
    early = log_slope(times, values, start, middle)
    late = log_slope(times, values, middle, stop)
    return rate if abs(late - early) <= HALVES_AGREE * rate else np.nan


@jit()
def read_curve(times, kappa_mean, free):
    """Return the :class:`CurveNumbers` of a curve.

    ``free`` is the mean kappa without its forced response. A first maximum counts as a saturation only where
    the curve rose to it: by LINEAR_EFOLDS from its start.
    """
    top = first_maximum(kappa_mean)
    if top < 0 or not kappa_mean[top] > np.exp(LINEAR_EFOLDS) * free[0]:
        return CurveNumbers(np.nan, np.nan, np.nan, np.nan)
    time, value = peak_at(times, kappa_mean, top)
    return CurveNumbers(linear_growth(times, free, top), value, time, period_of_maxima(times, kappa_mean))
