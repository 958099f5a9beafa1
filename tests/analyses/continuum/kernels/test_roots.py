"""All modes of the continuum, certified: known cases, brute force, exponentially weak roots, honest failures."""

import mpmath
import numpy as np
import pytest

from pairsweep.analyses.continuum.kernels.count import anchor_of
from pairsweep.analyses.continuum.kernels.medium import Anchor, determinant
from pairsweep.analyses.continuum.kernels.roots import (
    ENCLOSURE,
    Status,
    continuum_roots,
    enclosure,
    follow,
    mode_table,
    newton,
)
from tests.analyses.continuum.kernels.continuum_systems import directions, medium_of, quadrant, random_system

ORIGIN = Anchor(1, 0.0, 0.0)
BUDGET = 400_000


class Found:
    """The outputs of ``continuum_roots``, cut to the modes found."""

    def __init__(self, medium, tolerance=1e-9, budget=BUDGET, room=64):
        table = mode_table(room)
        self.status, modes, self.vouched = continuum_roots(medium, tolerance * medium.coupling, budget, table)
        self.rates, self.frequencies, self.multiplicities, self.anchors, self.offsets = (
            column[:modes] for column in table
        )


def residual(medium, anchor, offset):
    """|f| at a point, in units of what it is at a tenth of the growth beside it."""
    work = np.empty((3, 9), complex)
    here, _, _ = determinant(medium, anchor, offset, work)
    beside, _, _ = determinant(medium, anchor, offset + 0.1 * offset.imag, work)
    return abs(here) / abs(beside)


@pytest.mark.parametrize("seed", range(12))
def test_brute_force_finds_no_other_mode(seed):
    random = np.random.default_rng(seed)
    medium = medium_of(
        *random_system(
            seed, int(random.integers(1, 7)), g=10 ** random.uniform(-5, -2.3), tilted=bool(seed % 2)
        )
    )
    found = Found(medium)
    assert found.status == Status.CERTIFIED
    assert np.all(found.rates > found.vouched)
    for anchor, offset in zip(found.anchors, found.offsets, strict=True):
        assert residual(medium, anchor_of(anchor), offset) < 1e-6
    work = np.empty((3, 9), complex)
    none = np.empty(0, complex)
    top = 2 * medium.coupling
    for _ in range(40):
        start = complex(random.uniform(0, 45), top * 10 ** random.uniform(-7, 0))
        root, reached = newton(medium, ORIGIN, start, none, 0, 1e3 * found.vouched, top, work)
        if reached and root.imag > 1e3 * found.vouched:
            distance = np.hypot(found.rates - root.imag, found.frequencies - abs(root.real))
            assert distance.min(initial=np.inf) < 1e-3 * root.imag + 1e-10 * abs(root)


def test_roots_solve_the_equation_with_30_digits():
    """One direction: f = det W is a polynomial of K(z+) and K(z-), evaluated here by quadrature in 30 digits."""
    solid_angle, direction = np.array([4 * np.pi]), np.array([[0.0, 0.0, 1.0]])
    g = 4e-4
    edges = np.array([0.0, 9.0, 12.0, 20.0])
    n = np.array([[[-0.9, -0.6], [0.9, 0.7], [-0.8, -1.0]]])
    medium = medium_of(solid_angle, direction, edges, n, g)
    found = Found(medium)
    assert found.status == Status.CERTIFIED
    assert len(found.rates) >= 1
    with mpmath.workdps(30):
        moments = [
            mpmath.quad(
                lambda E, k=k: E**2 * (1 + _linear(n[0, k], edges[k : k + 2], E)), list(edges[k : k + 2])
            )
            for k in range(3)
        ]
        s = mpmath.mpf(g) * 4 * mpmath.pi * sum(moments)

        def f(omega):
            def integral(z):
                foot = min(max(z.real, mpmath.mpf("0.01")), mpmath.mpf("19.99"))
                nodes = sorted({*map(mpmath.mpf, edges), foot})
                return sum(
                    mpmath.quad(
                        lambda E, k=k: E**2 * _linear(n[0, k], edges[k : k + 2], E) / (z - E),
                        [p for p in nodes if edges[k] <= p <= edges[k + 1]],
                    )
                    for k in range(3)
                )

            plus, minus = integral(omega / 2 + 2 * s), integral(-omega / 2 + 2 * s)
            # 1 - q q^T -+ i [q]x: the two circular polarisations decouple
            return (1 - 8 * mpmath.pi * g * plus) * (1 - 8 * mpmath.pi * g * minus)

        for rate, frequency in zip(found.rates, found.frequencies, strict=True):
            omega = mpmath.mpc(frequency, rate)
            assert abs(f(omega)) < 1e-9 * abs(f(omega + rate / 10))


def _linear(ends, edges, energy):
    share = (energy - mpmath.mpf(edges[0])) / (mpmath.mpf(edges[1]) - mpmath.mpf(edges[0]))
    return mpmath.mpf(ends[0]) * (1 - share) + mpmath.mpf(ends[1]) * share


def test_static_threshold_of_the_isotropic_vacuum():
    """Above g E^2 = 3/(8 pi) (angular limit) the static modes of a cubic grid come three at once."""
    solid_angle, direction = np.full(6, 4 * np.pi / 6), np.vstack([np.eye(3), -np.eye(3)])
    edges, n = np.array([0.0, 20.0]), np.full((6, 1, 2), -1.0)
    threshold = 3 / (8 * np.pi) / 400.0
    below = Found(medium_of(solid_angle, direction, edges, n, 0.999 * threshold))
    assert (below.status, len(below.rates)) == (Status.CERTIFIED, 0)
    above = Found(medium_of(solid_angle, direction, edges, n, 1.01 * threshold))
    assert above.status == Status.CERTIFIED
    assert above.multiplicities.tolist() == [3]
    assert above.frequencies.tolist() == [0.0]
    # 1 = (8 pi g/3) int 2 E^3 dE/(E^2 + growth^2/4): the isotropic static mode in closed form
    growth = above.rates[0]
    closed = 400.0 - growth**2 / 4 * np.log1p(4 * 400.0 / growth**2)
    assert 8 * np.pi / 3 * 1.01 * threshold * closed == pytest.approx(1.0, rel=1e-6)


def test_exponentially_weak_roots_near_a_step():
    """ln(growth) of the mode at a band's edge is linear in 1/g, down to far below rounding of its frequency."""
    couplings = np.array([1.0e-4, 0.8e-4, 0.65e-4])
    logs = []
    for g in couplings:
        found = Found(_band(g), tolerance=1e-12)
        assert found.status == Status.CERTIFIED
        assert len(found.rates) == 1
        logs.append(np.log(found.rates[0]))
    slopes = np.diff(logs) / np.diff(1 / couplings)
    assert slopes[0] < 0
    assert slopes[1] == pytest.approx(slopes[0], rel=0.1)
    assert np.exp(logs[-1]) < 1e-3 * np.exp(logs[0])


def _band(g):
    return quadrant(g, 8, 8, inside=(-0.8, 0.8, -0.8), edges=(0.0, 8.0, 12.0, 20.0))


def test_what_is_vouched_for_reaches_below_the_floor_at_weak_coupling():
    found = Found(quadrant(1e-6))
    assert (found.status, len(found.rates)) == (Status.CERTIFIED, 0)
    assert found.vouched < 1e-20


def test_mirrored_directions_have_the_same_modes():
    solid_angle, direction, edges, n, g = random_system(21, n_directions=4, g=8e-4)
    here = Found(medium_of(solid_angle, direction, edges, n, g))
    there = Found(medium_of(solid_angle, -direction, edges, n, g))
    assert here.status == there.status == Status.CERTIFIED
    assert len(here.rates) > 0
    np.testing.assert_allclose(np.sort(here.rates), np.sort(there.rates), rtol=1e-9)


def test_enclosures_hold_their_mode_and_nothing_else():
    medium = quadrant(1e-3)
    found = Found(medium)
    work = np.empty((3, 9), complex)
    for anchor, offset, multiplicity in zip(found.anchors, found.offsets, found.multiplicities, strict=True):
        assert enclosure(medium, anchor_of(anchor), offset, BUDGET, work)[0] == multiplicity
        aside = offset + 3 * ENCLOSURE * offset.imag
        assert enclosure(medium, anchor_of(anchor), aside, BUDGET, work)[0] == 0


def test_follow_tracks_a_mode_and_says_when_it_is_gone():
    found = Found(quadrant(1e-3))
    anchor, offset = anchor_of(found.anchors[0]), found.offsets[0]
    work = np.empty((3, 9), complex)
    moved, reached = follow(quadrant(1.01e-3), anchor, offset, found.vouched, work)
    assert reached
    assert 0 < abs(moved - offset) < 0.1 * offset.imag
    _, reached = follow(quadrant(1e-6), anchor, offset, found.vouched, work)
    assert not reached


def test_an_exhausted_budget_vouches_for_nothing():
    found = Found(quadrant(1e-3), budget=50)
    assert found.status == Status.UNDECIDED
    assert found.vouched == np.inf


def test_no_difference_of_occupation_no_mode():
    solid_angle, direction = directions(1, 4)
    found = Found(medium_of(solid_angle, direction, np.array([0.0, 20.0]), np.zeros((4, 1, 2)), 1e-3))
    assert (found.status, len(found.rates), found.vouched) == (Status.CERTIFIED, 0, 0.0)
