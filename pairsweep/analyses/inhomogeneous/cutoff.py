"""The constant with which empty pairs couple up to the cutoff, and what the vacuum without it conserves."""

from __future__ import annotations

import numpy as np

from pairsweep.physics.grid import Floats, Grid


def cutoff_constant(grid: Grid, k: Floats) -> Floats:
    """Constant Delta (P, 3, 3) of a grid's vacuum at wave vectors ``k`` (P, 3), MeV^2.

    The static response of a pair at p is (delta_ij - h_i h_j)/|p|, h = p/|p|; Delta is the sum over the grid of its
    mean along the way from p - k/2 to p + k/2. Since it is the gradient of h there,

        k_i Delta_ij = sum w (h+ - h-)_j,

    which is what the pairs of an empty grid lack of a conserved current, each by itself. At k = 0 it is
    sum w (delta_ij - h_i h_j)/E.
    """
    length = np.linalg.norm(k, axis=1)
    # where k vanishes any direction gives the same
    along = np.where(length[:, None] > 0.0, k, [0.0, 0.0, 1.0]) / np.where(length > 0.0, length, 1.0)[:, None]
    centre = grid.energy[:, None] * grid.p_hat
    plus, minus = (np.linalg.norm(centre + sign * 0.5 * k[:, None, :], axis=2) for sign in (1, -1))
    both = plus + minus
    parallel = along @ centre.T
    across = centre - parallel[:, :, None] * along[:, None, :]
    square = (across**2).sum(axis=2)
    # |p+| - |p-| = 2 k.p/(|p+| + |p-|); a focus, where one of them is 0, is refused elsewhere
    with np.errstate(divide="ignore", invalid="ignore"):
        bend = (0.5 * both - 2.0 * parallel**2 / both) / (plus * minus)
        slope = -2.0 * parallel / (both * plus * minus)
        ratio = length[:, None] / both
        # 1/|p| along the way: (1/k) ln[(|p+| + |p-| + k)/(|p+| + |p-| - k)]
        potential = (
            2.0 * np.where(ratio > 0.0, np.arctanh(ratio) / np.where(ratio > 0.0, ratio, 1.0), 1.0) / both
        )
        crossed = np.where(square > 0.0, bend / np.where(square > 0.0, square, 1.0), 0.0)
    w = grid.weight
    mixed = np.einsum("n,pn,pni->pi", w, slope, across)[:, :, None] * along[:, None, :]
    outer = along[:, :, None] * along[:, None, :]
    delta = (potential @ w)[:, None, None] * (np.eye(3) - outer) + (bend @ w)[:, None, None] * outer
    return np.asarray(
        delta + mixed + mixed.transpose(0, 2, 1) - np.einsum("pn,pni,pnj->pij", w * crossed, across, across)
    )
