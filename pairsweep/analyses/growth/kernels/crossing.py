"""How strongly the excessive pair-occupation number (EPN) crosses zero, and how anisotropic it is."""

import math

from pairsweep.kernels.jit import jit


@jit()
def epn_crossing(weight, p_hat, energy_bin, n, positive, negative, strength, strength_bin, depth, anisotropy):
    """Fill the measures of the EPN for P points that share a grid; ``n`` is (P, N), the outputs (P,).

    With I+- the sums of w n over n > 0 and of w abs(n) over n < 0: strength sqrt(I+ I-) in MeV^3, the largest
    such strength within a single energy, depth min(I+, I-)/max(I+, I-) and abs(sum w n p)/sum w abs(n).
    ``positive`` and ``negative`` are workspace, one element per energy bin.
    """
    for point in range(n.shape[0]):
        positive[:] = 0.0
        negative[:] = 0.0
        x = y = z = 0.0
        for q in range(weight.size):
            wn = weight[q] * n[point, q]
            if wn > 0.0:
                positive[energy_bin[q]] += wn
            else:
                negative[energy_bin[q]] -= wn
            x += wn * p_hat[q, 0]
            y += wn * p_hat[q, 1]
            z += wn * p_hat[q, 2]
        above = below = largest = 0.0
        for i in range(positive.size):
            above += positive[i]
            below += negative[i]
            largest = max(largest, math.sqrt(positive[i]) * math.sqrt(negative[i]))
        strength[point] = math.sqrt(above) * math.sqrt(below)
        strength_bin[point] = largest
        depth[point] = min(above, below) / max(above, below) if max(above, below) > 0.0 else 0.0
        total = above + below
        anisotropy[point] = math.sqrt(x * x + y * y + z * z) / total if total > 0.0 else 0.0
    return 0


@jit()
def epn_extent(weight, n, largest, distance, width):
    """Fill how far P points are from a crossing of the EPN, or how wide it is; ``n`` is (P, N), the outputs (P,).

    With W+- the sums of w over n > 0 and over n < 0: the largest n; how far the n nearest to 0 would have to rise, or
    to fall, where all have one sign, 0 where both are there or an n is 0; min(W+, W-)/sum w.
    """
    for point in range(n.shape[0]):
        highest, lowest = n[point, 0], n[point, 0]
        above = below = total = 0.0
        for q in range(weight.size):
            value = n[point, q]
            highest, lowest = max(highest, value), min(lowest, value)
            total += weight[q]
            if value > 0.0:
                above += weight[q]
            elif value < 0.0:
                below += weight[q]
        largest[point] = highest
        distance[point] = max(0.0, -highest, lowest)
        width[point] = min(above, below) / total if total > 0.0 else 0.0
    return 0
