"""``ps.examine`` against the sweeps of the same systems, and what it refuses."""

import numpy as np
import pytest

import pairsweep as ps
from pairsweep.physics.patterns.base import Momenta
from pairsweep.physics.patterns.registry import PATTERNS
from tests.specs import growth

QUADRANT = 'pattern = "quadrant"\nrho_high = 0.9\nrho_low = 0.1'
SPEC = growth(analyses='["growth", "continuum"]', n_energy="2", g="{g}").replace(QUADRANT, "{occupation}")
SPEC += "\n[continuum]\n{options}\n"
THERMAL = 'pattern = "fermi_dirac"\ntemperature = 4.0\nchemical_potential = 4.0\ndipole = 0.6'


@pytest.fixture
def grid():
    return ps.bins(2, 1, 4, 20.0)


@pytest.fixture
def in_a_sweep(tmp_path):
    def results(occupation, g, options=""):
        path = tmp_path / "spec.toml"
        path.write_text(SPEC.format(occupation=occupation, g=g, options=options))
        return ps.point(path).results

    return results


def thermal(energy, theta, phi):
    pair = Momenta(energy, theta, phi)
    return PATTERNS["fermi_dirac"].function(pair, temperature=4.0, chemical_potential=4.0, dipole=0.6)


def assert_alike(found, sweep, rel):
    for name, values in found.data_vars.items():
        np.testing.assert_allclose(values.values, sweep[name], rtol=rel, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("options", ["", 'vacuum = "subtracted"', "ladder_max = 8\nangle_rungs = 1"])
def test_occupations_of_cells_are_judged_as_the_steps_that_they_are(grid, in_a_sweep, options):
    given = dict(line.split(" = ") for line in options.splitlines())
    wanted = {name: value.strip('"') if '"' in value else int(value) for name, value in given.items()}
    found = ps.examine(grid, *ps.quadrant(grid, 0.9, 0.1), g=1e-4, **wanted)
    assert_alike(found, in_a_sweep(QUADRANT, 1e-4, options), 1e-9)
    assert found.verdict.attrs["flag_meanings"].split()[int(found.verdict)] == "continuum"


@pytest.mark.parametrize("g", [1e-6, 2e-4])
def test_a_function_of_momentum_is_judged_as_the_pattern(grid, in_a_sweep, g):
    found = ps.examine(grid, thermal, g=g)
    assert_alike(found, in_a_sweep(THERMAL, g), 1e-6)


def test_a_function_declares_its_steps(grid):
    def step(energy, theta, phi):
        return np.where((energy < 7.0) & (phi < 1.0), 0.9, 0.1), np.full(energy.size, 0.5)

    with pytest.raises(RuntimeError, match="jumps at E = 7 MeV"):
        ps.examine(grid, step, g=1e-4)
    step.energy_edges = lambda: [7.0]
    step.phi_edges = lambda: [0.0, 1.0]
    step.cos_theta_edges = list
    assert np.isfinite(ps.examine(grid, step, g=1e-4).continuum_growth_rate)
    everywhere = ps.examine(grid, step, g=1e-3, angles="continuous")
    assert np.isfinite(everywhere.continuum_growth_rate)


def test_a_ladder_has_its_labels(grid):
    found = ps.examine(grid, 0.9, g=1e-5, ladder_max=8, angle_rungs=2)
    assert found.ladder_n_energy.values.tolist() == [2, 4, 8]
    assert found.ladder_angle.values.tolist() == [1, 2, 4]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rho": 1.5}, "occupation of pair 0"),
        ({"rho": lambda e, t, p: (e, e)}, "occupation of pair 0"),
        ({"rho": thermal, "rhobar": 0.5}, "rhobar: a function returns both"),
        ({"g": -1.0}, "g = -1.0"),
        ({"angles": "all"}, "angles = 'all'"),
        ({"vacuum": "none"}, "vacuum = 'none'"),
        ({"method": "dens"}, "did you mean dense"),
        ({"ladder_max": 2.5}, "ladder_max = 2.5"),
        ({"ladder_max": 10**7}, "makes 40000000 pairs"),
        ({"angle_rungs": 30}, "angle_rungs = 30: makes"),
        ({"growth_tolerance": 0.0}, "growth_tolerance = 0.0"),
        ({"grid": ps.beams([1.0], [1.0], [0.0], [0.0])}, "beams have single energies"),
    ],
)
def test_refusals_name_the_argument_and_the_cure(grid, changes, said):
    arguments = {"grid": grid, "rho": 0.9, "g": 1e-5} | changes
    with pytest.raises(ValueError, match=said):
        ps.examine(**arguments)
