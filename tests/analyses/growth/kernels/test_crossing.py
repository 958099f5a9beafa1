import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pairsweep.analyses.growth.kernels.crossing import epn_crossing


def measures(weight, p_hat, energy_bin, n):
    bins = int(energy_bin.max()) + 1
    out = [np.empty(len(n)) for _ in range(4)]
    assert epn_crossing(weight, p_hat, energy_bin, n, np.empty(bins), np.empty(bins), *out) == 0
    return out


def test_equals_the_definition(both):
    rng = np.random.default_rng(0)
    weight, n = rng.random(12), rng.uniform(-1, 1, (5, 12))
    p_hat = rng.normal(size=(12, 3))
    p_hat /= np.linalg.norm(p_hat, axis=1)[:, None]
    energy_bin = np.repeat([0, 1, 2], 4)
    strength, strength_bin, depth, anisotropy = measures(weight, p_hat, energy_bin, n)
    wn = weight * n
    above, below = wn.clip(0).sum(1), -wn.clip(None, 0).sum(1)
    np.testing.assert_allclose(strength, np.sqrt(above * below))
    np.testing.assert_allclose(depth, np.minimum(above, below) / np.maximum(above, below))
    np.testing.assert_allclose(anisotropy, np.linalg.norm(wn @ p_hat, axis=1) / np.abs(wn).sum(1))
    split = wn.reshape(5, 3, 4)
    per_bin = np.sqrt(split.clip(0).sum(2) * -split.clip(None, 0).sum(2))
    np.testing.assert_allclose(strength_bin, per_bin.max(1))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=8))
def test_strength_is_zero_exactly_without_a_crossing(values):
    n = np.array([values])
    p_hat = np.tile([0.0, 0.0, 1.0], (n.size, 1))
    strength, *_ = measures(np.ones(n.size), p_hat, np.zeros(n.size, int), n)
    crossing = (n > 0).any() and (n < 0).any()
    assert (strength[0] > 0) == crossing


def test_nothing_at_all_is_zero_not_nan():
    found = measures(np.zeros(2), np.eye(3)[:2], np.zeros(2, int), np.zeros((1, 2)))
    assert [float(f[0]) for f in found] == [0, 0, 0, 0]
