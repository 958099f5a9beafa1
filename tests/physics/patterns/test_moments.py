"""Closed moments: the moments of what comes out are those that went in."""

import numpy as np
import pytest
from scipy.integrate import quad

from pairsweep.contract.errors import SpecError
from pairsweep.physics.grid import bins
from pairsweep.physics.patterns.moments import close_fermionic, close_minerbo, moments
from pairsweep.spec.reader import parse_spec
from tests.specs import GROWTH


def closed(name, mean, factor):
    a, b = {"fermionic": close_fermionic, "minerbo": close_minerbo}[name](
        np.array([mean]), np.array([factor])
    )
    if name == "minerbo":
        return lambda mu: np.exp(a[0] + b[0] * mu)
    return lambda mu: 1.0 / (1.0 + np.exp(-np.clip(a[0] + b[0] * mu, -700, 700)))


@pytest.mark.parametrize("mean", [1e-6, 0.01, 0.3, 0.5, 0.9, 1 - 1e-6])
@pytest.mark.parametrize("share", [0.0, 1e-6, 0.1, 0.5, 0.9, 0.99, 1 - 1e-6])
@pytest.mark.parametrize("name", ["fermionic", "minerbo"])
def test_its_moments_come_back(name, mean, share):
    """Means over directions by an adaptive integrator that knows nothing of closures."""
    factor = share * (1.0 - mean if name == "fermionic" else 1.0)
    f = closed(name, mean, factor)
    # where a degenerate beam ends, and where a thin one begins
    steps = [1.0 - 2.0 * mean + side * width for side in (-1, 1) for width in (0.0, 1e-4, 1e-3, 1e-2)]
    inside = sorted({step for step in (*steps, 0.999, 0.99999) if -1 < step < 1})
    options = {"points": inside, "limit": 500, "epsabs": 1e-13, "epsrel": 1e-10}
    assert 0.5 * quad(f, -1, 1, **options)[0] == pytest.approx(mean, rel=1e-7)
    flux = 0.5 * quad(lambda mu: mu * f(mu), -1, 1, **options)[0]
    assert flux / mean == pytest.approx(factor, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("mean", [0.2, 0.7])
def test_fermions_cannot_flow_faster_than_a_degenerate_beam(mean):
    a, b = close_fermionic(np.array([mean, mean]), np.array([1.0 - mean, 1.0]))
    assert np.isnan(a).all()
    assert np.isnan(b).all()


def test_the_classical_limit_of_fermions_is_minerbo():
    fermions, classical = (closed(name, 1e-9, 0.6) for name in ("fermionic", "minerbo"))
    mu = np.linspace(-1, 1, 9)
    np.testing.assert_allclose(fermions(mu), classical(mu), rtol=1e-6)


@pytest.mark.parametrize("name", ["fermionic", "minerbo"])
def test_both_fluxes_point_where_they_should(name):
    """rhobar is the antineutrino of opposite momentum, so that its own flux along +x is a flux along -x here."""
    grid = bins(1, 100, 200)
    along = np.array([np.sin(1.1) * np.cos(0.4), np.sin(1.1) * np.sin(0.4), np.cos(1.1)])
    rho, rhobar = moments(grid, 0.2, 0.3, 1.1, 0.4, 0.1, 0.15, closure=name)
    for values, mean, factor, sign in ((rho, 0.2, 0.3, 1), (rhobar, 0.1, 0.15, -1)):
        share = grid.weight / grid.weight.sum()
        assert (share * values).sum() == pytest.approx(mean, rel=1e-3)
        np.testing.assert_allclose((share * values) @ grid.p_hat, sign * mean * factor * along, atol=2e-4)


def test_many_points_at_once_are_the_same_points():
    grid = bins(2, 4, 4)
    mean, factor = np.array([[0.1], [0.4]]), np.array([[0.5], [0.2]])
    many = moments(grid, mean, factor, closure=np.array([["minerbo"], ["fermionic"]]))
    for row, name in enumerate(("minerbo", "fermionic")):
        for together, alone in zip(
            many, moments(grid, mean[row, 0], factor[row, 0], closure=name), strict=True
        ):
            np.testing.assert_array_equal(together[row], alone)


def test_empty_and_full_have_no_flux():
    grid = bins(1, 4, 4)
    for level in (0.0, 1.0):
        np.testing.assert_array_equal(moments(grid, level, 0.0)[0], np.full(16, level))


def test_what_no_point_can_have_is_refused():
    head = GROWTH.split("[occupation]")[0]
    text = (
        head
        + '[occupation]\npattern = "moments"\nmean_occupation = {}\nflux_factor = {}\n[coupling]\ng = 1e-6\n'
    )
    assert parse_spec(text.format("[0.4, 0.7]", "[0.5, 0.6]"))["closure"].values == ("fermionic",)
    with pytest.raises(
        SpecError, match=r"occupation\.flux_factor = 0\.6: lies below 1 - mean_occupation, here 0\.6"
    ):
        parse_spec(text.format(0.4, 0.6))
