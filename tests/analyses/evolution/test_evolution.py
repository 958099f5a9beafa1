"""One system and batches: the Letter's figures, the methods against each other, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import find_peaks
from scipy.spatial.transform import Rotation

from pairsweep.analyses.evolution.kernels.status import Status
from pairsweep.analyses.evolution.single import EvolutionError, evolve, perturbed_kappa
from pairsweep.analyses.evolution.solver import evolve_batch
from pairsweep.analyses.growth.kernels.dense import stability_matrix
from pairsweep.physics import grid as grids
from pairsweep.physics.patterns import quadrant as pattern


def two_pairs(rho_x, rhobar_x, rho_z, mu=1e-3, **options):
    """The Letter's two beams along x and z, E = 1 MeV, weight 1, g = mu."""
    grid = grids.beams(
        [1.0, 1.0], [1.0, 1.0], *np.transpose([grids.NAMED_DIRECTIONS[d] for d in "xz"]), names="xz"
    )
    rho, rhobar = np.array([rho_x, rho_z]), np.array([rhobar_x, rho_z])
    return evolve(grid, rho, rhobar, mu, **options)


def quadrant(*shape, **options):
    grid = grids.bins(*shape)
    rho, rhobar = pattern.quadrant(grid, 0.9, 0.1)
    return grid, rho, rhobar


def growth_rate(grid, n, g):
    matrix = np.empty((2 * grid.size, 2 * grid.size))
    stability_matrix(grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat, n, g, matrix)
    return np.linalg.eigvals(matrix).real.max()


def test_case_a_converts_completely_and_periodically():
    run = two_pairs(1.0, 1.0, 0.0, t_end=2e4, samples=6001, tolerance=1e-6)
    assert float(run.rho_beam.sel(beam="z").max()) == pytest.approx(1.0, abs=1e-5)
    assert float(run.kappa_beam.max()) == pytest.approx(0.5, abs=1e-5)
    assert float(run.growth_rate_fit) == pytest.approx(2e-3, rel=0.02)
    # |kappa| passes its maximum at half conversion, once on the way there and once on the way back
    peaks, _ = find_peaks(run.kappa_mean, height=0.4)
    assert len(peaks) >= 2
    assert float(run.period) == pytest.approx(float(np.diff(run.time[peaks]).mean()), abs=4)
    assert float(run.time_of_max) == pytest.approx(float(run.time[peaks[0]]), abs=4)


def test_case_b_stops_where_the_x_pairs_have_converted():
    run = two_pairs(1.0, 0.3, 0.1, t_end=3e4, samples=6001, tolerance=1e-6)
    # at mu/E -> 0 the x pairs go from n = 0.3 to -0.3: rho_z gains 0.3, and |kappa_z| = sqrt(0.8^2 - 0.2^2)/2
    assert float(run.rho_beam.sel(beam="z").max()) == pytest.approx(0.4, abs=1e-3)
    assert float(run.kappa_beam.sel(beam="z").max()) == pytest.approx(np.sqrt(0.15), abs=1e-3)
    # PHYSICS.md section 4, with the shift that mu/E = 1e-3 makes (from DOP853 at rtol 1e-12)
    assert float(run.rho_beam.sel(beam="z").max()) == pytest.approx(0.400526, abs=1e-5)
    assert float(run.kappa_beam.sel(beam="z").max()) == pytest.approx(0.387434, abs=1e-5)
    assert float(run.kappa_beam.sel(beam="x").max()) == pytest.approx(0.15, abs=1e-5)
    assert float(run.growth_rate_fit) == pytest.approx(0.980e-3, rel=0.02)


@pytest.mark.parametrize("seed", [0, 1])
def test_fitted_growth_is_the_eigenvalue(seed):
    grid, rho, rhobar = quadrant(1, 1, 4)
    run = evolve(grid, rho, rhobar, 1e-6, t_end=1200, samples=301, seed=seed, tolerance=1e-4)
    assert float(run.growth_rate_fit) == pytest.approx(growth_rate(grid, rho + rhobar - 1, 1e-6), rel=0.02)
    assert float(run.kappa_max) > 0.1
    assert 800 < float(run.time_of_max) < 900


@pytest.mark.parametrize("shape", [(1, 1, 32), (1, 8, 8)])
def test_bins_saturate(shape):
    grid, rho, rhobar = quadrant(*shape)
    run = evolve(grid, rho, rhobar, 1e-6, t_end=1500, samples=151, tolerance=1e-3)
    assert float(run.kappa_mean.max()) >= 0.1


def test_three_bins_pair_in_the_top_bin_only():
    grid, rho, rhobar = quadrant(3, 1, 4)
    run = evolve(grid, rho, rhobar, 1e-6, t_end=1500, samples=151, tolerance=1e-3)
    largest = run.kappa_energy.max("time")
    assert largest[2] > 0.3
    assert largest[:2].max() < 0.01


def test_quadrants_two_and_four_agree_by_reflection():
    grid, rho, rhobar = quadrant(1, 1, 8)
    mirror = np.argmin(
        abs(np.exp(1j * (np.pi / 2 - grid.phi))[:, None] - np.exp(1j * grid.phi)[None]), axis=1
    )
    kappa = perturbed_kappa(grid.size, 1e-5, 3)
    run = evolve(grid, rho, rhobar, 1e-6, t_end=900, samples=31, kappa=kappa - kappa[mirror], tolerance=1e-6)
    assert float(run.kappa_mean.max()) > 0.005
    for name in ("kappa_quadrant", "rho_quadrant"):
        assert float(abs(run[name][:, 1] - run[name][:, 3]).max()) < 1e-6


def test_perturbation_is_the_contract_s():
    random = np.random.default_rng(7)
    np.testing.assert_array_equal(
        perturbed_kappa(5, 1e-5, 7), 1e-5 * (random.random(5) + 1j * random.random(5))
    )
    assert not perturbed_kappa(5, 0.0, 7).any()


def test_labels_and_first_sample():
    grid, rho, rhobar = quadrant(2, 1, 4)
    run = evolve(grid, rho, rhobar, 1e-6, t_end=1.0, samples=3, seed=5, tolerance=1e-6)
    assert dict(run.sizes) == {"time": 3, "energy_bin": 2, "quadrant": 4, "component": 3}
    assert run.kappa_mean.attrs["units"] == "1"
    assert run.attrs["method"] == "splitting"
    assert float(run.kappa_mean[0]) == pytest.approx(abs(perturbed_kappa(8, 1e-5, 5)).mean(), rel=1e-12)
    np.testing.assert_allclose(run.rho_quadrant[0], [0.9, 0.1, 0.1, 0.1], rtol=1e-13)
    beams = two_pairs(1.0, 0.3, 0.1, t_end=1.0, samples=2)
    assert list(beams.beam.values) == ["x", "z"]
    np.testing.assert_allclose(beams.rhobar_beam[0], [0.3, 0.1], rtol=1e-13)


def random_system(seed, beams=5):
    """Beams anywhere, so that sum w p_hat does not vanish; g w of about E/20."""
    random = np.random.default_rng(seed)
    grid = grids.beams(
        1.0 + random.random(beams),
        0.1 + random.random(beams),
        np.arccos(random.uniform(-1, 1, beams)),
        random.uniform(0, 2 * np.pi, beams),
    )
    kappa = 0.3 * (random.random(beams) - 0.5 + 1j * random.random(beams))
    return grid, random.random(beams), random.random(beams), kappa


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), g=st.sampled_from([1e-3, 1e-2, 5e-2]))
def test_splitting_agrees_with_the_reference(seed, g):
    grid, rho, rhobar, kappa = random_system(seed)
    runs = {
        method: evolve(
            grid, rho, rhobar, g, times=[0.0, 3.0, 7.5, 20.0], kappa=kappa, method=method, tolerance=tolerance
        )
        for method, tolerance in (("splitting", 1e-7), ("reference", 1e-9))
    }
    difference = runs["splitting"] - runs["reference"]
    for name in ("kappa_beam", "rho_beam"):
        assert float(abs(difference[name]).max()) < 2e-7
    assert float(abs(difference["spin_pairing"]).max()) < 2e-7 * grid.weight.sum()


def two_shells(seed):
    """Beams of two energies far from each other, weakly coupled: made for averaging."""
    random = np.random.default_rng(seed)
    angles = np.arccos(random.uniform(-1, 1, 6)), random.uniform(0, 2 * np.pi, 6)
    grid = grids.beams(np.repeat([1.0, 2.7], 3), 0.2 + random.random(6), *angles)
    kappa = 0.3 * (random.random(6) - 0.5 + 1j * random.random(6))
    return grid, random.random(6), random.random(6), kappa


@settings(max_examples=5)
@given(seed=st.integers(0, 10**6))
def test_all_methods_agree_on_random_systems(seed):
    grid, rho, rhobar, kappa = two_shells(seed)
    options = {"kappa": kappa, "times": [0.0, 100.0, 300.0]}
    reference = evolve(grid, rho, rhobar, 2e-3, method="reference", tolerance=1e-9, **options)
    for method, tolerance in (("splitting", 1e-8), ("averaged", 3e-3)):
        run = evolve(grid, rho, rhobar, 2e-3, method=method, tolerance=tolerance, **options)
        assert run.attrs["method"] == method
        error = max(float(abs(run[name] - reference[name]).max()) for name in ("rho_beam", "kappa_beam"))
        assert error < 2 * tolerance
        assert float(run.error_estimate) <= tolerance


def test_the_physical_coupling_runs_at_once():
    grid, rho, rhobar = quadrant(1, 1, 4)
    g = 6.65e-14
    run = evolve(grid, rho, rhobar, g, t_end=3e-3 / g, samples=301, tolerance=1e-6)
    assert run.attrs["method"] == "averaged"
    assert run.attrs["steps"] < 10_000
    assert float(run.growth_rate_fit) == pytest.approx(
        growth_rate(grid, rho + rhobar - 1, 1e-7) * g / 1e-7, rel=0.02
    )
    assert float(run.kappa_max) > 0.1


def test_auto_takes_splitting_where_averaging_cannot_meet_the_tolerance():
    grid, rho, rhobar = quadrant(1, 1, 4)
    run = evolve(grid, rho, rhobar, 1e-6, t_end=20.0, samples=3, tolerance=1e-8)
    assert run.attrs["method"] == "splitting"
    assert int(run.method_taken) == 1


@pytest.mark.parametrize(("weight", "g"), [(1.0, 3e-2), (40.0, 1e-3)])
def test_averaging_is_refused_with_the_number_that_says_why(weight, g):
    grid = grids.beams([1.0, 1.02], [weight, weight], [0.3, 1.2], [0.0, 1.0])
    with pytest.raises(EvolutionError, match=r"ratio \d"):
        evolve(grid, [1.0, 0.2], [1.0, 0.1], g, t_end=5.0, samples=3, method="averaged", tolerance=1e-3)


def test_splitting_refuses_a_run_that_would_not_end():
    grid, rho, rhobar = quadrant(1, 1, 4)
    with pytest.raises(EvolutionError, match="averaged"):
        evolve(grid, rho, rhobar, 6.65e-14, t_end=1e11, samples=3, method="splitting")


@settings(max_examples=6)
@given(seed=st.integers(0, 10**6))
def test_permutation_changes_nothing(seed):
    grid, rho, rhobar, kappa = random_system(seed)
    order = np.random.default_rng(seed).permutation(grid.size)
    permuted = grids.beams(grid.energy[order], grid.weight[order], grid.theta[order], grid.phi[order])
    one = evolve(grid, rho, rhobar, 1e-2, t_end=10.0, samples=3, kappa=kappa, tolerance=1e-9)
    two = evolve(
        permuted, rho[order], rhobar[order], 1e-2, t_end=10.0, samples=3, kappa=kappa[order], tolerance=1e-9
    )
    np.testing.assert_allclose(one.kappa_beam.values[:, order], two.kappa_beam.values, atol=1e-11)
    np.testing.assert_allclose(one.spin_pairing, two.spin_pairing, atol=1e-10)


def turned(grid, kappa, rotation):
    """The system rotated as a whole; the transverse frames do not turn along, so kappa changes its phase."""
    p_hat = grid.p_hat @ rotation.T
    other = grids.beams(
        grid.energy, grid.weight, np.arccos(np.clip(p_hat[:, 2], -1, 1)), np.arctan2(p_hat[:, 1], p_hat[:, 0])
    )
    spin = 2.0 * (kappa.real[:, None] * grid.theta_hat + kappa.imag[:, None] * grid.phi_hat) @ rotation.T
    along = (np.einsum("pk,pk->p", spin, other.theta_hat), np.einsum("pk,pk->p", spin, other.phi_hat))
    return other, 0.5 * (along[0] + 1j * along[1])


@settings(max_examples=6)
@given(seed=st.integers(0, 10**6), method=st.sampled_from(["splitting", "averaged"]))
def test_rotation_about_any_axis_changes_nothing(seed, method):
    grid, rho, rhobar, kappa = two_shells(seed) if method == "averaged" else random_system(seed)
    rotation = Rotation.random(rng=seed).as_matrix()
    other, other_kappa = turned(grid, kappa, rotation)
    options = {"t_end": 30.0, "samples": 4, "method": method}
    options |= {"tolerance": 3e-3} if method == "averaged" else {"tolerance": 1e-9}
    g = 2e-3 if method == "averaged" else 1e-2
    one = evolve(grid, rho, rhobar, g, kappa=kappa, **options)
    two = evolve(other, rho, rhobar, g, kappa=other_kappa, **options)
    for name in ("kappa_beam", "rho_beam", "rhobar_beam"):
        np.testing.assert_allclose(one[name], two[name], atol=1e-9)
    for name in ("spin_pairing", "spin_occupation"):
        np.testing.assert_allclose(one[name].values @ rotation.T, two[name], atol=1e-8)


def batch_of(points):
    grid, rho, _ = quadrant(1, 1, 4)
    random = np.random.default_rng(0)
    rho = rho * random.uniform(0.5, 1.0, (points, 1))
    kappa = np.stack([perturbed_kappa(4, 1e-5, seed) for seed in range(points)])
    g = np.geomspace(1e-7, 1e-5, points)
    return grid, rho, rho, kappa, g


def test_a_point_does_not_depend_on_its_batch():
    grid, rho, rhobar, kappa, g = batch_of(11)
    times = np.linspace(0, 30, 4)[None] * (1 + np.arange(11)[:, None] % 3)
    whole = evolve_batch(grid, rho, rhobar, kappa, g, times, tolerance=1e-7)
    assert (whole.status == Status.OK).all()
    for part in ([4], [10, 2, 7]):
        some = evolve_batch(grid, rho[part], rhobar[part], kappa[part], g[part], times[part], tolerance=1e-7)
        for name, values in some.arrays.items():
            np.testing.assert_array_equal(values, whole.arrays[name][part], err_msg=name)


@pytest.mark.parametrize(("shape", "lanes"), [((1, 1, 4), 8), ((1, 16, 16), 1)])
def test_no_bit_of_splitting_depends_on_how_many_samples_are_held_at_once(shape, lanes, monkeypatch):
    grid, rho, rhobar = quadrant(*shape)
    kappa = perturbed_kappa(grid.size, 1e-5, 0)[None]
    args = (grid, rho[None], rhobar[None], kappa, np.array([1e-6]), np.linspace(0, 20, 8))
    whole = evolve_batch(*args, tolerance=1e-6, method="splitting", keep_states=True)
    monkeypatch.setattr("pairsweep.analyses.evolution.batch.STATE_NUMBERS", lanes * 3 * 3 * grid.size)
    parts = evolve_batch(*args, tolerance=1e-6, method="splitting", keep_states=True)
    np.testing.assert_array_equal(parts.states, whole.states)
    for name, values in whole.arrays.items():
        np.testing.assert_array_equal(parts.arrays[name], values, err_msg=name)


def test_a_bad_point_fails_alone():
    grid, rho, rhobar, kappa, g = batch_of(3)
    rho[1, 2] = np.nan
    result = evolve_batch(grid, rho, rhobar, kappa, g, np.linspace(0, 3, 4), tolerance=1e-6)
    assert list(result.status) == [Status.OK, Status.BAD_INPUT, Status.OK]
    assert "pair 2" in result.reasons[1]
    assert np.isnan(result.arrays["kappa_mean"][1]).all()
    assert np.isfinite(result.arrays["kappa_mean"][[0, 2]]).all()


def test_tolerance_is_kept_and_not_wasted():
    grid, rho, rhobar = quadrant(1, 1, 4)
    kappa = perturbed_kappa(4, 1e-5, 0)[None]
    args = (grid, rho[None], rhobar[None], kappa, np.array([1e-6]), np.linspace(0, 1000, 51))
    truth = evolve_batch(*args, tolerance=1e-9)
    for tolerance in (1e-4, 1e-6, 1e-8):
        result = evolve_batch(*args, tolerance=tolerance)
        # n = rho + rhobar - 1 of the quadrants is every S's component along p_hat here
        error = 2 * abs(result.arrays["rho_quadrant"] - truth.arrays["rho_quadrant"]).max()
        assert error <= 2 * tolerance
        assert result.error_estimate[0] <= tolerance
        assert result.error_estimate[0] >= tolerance / 300


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"t_end": 0.0}, "t_end"),
        ({"t_end": -1.0}, "t_end"),
        ({"t_end": np.inf}, "t_end"),
        ({"samples": 1}, "samples"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"tolerance": 1e-16}, "tolerance"),
        ({"method": "euler"}, "method"),
        ({"perturbation": np.nan}, "perturbation"),
        ({"g": np.nan}, "g ="),
        ({"rho": [0.9, np.nan, 0.1, 0.1]}, "pair 1 .*rho = nan"),
        ({"rho": [0.9, 0.1, 1.1, 0.1]}, "pair 2 .*rho = 1.1"),
        ({"rho": [0.9, 0.1]}, "rho"),
        ({"times": [1.0, 0.5], "t_end": None, "samples": None}, "times"),
        ({"times": [0.0], "t_end": None, "samples": None}, "times"),
        ({"times": [1.0, 2.0]}, "t_end"),
    ],
)
def test_bad_input_is_refused_with_place_and_cure(change, place):
    grid, rho, rhobar = quadrant(1, 1, 4)
    arguments = {"rho": rho, "rhobar": rhobar, "g": 1e-6, "t_end": 1.0, "samples": 3} | change
    with pytest.raises(ValueError, match=place) as caught:
        evolve(grid, **arguments)
    assert "\n" not in str(caught.value)
    assert any(word in str(caught.value) for word in ("give", "choose", "lie between"))


@pytest.mark.parametrize("times", [[1e-19], [1e-11], [0.0, 1e-13, 1.0], [1.0, 1.0 + 1e-12]])
def test_times_far_closer_than_a_step(times):
    grid, rho, rhobar = quadrant(1, 1, 4)
    asked = {"g": 1e-6, "times": times, "keep": "pairs", "tolerance": 1e-11}
    found = evolve(grid, rho, rhobar, method="splitting", **asked)
    expected = evolve(grid, rho, rhobar, method="reference", **asked)
    np.testing.assert_allclose(found.kappa, expected.kappa, rtol=0, atol=1e-11)


def test_a_run_beyond_double_precision_fails_and_says_so():
    grid, rho, rhobar, kappa = random_system(1)
    with pytest.raises(EvolutionError, match="tolerance"):
        evolve(grid, rho, rhobar, 0.5, t_end=300.0, samples=3, kappa=kappa, tolerance=1e-12)


def test_splitting_knows_its_rounding():
    """Over a million turns smaller steps make a run worse, and the two runs of a round do not differ by it."""
    grid, rho, rhobar = quadrant(1, 1, 4)
    options = {"t_end": 7e4, "samples": 31, "seed": 0}
    truth = evolve(grid, rho, rhobar, 1e-8, method="averaged", tolerance=3e-10, **options)
    for tolerance in (1e-7, 1e-8):
        run = evolve(grid, rho, rhobar, 1e-8, method="splitting", tolerance=tolerance, **options)
        for name in ("kappa_quadrant", "rho_quadrant"):
            assert float(abs(run[name] - truth[name]).max()) < 2 * tolerance
    for tolerance in (1e-9, 1e-10):
        with pytest.raises(EvolutionError, match=r"a larger one|give tolerance"):
            evolve(grid, rho, rhobar, 1e-8, method="splitting", tolerance=tolerance, **options)


@pytest.mark.parametrize("g", [6.65e-14, 1e-8])
@pytest.mark.parametrize("tolerance", [1e-3, 1e-5])
def test_averaged_meets_its_tolerance_after_several_saturations(g, tolerance):
    """The trajectory is sensitive by then: it amplifies errors of the steps a thousandfold."""
    grid, rho, rhobar = quadrant(1, 1, 4)
    runs = [
        evolve(grid, rho, rhobar, g, t_end=17 / (g * 8000), samples=101, method="averaged", tolerance=wanted)
        for wanted in (tolerance, 1e-7 if g > 1e-9 else 1e-8)
    ]
    for name in ("kappa_mean", "rho_quadrant"):
        assert float(abs(runs[0][name] - runs[1][name]).max()) < 2 * tolerance


@pytest.mark.parametrize("method", ["splitting", "averaged", "reference"])
def test_the_state_of_every_pair_is_kept(method):
    grid, rho, rhobar, kappa = two_shells(3)
    options = {"kappa": kappa, "times": [0.0, 100.0, 300.0], "method": method, "tolerance": 3e-3}
    plain = evolve(grid, rho, rhobar, 2e-3, **options)
    kept = evolve(grid, rho, rhobar, 2e-3, keep="pairs", **options)
    assert kept.kappa.dims == kept.rho.dims == kept.rhobar.dims == ("time", "pair")
    # averaging goes there and back by a change of variables
    np.testing.assert_allclose(kept.kappa[0], kappa, atol=1e-5)
    np.testing.assert_allclose(kept.rho[0], rho, atol=1e-5)
    # the same run: what is kept is what the observables are made of
    for name in plain:
        np.testing.assert_array_equal(plain[name], kept[name], err_msg=name)
    for name, values in {
        "kappa_beam": abs(kept.kappa),
        "rho_beam": kept.rho,
        "rhobar_beam": kept.rhobar,
    }.items():
        np.testing.assert_allclose(kept[name].values, values.values, atol=1e-15)
    np.testing.assert_array_equal(kept.pair_energy, grid.energy)
    assert list(kept.pair_name.values) == list(grid.names)


def test_bins_keep_their_pairs_with_energy_and_direction():
    grid, rho, rhobar = quadrant(2, 1, 4)
    run = evolve(grid, rho, rhobar, 1e-6, t_end=100.0, samples=3, keep="pairs", tolerance=1e-6)
    assert run.sizes["pair"] == 8
    means = abs(run.kappa).mean("pair")
    np.testing.assert_allclose(means, run.kappa_mean, rtol=1e-13)
    np.testing.assert_array_equal(run.pair_theta, grid.theta)


@pytest.mark.parametrize(("method", "tolerance"), [("splitting", 1e-8), ("averaged", 1e-3)])
def test_a_run_that_is_continued_is_the_run_that_was_not_interrupted(method, tolerance):
    grid, rho, rhobar, kappa = two_shells(5)
    times = np.array([0.0, 50.0, 120.0, 200.0, 300.0])
    options = {"method": method, "tolerance": tolerance, "keep": "pairs"}
    whole = evolve(grid, rho, rhobar, 2e-3, kappa=kappa, times=times, **options)
    first = evolve(grid, rho, rhobar, 2e-3, kappa=kappa, times=times[:3], **options)
    second = evolve(grid, g=2e-3, start=first, times=times[2:], **options)
    np.testing.assert_array_equal(second.time, times[2:])
    np.testing.assert_allclose(
        second.kappa[0], first.kappa[-1], atol=1e-13 if method == "splitting" else tolerance
    )
    # each of the three runs may err by the tolerance, and the second carries the error of the first on
    for name in ("kappa", "rho", "rhobar"):
        assert float(abs(second[name] - whole[name][2:]).max()) < 4 * tolerance
    ended = evolve(grid, g=2e-3, start=first, t_end=300.0, samples=3, **options)
    np.testing.assert_array_equal(ended.time, [120.0, 210.0, 300.0])


def test_occupations_outside_by_the_error_of_a_run_are_no_fault():
    grid, rho, rhobar, kappa = two_shells(6)
    options = {"times": [0.0, 10.0], "keep": "pairs", "method": "splitting", "tolerance": 1e-6}
    run = evolve(grid, rho, rhobar, 2e-3, kappa=kappa, **options)
    run["rho"][-1, 0] = 1.0 + 0.5 * run.error_estimate
    evolve(grid, g=2e-3, start=run, t_end=20.0, samples=2, tolerance=1e-6)
    run["rho"][-1, 0] = 1.01
    with pytest.raises(ValueError, match="pair 0"):
        evolve(grid, g=2e-3, start=run, t_end=20.0, samples=2, tolerance=1e-6)


def test_a_start_that_does_not_fit_is_refused():
    grid, rho, rhobar, kappa = two_shells(7)
    run = evolve(grid, rho, rhobar, 2e-3, kappa=kappa, times=[0.0, 10.0], tolerance=1e-6)
    with pytest.raises(ValueError, match="keep"):
        evolve(grid, g=2e-3, start=run, t_end=20.0, samples=2)
    run = evolve(grid, rho, g=2e-3, kappa=kappa, times=[0.0, 10.0], tolerance=1e-6, keep="pairs")
    with pytest.raises(ValueError, match="3 pairs, the grid has 4"):
        evolve(grids.bins(1, 1, 4), g=2e-3, start=run.isel(pair=slice(3)), t_end=20.0, samples=2)
    with pytest.raises(ValueError, match="rho, kappa"):
        evolve(grid, rho, g=2e-3, start=run, kappa=kappa, t_end=20.0, samples=2)
    with pytest.raises(ValueError, match="after the start"):
        evolve(grid, g=2e-3, start=run, t_end=5.0, samples=2)
    with pytest.raises(ValueError, match="rho is missing"):
        evolve(grid, g=2e-3, t_end=5.0, samples=2)
    with pytest.raises(ValueError, match="g is missing"):
        evolve(grid, rho, t_end=5.0, samples=2)
    with pytest.raises(ValueError, match="keep"):
        evolve(grid, rho, g=2e-3, t_end=5.0, samples=2, keep="all")


def test_kept_kappa_grows_like_the_mode_it_is_projected_on():
    """Left eigenvectors of M: the amplitude of the fastest mode grows at its own rate, from the first sample on."""
    grid, rho, rhobar = quadrant(1, 1, 4)
    n, g = rho + rhobar - 1, 1e-6
    matrix = np.empty((8, 8))
    stability_matrix(grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat, n, g, matrix)
    values, left = np.linalg.eig(matrix.T)
    fastest = int(np.argmax(values.real))
    run = evolve(grid, rho, rhobar, g, t_end=300.0, samples=31, tolerance=1e-8, keep="pairs")
    # J0 drives kappa as well: the forced response is a constant, and no mode
    forced = np.linalg.solve(matrix, -drive(grid, n, g))
    state = np.concatenate([run.kappa.values.real, run.kappa.values.imag], axis=1) - forced
    size = abs(state @ left[:, fastest])
    slope = np.polyfit(run.time, np.log(size), 1)[0]
    assert slope == pytest.approx(values[fastest].real, rel=5e-3)


def drive(grid, n, g):
    """d(Re kappa, Im kappa)/dt at kappa = 0."""
    J0 = grid.weight * (n + 1) @ grid.p_hat
    return np.concatenate([2 * g * n * (grid.phi_hat @ J0), -2 * g * n * (grid.theta_hat @ J0)])
