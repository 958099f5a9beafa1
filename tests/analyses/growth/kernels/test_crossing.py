import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pairsweep.analyses.growth.kernels.crossing import epn_crossing, epn_extent


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


@settings(max_examples=50)
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


def extent(weight, n):
    out = [np.empty(len(n)) for _ in range(3)]
    assert epn_extent(weight, n, *out) == 0
    return out


def test_extent_equals_the_definition(both):
    rng = np.random.default_rng(1)
    weight = rng.random(12)
    n = np.concatenate(
        [rng.uniform(-1, 1, (3, 12)), rng.uniform(-1, -0.1, (3, 12)), rng.uniform(0.2, 1, (2, 12))]
    )
    largest, distance, width = extent(weight, n)
    np.testing.assert_array_equal(largest, n.max(1))
    crosses = (n > 0).any(1) & (n < 0).any(1)
    np.testing.assert_array_equal(distance, np.where(crosses, 0.0, np.abs(n).min(1)))
    shares = np.stack([np.where(sign * n > 0, weight, 0).sum(1) for sign in (1, -1)]) / weight.sum()
    np.testing.assert_allclose(width, shares.min(0))


def test_raising_one_pair_by_the_distance_just_reaches_a_crossing():
    rng = np.random.default_rng(2)
    n = rng.uniform(-1, -0.01, (1, 9))
    (largest,), (distance,), _ = extent(np.ones(9), n)
    assert largest == -distance
    for share, crossed in ((1.0 - 1e-12, False), (1.0 + 1e-12, True)):
        raised = n.copy()
        raised[0, n[0].argmax()] += share * distance
        assert (extent(np.ones(9), raised)[2][0] > 0) == crossed


def test_pairs_without_volume_have_no_width():
    assert [float(found[0]) for found in extent(np.zeros(2), np.array([[-0.5, 0.5]]))] == [0.5, 0.0, 0.0]
