import os
import signal
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import pairsweep as ps
from pairsweep.blocks import calibrate
from pairsweep.blocks.calibrate import CALIBRATION_SECONDS, SECONDS_UNKNOWN, aside, measured_costs
from pairsweep.blocks.plan import make_plan
from pairsweep.execute import Pool
from pairsweep.machine_code.kernel import Compiled
from pairsweep.points.axes import expand
from pairsweep.spec.reader import parse_spec, read_spec
from pairsweep.sweep.run import run_to_store
from pairsweep.sweep.where import Where
from tests.specs import GROWTH, growth


@pytest.fixture
def deadly(tmp_path):
    """Specifications of a function that takes its process down at some widths."""

    def make(condition, widths, n_energy=1):
        (tmp_path / "deadly.py").write_text(
            "import os, signal\n\n\ndef f(energy, theta, phi, width):\n"
            f"    if {condition}:\n        os.kill(os.getpid(), signal.SIGSEGV)\n"
            "    return 0.5 + 0 * phi, width + 0 * phi\n"
        )
        text = (
            GROWTH.split("[occupation]")[0] + '[occupation]\npattern = "custom"\nfunction = "deadly.py:f"\n'
        )
        text = text.replace("n_energy = 1\n", f"n_energy = {n_energy}\n")
        path = tmp_path / "spec.toml"
        path.write_text(text + f"width = {widths}\n[coupling]\ng = 1e-6\n")
        return read_spec(path)

    return make


@pytest.mark.processes
def test_a_function_that_kills_every_process_leaves_this_one_alone(deadly):
    sweep = expand(deadly("True", [0.1, 0.2]))
    with aside(sweep) as crew:
        assert measured_costs(sweep, crew)[4].seconds == SECONDS_UNKNOWN


@pytest.mark.processes
def test_the_deadly_point_of_a_function_is_named_and_the_others_are_done(deadly, tmp_path):
    widths = [round(0.05 * i, 2) for i in range(20)]
    outcome = run_to_store(deadly("width == 0.6", widths), tmp_path / "s.zarr", Where(workers=1), quiet=True)
    assert (outcome.points, outcome.failed) == (20, 1)
    (failure,) = ps.errors(tmp_path / "s.zarr")
    assert failure.at == {"width": 0.6}
    assert signal.SIGSEGV.name in failure.reason


def test_a_function_for_debugging_stays_in_this_process(deadly):
    spec = deadly(f"os.getpid() != {os.getpid()}", [0.1])
    assert measured_costs(expand(spec))[4].seconds > 0


@pytest.mark.processes
@pytest.mark.parametrize(("lasts", "measured"), [(0.1, [0, 1, 2]), (1.1, [0, 1])])
def test_the_start_of_a_process_is_not_of_the_time_for_measuring(deadly, monkeypatch, lasts, measured):
    spec = deadly("False", [0.1], n_energy=[1, 2, 4])
    taken, clock = [], [0.0]

    class Slow(Pool):
        """The first block comes with a slow start, each other takes its share of the time for all."""

        def run(self, task, blocks, on_done):
            def late(ack):
                clock[0] += CALIBRATION_SECONDS * (lasts if taken else 50)
                taken.append(ack.block)
                on_done(ack)

            super().run(task, blocks, late)

    monkeypatch.setattr("pairsweep.blocks.calibrate.Pool", Slow)
    monkeypatch.setattr("pairsweep.blocks.calibrate.time.perf_counter", lambda: clock[0])
    sweep = expand(spec)
    with aside(sweep) as crew:
        assert list(measured_costs(sweep, crew)) == [4, 8, 16]
    assert taken == measured


def test_larger_systems_cost_more():
    found = measured_costs(expand(parse_spec(growth(n_energy="[1, 8, 64, 512]"))))
    assert list(found) == [4, 32, 256, 2048]
    assert np.all(np.diff([found[n].seconds for n in (4, 256, 2048)]) > 0)


def test_a_few_dear_points_widen_the_range_and_not_the_mean_of_one_sample(monkeypatch):
    """One point in ten costs a hundred times the others: the sweep's time lies in the range that is told."""
    sweep = expand(parse_spec(growth(rho_high="{ start = 0.5, stop = 1.0, num = 1000 }")))
    clock = [0.0]
    dear = np.arange(1000) % 10 == 0

    def solved(sweep, template, positions):
        clock[0] += float(np.where(dear[positions[:, -1]], 0.1, 1e-3).sum())
        return {}, {}

    monkeypatch.setattr(calibrate, "solve_points", solved)
    monkeypatch.setattr(calibrate.time, "perf_counter", lambda: clock[0])
    plan = make_plan_of(sweep, measured_costs(sweep))
    true = float(np.where(dear, 0.1, 1e-3).sum())
    assert plan.least_seconds <= true <= plan.most_seconds
    assert 0.5 * true < plan.seconds < 2.0 * true
    assert clock[0] < 2 * calibrate.MOST_SECONDS


@pytest.fixture
def clock(monkeypatch):
    """A clock that only points move, by what a function says that they cost."""
    now = [0.0]

    def make(cost):
        def solved(sweep, template, positions):
            now[0] += cost(sweep, positions)
            return {}, {}

        monkeypatch.setattr(calibrate, "solve_points", solved)
        monkeypatch.setattr(calibrate.time, "perf_counter", lambda: now[0])
        return now

    return make


def test_code_that_is_loaded_or_compiled_is_no_cost_of_points(clock, monkeypatch):
    monkeypatch.setattr(Compiled, "fetched", 0)

    def cost(sweep, positions):
        Compiled.fetched += Compiled.fetched < 2
        return 20.0 * (clock_now[0] < 30) + 0.1 * len(positions)

    sweep = expand(parse_spec(growth(rho_high="{ start = 0.5, stop = 1.0, num = 100 }")))
    clock_now = clock(cost)
    monkeypatch.setattr(calibrate, "MOST_SECONDS", 60.0)
    assert measured_costs(sweep)[4].seconds == pytest.approx(0.1)


def test_a_sweep_that_is_solved_while_measuring_has_its_true_time(clock):
    """Every point costs something else; the dearest comes in at any place."""
    seconds = np.random.default_rng(5).lognormal(-3, 2, 7)
    sweep = expand(parse_spec(growth(rho_high="{ start = 0.5, stop = 1.0, num = 7 }")))
    clock(lambda sweep, positions: float(seconds[positions[:, 0]].sum()))
    costs = measured_costs(sweep)
    assert 7 * costs[4].seconds == pytest.approx(seconds.sum())
    kept = np.concatenate([each.positions for each in costs[4].solved])
    assert len(kept) == len(np.unique(kept))


def test_what_a_call_costs_is_spread_over_a_block(clock):
    """A call of 50 ms beside 1 ms a point: blocks have 10 points, so that a point costs 6 ms and not 51."""
    sweep = expand(parse_spec(growth(rho_high="{ start = 0.5, stop = 1.0, num = 80 }")))
    clock(lambda sweep, positions: 0.05 + 1e-3 * len(positions))
    assert measured_costs(sweep)[4].seconds == pytest.approx(6e-3, rel=0.25)


def test_systems_that_take_too_long_are_extrapolated(clock):
    """Cost goes with the square of the pairs; the largest would take 640 s a point."""
    sweep = expand(
        parse_spec(growth(n_energy="[1, 2, 64]", rho_high="{ start = 0.5, stop = 1.0, num = 50 }"))
    )
    sizes = np.array([4, 8, 256])
    now = clock(lambda sweep, positions: float((0.01 * (sizes[positions[:, 0]] / 4.0) ** 2).sum()))
    costs = measured_costs(sweep)
    assert now[0] < 2 * calibrate.MOST_SECONDS
    assert [cost.extrapolated_from for cost in costs.values()] == [0, 0, 8]
    assert costs[256].seconds == pytest.approx(0.01 * 64**2)


def test_a_system_that_would_never_end_is_told_from_coarser_grids(clock):
    """A million directions, each as dear as all in 200 s: nothing of that size is solved."""
    sweep = expand(parse_spec(growth(n_phi="1000000", rho_high="{ start = 0.5, stop = 1.0, num = 50 }")))
    now = clock(
        lambda sweep, positions: 1e-5 * len(positions) * sum(p.values[0] for p in [sweep.spec["n_phi"]])
    )
    costs = measured_costs(sweep)
    assert now[0] < calibrate.MOST_SECONDS
    assert costs[10**6].seconds == pytest.approx(10.0, rel=0.01)
    assert costs[10**6].low <= 10.0 <= costs[10**6].high
    assert costs[10**6].extrapolated_from == calibrate.TRIED_PAIRS[-1]
    assert costs[10**6].solved == ()


def test_measuring_has_its_time_for_all_sizes_together(clock):
    """Three sizes with points of half a second."""
    sweep = expand(parse_spec(growth(n_energy="[1, 2, 3]", rho_high="{ start = 0.5, stop = 1.0, num = 50 }")))
    cost = np.random.default_rng(3).lognormal(-0.7, 1.0, 50)
    now = clock(lambda sweep, positions: float(cost[positions[:, 1]].sum()))
    measured_costs(sweep)
    assert now[0] < calibrate.MOST_SECONDS + 3 * cost.max()


def test_a_dear_point_that_ends_measuring_does_not_stand_for_all(clock):
    """One point in a hundred takes nearly all the time there is; it is the ninth that comes in."""
    sweep = expand(parse_spec(growth(rho_high="{ start = 0.5, stop = 1.0, num = 100 }")))
    seen = []

    def cost(sweep, positions):
        seen.extend(positions[:, 0].tolist())
        return 10.0 * (8 in range(len(seen) - len(positions), len(seen))) + 0.2 * len(positions)

    clock(cost)
    found = measured_costs(sweep)[4]
    true = 0.2 * 100 + 10.0
    assert 0.5 * true < 100 * found.seconds < 4 * true
    assert 100 * found.low < true


def make_plan_of(sweep, costs):
    seconds = {pairs: cost.seconds for pairs, cost in costs.items()}
    return make_plan(sweep, seconds, {pairs: (cost.low, cost.high) for pairs, cost in costs.items()})


@pytest.mark.parametrize(("compiling", "loading"), [(100.0, 0.0), (0.0, 8.0), (100.0, 8.0)])
def test_compiling_and_loading_are_no_cost_of_points_nor_of_the_time_for_measuring(
    monkeypatch, compiling, loading
):
    late, solved = 0.0, calibrate._solved

    def compiles_first(prepared, positions):
        nonlocal late
        batch = solved(prepared, positions)
        if late:
            return batch
        late = compiling + loading
        monkeypatch.setattr(Compiled, "seconds", Compiled.seconds + compiling)
        monkeypatch.setattr(Compiled, "fetched", Compiled.fetched + 1)
        return replace(batch, costs=batch.costs + late / len(batch.costs))

    clock = SimpleNamespace(perf_counter=lambda: time.perf_counter() + late)
    monkeypatch.setattr(calibrate, "time", clock)
    monkeypatch.setattr(calibrate, "_solved", compiles_first)
    (cost,) = measured_costs(
        expand(parse_spec(growth(rho_high="{ start = 0.5, stop = 1.0, num = 51 }")))
    ).values()
    assert cost.seconds < 1.0
    assert not cost.extrapolated_from


@pytest.mark.parametrize("shape", [(25,), (1, 33, 2), (2, 21, 21), (1, 1, 1), (3, 89, 55)])
def test_the_first_places_measured_lie_all_over_every_axis(shape):
    places = calibrate._spread(shape)
    assert len(set(places.tolist())) == len(places)
    first = np.array(np.unravel_index(places[:8], shape))
    for along, size in zip(first, shape, strict=True):
        assert len(set((3 * along // size).tolist())) >= min(3, size)
