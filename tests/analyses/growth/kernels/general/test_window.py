"""Windows against the strip they look at, and the solver through windows against dense eigenvalues."""

import numpy as np
import pytest

from pairsweep.analyses.growth.kernels.dispersion import BOUND, LOCATION, RESIDUE, ROWS, SUMS, pole_sums
from pairsweep.analyses.growth.kernels.general.farfield import MAX_ORDER, binomials
from pairsweep.analyses.growth.kernels.general.modes import Status, coupling_norm
from pairsweep.analyses.growth.kernels.general.proof import matrix_error, negative_eigenvalues
from pairsweep.analyses.growth.kernels.general.strip import nearest_pole
from pairsweep.analyses.growth.kernels.general.window import (
    SIGHT,
    WHOLE,
    first_pole,
    is_near,
    make_windows,
    open_window,
    window_at,
    window_room,
)
from pairsweep.physics.grid import beams
from tests.analyses.growth.kernels.general.mode_systems import (
    NO_FAINT,
    clusters_of,
    dense,
    dense_noise,
    find,
    one_energy,
    several_energies,
    strip_of,
)


def windows_of(strip):
    return make_windows(strip, binomials(np.int64(MAX_ORDER)))


def plain_sum(strip, z):
    """F = sum R/(z - P) over the poles of a strip and its polynomial, (3, 3)."""
    poles, order = strip.poles[:RESIDUE, : strip.count], np.arange(strip.order)
    numbers = poles @ (1 / (z - strip.poles[LOCATION, : strip.count]))
    numbers = (
        numbers + strip.poles[:RESIDUE, strip.count : strip.count + strip.order] @ (z - strip.centre) ** order
    )
    s = numbers[[0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(3, 3)
    a = numbers[6:]
    return s - 1j * np.array([[0, -a[2], a[1]], [a[2], 0, -a[0]], [-a[1], a[0], 0]])


@pytest.fixture(scope="module", params=["one", "several"])
def strip(request):
    rng = np.random.default_rng(1)
    if request.param == "one":
        return strip_of(clusters_of(*one_energy(rng, 500, 0.3)))
    return strip_of(clusters_of(*several_energies(rng, 1600, 0.05)), 1)


def test_every_window_shows_what_the_strip_holds(strip, both):
    windows = windows_of(strip)
    assert windows.targets > 20
    rng = np.random.default_rng(2)
    seen = 0
    for t in range(0, windows.targets, 3):
        view = open_window(strip, windows, t, np.empty((ROWS, window_room(strip, windows))))
        assert view.count <= windows.widest
        assert view.count < strip.count
        own = slice(windows.first[t], windows.first[t + 1])
        np.testing.assert_array_equal(view.poles[:, : view.own], strip.poles[:, own])
        far = np.setdiff1d(strip.poles[LOCATION, : strip.count], view.poles[LOCATION, : view.count])
        bound = strip.poles[BOUND, : strip.count][np.isin(strip.poles[LOCATION, : strip.count], far)]
        assert np.abs(far - view.centre).min() >= view.cut
        for _ in range(5):
            z = view.centre + view.radius * rng.uniform(0, 1) * np.exp(1j * rng.uniform(0, 2 * np.pi))
            assert np.sum(bound / np.abs(z - far)) <= view.far_size
            size = np.sum(
                strip.poles[BOUND, : strip.count] / np.abs(z - strip.poles[LOCATION, : strip.count])
            )
            error = matrix_error(size + strip.far_size, view.depth)
            assert np.linalg.norm(plain_sum(view, z) - plain_sum(strip, z), 2) <= error
            seen += 1
    assert seen > 30


def test_panels_hold_every_pole_once(strip, both):
    windows = windows_of(strip)
    assert windows.first[0] == 0
    assert windows.first[-1] == strip.count
    assert windows.first[windows.targets] == strip.own
    assert (np.diff(windows.first) > 0).all()
    np.testing.assert_array_equal(
        windows.host, np.searchsorted(windows.first, np.arange(strip.own), side="right") - 1
    )
    assert windows.widest == max(
        sum(
            windows.first[s + 1] - windows.first[s]
            for s in range(windows.first.size - 1)
            if is_near(windows, t, s)
        )
        for t in range(windows.targets)
    )


def test_a_window_is_taken_only_where_it_holds(strip, both):
    windows = windows_of(strip)
    t = windows.targets // 2
    pole = windows.first[t]
    x = strip.poles[LOCATION, pole]
    assert window_at(strip, windows, pole, x, 0.0) == t
    assert window_at(strip, windows, pole, x, 1.01 * windows.panel[SIGHT, t]) == WHOLE
    assert first_pole(windows, t) == pole
    assert first_pole(windows, WHOLE) == 0
    for part, whole in zip(
        open_window(strip, windows, np.int64(WHOLE), np.empty((ROWS, 1))), strip, strict=True
    ):
        np.testing.assert_array_equal(part, whole)


def test_few_poles_need_no_windows():
    strip = strip_of(clusters_of(*one_energy(np.random.default_rng(1), 30, 0.3)))
    windows = windows_of(strip)
    assert windows.targets == 0
    assert window_at(strip, windows, np.int64(3), strip.poles[LOCATION, 3], 0.0) == WHOLE


def test_inertia_is_the_same_through_a_window(strip):
    windows = windows_of(strip)
    location = strip.poles[LOCATION, : strip.own]
    poles = np.empty((ROWS, window_room(strip, windows)))
    work, sums = np.empty((4, window_room(strip, windows))), np.empty(SUMS)
    counted = 0
    for x in 0.7 * location[:-1:7] + 0.3 * location[1::7]:
        nearest = nearest_pole(strip, x, np.int64(0))
        t = window_at(strip, windows, nearest, x, 0.0)
        whole = negative_eigenvalues(strip, x, nearest, NO_FAINT, work, sums)
        view = open_window(strip, windows, t, poles)
        assert negative_eigenvalues(view, x, nearest - first_pole(windows, t), NO_FAINT, work, sums) == whole
        pole_sums(
            x, 0.0, strip.poles[LOCATION], strip.poles, strip.count, strip.centre, strip.order, -1, work, sums
        )
        matrix = np.eye(3) - plain_sum(strip, x)
        assert whole == np.sum(np.linalg.eigvalsh(matrix) < 0)
        counted += t != WHOLE
    assert counted > 20


@pytest.mark.parametrize(
    "kind", ["one energy", "few energies", "near energies", "symmetric about zero", "weak"]
)
def test_large_strips_agree_with_dense_eigenvalues(kind):
    rng = np.random.default_rng(9)
    grid, n, g = one_energy(rng, 220, 0.3)
    energy = grid.energy.copy()
    if kind == "few energies":
        energy[::4] = 5.2
    elif kind == "near energies":
        energy += rng.uniform(-0.1, 0.1, energy.size)
    elif kind == "symmetric about zero":
        energy[:] = rng.uniform(0.0, 0.2, energy.size)
    elif kind == "weak":
        n *= 10 ** rng.uniform(-4, 0, n.size)
    grid = beams(energy, grid.weight, grid.theta, grid.phi)
    assert windows_of(strip_of(clusters_of(grid, n, g))).targets > 0
    found = find(grid, n, g)
    assert found.status == Status.CERTIFIED
    single, double = dense_noise(grid, n, g)
    tolerance = 1e-6 * coupling_norm(grid.weight, n, g)
    values = dense(grid, n, g)
    assert np.sum(values.real > tolerance + double + single) <= found.n_unstable
    assert found.n_unstable <= np.sum(values.real > tolerance - double - single)
    assert found.n_unstable > 10
    upper = np.sort(values.real[(values.imag > 0) & (values.real > 1e-3 * values.real.max())])[::-1]
    several = np.repeat(found.rates, found.multiplicities)[: upper.size]
    np.testing.assert_allclose(several, upper, rtol=1e-7)
