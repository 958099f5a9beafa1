"""What the frozen far field proves of a strip, against dense eigenvalues of random systems."""

import numpy as np
import pytest

from pairsweep.analyses.inhomogeneous.kernels.frozen import confined
from pairsweep.analyses.inhomogeneous.kernels.modes import sorted_system
from pairsweep.analyses.inhomogeneous.kernels.view import MAX_ORDER, make_view, workspace
from tests.analyses.inhomogeneous.reference import ETA, Poles


def system(seed, spread, size=10, far=4):
    """Poles of a strip with vectors ``spread`` from one null vector, and poles of other strips about it."""
    rng = np.random.default_rng(seed)
    direction = np.array([0.0, 0.6, 0.8]) + spread * rng.normal(size=(size, 3))
    direction = np.concatenate([direction, rng.normal(size=(far, 3))])
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    vector = np.concatenate([np.ones((size + far, 1)), direction], axis=1).astype(complex)
    location = np.concatenate(
        [1e-3 * rng.random(size), rng.choice([-1, 1], far) * rng.uniform(0.5, 1.0, far)]
    )
    return Poles(location, 1e-4 * rng.normal(size=size + far), vector, ETA), size


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize(("spread", "crowds"), [(1e-3, True), (1e-2, True), (0.1, True), (1.0, False)])
def test_no_zero_is_farther_from_the_axis_than_is_proven(spread, crowds):
    """Nearly equal null vectors hardly couple: zeros are proven to be much closer than the size of the strip."""
    beyond_size = 0
    for seed in range(8):
        poles, own = system(seed, spread)
        count = poles.location.size
        ours = sorted_system(poles.location, np.zeros(count), poles.strength, poles.vector, count, 1.0 * ETA)
        start = int((ours.high < 0.0).sum())
        view = make_view(ours, start, start + own, 0.0, MAX_ORDER)
        modes = poles.modes()
        largest = np.abs(modes.imag[np.abs(modes.real) < 0.1]).max()
        for tolerance in 10.0 ** np.arange(-9.0, -2.0, 0.5):
            if confined(view, tolerance, workspace()):
                assert largest <= tolerance
                beyond_size += tolerance < 0.1 * view.bound[:own].sum()
    assert (beyond_size > 0) == crowds
