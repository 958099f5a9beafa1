"""Every value of docs/continuum.md comes out again: its tables are read from the page, its sentences repeated here."""

import re
from pathlib import Path

import numpy as np
import pytest

from pairsweep.analyses.continuum.analysis import ContinuumOptions
from pairsweep.analyses.continuum.profile import spectrum, uniform_directions
from pairsweep.analyses.continuum.solver import (
    any_ceiling,
    settled,
    solve,
    solve_profile,
    solve_turned_profile,
)
from pairsweep.analyses.growth.analysis import GrowthOptions
from pairsweep.analyses.growth.solver import fastest_mode
from pairsweep.physics.grid import bins
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.physics.systems import Profile
from tests.analyses.continuum.occupations import ENERGY_MAX, LEVELS, band, quadrant, systems_of

PAGE = (Path(__file__).parents[3] / "docs/continuum.md").read_text("utf-8")


def table(*head):
    """Rows of the table of the page whose head begins with these words, as lists of text."""
    lines = PAGE.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| " + " | ".join(head)))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    assert rows
    return rows


def said(text):
    """Value of a cell, and half a unit of its last digit: what rounding may hide."""
    digits = text.split("e")[0]
    last = len(digits.split(".")[1]) if "." in digits else 0
    exponent = int(text.split("e")[1]) if "e" in text else 0
    return float(text), 0.51 * 10.0 ** (exponent - last)


def agrees(value, text):
    """Whether a value is what a cell says; an empty cell says nothing."""
    if text == "":
        return True
    expected, close = said(text)
    return abs(value - expected) <= close if expected else value == 0.0


def root(profile, g, shape=(1, 4), subtracted=False):
    """Growth and frequency of the fastest mode along the directions of a grid, or in all (None), MeV."""
    g = np.array([g])
    if shape is None:
        found = solve_turned_profile(profile, ENERGY_MAX, g, subtracted=subtracted, cutoff=False)
    else:
        directions = uniform_directions(*shape)

        def refine(deviation):
            return spectrum(profile, directions, ENERGY_MAX, deviation)

        found = solve_profile(refine, profile.linear, g, subtracted=subtracted, cutoff=False)
    assert settled(found)[0]
    return float(found.growth[0]), float(found.frequency[0])


def ladder(n_energy, profile, g, most):
    """Growth on 1, 2, 4, ... times as many bins of exact volume."""
    options = ContinuumOptions(ladder_max=most)
    found = solve(systems_of(bins(n_energy, 1, 4), profile, g), options, GrowthOptions())
    return found.arrays["ladder_growth"][0]


def test_the_ladders_of_the_letters_bins():
    for n_energy, told, continuum, _ in table("$N_E$", "ladder"):
        for count in map(int, n_energy.split(",")):
            rates = ladder(count, quadrant(), 1e-6, 8 * count)
            assert all(map(agrees, rates, told.split(", "))), (count, rates)
        assert continuum == "0"


def test_one_positive_bin():
    for n_energy, growth, scaled, told, _ in table("$N_E$", "growth"):
        count = int(n_energy)
        half = 0.5 * ENERGY_MAX / count
        profile = band(e_low=10.0 - half, e_high=10.0 + half)
        grid = bins(count, 1, 4)
        rho, rhobar = profile.occupation(grid.energy, grid.theta, grid.phi)
        rate = fastest_mode(grid.energy, grid.weight, grid.p_hat, rho + rhobar - 1, 1e-6)[0]
        assert agrees(rate, growth), rate
        assert agrees(rate / (1e-6 * 100.0 * 2 * half), scaled)
        if count < 60:
            assert all(map(agrees, ladder(count, profile, 1e-6, 8 * count), told.split(", ")))


SHAPES = {"(., 1, 4)": (1, 4), "(., 8, 8)": (8, 8), "all": None}


@pytest.mark.parametrize("row", table("directions", "$g$"), ids=lambda row: f"{row[0]} {row[1]}")
def test_the_quadrant_against_the_coupling(row):
    name, coupling, scaled, growth, frequency, empty, taken, taken_frequency = row
    g, shape = float(coupling), SHAPES[name]
    assert agrees(g * ENERGY_MAX**2, scaled)
    bare, subtracted = root(quadrant(), g, shape), root(quadrant(), g, shape, subtracted=True)
    assert agrees(bare[0], growth)
    assert agrees(bare[1], frequency)
    assert agrees(root(quadrant(0.0, 0.0), g, shape)[0], empty)
    assert agrees(subtracted[0], taken)
    assert agrees(subtracted[1], taken_frequency)


def isotropic(energy, theta, phi):
    rho = np.where(energy < 15.0, 1.0, 0.0)
    return rho, rho


def test_finer_angles():
    profiles = (quadrant(), band(e_low=8.0, e_high=12.0), Profile(isotropic, (15.0,), True, (), ()))
    rows = table("occupation", "$g$", "8 x 8")
    for row, profile in zip(rows, profiles, strict=True):
        g = float(row[1])
        for count, text in zip((8, 16), row[2:4], strict=True):
            assert agrees(root(profile, g, (count, count))[0], text), (row[0], count)
        assert agrees(root(profile, g, None)[0], row[-1]), row[0]


def test_a_band_with_wider_and_wider_edges():
    for width, growth in ((0.0, "1.5734"), (0.5, "1.563"), (2.0, "1.393"), (4.0, "0.706"), (5.0, "0.094")):
        assert agrees(root(band(width), 3e-4)[0], growth), width
    assert root(band(5.25), 3e-4)[0] == 0.0
    assert root(band(0.5), 1e-4)[0] == 0.0
    told = ["1.905", "1.624", "1.585", "1.576", "1.5741", "1.5736", "1.5735"]
    assert all(map(agrees, ladder(10, band(), 3e-4, 640), told))
    assert agrees(root(band(), 1e-4)[0], "0.1024")
    missed = ["0.45", "0", "0.23", "0.18", "0.13", "0.10", "0.103"]
    assert all(map(agrees, ladder(10, band(), 1e-4, 640), missed))
    words = " ".join(PAGE.split())
    for text in (", ".join(told[:-1]), ", ".join(missed[:-1])):
        assert text in words


def fermi(smearing=0.0, energy=12.0):
    return PATTERNS["fermi_surface"].profile(
        fermi_energy=energy, smearing=smearing, rho_high=1.0, rho_low=0.1
    )


def test_a_smeared_fermi_surface():
    for smearing, growth in ((0.001, "0.128"), (0.01, "0.126"), (0.037, "0.096")):
        assert agrees(root(fermi(smearing), 1e-4)[0], growth), smearing
    assert agrees(root(fermi(0.001), 2e-4)[0], "0.898")
    assert agrees(root(fermi(), 1.5e-4)[0], "0.543")
    for g, critical, close in ((1e-4, 0.084, 0.01), (1.5e-4, 0.387, 0.01), (2e-4, 0.67, 0.01)):
        assert root(fermi((1 - close) * critical), g)[0] > 0.0
        assert root(fermi((1 + close) * critical), g)[0] == 0.0


def test_the_growth_at_a_fermi_surface_falls_like_a_gap():
    g = np.geomspace(2.6e-5, 8e-5, 9)
    rates = np.log([root(fermi(), each)[0] for each in g])
    slope, start = np.polyfit(1 / g, rates, 1)
    assert np.ptp(rates) > 6 * np.log(10)
    assert np.abs(rates - slope / g - start).max() < 0.1
    assert agrees(slope * 1e4, "-5.5")
    assert agrees(-slope * 12.0**2, "0.079")
    # the ceiling of four directions falls more slowly, and lies above
    highest = any_ceiling(uniform_directions(1, 4), g, np.full(g.size, ENERGY_MAX))
    assert np.all(highest > np.exp(rates))


def test_with_angles_integrated_the_gap_closes_at_a_coupling():
    for g, growth in ((2.1e-4, "0.825"), (1.3e-4, "0.114"), (1.1e-4, "0.022")):
        assert agrees(root(fermi(), g, None)[0], growth), g
    assert root(fermi(), 1e-4, None)[0] == 0.0


def test_the_ceilings_of_the_page():
    energy_max = np.array([ENERGY_MAX])
    everywhere = any_ceiling(None, np.array([1e-6]), energy_max)[0]
    four = any_ceiling(uniform_directions(1, 4), np.array([1e-6]), energy_max)[0]
    assert np.floor(np.log10(everywhere)) == -63
    assert np.floor(np.log10(four)) == -42
    assert set(re.findall(r"10\^\{-(\d\d)\}", PAGE)) >= {"63", "42"}
    assert LEVELS == {"rho_high": 0.9, "rho_low": 0.1}
