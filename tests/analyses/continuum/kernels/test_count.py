"""The number of unstable modes by the argument principle, against plain sampling and cases known in closed form."""

import numpy as np
import pytest

from pairsweep.analyses.continuum.kernels.count import (
    anchor_of,
    cells,
    count_along,
    rectangle,
    segment,
    split,
    walk,
)
from pairsweep.analyses.continuum.kernels.medium import Anchor, determinant, dispersion
from tests.analyses.continuum.kernels.continuum_systems import (
    directions,
    medium_of,
    nine,
    quadrant,
    random_system,
)

ORIGIN = Anchor(1, 0.0, 0.0)
BUDGET = 200_000


def count(medium, floor):
    """Zeros above the floor with Re omega of either sign, and the numbers up to each cell's end."""
    anchors, bounds = cells(medium)
    columns, turns = np.zeros(len(anchors), dtype=np.int64), np.zeros(len(anchors))
    values, work = np.zeros(len(anchors), complex), np.empty((3, 9), complex)
    columns[-1], left = count_along(medium, anchors, bounds, floor, BUDGET, turns, values, work)
    assert left >= 0
    assert split(medium, anchors, bounds, floor, left, turns, values, columns, work) >= 0
    return int(columns[-1]), columns


def sampled_count(solid_angle, direction, edges, n, g, floor):
    """Zeros above the floor by sampling arg f densely: no bounds, other formulas, numpy only."""
    slope = (n[:, :, 1] - n[:, :, 0]) / np.diff(edges)
    at_zero = n[:, :, 0] - slope * edges[:-1]
    low, high = edges[:-1], edges[1:]
    content = (at_zero + 1) @ ((high**3 - low**3) / 3) + slope @ ((high**4 - low**4) / 4)
    shift = g * direction @ ((solid_angle * content) @ direction)
    reach = 2 * edges[-1] + 4 * np.abs(shift).max()
    x = np.linspace(0, reach, 60_001)
    for corner in np.abs(2 * edges[:, None] - 4 * shift).ravel():
        near = floor * np.geomspace(1e-2, 1e4, 400)
        x = np.concatenate([x, corner + near, corner - near])
    x = np.concatenate([np.unique(x[x >= 0]), np.geomspace(1.0001 * reach, 1e7 * reach, 5_000)])
    omega = x + 1j * floor
    D = np.zeros((omega.size, 3, 3), dtype=complex)
    for d, q in enumerate(direction):
        cross = np.array([[0, -q[2], q[1]], [q[2], 0, -q[0]], [-q[1], q[0], 0]])
        for side in (1, -1):
            z = side * omega / 2 + 2 * shift[d]
            K = np.zeros_like(z)
            for k in range(len(edges) - 1):
                here = at_zero[d, k] + slope[d, k] * z
                logarithm = np.log(z - low[k]) - np.log(z - high[k])
                K += here * (z**2 * logarithm - z * (high[k] - low[k]) - (high[k] ** 2 - low[k] ** 2) / 2)
                K -= slope[d, k] * (high[k] ** 3 - low[k] ** 3) / 3
            far = np.abs(z) > 50 * edges[-1]  # the logarithms cancel; the first moment is enough there
            moment = at_zero[d] @ ((high**3 - low**3) / 3) + slope[d] @ ((high**4 - low**4) / 4)
            K[far] = moment / z[far]
            D += g * solid_angle[d] * K[:, None, None] * (np.eye(3) - np.outer(q, q) - side * 1j * cross)
    f = np.linalg.det(np.eye(3) - D)
    turns = np.angle(f[1:] / f[:-1])
    assert np.abs(turns).max() < 0.8, "the samples are too coarse to say anything"
    return round(turns.sum() / np.pi)


@pytest.mark.parametrize("seed", range(8))
def test_equals_dense_sampling(seed):
    random = np.random.default_rng(seed)
    system = random_system(
        seed,
        n_directions=int(random.integers(1, 7)),
        g=10 ** random.uniform(-4.5, -2.5),
        tilted=bool(seed % 2),
    )
    medium = medium_of(*system)
    floor = 1e-3 * medium.coupling
    assert count(medium, floor)[0] == sampled_count(*system, floor)


def test_no_mode_without_occupation_difference_or_coupling():
    solid_angle, direction = directions(1, 4)
    empty = medium_of(solid_angle, direction, np.array([0.0, 20.0]), np.zeros((4, 1, 2)), 1e-3)
    assert empty.coupling == 0.0
    assert empty.ceiling == 0.0


@pytest.mark.parametrize(
    ("shape", "threshold"), [((1, 4), 0.0796), ((8, 8), 0.1184), ((24, 24), 3 / (8 * np.pi))]
)
def test_isotropic_vacuum_turns_static_at_its_threshold(shape, threshold):
    """The largest eigenvalue of D(0) = 4 g E^2/2 sum dOmega (1 - q q^T)/2 passes 1: one static mode or more."""
    for factor, expected in ((0.995, 0), (1.005, 1)):
        g = factor * threshold / 400.0
        vacuum = quadrant(g, *shape, inside=(-1.0,), outside=-1.0)
        zeros, columns = count(vacuum, 1e-6 * vacuum.coupling)
        assert (zeros > 0) == expected
        assert columns[0] == zeros  # all of them around frequency 0


def test_thermal_sign_is_stable_at_small_coupling():
    """All n < 0 is stable while D(0) < 1; all n > 0 is stable as well."""
    for sign in (-1.0, 1.0):
        solid_angle, direction, edges, n, _ = random_system(3, n_directions=6)
        medium = medium_of(solid_angle, direction, edges, sign * np.abs(n), 5e-5)
        assert count(medium, 1e-8 * medium.coupling)[0] == 0


def test_cells_cover_the_axis_once():
    medium = quadrant(1e-3, 2, 8, inside=(-0.8, 0.8, -0.8), edges=(0.0, 8.0, 12.0, 20.0))
    anchors, bounds = cells(medium)
    position = anchors[:, 0] * (2 * anchors[:, 1] - 4 * anchors[:, 2])
    assert np.all(position >= 0)
    np.testing.assert_allclose(position[1:] + bounds[1:, 0], (position + bounds[:, 1])[:-1], atol=1e-12)
    assert np.all(bounds[:, 0] <= 0)
    assert np.all(bounds[:, 1] >= 0)
    assert bounds[0, 0] == 0.0
    poles = np.abs(2 * 20.0 - 4 * medium.shift).max()
    assert position[-1] + bounds[-1, 1] == pytest.approx(poles + 2 * medium.coupling)
    # every step of the occupation has its own cell: two edges of the band in some groups, the cutoff in all
    assert len(anchors) == 1 + sum(
        np.count_nonzero(medium.jumps[h, :, 0] > 1e-9 * medium.jumps[..., 0].max())
        for h in range(medium.shift.size)
    )


def test_zeros_split_over_the_cells_are_those_of_their_rectangles():
    medium = quadrant(1e-2, inside=(-0.8, 0.8, -0.8), edges=(0.0, 8.0, 12.0, 20.0))
    floor = 1e-6 * medium.coupling
    total, columns = count(medium, floor)
    assert total >= 4
    anchors, bounds = cells(medium)
    work = np.empty((3, 9), complex)
    in_cell = np.diff(columns, prepend=0)
    for i, zeros in enumerate(in_cell):
        low = -bounds[0, 1] if i == 0 else bounds[i, 0]
        corner = complex(bounds[i, 1], 2 * medium.coupling)
        inside, left = rectangle(medium, anchor_of(anchors[i]), complex(low, floor), corner, BUDGET, work)
        assert left >= 0
        assert inside * (1 if i == 0 else 2) == zeros


def test_coupling_bounds_the_matrix_far_away():
    medium = medium_of(*random_system(11))
    W, dW = np.empty(9, complex), np.empty(9, complex)
    last = np.abs(2 * medium.edges[-1] - 4 * medium.shift).max()
    for distance in (0.3, 1.0, 10.0):
        dispersion(medium, ORIGIN, complex(last, distance * medium.coupling), W, dW)
        assert np.linalg.norm(nine(W) - np.eye(3), 2) <= 1 / distance


def test_weak_coupling_bounds_the_matrix_everywhere_above_its_growth():
    medium = medium_of(*random_system(12, g=5e-6))
    growth = medium.ceiling
    assert 0 < growth < 1e-1 * medium.coupling
    W, dW = np.empty(9, complex), np.empty(9, complex)
    near_edges = [2 * e - 4 * s for e in medium.edges for s in medium.shift]
    for frequency in (*np.linspace(0, 45, 200), *near_edges):
        dispersion(medium, ORIGIN, complex(frequency, growth), W, dW)
        assert np.linalg.norm(nine(W) - np.eye(3), 2) < 1


def test_accepted_steps_keep_their_promise():
    """Along an accepted segment arg f stays within pi/4 of its midpoint; some segments are refused."""
    medium = quadrant(1e-3, inside=(-0.8, 0.8, -0.8), edges=(0.0, 8.0, 12.0, 20.0))
    random = np.random.default_rng(1)
    work = np.empty((3, 9), complex)
    accepted = 0
    for _ in range(400):
        start = complex(random.uniform(0, 60), 10 ** random.uniform(-4, 1))
        stop = start + 10 ** random.uniform(-4, 1) * (1 if random.random() < 0.5 else 1j)
        f, safe, _ = segment(medium, ORIGIN, start, stop, work)
        if safe:
            accepted += 1
            for share in np.linspace(0, 1, 21):
                here, _, _ = determinant(medium, ORIGIN, start + share * (stop - start), work)
                assert abs(np.angle(here / f)) < np.pi / 4
    assert 50 < accepted < 350


def test_a_path_through_a_zero_is_refused():
    medium = quadrant(0.12 / 400, inside=(-1.0,), outside=-1.0)
    work = np.empty((3, 9), complex)

    def f(growth):
        return determinant(medium, ORIGIN, complex(0.0, growth), work)[0].real

    low, high = 1e-3, 2 * medium.coupling
    assert f(low) * f(high) < 0
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if f(low) * f(middle) <= 0 else (middle, high)
    start = complex(-3.0, low)
    value, _, _ = determinant(medium, ORIGIN, start, work)
    _, _, left = walk(medium, ORIGIN, start, complex(3.1, low), value, BUDGET, work)
    assert left < 0


def test_an_exhausted_budget_is_said():
    medium = quadrant(1e-3)
    anchors, bounds = cells(medium)
    turns, values = np.zeros(len(anchors)), np.zeros(len(anchors), complex)
    _, left = count_along(medium, anchors, bounds, 1e-6, 20, turns, values, np.empty((3, 9), complex))
    assert left < 0
