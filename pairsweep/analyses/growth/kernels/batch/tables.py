"""The tables of the bulk kernels, and how poles and zeros are packed into them, nothing twice.

Every table is an array (rows, fields, 8) of eight points side by side. One array each, not a bundle of arrays: numba
takes a bundle apart at every call, which made most of its compilation time.

Symmetric grids put several pairs on one pole: (1, 8, 8) with the quadrant pattern has 64 pairs on 16 poles and 48
zeros off them. Where that may pay, poles at one place become one site with a summed residue, and zeros stand in a
row without gaps. Each lane is packed on its own and padded with sites of no residue and slots of no zero, which add
exact zeros and multiply by exact ones: a point does not notice what its neighbours need.
"""

import numpy as np

from pairsweep.kernels.complex_lanes import load, store
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES

# What all points of a grid share, columns of (N, 13): MeV, MeV^3, p_hat, the two parts of (2E)^2 in MeV^2, and
# xx, yy, zz, xy, xz, yz of q_hat q_hat^T
ENERGY, WEIGHT, P_HAT, SQUARE_HI, SQUARE_LO, OUTER, SHARED_FIELDS = 0, 1, 2, 5, 6, 7, 13

# Fields 0 and 1 of poles, sites, slots and roots alike: a position HI + LO in s = omega^2, MeV^2
HI, LO = 0, 1
# Of a slot, the place of a zero: 2c Omega, MeV^2; 2c, MeV; 1 for a pole that brings a zero of its own, else 0
STRENGTH, TWICE, COUNTED, SLOT_FIELDS = 2, 3, 4, 5
# A pole, one for each pair, begins like a slot: then d and Omega, MeV; the first pole at the same place; the EPN
OFFSET, OMEGA, LEADER, EPN, POLE_FIELDS = 5, 6, 7, 8, 9
# Of a site, a distinct pole: xx, yy, zz, xy, xz, yz of sum 2c Omega q_hat q_hat^T, MeV^2, x, y, z of sum 2c q_hat, MeV
RESIDUE, SITE_FIELDS = 2, 11
# Of a root, HI + LO + i IM: the correction v, scratch, and the radius of the disc, all MeV^2
IM, V_RE, V_IM, NEXT_HI, NEXT_LO, NEXT_IM, RADIUS, ROOT_FIELDS = 2, 3, 4, 5, 6, 7, 8, 9
# once the iteration is over: growth and frequency, MeV
GROWING, TURNING = NEXT_HI, NEXT_LO

PACK_FROM = 9  # pairs; packing works lane by lane and costs more than it saves on smaller grids


@jit()
def lay_out(shared, poles, sites, slots):
    """Fill ``sites`` (N, SITE_FIELDS, 8) and ``slots`` (N, SLOT_FIELDS, 8) from ``poles`` (N, POLE_FIELDS, 8).

    Returns
    -------
    (int, int) : rows of ``sites`` and of ``slots`` in use
    """
    pairs = poles.shape[0]
    for q in range(pairs):
        strength = load(poles, q, STRENGTH)
        twice = load(poles, q, TWICE)
        for i in range(6):
            store(sites, q, RESIDUE + i, strength * shared[q, OUTER + i])
        for i in range(3):
            store(sites, q, RESIDUE + 6 + i, twice * shared[q, P_HAT + i])
        for i in range(2):
            store(sites, q, i, load(poles, q, i))
        for i in range(SLOT_FIELDS):
            store(slots, q, i, load(poles, q, i))
    if pairs < PACK_FROM:
        return pairs, pairs
    return pack(poles, sites, slots)


@jit()
def pack(poles, sites, slots):
    """Merge sites of one place and close the gaps between slots, in every lane."""
    pairs = poles.shape[0]
    site_of = np.empty(pairs, dtype=np.int64)
    most_sites = 0
    most_slots = 0
    for lane in range(LANES):
        used = 0
        taken = 0
        for q in range(pairs):
            site_of[q] = -1
        for q in range(pairs):
            if poles[q, TWICE, lane] != 0.0:
                leader = int(poles[q, LEADER, lane])
                m = site_of[leader]
                if m < 0:
                    site_of[leader] = used
                    # the place and the residue
                    for i in range(SITE_FIELDS):
                        sites[used, i, lane] = sites[q, i, lane]
                    used += 1
                else:
                    for i in range(RESIDUE, SITE_FIELDS):
                        sites[m, i, lane] += sites[q, i, lane]
            if poles[q, COUNTED, lane] > 0.0:
                for i in range(SLOT_FIELDS):
                    slots[taken, i, lane] = poles[q, i, lane]
                taken += 1
        for m in range(used, pairs):
            for i in range(RESIDUE, SITE_FIELDS):
                sites[m, i, lane] = 0.0
        for j in range(taken, pairs):
            slots[j, COUNTED, lane] = 0.0
        most_sites = max(most_sites, used)
        most_slots = max(most_slots, taken)
    return most_sites, most_slots
