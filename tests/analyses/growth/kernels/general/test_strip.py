"""A strip against the plain dispersion function and eigenvalues of M: what it sums, how far its zeros may be."""

import numpy as np
import pytest

from pairsweep.analyses.growth.kernels.dispersion import (
    BOUND,
    LOCATION,
    RANK,
    RESIDUE,
    SUMS,
)
from pairsweep.analyses.growth.kernels.general.strip import evaluate, make_strip, nearest_pole
from tests.analyses.growth.kernels.general.mode_systems import (
    clusters_of,
    dense,
    make_system,
    one_energy,
    several_energies,
    strip_of,
)
from tests.analyses.growth.kernels.whole_sum import dispersion_function


@pytest.mark.parametrize("strength", [1e-4, 1e-2, 0.3])
def test_every_strip_evaluates_the_dispersion_function(strength):
    rng = np.random.default_rng(3)
    grid, n, g = several_energies(rng, 80, strength)
    clusters = clusters_of(grid, n, g)
    assert clusters.count > 1
    for k in range(clusters.count):
        strip = strip_of(clusters, k)
        z = strip.centre + strip.radius * rng.uniform(0.1, 1, 10) * np.exp(1j * rng.uniform(0, np.pi, 10))
        work, sums = np.empty((4, strip.count + strip.order)), np.empty(SUMS)
        f, df = np.empty(10, complex), np.empty(10, complex)
        dispersion_function(
            grid.energy, grid.weight, grid.p_hat, n, g, -1j * (clusters.reference[k] + z), f, df
        )
        for point, value, slope in zip(z, f, df, strict=True):
            nearest = nearest_pole(strip, point.real, np.int64(0))
            here, there = evaluate(strip, point.real, point.imag, nearest, work, sums)
            # the plain function loses the digits of 2E + offset beside the distance from the pole
            lost = 1e-13 * 30 / abs(point - strip.poles[LOCATION, nearest])
            assert here == pytest.approx(value, rel=1e-11 + lost)
            assert there == pytest.approx(-1j * slope, rel=1e-10 + 10 * lost)


@pytest.mark.parametrize("kind", ["one energy", "few energies", "grid", "large g", "axes"])
def test_zeros_lie_within_the_bounds_of_their_strip(kind):
    seen = 0
    for seed in range(20):
        grid, n, g = make_system(kind, np.random.default_rng(seed))
        clusters = clusters_of(grid, n, g)
        omega = 1j * dense(grid, n, g)
        for k in range(clusters.count):
            strip = strip_of(clusters, k)
            z = omega - clusters.reference[k]
            noise = 1e-7 * clusters.total.sum() + 1e-13 * np.abs(omega).max()
            inside = z[np.abs(z.real - strip.centre) < strip.cut]
            own = strip.poles[LOCATION, : strip.own]
            away = np.abs(inside[:, None] - own).min(axis=1)
            # the bound by which unstable_modes leaves weak strips out
            assert (away <= 2 * clusters.total[k] + noise).all()
            assert (np.abs(inside - strip.centre) <= strip.radius + noise).all()
            assert strip.zeros == strip.poles[RANK, : strip.own].sum()
            seen += np.sum(away > 1e-3 * clusters.total[k])
    assert seen > 20


def test_nothing_far_comes_closer_than_the_cut():
    clusters = clusters_of(*several_energies(np.random.default_rng(5), 120, 1e-2))
    for k in range(clusters.count):
        strip = strip_of(clusters, k)
        others = np.delete(
            np.arange(clusters.location.size), np.s_[clusters.first[k] : clusters.first[k + 1]]
        )
        of = np.searchsorted(clusters.first, others, side="right") - 1
        absolute = clusters.reference[of] + clusters.location[others]
        absolute = np.concatenate(
            [
                absolute,
                -clusters.reference[k] - clusters.location[clusters.first[k] :][: strip.own],
                -absolute,
            ]
        )
        bound = np.concatenate(
            [clusters.bound[others], strip.poles[BOUND, : strip.own], clusters.bound[others]]
        )
        away = np.abs(absolute - clusters.reference[k] - strip.centre)
        assert away.min() >= strip.cut
        # the far sum at the worst points of the disc
        for side in (-1, 1):
            x = clusters.reference[k] + strip.centre + side * strip.radius
            assert np.sum(bound / np.abs(x - absolute)) <= strip.far_size


def test_poles_are_those_of_the_cluster(both):
    clusters = clusters_of(*several_energies(np.random.default_rng(6), 40, 1e-2))
    order = np.int64(32)
    moment = np.zeros((clusters.count, 32, RESIDUE))
    strip = make_strip(clusters, 2, moment, np.ones((order, order)))
    own = slice(clusters.first[2], clusters.first[3])
    np.testing.assert_array_equal(strip.poles[:RESIDUE, : strip.own], clusters.residue[:, own])
    np.testing.assert_array_equal(strip.poles[LOCATION, : strip.own], clusters.location[own])
    # without moments there is no far field
    np.testing.assert_array_equal(strip.poles[:RESIDUE, strip.count :], 0.0)


def test_nearest_pole_from_any_guess(both):
    strip = strip_of(clusters_of(*one_energy(np.random.default_rng(7), 30, 0.1)))
    location = strip.poles[LOCATION, : strip.own]
    for x in np.random.default_rng(8).uniform(location[0] - 1, location[-1] + 1, 50):
        for guess in (0, 11, strip.own - 1):
            assert nearest_pole(strip, x, np.int64(guess)) == np.abs(location - x).argmin()
