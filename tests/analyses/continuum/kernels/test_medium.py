"""The dispersion function of the continuum in energy against quadrature, fine bins, and its own structure."""

import mpmath
import numpy as np
import pytest

from pairsweep.analyses.continuum.kernels.medium import (
    Anchor,
    adjugate,
    curvature_bound,
    determinant,
    direction_shifts,
    dispersion,
    piece_integrals,
    piece_moment,
    prepare,
)
from tests.analyses.continuum.kernels.continuum_systems import discrete_dispersion, quadrant, random_system

ORIGIN = Anchor(1, 0.0, 0.0)


def matrix_at(medium, omega, anchor=ORIGIN):
    """W and dW/domega, (3, 3)."""
    W, dW = np.empty((3, 3), complex), np.empty((3, 3), complex)
    dispersion(medium, anchor, omega, W, dW)
    return W, dW


def position(anchor):
    """The frequency of an anchor."""
    return anchor.sign * (2 * anchor.energy - 4 * anchor.shift)


@pytest.mark.parametrize(
    ("low", "high", "z"),
    [
        (3.0, 7.0, 5.1 + 0.3j),
        (3.0, 7.0, 5.1 - 0.3j),
        (3.0, 7.0, 7.0 + 1e-12j),
        (3.0, 7.0, 3.0 - 1e-9 - 1e-13j),
        (0.0, 20.0, 200.0 + 3.0j),
        (11.0, 11.001, 11.02 + 0.001j),
        (11.0, 11.001, 2.0 + 1e-9j),
        (0.0, 20.0, -50.0 - 4.0j),
    ],
)
def test_integrals_are_those_of_40_digit_quadrature(low, high, z):
    centre, half = 0.5 * (low + high), 0.5 * (high - low)
    i0, i1, d0, d1, _ = piece_integrals(z - low, z - high, centre, half)
    with mpmath.workdps(40):
        exact_z = mpmath.mpc(z)
        middle = (mpmath.mpf(low) + mpmath.mpf(high)) / 2
        foot = min(max(z.real, low), high)
        near = [foot + side * abs(z.imag) * 10**k for k in range(0, 13, 2) for side in (-1, 1)]
        nodes = sorted({mpmath.mpf(low), mpmath.mpf(high), *(mpmath.mpf(p) for p in near if low < p < high)})
        expected = [
            complex(
                mpmath.quad(
                    lambda E, k=k, m=m: E**2 * (E - middle) ** k * (-1) ** (m + 1) / (exact_z - E) ** m, nodes
                )
            )
            for k in (0, 1)
            for m in (1, 2)
        ]
    # the scale of the integrand, so that a component that cancels is not asked for more digits than it has
    size = high**2 * (abs(np.log((z - low) / (z - high))) + 1e-3 * half)
    assert abs(i0 - expected[0]) < 1e-13 * size
    assert abs(i1 - expected[2]) < 1e-13 * size * max(half, abs(z - centre))
    if abs(z.imag) > 1e-10:
        slope = size / min(abs(z - low), abs(z - high))
        assert abs(d0 - expected[1]) < 1e-12 * slope
        assert abs(d1 - expected[3]) < 1e-12 * slope * max(half, abs(z - centre))


def test_moment_of_a_piece():
    with mpmath.workdps(30):
        expected = mpmath.quad(lambda E: E**2 * (0.3 + (E - 2) * (-0.9 - 0.3) / 5), [2, 7])
    assert piece_moment(2.0, 7.0, 0.3, -0.9) == pytest.approx(float(expected), rel=1e-14)


def test_shifts_follow_from_the_net_flow():
    solid_angle, direction, edges, n, g = random_system(2)
    shift = np.empty(len(solid_angle))
    direction_shifts(solid_angle, direction, edges, n, g, shift)
    energy = np.linspace(0, edges[-1], 400_001)
    middle = 0.5 * (energy[1:] + energy[:-1])
    piece = np.searchsorted(edges, middle) - 1
    share = (middle - edges[piece]) / np.diff(edges)[piece]
    content = ((n[:, piece, 0] * (1 - share) + n[:, piece, 1] * share + 1) * middle**2).sum(axis=1) * energy[
        1
    ]
    J0 = (solid_angle * content) @ direction
    np.testing.assert_allclose(shift, g * direction @ J0, rtol=1e-4)


@pytest.mark.parametrize("tilted", [False, True])
@pytest.mark.parametrize("omega", [13.2 + 2.0j, 0.4j, 55.0 + 3.0j, 7.0 + 100.0j])
def test_equals_20000_fine_bins_away_from_the_axis(omega, tilted):
    system = random_system(7, tilted=tilted)
    W, _ = matrix_at(prepare(*system), omega)
    fine = discrete_dispersion(*system, omega, 20_000)
    assert np.abs(W - fine).max() < 1e-6 * np.abs(fine - np.eye(3)).max()
    assert abs(np.linalg.det(W) - np.linalg.det(fine)) < 1e-6 * abs(np.linalg.det(fine))


def test_the_fine_bins_do_tell_wrong_occupations_apart():
    solid_angle, direction, edges, n, g = random_system(7)
    W, _ = matrix_at(prepare(solid_angle, direction, edges, n, g), 13.2 + 2.0j)
    n = n.copy()
    n[0, 1] += 1e-3
    wrong = discrete_dispersion(solid_angle, direction, edges, n, g, 13.2 + 2.0j, 20_000)
    assert np.abs(W - wrong).max() > 1e-6 * np.abs(wrong - np.eye(3)).max()


def test_continuous_across_every_edge_on_the_upper_side():
    medium = prepare(*random_system(3))
    for growth in (1e-3, 1e-9):
        for energy in medium.edges:
            for shift in medium.shift:
                anchor = Anchor(1, energy, shift)
                offsets = growth * (1j + np.linspace(-1, 1, 41))
                values = np.array([matrix_at(medium, offset, anchor)[0] for offset in offsets])
                steps = np.abs(np.diff(values, axis=0)).max(axis=(1, 2))
                # ln changes by at most 0.1 between neighbours here, a wrong branch by 2 pi
                assert steps.max() < 0.2 * np.abs(values - np.eye(3)).max()


def test_upper_side_is_the_limit_of_retarded_integrals():
    """Just above the axis the anti-Hermitian part is -pi times the density there: Plemelj's formula."""
    solid_angle, direction, edges, n, g = random_system(4, n_directions=1, n_pieces=1)
    medium = prepare(solid_angle, direction, edges, n, g)
    energy = 11.0
    omega = 2 * energy - 4 * medium.shift[0]
    W, _ = matrix_at(medium, omega + 1e-9j)
    q = direction[0]
    here = n[0, 0, 0] + (n[0, 0, 1] - n[0, 0, 0]) * energy / edges[-1]
    cross = np.array([[0, -q[2], q[1]], [q[2], 0, -q[0]], [-q[1], q[0], 0]])
    resonant = (
        g * solid_angle[0] * (np.eye(3) - np.outer(q, q) - 1j * cross) * (-1j * np.pi * energy**2 * here)
    )
    # D = resonant part + Hermitian part
    np.testing.assert_allclose(
        ((np.eye(3) - W) - (np.eye(3) - W).conj().T) / 2, resonant, atol=1e-7 * abs(resonant).max()
    )


@pytest.mark.parametrize("seed", range(4))
def test_symmetric_under_reflection_and_tends_to_one(seed):
    medium = prepare(*random_system(seed))
    work = np.empty((3, 3, 3), complex)
    omega = 9.0 + 0.37j
    f, slope, _ = determinant(medium, ORIGIN, omega, work)
    mirrored, mirrored_slope, _ = determinant(medium, ORIGIN, -omega.conjugate(), work)
    assert mirrored == pytest.approx(f.conjugate(), rel=1e-13)
    assert mirrored_slope == pytest.approx(-slope.conjugate(), rel=1e-12)
    assert determinant(medium, ORIGIN, 1e9j, work)[0] == pytest.approx(1.0, abs=1e-7)
    assert determinant(medium, ORIGIN, 3j, work)[0].imag == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize("seed", range(4))
def test_derivative(seed):
    medium = prepare(*random_system(seed))
    work = np.empty((3, 3, 3), complex)
    for omega in (13.2 + 0.7j, 38.0 + 0.2j, 120.0 + 5j):
        _, slope, _ = determinant(medium, ORIGIN, omega, work)
        h = 1e-3
        ahead, behind = (
            8 * determinant(medium, ORIGIN, omega + side * h, work)[0]
            - determinant(medium, ORIGIN, omega + side * 2 * h, work)[0]
            for side in (1, -1)
        )
        assert slope == pytest.approx((ahead - behind) / (12 * h), rel=1e-7)


@pytest.mark.parametrize("sign", [1, -1])
def test_anchors_only_move_the_origin(sign):
    medium = prepare(*random_system(5))
    work = np.empty((3, 3, 3), complex)
    omega = 9.0 + 0.5j
    expected, _, _ = determinant(medium, ORIGIN, omega, work)
    for energy in medium.edges:
        for shift in medium.shift:
            anchor = Anchor(sign, energy, shift)
            assert determinant(medium, anchor, omega - position(anchor), work)[0] == pytest.approx(
                expected, rel=1e-12
            )


def test_offsets_far_below_rounding_of_the_frequency_still_count():
    """At distance d of an edge W changes by a logarithm of d, down to d = 1e-100 MeV."""
    medium = quadrant(1e-4, inside=(-0.8, 0.8, -0.8), edges=(0.0, 8.0, 12.0, 20.0))
    anchor = Anchor(1, 12.0, medium.shift[-1])
    values = [matrix_at(medium, distance * 1j, anchor)[0] for distance in (1e-20, 1e-60, 1e-100)]
    first, second = values[1] - values[0], values[2] - values[1]
    np.testing.assert_allclose(first, second, rtol=1e-12, atol=1e-16)
    assert np.abs(first).max() > 0.1


def test_directions_with_one_shift_share_their_logarithms():
    assert quadrant(1e-4, 8, 8).shift.size == 16  # 4 polar and 4 azimuthal distances from J0
    assert quadrant(1e-4, 8, 8, inside=(-0.8,)).shift.size == 1  # isotropic: J0 is rounding only
    solid_angle, direction, edges, n, g = random_system(6, n_directions=4)
    twice = prepare(
        *(np.concatenate([a, a]) for a in (solid_angle / 2, direction)), edges, np.concatenate([n, n]), g
    )
    once = prepare(solid_angle, direction, edges, n, g)
    assert twice.shift.size == once.shift.size == 4
    np.testing.assert_allclose(
        matrix_at(twice, 3 + 1j)[0], matrix_at(once, 3 + 1j)[0], rtol=1e-13, atol=1e-15
    )


def test_cutting_a_piece_in_two_changes_nothing():
    solid_angle, direction, edges, n, g = random_system(8, n_pieces=1)
    cut = 7.7
    middle = n[:, :, 0] + (n[:, :, 1] - n[:, :, 0]) * cut / edges[-1]
    n_cut = np.stack(
        [np.concatenate([n[:, :, 0], middle], 1), np.concatenate([middle, n[:, :, 1]], 1)], axis=2
    )
    whole = prepare(solid_angle, direction, edges, n, g)
    parts = prepare(solid_angle, direction, np.array([0.0, cut, edges[-1]]), n_cut, g)
    for omega in (15.0 + 1e-6j, 15.0 + 2j, 300.0 + 1j):
        np.testing.assert_allclose(
            matrix_at(whole, omega)[0], matrix_at(parts, omega)[0], rtol=1e-12, atol=1e-13
        )


@pytest.mark.parametrize("tilted", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_curvature_bound_holds_everywhere_in_reach(seed, tilted):
    """A bound that is too small would let the count of zeros step over one."""
    random = np.random.default_rng(seed)
    medium = prepare(*random_system(seed, g=10 ** random.uniform(-5, -2), tilted=tilted))
    for _ in range(20):
        anchor = Anchor(1, random.choice(medium.edges), random.choice(medium.shift))
        growth = 10 ** random.uniform(-6, 1.5)
        offset = complex(random.normal() * 10 ** random.uniform(-6, 1.5), growth)
        reach = growth * random.uniform(0.1, 0.9) if random.random() < 0.5 else 10 ** random.uniform(-3, 1)
        floor = growth if reach > growth else growth - reach
        bound = curvature_bound(medium, anchor, offset, reach, floor)
        for point in offset + reach * random.uniform(-1, 1, 5):  # along the axis, where walks go
            h = 1e-3 * growth
            second = (matrix_at(medium, point + h, anchor)[1] - matrix_at(medium, point - h, anchor)[1]) / (
                2 * h
            )
            assert np.linalg.norm(second, 2) <= bound * (1 + 1e-4)


def test_adjugate():
    random = np.random.default_rng(0)
    W = random.normal(size=(3, 3)) + 1j * random.normal(size=(3, 3))
    out = np.empty((3, 3), complex)
    assert adjugate(W, out) == pytest.approx(np.linalg.det(W), rel=1e-13)
    np.testing.assert_allclose(out @ W, np.linalg.det(W) * np.eye(3), atol=1e-13)
