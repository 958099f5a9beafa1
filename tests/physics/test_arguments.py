"""Systems given by hand: every shape that can mean one thing is taken, and what is wrong is named with its value."""

import numpy as np
import pytest

import pairsweep as ps

GRID = ps.bins(3, 2, 4)
RHO, RHOBAR = ps.quadrant(GRID, 0.9, 0.1)


def rate(rho, rhobar=None, g=1e-6):
    return float(ps.growth(GRID, rho, rhobar, g=g).growth_rate)


def test_unambiguous_shapes_mean_the_same():
    wanted = rate(RHO, RHOBAR)
    assert rate(RHO.reshape(GRID.shape), RHOBAR.reshape(GRID.shape)) == wanted
    assert rate(RHO.tolist()) == wanted
    assert rate(RHO.reshape(GRID.shape)[:1, :1]) == wanted  # depends on phi alone
    assert rate(0.2) == rate(np.full(GRID.size, 0.2)) == 0.0
    run = ps.evolve(GRID, RHO.reshape(GRID.shape), 0.5, 1e-6, t_end=10.0, samples=2, kappa=1e-3, keep="pairs")
    np.testing.assert_allclose(run.rhobar.isel(time=0), 0.5, rtol=1e-15)
    assert ps.modes(GRID, RHO.reshape(GRID.shape), g=1e-6).sizes["pair"] == GRID.size


def test_beams_take_one_number_for_all():
    grid = ps.beams([5.0, 5.0], 1.0, [0.0, np.pi / 2], 0.0)
    assert grid.weight.tolist() == [1.0, 1.0]
    assert ps.growth(grid, [1.0, 0.0], g=1e-3).growth_rate > 0


MISTAKES = [
    (lambda: rate(RHO, g="1e-6"), "g = '1e-6': give a coupling in MeV\\^-2 above 0, a single number"),
    (lambda: rate(RHO, g=[1e-6]), r"g = \[1e-06\]: give a coupling"),
    (lambda: rate(RHO, g=-1.0), "g = -1.0: give a coupling in MeV\\^-2 above 0"),
    (lambda: rate(RHO, g=1e300), "4 g sum w comes to"),
    (lambda: ps.growth(RHO, GRID, g=1e-6), "grid is of type ndarray: give the pairs first"),
    (lambda: rate(RHO[:5]), r"rho has shape \(5,\): give \(24,\) or \(3, 2, 4\), or one for all pairs"),
    (lambda: rate(RHO[:3]), r"rho\[:, None, None\] depends on energy alone"),
    (lambda: rate("much"), "rho = 'much': give numbers"),
    (lambda: rate(None), "rho is missing"),
    (
        lambda: rate(RHO, np.where(np.arange(24) == 7, np.nan, RHO)),
        r"pair 7 \(E = 3.33333 MeV\): .*rhobar = nan",
    ),
    (lambda: rate(RHO + 0.2), r"pair 0 .*: rho = 1.1, .*: occupations lie between 0 and 1"),
    (lambda: ps.growth(GRID, RHO, g=1e-6, modes=-1), "modes = -1: give how many modes"),
    (lambda: ps.growth(GRID, RHO, g=1e-6, growth_tolerance="x"), "growth_tolerance = 'x'"),
    (lambda: ps.evolve(GRID, RHO, g="1", t_end=1.0, samples=2), "g = '1'"),
    (lambda: ps.evolve(GRID, RHO, g=1.0, t_end="1", samples=2), "t_end = '1'"),
    (lambda: ps.evolve(GRID, RHO, g=1.0, t_end=1.0, samples=2.5), "samples = 2.5"),
    (lambda: ps.evolve(GRID, RHO, g=1.0, times="now"), "times = 'now'"),
    (
        lambda: ps.evolve(GRID, RHO, g=1.0, t_end=1.0, samples=2, perturbation=2),
        "perturbation = 2: .* at most 1",
    ),
    (lambda: ps.evolve(GRID, RHO, g=1.0, t_end=1.0, samples=2, seed=-1), "seed = -1"),
    (lambda: ps.evolve(GRID, RHO, g=1.0, t_end=1.0, samples=2, kappa=[1, 2]), r"kappa has shape \(2,\)"),
    (lambda: ps.modes(GRID, RHO, g=None), "g = None"),
    (lambda: ps.inhomogeneous(GRID, lambda *p: (0.1, 0.1), g="x"), "g = 'x'"),
    (lambda: ps.quadrant(GRID, 1.9, 0.1), "rho_high = 1.9: occupations lie between 0 and 1"),
    (lambda: ps.quadrant(1.0, 0.9, 0.1), "grid"),
    (lambda: ps.energy_band(GRID, "2", 4.0, 0.9, 0.1), "e_low = '2'"),
    (lambda: ps.fermi_dirac(GRID, 0.0), "temperature = 0.0: give a number in MeV above 0"),
]


@pytest.mark.parametrize(("call", "said"), MISTAKES)
def test_a_mistake_is_named_with_its_value(call, said):
    with pytest.raises(ValueError, match=said):
        call()
