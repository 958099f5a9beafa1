import numpy as np
import pytest

from pairsweep.physics.grid import beams, bins, cells

AROUND = [0.0, 2 * np.pi]


@pytest.mark.parametrize("cell_volume", ["midpoint", "exact"])
def test_bins_sit_at_centres_energy_slowest(cell_volume):
    grid = bins(3, 2, 4, 12.0, cell_volume)
    assert grid.size == 24
    assert grid.shape == (3, 2, 4)
    np.testing.assert_allclose(grid.bin_energy, [2, 6, 10])
    np.testing.assert_array_equal(grid.energy_bin, np.repeat([0, 1, 2], 8))
    np.testing.assert_allclose(np.cos(grid.theta[:8]), [-0.5] * 4 + [0.5] * 4)
    np.testing.assert_allclose(grid.phi[:4], (np.arange(4) + 0.5) * np.pi / 2)
    np.testing.assert_array_equal(grid.quadrant[:4], [0, 1, 2, 3])


def test_exact_volumes_fill_the_sphere_and_midpoint_ones_approach_it():
    sphere = 4 / 3 * np.pi * 20.0**3
    assert bins(7, 3, 8, 20.0, "exact").weight.sum() == pytest.approx(sphere, rel=1e-14)
    errors = [abs(bins(n, 1, 4, 20.0).weight.sum() / sphere - 1) for n in (10, 20, 40)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=1e-6)  # second order in the bin width
    assert errors[1] / errors[2] == pytest.approx(4, rel=1e-6)


def test_frames_are_right_handed_and_orthonormal():
    rng = np.random.default_rng(0)
    grid = beams(np.ones(50), np.ones(50), np.arccos(rng.uniform(-1, 1, 50)), rng.uniform(0, 7, 50))
    frames = np.stack([grid.p_hat, grid.theta_hat, grid.phi_hat], axis=1)
    np.testing.assert_allclose(
        frames @ frames.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (50, 3, 3)), atol=1e-15
    )
    np.testing.assert_allclose(np.linalg.det(frames), 1)


def test_the_pole_has_the_frame_of_the_letter():
    grid = beams([1.0], [1.0], [0.0], [0.0])
    np.testing.assert_array_equal(grid.p_hat, [[0, 0, 1]])
    np.testing.assert_array_equal(grid.theta_hat, [[1, 0, 0]])
    np.testing.assert_array_equal(grid.phi_hat, [[0, 1, 0]])


def test_beams_of_one_energy_share_a_bin():
    grid = beams([2.0, 1.0, 2.0], [1, 1, 1], [0, 1, 2], [0, 0, 0])
    np.testing.assert_array_equal(grid.bin_energy, [1, 2])
    np.testing.assert_array_equal(grid.energy_bin, [1, 0, 1])
    assert grid.names == ("beam_0", "beam_1", "beam_2")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bins(0, 1, 4), "n_energy"),
        (lambda: bins(1, 1, 4, -1.0), "energy_max"),
        (lambda: bins(1, 1, 4, float("nan")), "energy_max"),
        (lambda: bins(1, 1, 4, 20.0, "other"), "cell_volume"),
        (lambda: cells([0, 1, 1], [-1, 1], AROUND), r"energy_edges\[2\] = 1"),
        (lambda: cells([-1, 1], [-1, 1], AROUND), r"energy_edges\[0\]"),
        (lambda: cells([0], [-1, 1], AROUND), "at least two"),
        (lambda: cells([0, np.inf], [-1, 1], AROUND), "finite"),
        (lambda: cells([0, 1], [1, -1], AROUND), r"cos_theta_edges\[1\]"),
        (lambda: cells([0, 1], [-1, 0, 0.9], AROUND), "from -1 to 1"),
        (lambda: cells([0, 1], [-1, 1], [0, 2, 6.2]), "once around"),
        (lambda: cells([0, 1], [-1, 1], [0, 4, 3, 2 * np.pi]), r"phi_edges\[2\] = 3"),
        (lambda: beams([], [], [], []), r"energy has shape \(0,\)"),
        (lambda: beams("five", 1.0, 0.0, [0.0, 1.0]), "energy = .five.: give numbers"),
        (lambda: beams([1.0, 2.0], [1.0, np.nan], 0.0, 0.0), r"weight\[1\] = nan"),
        (lambda: bins(20.0, 1, 4, 8), r"n_energy = 20.0: give a number of bins, a whole number"),
        (lambda: bins("4", 1, 4), "n_energy = '4'"),
        (lambda: bins(1, 1, 4, [20.0]), r"energy_max = \[20.0\]: .* a single number"),
        (lambda: beams([1.0, 2.0, 3.0], [1.0, 2.0], 0.0, 0.0), "lengths are energy 3, weight 2"),
        (lambda: beams([np.inf], [1.0], [0.0], [0.0]), "finite"),
        (lambda: beams([1.0], [1.0], [0.0], [0.0], names=["a", "b"]), "names"),
    ],
)
def test_unusable_numbers_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_bins_are_cells_with_uniform_edges():
    uniform = bins(5, 3, 8, 17.0, "exact")
    same = cells(*uniform.edges)
    for name in ("energy", "weight", "theta", "phi"):
        np.testing.assert_allclose(getattr(same, name), getattr(uniform, name), rtol=1e-14)
    np.testing.assert_array_equal(same.energy_bin, uniform.energy_bin)
    assert same.shape == uniform.shape


def test_cells_fill_a_shell_whatever_their_edges():
    rng = np.random.default_rng(3)
    inner = np.sort(rng.uniform(0.01, 30, 7))
    cos_theta = np.concatenate([[-1.0], np.sort(rng.uniform(-1, 1, 4)), [1.0]])
    phi = -0.3 + np.concatenate([[0.0], np.sort(rng.uniform(0, 2 * np.pi, 5)), [2 * np.pi]])
    grid = cells(inner, cos_theta, phi)
    assert grid.shape == (6, 5, 6)
    assert grid.weight.sum() == pytest.approx(4 / 3 * np.pi * (inner[-1] ** 3 - inner[0] ** 3), rel=1e-13)
    inside = (grid.energy > inner[grid.energy_bin]) & (grid.energy < inner[grid.energy_bin + 1])
    assert inside.all()


def test_edges_in_phi_that_are_written_with_few_digits_close():
    grid = cells([0, 1], [-1, 1], [0, 1.5708, 3.1416, 4.7124, 6.2832])
    assert grid.weight.sum() == pytest.approx(4 / 3 * np.pi, rel=1e-14)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((1000, 1000, 1000), "1,000,000,000 pairs; at most"),
        ((20.5, 1, 4), "whole number"),
        ((1, 0, 4), "at least 1"),
    ],
)
def test_grids_that_cannot_be_are_refused_at_once(counts, said):
    with pytest.raises(ValueError, match=said):
        bins(*counts)
