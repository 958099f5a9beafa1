"""What measuring before a run has solved is stored like any other point, and is solved no second time."""

import math
from dataclasses import replace

import numpy as np
import pytest

import pairsweep as ps
from pairsweep.analyses.registry import ANALYSES
from pairsweep.blocks import calibrate
from pairsweep.blocks import solve as blocks
from pairsweep.blocks.layout import make_template
from pairsweep.blocks.solve import SolvedPoints, joined, solve_block, solve_points
from pairsweep.points.axes import expand
from pairsweep.spec.reader import parse_spec
from pairsweep.sweep.run import plan, run_to_store
from pairsweep.sweep.where import Where
from tests.specs import growth

SERIAL = Where("serial")
EVOLUTION = "\n[evolution]\nt_end = 20.0\nsamples = 3\nperturbation = 1e-5\n"
MAP = (
    growth(
        analyses='["growth", "evolution"]',
        n_energy="[1, 2, 3]",
        rho_high="{ start = 0.5, stop = 1.0, num = 7 }",
        g="[1e-6, 1e-5]",
    )
    + EVOLUTION
)


@pytest.fixture
def all_kept(monkeypatch):
    """However quick points are, what measuring has solved is stored."""
    monkeypatch.setattr(calibrate, "WORTH_KEEPING", 0.0)
    monkeypatch.setattr(blocks, "WORTH_STORING", 0.0)


@pytest.fixture
def solved(monkeypatch):
    """Count how often each analysis is asked for each occupation of each grid."""
    calls = {}

    def counting(name, solve):
        def counted(systems, *options):
            for row in range(systems.size):
                key = name, systems.grid.size, float(systems.rho[row].max()), float(systems.g[row])
                calls[key] = calls.get(key, 0) + 1
            return solve(systems, *options)

        return counted

    for name, analysis in ANALYSES.items():
        monkeypatch.setitem(ANALYSES, name, replace(analysis, solve=counting(name, analysis.solve)))
    return calls


def test_no_point_is_solved_twice_and_the_numbers_are_those_of_blocks(
    tmp_path, monkeypatch, all_kept, solved
):
    found = {}
    for name, worth in (("kept", 0.0), ("dropped", math.inf)):
        monkeypatch.setattr(calibrate, "WORTH_KEEPING", worth)
        outcome = run_to_store(parse_spec(MAP), tmp_path / name, SERIAL, quiet=True)
        assert (outcome.points, outcome.computed, outcome.failed) == (42, 42, 0)
        assert ps.verify(tmp_path / name) == []
        found[name] = ps.open_store(tmp_path / name).load()
        if name == "kept":
            assert len(solved) == 2 * 42
            assert set(solved.values()) == {1}
    for name, values in found["dropped"].variables.items():
        np.testing.assert_array_equal(found["kept"][name].values, values.values, err_msg=name)


def test_a_plan_says_what_it_has_solved(monkeypatch, all_kept):
    points = plan(parse_spec(MAP)).solved
    positions = np.concatenate([each.positions for each in points])
    assert len(positions) == len(np.unique(positions, axis=0)) > 3
    monkeypatch.setattr(calibrate, "WORTH_KEEPING", math.inf)
    assert plan(parse_spec(MAP)).solved == ()


def test_a_store_that_grows_keeps_what_it_has(tmp_path, all_kept, solved):
    few = (
        MAP.replace("num = 7", "num = 4").replace('"growth", "evolution"', '"growth"').replace(EVOLUTION, "")
    )
    run_to_store(parse_spec(few), tmp_path / "s", SERIAL, quiet=True)
    before = ps.open_store(tmp_path / "s").load()
    outcome = run_to_store(parse_spec(MAP), tmp_path / "s", SERIAL, quiet=True)
    assert outcome.failed == 0
    after = ps.open_store(tmp_path / "s").load()
    assert bool((after.status == 1).all())
    np.testing.assert_array_equal(after.growth_rate.sel(rho_high=before.rho_high), before.growth_rate)
    assert ps.verify(tmp_path / "s") == []


def test_a_failed_point_is_recorded_with_its_reason(tmp_path, all_kept):
    (tmp_path / "mine.py").write_text(
        "def f(energy, theta, phi, width):\n"
        "    if width > 0.25:\n        raise ValueError(f'too wide: {width}')\n"
        "    return 0.5 + 0 * phi, width + 0 * phi\n"
    )
    before, after = growth().split("[occupation]")
    custom = '[occupation]\npattern = "custom"\nfunction = "mine.py:f"\nwidth = [0.1, 0.2, 0.3]\n'
    (tmp_path / "spec.toml").write_text(before + custom + after[after.index("[coupling]") :])
    outcome = run_to_store(tmp_path / "spec.toml", tmp_path / "s", SERIAL, quiet=True)
    assert (outcome.computed, outcome.failed) == (3, 1)
    (failure,) = ps.errors(tmp_path / "s")
    assert failure.at == {"width": 0.3}
    assert "too wide: 0.3" in failure.reason
    assert "mine.py" in failure.traceback


def test_the_points_of_a_small_sweep_are_solved_once_however_quick(tmp_path, monkeypatch, solved):
    """They are all of its one block: nothing is left to the run."""
    monkeypatch.setattr(calibrate, "WORTH_KEEPING", 0.0)
    text = growth(rho_high="{ start = 0.5, stop = 1.0, num = 9 }")
    outcome = run_to_store(parse_spec(text), tmp_path / "s", SERIAL, quiet=True)
    assert (outcome.points, outcome.computed) == (9, 9)
    assert set(solved.values()) == {1}


@pytest.mark.parametrize("block_shape", [(1, 1, 1), (2, 3, 2), (3, 4, 1), (3, 7, 2)])
def test_solved_points_are_parts_of_their_blocks(all_kept, block_shape):
    sweep = expand(parse_spec(MAP))
    template = make_template(sweep, block_shape)
    everywhere = np.argwhere(np.ones(sweep.shape, dtype=bool))
    chosen = np.random.default_rng(0).permutation(everywhere)[:17]
    points = joined(
        [
            SolvedPoints(some, *solve_points(sweep, template, some), np.ones(len(some)))
            for some in (chosen[:1], chosen[1:9], chosen[9:])
        ]
    )
    seen = np.zeros(sweep.shape, dtype=int)
    seconds = 0.0
    for block, part, mask in points.by_block(template):
        whole = solve_block(sweep, template, block)
        seen[template.block_slices(block)] += mask
        seconds += part.seconds
        for name, values in part.arrays.items():
            np.testing.assert_array_equal(values[mask], whole.arrays[name][mask], err_msg=name)
        for name, states in part.states.items():
            np.testing.assert_array_equal(states, np.where(mask, whole.states[name], 0))
    assert seen.sum() == 17
    assert seen[tuple(chosen.T)].all()
    assert seconds == pytest.approx(17.0)


def test_a_block_that_lacks_points_is_stored_where_these_are_worth_it():
    sweep = expand(parse_spec(growth(rho_high="{ start = 0.5, stop = 1.0, num = 9 }")))
    template = make_template(sweep, (3,))
    some = np.array([[0], [3], [4], [6], [7], [8]])
    costs = np.array([1.0, 0.4, 0.4, 0.0, 0.0, 0.0]) * blocks.WORTH_STORING
    points = SolvedPoints(some, *solve_points(sweep, template, some), costs)
    assert [block for block, *_ in points.by_block(template)] == [0, 2]  # one that is dear, and a whole one


def test_a_failure_keeps_its_point_when_points_are_joined():
    def some(row, reason):
        failures = {0: {"growth": reason}} if reason else {}
        return SolvedPoints(np.array([[row]]), {"x": np.array([float(row)])}, failures, np.ones(1))

    points = joined([some(4, ""), some(2, "why"), some(3, "")])
    assert points.failures == {1: {"growth": "why"}}
    assert points.numbers["x"].tolist() == points.positions[:, 0].tolist() == [4, 2, 3]
    assert points.seconds == 3.0


def test_a_sweep_of_one_point_has_its_block():
    sweep = expand(parse_spec(growth()))
    template = make_template(sweep, ())
    position = np.zeros((1, 0), dtype=np.int64)
    points = SolvedPoints(position, *solve_points(sweep, template, position), np.zeros(1))
    ((block, part, mask),) = points.by_block(template)
    assert (block, mask.shape, bool(mask)) == (0, (), True)
    assert part.arrays["growth_rate"] == solve_block(sweep, template, 0).arrays["growth_rate"]
