import numpy as np
import pytest

from pairsweep.kernels.aberth import gap_beside, step_inside


def test_the_nearer_neighbour_counts(both):
    location = np.array([0.0, 1.0, 1.25, 9.0])
    assert [gap_beside(location, 4, j) for j in range(4)] == [1.0, 0.25, 0.25, 7.75]
    assert gap_beside(location, 1, 0) == np.inf


def test_a_short_step_is_newtons(both):
    z, g = complex(0.3, 0.2), complex(20.0, -7.0)
    x, y, length = step_inside(z.real, z.imag, g.real, g.imag, 0.0, 1.0)
    assert complex(x, y) == pytest.approx(z - 1 / g, rel=1e-14)
    assert length == pytest.approx(abs(1 / g), rel=1e-14)


def test_a_long_step_goes_half_a_radius_and_ends_in_the_disc(both):
    x, y, length = step_inside(4.5, 0.0, -0.01, 0.0, 5.0, 2.0)
    assert (x, y) == (5.5, 0.0)
    assert length == pytest.approx(100.0)
    x, y, _ = step_inside(6.8, 0.1, -0.1, 0.0, 5.0, 2.0)
    assert abs(complex(x - 5.0, y)) == pytest.approx(2.0, rel=1e-15)


@pytest.mark.parametrize("slope", [0.0, np.nan])
def test_without_a_direction_nothing_moves(both, slope):
    assert step_inside(1.0, 2.0, slope, slope, 0.0, 9.0) == (1.0, 2.0, np.inf)
