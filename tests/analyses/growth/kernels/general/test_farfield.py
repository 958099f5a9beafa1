"""Expansions of distant poles against plain sums over them."""

import math

import numpy as np
import pytest

from pairsweep.analyses.growth.kernels.dispersion import BOUND, LOCATION, RESIDUE, ROWS
from pairsweep.analyses.growth.kernels.general.farfield import (
    MAX_ORDER,
    NEAR,
    binomials,
    expansion_order,
    far_field,
    is_source,
    moments,
    near_count,
    near_poles,
    reach,
    separation,
    terms_needed,
    translate,
)
from tests.analyses.growth.kernels.general.mode_systems import clusters_of, several_energies


def polynomial(local, s):
    """Nine numbers at each distance ``s`` (L,) from the centre, (L, 9)."""
    return np.power.outer(s, np.arange(len(local))) @ local


def plain_field(clusters, target, source, mirrored, s):
    """Sum of R_j/(omega - P_j) over a cluster, nine numbers at each distance ``s`` from the target's centre, (L, 9)."""
    own = slice(clusters.first[source], clusters.first[source + 1])
    sign = -1.0 if mirrored else 1.0
    here = clusters.reference[target] + clusters.centre[target]
    away = (here - sign * clusters.reference[source] + s)[:, None] - sign * clusters.location[own]
    residue = clusters.residue[:, own].copy()
    residue[:6] *= sign
    return (1 / away) @ residue.T, np.abs(1 / away) @ clusters.bound[own]


def inside(clusters, target, rng, count=20):
    """Points within reach of a cluster, from its centre."""
    return reach(clusters, target) * rng.uniform(0, 1, count) * np.exp(1j * rng.uniform(0, 2 * np.pi, count))


@pytest.fixture(scope="module")
def clusters():
    found = clusters_of(*several_energies(np.random.default_rng(0), 120, 1e-2))
    assert found.count == 4
    return found


def test_binomials():
    table = binomials(np.int64(12))
    assert all(table[a, b] == math.comb(a + b, a) for a in range(12) for b in range(12))


def test_terms_leave_less_than_a_rounding(both):
    for q in (1e-9, 0.01, 0.1, 0.25):
        order = terms_needed(q)
        assert q**order <= 1e-17 * (1 + 1e-9)
        assert order == 1 or q ** (order - 1) > 1e-17
    assert terms_needed(0.0) == 1
    assert terms_needed(NEAR) <= MAX_ORDER
    assert np.finfo(float).eps > NEAR**MAX_ORDER


def test_moments_are_powers_about_the_centre(clusters, both):
    found = moments(clusters, np.int64(4))
    for k in range(clusters.count):
        own = slice(clusters.first[k], clusters.first[k + 1])
        powers = (clusters.location[own] - clusters.centre[k]) ** np.arange(4)[:, None]
        scale = np.abs(powers) @ np.abs(clusters.residue[:, own]).T
        assert (np.abs(found[k] - powers @ clusters.residue[:, own].T) <= 1e-14 * scale).all()


@pytest.mark.parametrize("mirrored", [False, True])
def test_translation_of_one_source(clusters, both, mirrored):
    moment = moments(clusters, np.int64(MAX_ORDER))
    s = inside(clusters, 1, np.random.default_rng(1))
    local = np.zeros((MAX_ORDER, RESIDUE))
    distance = separation(clusters, 1, 3, mirrored)
    translate(
        moment[3],
        distance,
        MAX_ORDER,
        mirrored,
        binomials(np.int64(MAX_ORDER)),
        np.empty(MAX_ORDER + 1),
        local,
    )
    expected, size = plain_field(clusters, 1, 3, mirrored, s)
    assert (np.abs(polynomial(local, s) - expected) <= 1e-13 * size[:, None]).all()
    # it is added, and the next one would be as well
    translate(
        moment[3],
        distance,
        MAX_ORDER,
        mirrored,
        binomials(np.int64(MAX_ORDER)),
        np.empty(MAX_ORDER + 1),
        local,
    )
    assert (np.abs(polynomial(local, s) - 2 * expected) <= 2e-13 * size[:, None]).all()


@pytest.mark.parametrize("target", range(4))
def test_far_field_is_the_sum_over_all_other_clusters(clusters, both, target):
    radius = reach(clusters, target)
    order = expansion_order(clusters, target, radius)
    local = np.empty((order, RESIDUE))
    bound = far_field(
        clusters, target, radius, order, moments(clusters, order), binomials(np.int64(MAX_ORDER)), local
    )
    s = inside(clusters, target, np.random.default_rng(target))
    total, size = np.zeros((s.size, RESIDUE), complex), np.zeros(s.size)
    for source in range(clusters.count):
        for mirrored in (False, True):
            assert is_source(clusters, target, source, mirrored) == (mirrored or source != target)
            if is_source(clusters, target, source, mirrored):
                field, part = plain_field(clusters, target, source, mirrored, s)
                total += field
                size += part
    assert near_count(clusters, target, radius) == 0
    assert (np.abs(polynomial(local, s) - total) <= 1e-13 * size[:, None]).all()
    # the bound holds, and is no fantasy
    assert (size <= bound).all()
    assert bound < 1.5 * size.max()


def test_clusters_too_close_to_expand_are_handed_over_pole_by_pole(clusters, both):
    # a circle that reaches most of the way to the neighbour leaves nothing to expand there
    radius = 0.8 * abs(separation(clusters, 1, 0, False))
    number = near_count(clusters, 1, radius)
    poles = np.empty((ROWS, 3 + number))
    assert near_poles(clusters, 1, radius, np.int64(3), poles) == 3 + number
    close = [
        (source, mirrored)
        for source in range(clusters.count)
        for mirrored in (False, True)
        if is_source(clusters, 1, source, mirrored)
        and radius + clusters.half[source] > NEAR * abs(separation(clusters, 1, source, mirrored))
    ]
    assert (0, False) in close
    assert (0, True) in close
    assert (3, True) not in close
    s = inside(clusters, 1, np.random.default_rng(2))
    expected = sum(plain_field(clusters, 1, *which, s)[0] for which in close)
    away = (s + clusters.centre[1])[:, None] - poles[LOCATION, 3:]
    np.testing.assert_allclose((1 / away) @ poles[:RESIDUE, 3:].T, expected, rtol=1e-11, atol=1e-18)
    assert poles[BOUND, 3:].sum() == pytest.approx(
        sum(clusters.bound[clusters.first[k] : clusters.first[k + 1]].sum() for k, _ in close)
    )
