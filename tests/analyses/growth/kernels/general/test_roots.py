"""Estimates of all zeros of a strip against the eigenvalues of M."""

import numpy as np
import pytest

from pairsweep.analyses.growth.kernels.dispersion import LOCATION, RANK, SEED
from pairsweep.analyses.growth.kernels.general.farfield import MAX_ORDER, binomials
from pairsweep.analyses.growth.kernels.general.roots import LOOSE, TIGHT, WINDOW, _pull, iterate, start
from pairsweep.analyses.growth.kernels.general.window import make_windows
from pairsweep.physics.grid import beams
from tests.analyses.growth.kernels.general.mode_systems import (
    clusters_of,
    dense,
    one_energy,
    several_energies,
    strip_of,
)


def started(strip, turn=0.6):
    zero_x, zero_y, host = np.empty(strip.zeros), np.empty(strip.zeros), np.empty(strip.zeros, np.int64)
    start(strip, turn, zero_x, zero_y, host)
    return zero_x, zero_y, host


def windows_of(strip):
    return make_windows(strip, binomials(np.int64(MAX_ORDER)))


def zeros_of(strip, window, steady, turn=0.6):
    """Zeros found, from the reference of the strip, in ascending order of their real parts."""
    zero_x, zero_y, host = started(strip, turn)
    left = iterate(strip, windows_of(strip), window, steady, zero_x, zero_y, host)
    assert left == 0
    return np.sort_complex(zero_x + 1j * zero_y)


def one_to_one(found, expected, tolerance):
    """Whether each expected number has a found one of its own within the tolerance."""
    rest = list(found)
    for value in expected:
        near = int(np.argmin(np.abs(np.array(rest) - value)))
        if abs(rest.pop(near) - value) > tolerance:
            return False
    return not rest


@pytest.mark.parametrize(("pairs", "strength"), [(1, 0.1), (2, 0.5), (7, 0.3), (20, 1e-2)])
def test_finds_every_eigenvalue_of_the_matrix(pairs, strength, both):
    grid, n, g = one_energy(np.random.default_rng(pairs), pairs, strength)
    clusters = clusters_of(grid, n, g)
    assert clusters.count == 1
    assert not clusters.central
    strip = strip_of(clusters)
    omega = 1j * dense(grid, n, g)
    expected = omega[omega.real > 0] - clusters.reference[0]
    found = zeros_of(strip, strip.zeros, TIGHT)
    assert one_to_one(found, expected, 1e-11 * strength + 1e-12)


@pytest.mark.parametrize("turn", [0.6, 1.3])
def test_near_neighbours_are_enough_to_tell_zeros_apart(turn):
    grid, n, g = several_energies(np.random.default_rng(3), 400, 0.2)
    clusters = clusters_of(grid, n, g)
    for k in range(clusters.count):
        strip = strip_of(clusters, k)
        assert strip.zeros > 2 * WINDOW
        found = zeros_of(strip, WINDOW, LOOSE, turn)
        expected = zeros_of(strip, strip.zeros, TIGHT)
        gap = np.abs(expected[:, None] - expected)
        np.fill_diagonal(gap, np.inf)
        assert one_to_one(found, expected, 0.1 * gap.min())


def test_starts_at_the_eigenvalues_of_a_weak_residue(both):
    grid, n, g = several_energies(np.random.default_rng(4), 24, 1e-9)
    strip = strip_of(clusters_of(grid, n, g))
    zero_x, zero_y, host = started(strip, 0.6)
    location = strip.poles[LOCATION]
    away = np.hypot(zero_x - location[host], zero_y)
    np.testing.assert_array_equal(np.bincount(host), strip.poles[RANK, : strip.own])
    gap = np.diff(location[: strip.own]).min()
    assert (away > 0).all()
    assert (away <= np.abs(strip.poles[SEED, host]) * (1 + 1e-6)).all()
    assert (zero_y != 0).all()
    assert gap > 0


def test_starts_of_a_multiple_pole_are_distinct():
    # a ring occupied alike: J0 = 0, and three directions or more at one place make rank 3
    grid = beams(np.full(12, 5.0), np.ones(12), np.full(12, np.pi / 2), np.arange(12) * np.pi / 6)
    strip = strip_of(clusters_of(grid, np.full(12, -0.5), 1e-3))
    assert strip.own == 1
    zero_x, zero_y, host = started(strip)
    assert host.tolist() == [0, 0, 0]
    assert np.unique(zero_x + 1j * zero_y).size == 3


def test_pull_is_the_difference_of_two_poles(both):
    rng = np.random.default_rng(6)
    for x, y, p, u, v in rng.normal(size=(50, 5)):
        z, zero = complex(x, y), complex(u, v)
        assert complex(*_pull(x, y, p, u, v)) == pytest.approx(1 / (z - p) - 1 / (z - zero), rel=1e-12)
    # a dipole keeps its digits
    re, im = _pull(1.0, 0.5, 0.0, 1e-14, 0.0)
    assert complex(re, im) == pytest.approx(-1e-14 / (1 + 0.5j) ** 2, rel=1e-12)
    assert _pull(1.0, 0.5, 1.0, 1.0, 0.5) == (0.0, 0.0)
