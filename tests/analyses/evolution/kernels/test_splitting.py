"""The splitting stepper: exact parts, order, invariants, reversibility, both layouts, compiled and not."""

import numpy as np
import pytest
from scipy.linalg import expm

from pairsweep.analyses.evolution.kernels.observables import Records, record, row_layout, row_size
from pairsweep.analyses.evolution.kernels.schemes import ABA1084, ABA1086
from pairsweep.analyses.evolution.kernels.splitting import (
    Scheme,
    advance,
    integrate,
    make_lanes,
    rotation_matrix,
)
from pairsweep.analyses.evolution.kernels.status import Status
from pairsweep.kernels.lanes import LANES
from pairsweep.physics import grid as grids
from tests.analyses.evolution.kernels.peer_schemes import ABA1064


def beams(seed, size=4, points=LANES):
    """Beams of different energies anywhere on the sphere, so that sum w p_hat does not vanish."""
    random = np.random.default_rng(seed)
    grid = grids.beams(
        0.5 + random.random(size),
        random.random(size),
        np.arccos(random.uniform(-1, 1, size)),
        random.uniform(0, 2 * np.pi, size),
    )
    rho, rhobar = random.random((2, points, size))
    kappa = 0.3 * (random.random((points, size)) + 1j * random.random((points, size)))
    return grid, rho, rhobar, kappa


def run(system, g, times, steps, scheme=ABA1064, **changes):
    """Call the kernels; return their outputs by name, the rows cut into observables.

    ``steps`` (2, T) for all points, or (P, 2, T).
    """
    grid, rho, rhobar, kappa = system
    points = len(rho)
    pairs = grid.pairs._replace(**changes)
    g = np.broadcast_to(np.asarray(g, dtype=float), points).copy()
    times = np.broadcast_to(np.asarray(times, dtype=float), (points, len(times))).copy()
    steps = np.broadcast_to(np.array(steps), (points, 2, times.shape[1]))
    start = np.stack([rho + rhobar - 1, kappa.real, kappa.imag], axis=1)
    of_step = Scheme(scheme.a, scheme.b)
    lanes = make_lanes(of_step, pairs, start)
    states = np.empty((*times.shape, 3, grid.size))
    deviation = np.where(steps[:, 1].any(axis=1), 0.0, np.nan)
    status = np.zeros(points, dtype=np.int64)
    counts = np.ascontiguousarray(steps.transpose(2, 1, 0))
    integrate(of_step, pairs, g, times, counts, lanes, states, deviation, status)
    rows = np.empty((*times.shape, row_size(pairs.n_energy, pairs.n_beam)))
    records = Records(rows, np.empty(times.shape), np.zeros((points, 2)), status)
    record(pairs, rho, rhobar, start, g, states, records)
    layout = row_layout(pairs.n_energy, pairs.n_beam)
    cut = {name: rows[:, :, place] for name, place in layout.items()}
    return records._asdict() | {"deviation": deviation} | cut


def cross(v):
    return np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])


@pytest.mark.parametrize("size", [0.0, 1e-9, 0.3, 40.0])
def test_rotation_matrix_is_the_exponential(size):
    v = size * np.array([0.6, -0.48, 0.64])
    out = np.empty(9)
    rotation_matrix(*v, out)
    np.testing.assert_allclose(out.reshape(3, 3), expm(cross(v)), atol=3e-14)


def test_part_b_is_a_rotation_about_the_sum_of_spins(both):
    random = np.random.default_rng(0)
    S, weight = random.standard_normal((3, 3, LANES)), random.random((3, LANES))
    J = np.einsum("pl,pkl->kl", weight, S)
    identity = np.zeros((1, 3, 9, LANES))
    identity[:, :, [0, 4, 8]] = 1.0
    strength = np.full((1, LANES), 0.3 / np.linalg.norm(J, axis=0).max())
    turns = [expm(cross(strength[0, lane] * J[:, lane])) for lane in range(LANES)]
    expected = np.einsum("lij,pjl->pil", turns, S)
    advance(np.ones(1), identity, weight, strength, 1, False, S)
    np.testing.assert_allclose(S, expected, atol=1e-15)


@pytest.mark.parametrize("scheme", [ABA1084, ABA1086, ABA1064], ids=lambda scheme: scheme.name)
@pytest.mark.parametrize(("g", "steps", "order"), [(0.3, 320, 4), (2e-3, 40, 6)])
def test_order_by_step_halving(scheme, g, steps, order):
    # e^2 h^6 rules while the coupling is weak (e h^8 adds to it), e^3 h^4 when it is strong
    if order == 6 and scheme.orders[1] < 6:
        order = 4
    pairs = [[[2 * n], [n]] for n in (steps, 2 * steps)]
    one, two = (run(beams(3), g, [20.0], pair, scheme)["deviation"] for pair in pairs)
    assert (one < 1e-2).all()
    measured = np.median(np.log2(one / two))
    assert order - 0.4 < measured < order + 1.2


def test_lengths_over_a_million_steps():
    result = run(beams(1, size=2), 0.02, [4e5], [[10**6], [1]])
    assert result["drift"][:, 1].max() < 1e-9
    assert result["drift"][:, 1].max() > 0


@pytest.mark.parametrize("points", [1, LANES])
def test_time_reversal_returns_to_the_start(points):
    system = beams(2, size=11, points=points)
    result = run(system, 0.05, [50.0, 0.0], [[200, 200], [1, 1]])
    _, rho, rhobar, kappa = system
    assert abs(result["kappa_beam"][:, 0] - abs(kappa)).max() > 0.01
    np.testing.assert_allclose(result["kappa_beam"][:, 1], abs(kappa), atol=1e-11)
    np.testing.assert_allclose(result["rho_beam"][:, 1], rho, atol=1e-11)
    np.testing.assert_allclose(result["rhobar_beam"][:, 1], rhobar, atol=1e-11)


def test_energy_is_kept_to_the_error():
    result = run(beams(4), 0.01, np.linspace(0, 100, 21), [[0] + [40] * 20, [0] + [20] * 20])
    assert (result["status"] == Status.OK).all()
    assert (result["drift"][:, 0] < result["deviation"] + 1e-13).all()


def test_both_layouts_and_plain_python_agree():
    system = beams(5, size=11)
    times, steps = [0.0, 1.0, 3.0], [[0, 4, 8], [0, 2, 4]]
    lanes = run(system, 0.05, times, steps)
    grid, *state = system
    for point in (0, 5):
        single = run((grid, *(part[point : point + 1] for part in state)), 0.05, times, steps)
        np.testing.assert_allclose(single["rows"][0], lanes["rows"][point], atol=1e-14)
        np.testing.assert_allclose(single["deviation"][0], lanes["deviation"][point], atol=1e-14)


def test_lanes_have_times_and_couplings_of_their_own():
    system = beams(6)
    g, times = np.geomspace(1e-3, 1e-1, LANES), np.linspace(1, 2, LANES)[:, None] * [[1.0, 2.0]]
    together = run(system, g, [1.0, 2.0], [[10, 10], [5, 5]])
    grid, *state = system
    for lane in (1, 6):
        same = [np.repeat(part[lane : lane + 1], LANES, axis=0) for part in state]
        alone = run((grid, *same), g[lane], [1.0, 2.0], [[10, 10], [5, 5]])
        np.testing.assert_array_equal(alone["rows"][0], together["rows"][lane])
    assert times.shape == (LANES, 2)


def test_lanes_have_numbers_of_steps_of_their_own():
    system = beams(8)
    grid, *state = system
    steps = np.array(
        [[[0, 3, 5], [0, 2, 4]], [[2, 3, 9], [0, 0, 0]], [[0, 0, 7], [0, 0, 5]]]
        + [[[1, 4, 4], [1, 2, 4]]] * 5
    )
    together = run(system, 0.1, [0.5, 1.0, 3.0], steps)
    assert np.isnan(together["deviation"]).tolist() == [False, True] + [False] * 6
    for lane in range(4):
        same = [np.repeat(part[lane : lane + 1], LANES, axis=0) for part in state]
        alone = run((grid, *same), 0.1, [0.5, 1.0, 3.0], steps[lane])
        for name in ("rows", "free", "deviation", "drift"):
            np.testing.assert_array_equal(alone[name][0], together[name][lane])


def test_status_tells_what_went_wrong():
    system = beams(7)
    assert (run(system, 10.0, [1.0], [[2], [1]])["status"] == Status.STEP_TOO_LONG).all()
    energy = system[0].energy.copy()
    energy[1] = np.inf
    assert (run(system, 0.01, [1.0], [[2], [1]], energy=energy)["status"] == Status.NOT_FINITE).all()
