"""The dispersion function of the continuum in energy against quadrature, fine bins, and its own structure."""

import mpmath
import numpy as np
import pytest

from pairsweep.analyses.continuum.kernels.medium import (
    Anchor,
    corner,
    curvature_bound,
    determinant,
    direction_shifts,
    dispersion,
    largest,
    norm,
    piece_content,
    piece_integrals,
    set_cutoff,
    widened,
)
from pairsweep.analyses.continuum.profile import density_of_linear
from tests.analyses.continuum.kernels.continuum_systems import (
    discrete_dispersion,
    medium_of,
    nine,
    quadrant,
    random_system,
)

ORIGIN = Anchor(1, 0.0, 0.0)


def matrix_at(medium, omega, anchor=ORIGIN):
    """W and dW/domega, (3, 3)."""
    W, dW = np.empty(9, complex), np.empty(9, complex)
    dispersion(medium, anchor, omega, W, dW)
    return nine(W), nine(dW)


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
    half = 0.5 * (high - low)
    q, dq, _ = piece_integrals(z - low, z - high, half)
    with mpmath.workdps(40):
        exact_z = mpmath.mpc(z)
        middle = (mpmath.mpf(low) + mpmath.mpf(high)) / 2
        foot = min(max(z.real, low), high)
        near = [foot + side * abs(z.imag) * 10**k for k in range(0, 13, 2) for side in (-1, 1)]
        nodes = sorted({mpmath.mpf(low), mpmath.mpf(high), *(mpmath.mpf(p) for p in near if low < p < high)})

        def integral(k, m):
            return complex(
                mpmath.quad(lambda E: (E - middle) ** k * (-1) ** (m + 1) / (exact_z - E) ** m, nodes)
            )

        # the scale of the integrand, so that a component that cancels is not asked for more digits than it has
        reach = max(half, min(abs(z - low), abs(z - high), 4 * half))
        size = abs(np.log((z - low) / (z - high))) + 2 * half / reach
        for k in range(4):
            assert abs(q[k] - integral(k, 1)) < 1e-13 * size * reach**k
            if abs(z.imag) > 1e-10:
                slope = max(1 / abs(z - low), 1 / abs(z - high))
                assert abs(dq[k] - integral(k, 2)) < 1e-12 * size * slope * max(half, abs(z - middle)) ** k


def test_content_of_a_piece():
    f = density_of_linear(np.array([2.0, 7.0]), np.array([[0.3, -0.9]]))[0]
    with mpmath.workdps(30):
        expected = mpmath.quad(lambda E: E**2 * (0.3 + (E - 2) * (-0.9 - 0.3) / 5), [2, 7])
    assert piece_content(f, 2.5) == pytest.approx(float(expected), rel=1e-14)


def test_corners_bound_a_cubic_and_average_to_its_integral():
    random = np.random.default_rng(0)
    for f in random.normal(size=(20, 4)):
        corners = [corner(f, 1.7, number) for number in range(4)]
        t = np.linspace(-1.7, 1.7, 1001)
        values = np.polynomial.polynomial.polyval(t, f)
        assert min(corners) <= values.min() + 1e-12
        assert max(corners) >= values.max() - 1e-12
        assert largest(f, 1.7) >= np.abs(values).max() - 1e-12
        assert 2 * 1.7 * np.mean(corners) == pytest.approx(piece_content(f, 1.7))


def test_shifts_follow_from_the_net_flow():
    solid_angle, direction, edges, n, g = random_system(2)
    shift = np.empty(len(solid_angle))
    direction_shifts(solid_angle, direction, edges, density_of_linear(edges, n), g, shift)
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
    W, _ = matrix_at(medium_of(*system), omega)
    fine = discrete_dispersion(*system, omega, 20_000)
    assert np.abs(W - fine).max() < 1e-6 * np.abs(fine - np.eye(3)).max()
    assert abs(np.linalg.det(W) - np.linalg.det(fine)) < 1e-6 * abs(np.linalg.det(fine))


def test_the_fine_bins_do_tell_wrong_occupations_apart():
    solid_angle, direction, edges, n, g = random_system(7)
    W, _ = matrix_at(medium_of(solid_angle, direction, edges, n, g), 13.2 + 2.0j)
    n = n.copy()
    n[0, 1] += 1e-3
    wrong = discrete_dispersion(solid_angle, direction, edges, n, g, 13.2 + 2.0j, 20_000)
    assert np.abs(W - wrong).max() > 1e-6 * np.abs(wrong - np.eye(3)).max()


def test_continuous_across_every_edge_on_the_upper_side():
    medium = medium_of(*random_system(3))
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
    medium = medium_of(solid_angle, direction, edges, n, g)
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
    medium = medium_of(*random_system(seed))
    work = np.empty((3, 9), complex)
    omega = 9.0 + 0.37j
    f, slope, _ = determinant(medium, ORIGIN, omega, work)
    mirrored, mirrored_slope, _ = determinant(medium, ORIGIN, -omega.conjugate(), work)
    assert mirrored == pytest.approx(f.conjugate(), rel=1e-13)
    assert mirrored_slope == pytest.approx(-slope.conjugate(), rel=1e-12)
    assert determinant(medium, ORIGIN, 1e9j, work)[0] == pytest.approx(1.0, abs=1e-7)
    assert determinant(medium, ORIGIN, 3j, work)[0].imag == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize("seed", range(4))
def test_derivative(seed):
    medium = medium_of(*random_system(seed))
    work = np.empty((3, 9), complex)
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
    medium = medium_of(*random_system(5))
    work = np.empty((3, 9), complex)
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
    twice = medium_of(
        *(np.concatenate([a, a]) for a in (solid_angle / 2, direction)), edges, np.concatenate([n, n]), g
    )
    once = medium_of(solid_angle, direction, edges, n, g)
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
    whole = medium_of(solid_angle, direction, edges, n, g)
    parts = medium_of(solid_angle, direction, np.array([0.0, cut, edges[-1]]), n_cut, g)
    for omega in (15.0 + 1e-6j, 15.0 + 2j, 300.0 + 1j):
        np.testing.assert_allclose(
            matrix_at(whole, omega)[0], matrix_at(parts, omega)[0], rtol=1e-12, atol=1e-13
        )


@pytest.mark.parametrize("tilted", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_curvature_bound_holds_everywhere_in_reach(seed, tilted):
    """A bound that is too small would let the count of zeros step over one."""
    random = np.random.default_rng(seed)
    medium = medium_of(*random_system(seed, g=10 ** random.uniform(-5, -2), tilted=tilted))
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


def test_norm_is_that_of_the_matrix():
    random = np.random.default_rng(0)
    for numbers in (random.normal(size=9), random.normal(size=9) + 1j * random.normal(size=9)):
        assert norm(numbers) == pytest.approx(np.linalg.norm(nine(numbers)))


@pytest.mark.parametrize("seed", range(4))
def test_determinant_slope_and_adjugate(seed):
    medium = medium_of(*random_system(seed))
    work = np.empty((3, 9), complex)
    f, slope, _ = determinant(medium, ORIGIN, 13.0 + 0.4j, work)
    W, dW, adjugate = (nine(row) for row in work)
    assert f == pytest.approx(np.linalg.det(W), rel=1e-12)
    np.testing.assert_allclose(adjugate @ W, f * np.eye(3), atol=1e-12)
    assert slope == pytest.approx(np.trace(adjugate @ dW), rel=1e-12)


def test_the_vacuum_that_is_subtracted_is_the_static_response_of_the_empty_gas():
    """B = 1 + 2 g Delta, and D(0) of the empty gas is 2 g Delta: its W(0) is 1, at any coupling and cutoff."""
    solid_angle, direction, edges, n, _ = random_system(13)
    n = np.full_like(n, -1.0)
    bare, taken = (medium_of(solid_angle, direction, edges, n, 3e-3, vacuum) for vacuum in (False, True))
    W, _ = matrix_at(taken, 1e-7j)
    np.testing.assert_allclose(W, np.eye(3), atol=1e-6)
    W_bare, _ = matrix_at(bare, 1e-7j)
    assert np.abs(W_bare - np.eye(3)).max() > 0.1


def test_empty_modes_may_be_moved_up_and_down():
    solid_angle, direction, edges, n, g = random_system(14)
    medium = medium_of(solid_angle, direction, edges, n, g, True)
    wide = widened(medium)
    for cutoff in (31.0, 24.0):
        set_cutoff(medium, cutoff, wide)
        filled = np.concatenate([n, np.full((len(n), 1, 2), -1.0)], axis=1)
        expected = medium_of(solid_angle, direction, np.append(edges, cutoff), filled, g, True)
        np.testing.assert_allclose(wide.density, expected.density, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(wide.jumps, expected.jumps, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(wide.base, expected.base, rtol=1e-12)
        np.testing.assert_allclose(matrix_at(wide, 33 + 1j)[0], matrix_at(expected, 33 + 1j)[0], rtol=1e-12)
