"""What the Ehrlich-Aberth iterations share that find all zeros of a determinant in a strip about its poles."""

import numpy as np

from pairsweep.kernels.jit import jit


@jit(forceinline=True)
def gap_beside(location, own, j):
    """Return how far pole ``j`` of ``own`` ascending ones is from the nearer neighbour; infinite for a lone one."""
    gap = np.inf
    if j > 0:
        gap = location[j] - location[j - 1]
    if j < own - 1:
        gap = min(gap, location[j + 1] - location[j])
    return gap


@jit(forceinline=True)
def step_inside(x, y, gx, gy, centre, radius):
    """Move x + i y by -1/(gx + i gy), at most half a ``radius``, and back into the disc about the real ``centre``.

    Returns
    -------
    x, y, length
        The length of the whole step; infinite where there is none, and nothing moves.
    """
    size = gx * gx + gy * gy
    if not size > 0.0:
        return x, y, np.inf
    dx = gx / size
    dy = -gy / size
    length = np.sqrt(dx * dx + dy * dy)
    if length > 0.5 * radius:
        dx *= 0.5 * radius / length
        dy *= 0.5 * radius / length
    x -= dx
    y -= dy
    away = np.sqrt((x - centre) ** 2 + y * y)
    if away > radius:
        x = centre + (x - centre) * radius / away
        y *= radius / away
    return x, y, length
