"""The counts behind the certificate: they must be right, and must fail where they cannot know."""

import numpy as np
import pytest

from pairsweep.analyses.growth.kernels.dispersion import SUMS
from pairsweep.analyses.growth.kernels.general.modes import coupling_norm
from pairsweep.analyses.growth.kernels.general.proof import (
    UNKNOWN,
    disc_zeros,
    sign_count,
    simple_zero,
    smallest_disc,
)
from pairsweep.analyses.growth.kernels.general.strip import nearest_pole
from tests.analyses.growth.kernels.general.mode_systems import (
    NO_FAINT,
    clusters_of,
    dense,
    make_system,
    strip_of,
)


@pytest.mark.parametrize("seed", range(20))
def test_signs_of_symmetric_functions_count_negative_eigenvalues(seed):
    values = np.random.default_rng(seed).normal(size=3)
    a, b, c = values
    assert sign_count(a + b + c, a * b + b * c + c * a, a * b * c, 1e-12, 1e-12, 1e-12) == np.sum(values < 0)


def test_signs_that_rounding_could_change_are_unknown():
    assert sign_count(1.0, 1.0, 1e-14, 1e-12, 1e-12, 1e-12) == UNKNOWN
    # e2 = 0 exactly: eigenvalues 0.4, -0.2, 0.4 cannot all have one sign
    assert sign_count(0.6, 0.0, -0.032, 1e-12, 1e-12, 1e-12) == 1


def test_pellet_counts_the_roots_of_a_polynomial():
    roots = np.array([0.01, -0.02, 0.015j, 3.0, -4.0, 5.0j])
    coefficients = np.poly(roots)[::-1].astype(complex)
    assert disc_zeros(coefficients, 0.5, 0.0) == 3
    assert disc_zeros(coefficients, 0.017, 0.0) == UNKNOWN
    assert disc_zeros(coefficients, 0.5, 1e9) == UNKNOWN


@pytest.mark.parametrize("seed", range(6))
def test_discs_hold_the_zeros_of_the_dense_matrix(seed):
    grid, n, g = make_system("one energy", np.random.default_rng(seed))
    clusters = clusters_of(grid, n, g)
    strip, reference = strip_of(clusters), clusters.reference[0]
    coupling = coupling_norm(grid.weight, n, g)
    values = dense(grid, n, g)
    work, sums = np.empty((4, strip.count + strip.order)), np.empty(SUMS)
    for value in values[(values.real > 1e-3 * coupling) & (values.imag > 0)]:
        start = value.imag - reference + 1j * value.real
        nearest = nearest_pole(strip, start.real, np.int64(0))
        radius, centre = simple_zero(strip, start, nearest, NO_FAINT, work, sums)
        assert radius < 1e-6 * coupling
        assert abs(centre - start) <= radius + 1e-12 * abs(value)
        wide, middle = smallest_disc(
            strip, start, nearest, NO_FAINT, np.int64(1), 1e-3 * coupling, np.int64(4)
        )
        assert abs(middle - centre) <= wide + radius


def test_no_disc_where_there_is_no_zero():
    grid, n, g = make_system("one energy", np.random.default_rng(1))
    strip = strip_of(clusters_of(grid, n, g))
    c = complex(strip.centre, 0.999 * strip.radius)
    nearest = nearest_pole(strip, c.real, np.int64(0))
    radius, _ = smallest_disc(strip, c, nearest, NO_FAINT, np.int64(1), 1e-6 * strip.radius, np.int64(0))
    assert radius == np.inf
