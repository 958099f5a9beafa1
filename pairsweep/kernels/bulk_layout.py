"""The places of the poles and the slots of the zeros, eight points at a time, with nothing in them twice.

Symmetric grids put several pairs on one pole: (1, 8, 8) with the quadrant pattern has 64 pairs on 16 poles and 48
zeros off them. Where that may pay, poles at one place become one site with a summed residue, and zeros stand in a
row without gaps. Each lane is packed on its own and padded with sites of no residue and slots of no zero, which add
exact zeros and multiply by exact ones: a point does not notice what its neighbours need.
"""

from collections import namedtuple

import numpy as np

from pairsweep.kernels.bulk_lanes import LANES, load, store
from pairsweep.kernels.jit import jit

PACK_FROM = 9  # pairs; packing works lane by lane and costs more than it saves on smaller grids

Sites = namedtuple("Sites", "size hi lo residue")
Sites.__doc__ = """Distinct poles: ``size`` (1,) their number, ``hi`` + ``lo`` (N, 8) = Omega^2, MeV^2.

``residue`` (9 N, 8), nine rows of each site: xx, yy, zz, xy, xz, yz of sum 2c Omega q_hat q_hat^T, MeV^2, and x, y, z
of sum 2c q_hat, MeV.
"""

Slots = namedtuple("Slots", "size hi lo strength twice counted")
Slots.__doc__ = (
    """Places of the zeros. ``size`` (1,) their number; the others (N, 8) as those of ``Poles``."""
)


@jit()
def empty_sites(pairs):
    """Room for the sites of eight points."""
    size = np.zeros(1, dtype=np.int64)
    return Sites(size, np.empty((pairs, LANES)), np.empty((pairs, LANES)), np.empty((9 * pairs, LANES)))


@jit()
def empty_slots(pairs):
    """Room for the slots of eight points."""
    return Slots(
        np.zeros(1, dtype=np.int64),
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
    )


@jit()
def lay_out(shared, poles, sites, slots):
    """Fill ``sites`` and ``slots`` from ``poles``."""
    pairs = poles.hi.shape[0]
    for q in range(pairs):
        strength = load(poles.strength, q)
        twice = load(poles.twice, q)
        for i in range(6):
            store(sites.residue, 9 * q + i, strength * shared.outer[q, i])
        for i in range(3):
            store(sites.residue, 9 * q + 6 + i, twice * shared.p_hat[q, i])
        store(sites.hi, q, load(poles.hi, q))
        store(sites.lo, q, load(poles.lo, q))
        store(slots.hi, q, load(poles.hi, q))
        store(slots.lo, q, load(poles.lo, q))
        store(slots.strength, q, strength)
        store(slots.twice, q, twice)
        store(slots.counted, q, load(poles.counted, q))
    sites.size[0] = pairs
    slots.size[0] = pairs
    if pairs >= PACK_FROM:
        pack(poles, sites, slots)
    return 0


@jit()
def pack(poles, sites, slots):
    """Merge sites of one place and close the gaps between slots, in every lane."""
    pairs = poles.hi.shape[0]
    site_of = np.empty(pairs, dtype=np.int64)
    most_sites = 0
    most_slots = 0
    for lane in range(LANES):
        used = 0
        taken = 0
        site_of[:] = -1
        for q in range(pairs):
            if poles.twice[q, lane] != 0.0:
                leader = int(poles.leader[q, lane])
                m = site_of[leader]
                if m < 0:
                    m = used
                    site_of[leader] = m
                    sites.hi[m, lane] = poles.hi[q, lane]
                    sites.lo[m, lane] = poles.lo[q, lane]
                    for i in range(9):
                        sites.residue[9 * m + i, lane] = sites.residue[9 * q + i, lane]
                    used += 1
                else:
                    for i in range(9):
                        sites.residue[9 * m + i, lane] += sites.residue[9 * q + i, lane]
            if poles.counted[q, lane] > 0.0:
                slots.hi[taken, lane] = poles.hi[q, lane]
                slots.lo[taken, lane] = poles.lo[q, lane]
                slots.strength[taken, lane] = poles.strength[q, lane]
                slots.twice[taken, lane] = poles.twice[q, lane]
                slots.counted[taken, lane] = 1.0
                taken += 1
        sites.residue[9 * used :, lane] = 0.0
        slots.counted[taken:, lane] = 0.0
        most_sites = max(most_sites, used)
        most_slots = max(most_slots, taken)
    sites.size[0] = most_sites
    slots.size[0] = most_slots
    return 0
