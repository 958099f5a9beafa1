"""Ascending order of numbers by a stable merge sort (numba's own sorts cost several seconds of compilation)."""

import numpy as np

from pairsweep.kernels.jit import jit

RUN = 12


@jit()
def ascending(values, count):
    """Return the indices (count,) that sort ``values[:count]``; equal values keep their order."""
    order = np.arange(count)
    for low in range(0, count, RUN):
        for i in range(low + 1, min(low + RUN, count)):
            moving = order[i]
            j = i
            while j > low and values[order[j - 1]] > values[moving]:
                order[j] = order[j - 1]
                j -= 1
            order[j] = moving
    other = np.empty(count, dtype=np.int64)
    width = RUN
    while width < count:
        for low in range(0, count, 2 * width):
            middle = min(low + width, count)
            high = min(low + 2 * width, count)
            i = low
            j = middle
            for k in range(low, high):
                if i < middle and (j >= high or values[order[i]] <= values[order[j]]):
                    other[k] = order[i]
                    i += 1
                else:
                    other[k] = order[j]
                    j += 1
        order, other = other, order
        width *= 2
    return order
