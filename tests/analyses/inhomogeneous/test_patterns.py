"""What holds at the momenta of the particles, and beyond energy_max, pattern by pattern: against formulas anew."""

import csv
import itertools

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import fsolve

import pairsweep as ps
from pairsweep.analyses.inhomogeneous.solver import Inhomogeneous, Medium
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.points.axes import expand
from pairsweep.points.systems import systems_at
from pairsweep.spec.reader import read_spec
from tests.analyses.inhomogeneous import reference
from tests.analyses.inhomogeneous.test_analysis import toml
from tests.analyses.inhomogeneous.test_solver import on

CUTOFF = 20.0
GRID = (2, 2, 4)
# p + k/2 of the upper bin has 21.8 MeV where it points along k
K = np.array([0.0, 0.0, 20.0])
SPEC = """
analyses = ["inhomogeneous"]
[grid]
kind = "bins"
n_energy = 2
n_theta = 2
n_phi = 4
energy_max = 20.0
cell_volume = "exact"
[occupation]
{occupation}
[coupling]
g = 4e-4
[inhomogeneous]
k = 20.0
k_direction = "z"
"""
LEVELS = {"rho_high": 0.9, "rho_low": 0.1, "rhobar_high": 0.8, "rhobar_low": 0.2}


def fermi(x):
    return 1.0 / (1.0 + np.exp(x))


def inside(phi):
    return (phi > 0) & (phi < np.pi / 2)


def quadrant(energy, theta, phi):
    """The levels at every energy."""
    return np.where(inside(phi), 0.9, 0.1), np.where(inside(phi), 0.8, 0.2)


def band(energy, theta, phi):
    """The low levels outside of the band, which may reach beyond the cutoff."""
    there = inside(phi) & (energy >= 12.0) & (energy <= 21.5)
    return np.where(there, 0.9, 0.1), np.where(there, 0.8, 0.2)


def thermal(energy, theta, phi):
    """The tail."""
    mu = 16.0 * (1 + 0.6 * np.cos(theta))
    return fermi((energy - mu) / 3.0), fermi((energy + mu) / 3.0)


def surface(energy, theta, phi):
    """The tail of the surface in the quadrant, the low levels elsewhere."""
    share = fermi((energy - 19.0) / 2.0)
    return np.where(inside(phi), share * 0.9, 0.1), np.where(inside(phi), share * 0.8, 0.2)


def closed(mean, flux):
    """Slope and offset of the occupation 1/(1 + exp(-(a + b mu))) with these moments."""

    def moments(ab):
        values = [quad(lambda mu, n=n: 0.5 * mu**n * fermi(-(ab[0] + ab[1] * mu)), -1, 1)[0] for n in (0, 1)]
        return values[0] - mean, values[1] - mean * flux

    return fsolve(moments, (0.0, 1.0), xtol=1e-14)


def moments(energy, theta, phi):
    """The same directions at every energy."""
    (a, b), (c, d) = closed(0.4, 0.3), closed(0.3, 0.2)
    along = np.sin(theta) * np.sin(0.7) * np.cos(phi - 0.4) + np.cos(theta) * np.cos(0.7)
    return fermi(-(a + b * along)), fermi(-(c - d * along))


ROWS = np.random.default_rng(4).random((2, *GRID))


def table(energy, theta, phi):
    """The cells of the file, each of its own antineutrinos, and nothing beyond its last energy."""
    cells = [(energy // 10).astype(int), (np.cos(theta) > 0).astype(int), (phi // (np.pi / 2)).astype(int)]
    there = energy < CUTOFF
    cells[0] = np.where(there, cells[0], 0)
    opposite = [cells[0], 1 - cells[1], (cells[2] + 2) % 4]
    return np.where(there, ROWS[0][tuple(cells)], 0.0), np.where(there, ROWS[1][tuple(opposite)], 0.0)


def custom(energy, theta, phi):
    """Whatever the function says there."""
    return 0.5 + 0.3 * np.sin(energy), 0.4 + 0.3 * np.cos(phi) * np.tanh(energy - 20.0)


PARAMETERS = {
    "quadrant": (quadrant, LEVELS),
    "energy_band": (band, {"e_low": 12.0, "e_high": 21.5} | LEVELS),
    "fermi_dirac": (thermal, {"temperature": 3.0, "chemical_potential": 16.0, "dipole": 0.6}),
    "fermi_surface": (surface, {"fermi_energy": 19.0, "smearing": 2.0} | LEVELS),
    "moments": (
        moments,
        {
            "mean_occupation": 0.4,
            "flux_factor": 0.3,
            "mean_occupation_bar": 0.3,
            "flux_factor_bar": 0.2,
            "flux_theta": 0.7,
            "flux_phi": 0.4,
        },
    ),
    "table": (
        table,
        {"file": "cells.csv", "rhobar_direction": "own", "units": {"energy": "MeV", "phi": "rad"}},
    ),
    "custom": (custom, {"function": "mine.py:f"}),
}


def test_no_pattern_is_left_out():
    assert PARAMETERS.keys() == {*PATTERNS, "table", "custom"}


@pytest.fixture
def files(tmp_path):
    """The files that occupations are read from."""
    with open(tmp_path / "cells.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["energy", "cos_theta", "phi", "rho", "rhobar"])
        for e, c, p in itertools.product(range(2), range(2), range(4)):
            rows.writerow([5 + 10 * e, c - 0.5, np.pi / 4 * (1 + 2 * p), *ROWS[:, e, c, p]])
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n\n\ndef f(energy, theta, phi):\n"
        "    return 0.5 + 0.3 * np.sin(energy), 0.4 + 0.3 * np.cos(phi) * np.tanh(energy - 20.0)\n"
    )
    return tmp_path


@pytest.mark.parametrize("pattern", PARAMETERS)
def test_occupations_are_those_at_the_momenta_of_the_particles(pattern, files):
    """And not those of the centres, nor nothing beyond the cutoff: either would show in W."""
    formula, parameters = PARAMETERS[pattern]
    keys = {"pattern": pattern} | parameters
    spec = files / "spec.toml"
    spec.write_text(SPEC.format(occupation="\n".join(f"{key} = {toml(v)}" for key, v in keys.items())))
    ((_, systems),) = systems_at(expand(read_spec(spec)), np.zeros((1, 0), dtype=np.int64), {})
    occupation = systems.profile(0).occupation
    system = Inhomogeneous(systems.grid, on(systems.grid, occupation), systems.g, Medium())
    omega = 33.0 + 2.0j
    twin = reference.poles(systems.grid, formula, 4e-4, K)
    W = twin.matrix(omega)
    np.testing.assert_allclose(system.matrix(0, K, omega), W, rtol=0, atol=1e-12 * np.abs(W).max())
    growth, _ = reference.fastest(twin.modes())
    assert ps.point(spec).results["inhomogeneous_growth_rate"] == pytest.approx(growth, rel=1e-8, abs=1e-6)

    def ends(energy, theta, phi):
        rho, rhobar = formula(energy, theta, phi)
        return np.where(energy < CUTOFF, rho, 0.0), np.where(energy < CUTOFF, rhobar, 0.0)

    other = reference.poles(systems.grid, ends, 4e-4, K).matrix(omega)
    assert (np.abs(other - W).max() < 1e-5) == (pattern == "table")


def test_a_table_goes_by_the_cells_of_the_file_and_homogeneous_analyses_by_their_mean(files):
    """On its own cells both are one; on others a momentum has the occupation of the cell that it lies in."""
    for n_phi, alike in ((4, True), (3, False)):
        keys = {"pattern": "table"} | PARAMETERS["table"][1]
        text = SPEC.format(occupation="\n".join(f"{key} = {toml(v)}" for key, v in keys.items()))
        text = text.replace('["inhomogeneous"]', '["growth", "inhomogeneous"]').replace("k = 20.0", "k = 0.0")
        (files / "spec.toml").write_text(text.replace("n_phi = 4", f"n_phi = {n_phi}"))
        found = ps.point(files / "spec.toml").results
        rates = found["growth_rate"], found["inhomogeneous_growth_rate"]
        assert (rates[0] == pytest.approx(rates[1], rel=1e-9)) == alike
