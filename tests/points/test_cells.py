"""Cells with edges of one's own, from the specification to results."""

import numpy as np
import pytest

import pairsweep as ps
from pairsweep.analyses.growth.kernels.dense import stability_matrix
from pairsweep.contract.errors import SpecError
from pairsweep.physics.grid import bins, cells, finer_sphere
from pairsweep.points.axes import expand
from pairsweep.points.systems import build_grid
from pairsweep.spec.reader import parse_spec

ENERGY, COSINE, AZIMUTH = (
    "[0.0, 2.0, 5.0, 12.0, 20.0]",
    "[-1.0, -0.2, 0.5, 1.0]",
    "[0.0, 1.5708, 3.1416, 4.0, 4.7124, 6.2832]",
)


def spec(
    energy=ENERGY,
    cos_theta=COSINE,
    phi=AZIMUTH,
    pattern="quadrant",
    keys="rho_high = [0.6, 0.9]\nrho_low = 0.1",
    analyses='["growth"]',
    rest="",
):
    return f"""
analyses = {analyses}
[grid]
kind = "cells"
energy_edges = {energy}
cos_theta_edges = {cos_theta}
phi_edges = {phi}
[occupation]
pattern = "{pattern}"
{keys}
[coupling]
g = 1e-6
{rest}
"""


def test_the_grid_is_that_of_the_edges():
    sweep = expand(parse_spec(spec()))
    grid = build_grid(sweep, np.array([[0]]))
    assert grid.shape == (4, 3, 5)
    np.testing.assert_allclose(grid.bin_energy, [1.0, 3.5, 8.5, 16.0])
    assert sweep.spec["energy_max"].values == (20.0,)
    assert sweep.spec["n_phi"].values == (5,)


def test_uniform_cells_give_what_bins_give():
    """Bit for bit, whatever the analysis."""
    rest = "[evolution]\nt_end = 300.0\nsamples = 5\nperturbation = 1e-5\n"
    rest += "[continuum]\nladder_max = 8\nangle_rungs = 1\n"
    analyses = '["growth", "evolution", "continuum"]'
    ranges = (
        "{ start = 0.0, stop = 20.0, num = 4 }",
        "{ start = -1.0, stop = 1.0, num = 3 }",
        "{ start = 0.0, stop = 6.283185307179586, num = 5 }",
    )
    of_cells = spec(*ranges, analyses=analyses, rest=rest)
    head, tail = of_cells.split("[grid]")[0], of_cells.split("[occupation]")[1]
    grid = 'kind = "bins"\nn_energy = 3\nn_theta = 2\nn_phi = 4\nenergy_max = 20.0\ncell_volume = "exact"\n'
    found, expected = (
        ps.run(text, scheduler="serial", quiet=True)
        for text in (of_cells, f"{head}[grid]\n{grid}[occupation]{tail}")
    )
    assert set(found.data_vars) == set(expected.data_vars)
    assert (found.status == 1).all()
    for name in found.variables:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_edges_that_are_nearly_even_are_not_taken_for_bins():
    edges = np.linspace(0.0, 20.0, 5)
    assert cells(edges, [-1, 1], [0, 2 * np.pi]).uniform
    edges[2] += 1e-9
    uneven = cells(edges, [-1, 1], [0, 2 * np.pi])
    assert not uneven.uniform
    np.testing.assert_array_equal(uneven.edges.energy, edges)


def test_random_occupations_on_uneven_cells_have_the_eigenvalues_of_the_dense_matrix(tmp_path):
    """A snapshot of 4 radii on 5 x 3 x 8 cells; the witness is M itself."""
    rng = np.random.default_rng(5)
    energy = np.concatenate([[0.0], np.cumsum(rng.uniform(1, 6, 5))])
    cosine = np.array([-1.0, -0.6, 0.3, 1.0])
    azimuth = np.concatenate([[0.0], np.sort(rng.uniform(0.1, 6.1, 7)), [2 * np.pi]])
    tables = rng.uniform(0, 1, (4, 2, 120))
    np.save(tmp_path / "snapshot.npy", tables)
    (tmp_path / "mine.py").write_text(
        "from pathlib import Path\nimport numpy as np\nTABLES = np.load(Path(__file__).with_name('snapshot.npy'))\n"
        "def f(energy, theta, phi, zone):\n    return tuple(TABLES[zone])\n"
    )
    text = spec(
        energy.tolist(),
        cosine.tolist(),
        azimuth.tolist(),
        "custom",
        'function = "mine.py:f"\nzone = [0, 1, 2, 3]',
    )
    (tmp_path / "spec.toml").write_text(text.replace("1e-6", "1e-5"))
    ds = ps.run(tmp_path / "spec.toml", scheduler="serial", quiet=True)
    grid = cells(energy, cosine, azimuth)
    for zone in range(4):
        n = tables[zone].sum(axis=0) - 1.0
        matrix = np.empty((240, 240))
        stability_matrix(grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat, n, 1e-5, matrix)
        fastest = np.linalg.eigvals(matrix).real.max()
        assert float(ds.growth_rate[zone]) == pytest.approx(fastest, rel=1e-6)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_finer_angles_cut_every_cell(factor):
    uniform = finer_sphere(bins(5, 2, 4), factor)
    np.testing.assert_array_equal(uniform.theta, bins(1, 2 * factor, 4 * factor).theta)
    uneven = cells([0, 1, 3], [-1, 0.2, 1], [0, 1, 4, 2 * np.pi])
    finer = finer_sphere(uneven, factor)
    assert finer.shape == (1, 2 * factor, 3 * factor)
    assert set(uneven.edges.phi) <= set(finer.edges.phi)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"energy": "[0.0, 3.0, 2.0]"}, r"energy_edges\[2\] = 2: does not lie above 3"),
        ({"energy": "[0.0, 3.0, 3.0]"}, "does not lie above"),
        ({"energy": "5.0"}, "give a list or a range of edges"),
        ({"energy": "[5.0]"}, "at least two"),
        ({"energy": "[-1.0, 5.0]"}, "of at least 0"),
        ({"cos_theta": "[-1.0, 0.9]"}, "from -1 to 1"),
        ({"phi": "[0.0, 3.0]"}, "once around"),
        ({"phi": "[0.0, 1.0, 3.1416, 4.7124, 6.2832]"}, "needs an edge at 1.5708"),
        ({"energy": '["a", "b"]'}, "give a number"),
    ],
)
def test_edges_that_cannot_be_are_refused(change, message):
    with pytest.raises(SpecError, match=message):
        parse_spec(spec(**change))


def test_missing_edges_and_keys_of_bins_are_refused():
    with pytest.raises(SpecError, match=r"grid\.phi_edges: is missing"):
        parse_spec(spec().replace(f"phi_edges = {AZIMUTH}\n", ""))
    with pytest.raises(SpecError, match="n_energy: unknown key"):
        parse_spec(spec().replace('kind = "cells"', 'kind = "cells"\nn_energy = 3'))


def test_edges_belong_to_the_digest():
    assert parse_spec(spec()).digest != parse_spec(spec(energy="[0.0, 2.0, 5.0, 13.0, 20.0]")).digest


def test_a_turn_may_begin_anywhere():
    phi = "[-3.141592653589793, -1.5707963267948966, 0.0, 1.0, 1.5707963267948966, 3.141592653589793]"
    assert parse_spec(spec(phi=phi)).cells.phi_edges[0] < 0
