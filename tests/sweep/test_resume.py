"""A store outlives changes: analyses are added, computed anew, and failed points tried under other options."""

import json

import numpy as np
import pytest

import pairsweep as ps
from pairsweep.analyses.base import PointFailure, Solution
from pairsweep.analyses.registry import ANALYSES
from pairsweep.blocks.calibrate import Cost
from pairsweep.blocks.solve import EngineError
from pairsweep.cli.commands import FAULT, main
from pairsweep.sweep import resume
from pairsweep.sweep.run import run_to_store
from pairsweep.sweep.where import Where

SPEC = """
analyses = ["growth"]
[grid]
kind = "bins"
n_energy = 1
n_theta = 1
n_phi = 4
energy_max = 20.0
[occupation]
pattern = "quadrant"
rho_high = [0.6, 0.9]
rho_low = 0.1
[coupling]
g = [1e-6, 1e-5]
"""
EVOLUTION = """
[evolution]
t_end = 10.0
samples = 3
perturbation = 1e-5
"""
BOTH = SPEC.replace('["growth"]', '["growth", "evolution"]') + EVOLUTION
RUN = {"scheduler": "serial", "quiet": True}


@pytest.fixture(autouse=True)
def _unmeasured(monkeypatch):
    monkeypatch.setattr(
        "pairsweep.sweep.run.measured_costs", lambda *_: {4: Cost(0, 1, 0, 1e-3, "", 1e-3, 1e-3)}
    )


@pytest.fixture
def counted(monkeypatch):
    """Count the systems that each analysis is asked for."""
    calls = dict.fromkeys(ANALYSES, 0)

    def counting(name, solve):
        def counted(systems, *options):
            calls[name] += systems.size
            return solve(systems, *options)

        return counted

    for name, analysis in ANALYSES.items():
        changed = _with_solver(analysis, counting(name, analysis.solve))
        monkeypatch.setitem(ANALYSES, name, changed)
    return calls


def _with_solver(analysis, solve):
    from dataclasses import replace

    return replace(analysis, solve=solve)


def test_an_added_analysis_is_computed_alone(tmp_path, counted):
    store = tmp_path / "map.zarr"
    before = ps.run(SPEC, store, **RUN).load()
    assert counted["growth"] == 4
    after = ps.run(BOTH, store, **RUN).load()
    assert (counted["growth"], counted["evolution"]) == (4, 4)
    np.testing.assert_array_equal(before["growth_rate"], after["growth_rate"])
    assert after["kappa_mean"].dims == ("rho_high", "g", "time")
    assert (after["status"] == 1).all()
    alone = ps.run(BOTH, **RUN)
    np.testing.assert_array_equal(after["kappa_mean"], alone["kappa_mean"])


def test_analysis_and_values_are_added_at_once(tmp_path, counted):
    store = tmp_path / "map.zarr"
    ps.run(SPEC, store, **RUN)
    ds = ps.run(BOTH.replace("[0.6, 0.9]", "[0.6, 0.7, 0.9]"), store, **RUN)
    assert (counted["growth"], counted["evolution"]) == (6, 6)
    assert (ds["status"] == 1).all()


def test_a_missing_analysis_is_refused_with_the_cure(tmp_path):
    store = tmp_path / "map.zarr"
    ps.run(BOTH, store, **RUN)
    with pytest.raises(ps.StoreError, match="add evolution to analyses again"):
        ps.run(SPEC, store, **RUN)


def test_changed_code_of_one_analysis_leaves_the_others(tmp_path, counted, monkeypatch, capsys):
    store = tmp_path / "map.zarr"
    before = ps.run(BOTH, store, **RUN).load()
    known = resume.code_digests
    monkeypatch.setattr(resume, "code_digests", lambda spec: {**known(spec), "evolution": "0" * 16})
    (tmp_path / "spec.toml").write_text(BOTH)
    command = ["run", str(tmp_path / "spec.toml"), "--store", str(store), "--scheduler", "serial", "--quiet"]
    assert main(command) == 2
    assert "--recompute evolution" in capsys.readouterr().err
    assert main([*command, "--recompute", "evolution"]) == 0
    assert (counted["growth"], counted["evolution"]) == (4, 8)
    after = ps.open_store(store)
    np.testing.assert_array_equal(before["growth_rate"], after["growth_rate"])
    np.testing.assert_array_equal(before["kappa_mean"], after["kappa_mean"])
    assert main(command) == 0
    assert main([*command, "--recompute", "evolutoin"]) == 2
    assert "evolutoin" in capsys.readouterr().err


@pytest.fixture
def _failing(counted, monkeypatch):
    """Growth fails at the higher coupling unless its method is "dense"."""
    growth = ANALYSES["growth"]

    def fails_at_high_coupling(systems, options):
        solution = growth.solve(systems, options)
        if options.method == "dense":
            return solution
        return Solution(
            solution.arrays, {int(r): PointFailure("no") for r in np.flatnonzero(systems.g > 5e-6)}
        )

    monkeypatch.setitem(ANALYSES, "growth", _with_solver(growth, fails_at_high_coupling))


@pytest.mark.usefixtures("_failing")
def test_points_that_failed_in_one_analysis_and_are_pending_in_another_are_tried_again(
    tmp_path, counted, monkeypatch
):
    def interrupted(systems, *options):
        raise KeyboardInterrupt

    store = tmp_path / "map.zarr"
    ps.run(SPEC, store, **RUN)
    with monkeypatch.context() as patch:
        patch.setitem(ANALYSES, "evolution", _with_solver(ANALYSES["evolution"], interrupted))
        with pytest.raises(KeyboardInterrupt):
            ps.run(BOTH, store, **RUN)
    assert ps.status(store).points == {"pending": 4, "done": 0, "failed": 0}
    again = {"where": Where("serial"), "retry_failed": True, "quiet": True}
    outcome = run_to_store(BOTH, store, overrides={"growth.growth_tolerance": 1e-5}, **again)
    assert (outcome.computed, outcome.failed) == (2, 2)  # tried, and in vain
    outcome = run_to_store(BOTH, store, overrides={"growth.method": "dense"}, **again)
    assert (outcome.computed, outcome.failed) == (2, 0)
    assert ps.status(store).analyses["growth"]["done"] == 4
    assert ps.status(store).analyses["evolution"]["pending"] == 4
    assert counted["evolution"] == 0


@pytest.mark.usefixtures("_failing")
def test_options_may_change_for_failed_points_alone(tmp_path, counted):
    """Points that fail under one option are computed under another; nothing else of the store changes."""
    store = tmp_path / "map.zarr"
    before = ps.run(SPEC, store, **RUN).load()
    assert before["status"].values.tolist() == [[1, 2], [1, 2]]
    assert {failure.analysis for failure in ps.errors(store)} == {"growth"}
    counted["growth"] = 0
    after = ps.run(SPEC, store, retry_failed=True, overrides={"growth.method": "dense"}, **RUN).load()
    assert counted["growth"] == 2
    assert (after["status"] == 1).all()
    assert "dense" in after["growth_method_taken"].attrs["flag_meanings"]
    assert (
        after["growth_method_taken"].values.tolist() == [[before["growth_method_taken"].values[0, 0], 4]] * 2
    )
    np.testing.assert_array_equal(after["growth_rate"][:, 0], before["growth_rate"][:, 0])
    assert (ps.run(SPEC, store, **RUN)["status"] == 1).all()  # still the store of the old specification
    with pytest.raises(ps.StoreError, match=r"coupling\.g"):
        ps.run(
            SPEC, store, retry_failed=True, overrides={"growth.method": "dense", "coupling.g": 1e-4}, **RUN
        )


@pytest.mark.usefixtures("_failing")
def test_failed_points_of_a_store_that_was_made_with_other_options_itself(tmp_path):
    """Its own options need not be those of the file, nor be given again."""
    store = tmp_path / "map.zarr"
    ps.run(SPEC, store, overrides={"growth.growth_tolerance": 1e-5}, **RUN)
    for given in ({"growth.method": "dense", "growth.growth_tolerance": 1e-5}, {"growth.method": "dense"}):
        after = ps.run(SPEC, store, retry_failed=True, overrides=given, **RUN)
        assert (after["status"] == 1).all()


def test_a_verdict_follows_the_growth_that_is_tried_again(tmp_path):
    """Where growth has failed there is no verdict, and the analysis that gives it has not failed."""
    spec = SPEC.replace('["growth"]', '["growth", "continuum"]')
    none = {"growth.method": "dispersion", "growth.growth_tolerance": 1e-9}
    before = ps.run(spec, tmp_path / "s", overrides=none, **RUN).load()
    assert ps.status(tmp_path / "s").analyses["growth"]["failed"] == 4
    flags = before["verdict"].attrs["flag_meanings"].split()
    assert {flags[code] for code in before["verdict"].values.ravel()} == {"undetermined"}
    after = ps.run(spec, tmp_path / "s", retry_failed=True, **RUN)
    fresh = ps.run(spec, tmp_path / "fresh", **RUN)
    assert ps.status(tmp_path / "s").points["done"] == 4
    for name in ("verdict", "growth_rate", "continuum_growth_rate"):
        np.testing.assert_array_equal(after[name], fresh[name], err_msg=name)
    assert "undetermined" not in {flags[code] for code in after["verdict"].values.ravel()}


@pytest.mark.usefixtures("_failing")
@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"evolution.t_end": 7.0}, "time"),
        ({"evolution.samples": 5}, "time"),
        ({"growth.modes": 2}, "mode"),
        ({"occupation.rho_high": [0.6, 0.9, 1.0]}, "part of this sweep"),
        ({"occupation.rho_high": [0.6, 0.95]}, "part of this sweep"),
    ],
)
def test_failed_points_keep_the_labels_of_the_others(tmp_path, given, named):
    """Samples at other times, say, would be stored under those of the store."""
    store = tmp_path / "map.zarr"
    ps.run(BOTH, store, **RUN)
    options = {"growth.method": "dense"} | given
    with pytest.raises(ps.StoreError, match=named):
        ps.run(BOTH, store, retry_failed=True, overrides=options, **RUN)


def test_status_counts_for_each_analysis(tmp_path, capsys):
    store = str(tmp_path / "map.zarr")
    ps.run(BOTH, store, **RUN)
    assert main(["status", store, "--json"]) == 0
    counts = {"pending": 0, "done": 4, "failed": 0}
    assert json.loads(capsys.readouterr().out) == {
        **counts,
        "analyses": {"growth": counts, "evolution": counts},
    }


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda arrays: {**arrays, "frequencyy": arrays["frequency"]}, "frequencyy"),
        (lambda arrays: {n: v for n, v in arrays.items() if n != "frequency"}, "left out frequency"),
        (lambda arrays: {**arrays, "frequency": arrays["frequency"].astype(np.float32)}, "float32"),
        (lambda arrays: {**arrays, "frequency": arrays["frequency"][:, None]}, "frequency as float64"),
        (lambda arrays: {**arrays, "frequency": arrays["frequency"].tolist()}, "frequency as list"),
    ],
)
def test_other_than_the_declared_results_are_our_fault(monkeypatch, tmp_path, capsys, spoil, said):
    from dataclasses import replace

    growth = ANALYSES["growth"]

    def solve(systems, options):
        return Solution(spoil(dict(growth.solve(systems, options).arrays)))

    monkeypatch.setitem(ANALYSES, "growth", replace(growth, solve=solve))
    with pytest.raises(EngineError, match=said):
        ps.run(SPEC, **RUN)
    (tmp_path / "spec.toml").write_text(SPEC)
    store = str(tmp_path / "out.zarr")
    assert main(["run", str(tmp_path / "spec.toml"), "--store", store, "--scheduler", "serial"]) == FAULT
    assert "please report it" in capsys.readouterr().err
