import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import pairsweep as ps
from pairsweep.points.axes import expand
from pairsweep.spec.reader import parse_spec
from pairsweep.store import Store, files_of
from pairsweep.sweep.point import point
from pairsweep.sweep.resume import done_points
from pairsweep.sweep.run import run_to_store, started_by
from pairsweep.sweep.where import Where
from tests.specs import BEAMS, GROWTH, growth

SERIAL = Where("serial")
MAP = growth(rho_high="[0.5, 0.7, 0.9]", rho_low="[0.0, 0.1, 0.6]", g="[1e-7, 1e-6]")
REORDERED = "rho_low = [0.0, 0.1, 0.6]\nrho_high = [0.5, 0.7, 0.9]"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("runner") / "map.zarr"
    run_to_store(parse_spec(MAP), path, SERIAL, quiet=True)
    return path


@pytest.mark.processes
@pytest.mark.parametrize("scheduler", ["local", "threads"])
def test_schedulers_agree_bitwise(finished, tmp_path, scheduler, monkeypatch):
    monkeypatch.setattr("pairsweep.sweep.run.IN_PROCESS_SECONDS", 0.0)
    found = ps.run(parse_spec(MAP), tmp_path / "other.zarr", scheduler=scheduler, workers=2, quiet=True)
    expected = ps.open_store(finished)
    for name in expected.data_vars:
        np.testing.assert_array_equal(found[name], expected[name])


def test_block_size_changes_nothing(finished, tmp_path, monkeypatch):
    monkeypatch.setattr("pairsweep.blocks.plan.BLOCK_POINTS", 1)
    found = ps.run(parse_spec(MAP), tmp_path / "single.zarr", scheduler="serial", quiet=True)
    assert found.growth_rate.encoding["chunks"] == (1, 1, 1)
    xr.testing.assert_identical(found.drop_attrs().load(), ps.open_store(finished).drop_attrs().load())


def test_plain_xarray_opens_the_store_without_a_warning(finished):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ds = xr.open_zarr(finished).load()
    assert ds.growth_rate.dims == ("rho_high", "rho_low", "g")
    assert ds.status.dtype == np.int8
    assert ds.status.attrs["flag_meanings"] == "pending done failed"
    assert float(ds.rho_high[1]) == 0.7
    assert ds.n_phi.ndim == 0
    assert ds.pattern.item() == "quadrant"
    assert ds.attrs["specification"] == MAP
    assert ds.attrs["Conventions"].startswith("CF")
    assert (ds.status == 1).all()


def test_a_second_run_computes_nothing(finished):
    for where in (SERIAL, Where("tls://127.0.0.1:1")):  # nobody there, and nobody is asked
        assert run_to_store(parse_spec(MAP), finished, where, quiet=True).computed == 0


def test_an_interrupted_run_computes_only_what_is_missing(finished, tmp_path, monkeypatch):
    from pairsweep.sweep import task as runner

    monkeypatch.setattr("pairsweep.blocks.plan.MIN_BLOCKS", 18)
    monkeypatch.setattr("pairsweep.blocks.calibrate.WORTH_KEEPING", np.inf)  # all is left to the run
    solved = []
    original = runner.solve_block

    def stops_at_the_seventh(sweep, template, block, mask):
        solved.append(block)
        if len(solved) == 7:
            raise KeyboardInterrupt
        return original(sweep, template, block, mask)

    monkeypatch.setattr(runner, "solve_block", stops_at_the_seventh)
    path = tmp_path / "map.zarr"
    with pytest.raises(KeyboardInterrupt):
        run_to_store(parse_spec(MAP), path, SERIAL, quiet=True)
    assert (ps.open_store(path).status == 1).sum() == 6
    outcome = run_to_store(parse_spec(MAP), path, SERIAL, quiet=True)
    assert outcome.computed == 12
    assert len(solved) == 7 + 12
    for name, expected in ps.open_store(finished).data_vars.items():
        np.testing.assert_array_equal(ps.open_store(path)[name], expected)


def test_a_store_that_is_removed_is_made_anew_by_the_same_process(tmp_path):
    """As in a notebook: what the first run has open is not taken for the second store."""
    path = tmp_path / "map.zarr"
    text = growth(
        rho_high="{ start = 0.5, stop = 1.0, num = 20 }", rho_low="{ start = 0, stop = 0.5, num = 20 }"
    )
    for _ in range(2):
        ds = ps.run(text, path, scheduler="serial", quiet=True)
        assert (ds.status == 1).all()
        shutil.rmtree(path)


def test_results_stay_in_memory_without_a_store():
    assert ps.run(parse_spec(GROWTH), quiet=True).growth_rate.item() == pytest.approx(1.3393454e-2, rel=1e-7)


def test_another_sweep_is_refused_and_named(finished):
    with pytest.raises(ps.StoreError, match="n_theta"):
        run_to_store(parse_spec(MAP.replace("n_theta = 1", "n_theta = 2")), finished, quiet=True)


def test_new_values_on_axes_are_added_and_only_they_are_computed(finished, tmp_path):
    small = MAP.replace("[0.5, 0.7, 0.9]", "[0.5, 0.9]").replace("[1e-7, 1e-6]", "[1e-6]")
    path = tmp_path / "map.zarr"
    assert run_to_store(parse_spec(small), path, SERIAL, quiet=True).computed == 6
    assert run_to_store(parse_spec(MAP), path, SERIAL, quiet=True).computed == 12
    grown, expected = ps.open_store(path).load(), ps.open_store(finished).load()
    xr.testing.assert_identical(grown.drop_attrs(), expected.drop_attrs())


def test_axes_in_another_order_are_the_same_sweep(finished, tmp_path):
    path = tmp_path / "map.zarr"
    reordered = MAP.replace("rho_high = [0.5, 0.7, 0.9]\nrho_low = [0.0, 0.1, 0.6]", REORDERED)
    assert reordered != MAP
    assert run_to_store(parse_spec(reordered), path, SERIAL, quiet=True).computed == 18
    assert run_to_store(parse_spec(MAP), path, SERIAL, quiet=True).computed == 0
    found, expected = ps.open_store(path).load(), ps.open_store(finished).load()
    assert found.growth_rate.dims == ("rho_high", "rho_low", "g")
    xr.testing.assert_identical(found.drop_attrs(), expected.drop_attrs())


def test_losing_values_is_refused(finished, tmp_path):
    with pytest.raises(ps.StoreError, match="keep them"):
        run_to_store(parse_spec(MAP.replace("[0.5, 0.7, 0.9]", "[0.5, 0.9]")), finished, SERIAL, quiet=True)
    with pytest.raises(
        ps.StoreError, match="n_phi has 1 values there that it lacks now, 4 for one: keep them"
    ):
        run_to_store(parse_spec(MAP.replace("n_phi = 4", "n_phi = [8, 12]")), finished, SERIAL, quiet=True)
    with pytest.raises(ps.StoreError, match="g is an axis there and has one value now: give all its values"):
        run_to_store(parse_spec(MAP.replace("[1e-7, 1e-6]", "1e-6")), finished, SERIAL, quiet=True)


EVOLVED = growth(rho_high="[0.5, 0.9]").replace('["growth"]', '["growth", "evolution"]') + (
    "\n[evolution]\nt_end_mu = 5.0\nsamples = 11\n"
)


@pytest.mark.parametrize(
    ("text", "old", "new", "computed"),
    [
        (MAP, "n_energy = 1", "n_energy = [2, 1]", 18),  # more energy bins than any point had
        (MAP, "n_phi = 4", "n_phi = [4, 8]", 18),
        (growth(), "g = 1e-6", "g = [2e-6, 1e-6, 3e-6]", 2),  # a single point
        (EVOLVED, "g = 1e-6", "g = [1e-6, 2e-6]", 2),  # the times in 1/MeV get the new axis too
        (BEAMS, "rho = 1.0", "rho = [0.8, 1.0]", 1),  # whose value stood among those of all beams
    ],
)
def test_one_value_becomes_an_axis(tmp_path, text, old, new, computed):
    assert old in text
    many, path = text.replace(old, new, 1), tmp_path / "one.zarr"
    run_to_store(parse_spec(text), path, SERIAL, quiet=True)
    held, was = ps.open_store(path), ps.open_store(path).load()
    assert run_to_store(parse_spec(many), path, SERIAL, quiet=True).computed == computed
    run_to_store(parse_spec(many), tmp_path / "many.zarr", SERIAL, quiet=True)
    grown, expected = (ps.open_store(p).load() for p in (path, tmp_path / "many.zarr"))
    xr.testing.assert_identical(grown.drop_attrs(), expected.drop_attrs())
    assert not ps.verify(path)
    xr.testing.assert_identical(held.load(), was)  # who had it open before reads on
    assert run_to_store(parse_spec(many), path, SERIAL, quiet=True).computed == 0


def test_failures_stay_where_they_were_when_a_value_becomes_an_axis(tmp_path):
    (tmp_path / "mine.py").write_text(
        "def f(energy, theta, phi, level):\n"
        "    if level > 0.5:\n"
        "        raise ValueError('too much')\n"
        "    return level + 0 * energy, 0.5 + 0 * energy\n"
    )
    text = growth().split("[occupation]")[0]
    text += (
        '[occupation]\npattern = "custom"\nfunction = "mine.py:f"\nlevel = [0.2, 0.9]\n[coupling]\ng = 1e-6\n'
    )
    path = tmp_path / "s.zarr"
    for wanted, failed in ((text, 1), (text.replace("g = 1e-6", "g = [1e-7, 1e-6]"), 2)):
        assert run_to_store(parse_spec(wanted, folder=tmp_path), path, SERIAL, quiet=True).failed == failed
    assert {(each.at["level"], each.at["g"]) for each in ps.errors(path)} == {(0.9, 1e-7), (0.9, 1e-6)}


def test_a_single_point_that_has_grown_before_gets_an_axis(tmp_path):
    """Its one chunk may be called like one of the next generation: it must not be written over."""
    path, more = tmp_path / "s.zarr", growth().replace('["growth"]', '["growth", "continuum"]')
    for text in (growth(), more):
        run_to_store(parse_spec(text), path, SERIAL, quiet=True)
    held, was = ps.open_store(path), ps.open_store(path).load()
    run_to_store(parse_spec(more.replace("g = 1e-6", "g = [1e-6, 2e-6]")), path, SERIAL, quiet=True)
    xr.testing.assert_identical(held.load(), was)
    assert not ps.verify(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[0.5, 0.7, 0.9]", "[0.5, 0.9]", "keep them"),
        ("n_phi = 4", "n_phi = [8, 12]", "n_phi has 1 values there that it lacks now"),
    ],
)
def test_what_cannot_go_on_is_refused_before_anything_is_measured(finished, monkeypatch, old, new, words):
    assert old in MAP
    other = parse_spec(MAP.replace(old, new))
    monkeypatch.setattr("pairsweep.sweep.run.measured_costs", lambda *_: pytest.fail("measured"))
    for attempt in (
        lambda: run_to_store(other, finished, SERIAL, quiet=True),
        lambda: done_points(finished, expand(other)),
    ):
        with pytest.raises(ps.StoreError, match=words):
            attempt()


def test_growing_cuts_a_small_sweep_into_larger_blocks(tmp_path):
    path = tmp_path / "map.zarr"
    run_to_store(parse_spec(growth(rho_high="[0.5, 0.9]")), path, SERIAL, quiet=True)
    assert ps.open_store(path).status.encoding["chunks"] == (2,)
    larger = growth(rho_high="{ start = 0.5, stop = 0.9, num = 401 }")
    assert run_to_store(parse_spec(larger), path, SERIAL, quiet=True).computed == 399
    assert ps.open_store(path).status.encoding["chunks"] == (50,)


@pytest.mark.parametrize(
    "axes",
    [
        {"rho_high": "[0.5, 0.6, 0.7, 0.8]", "rho_low": "[0.1, 0.2, 0.3]"},
        {"n_energy": "[1, 2, 3, 4]", "g": "[1e-7, 1e-6, 1e-5]"},
    ],
)
def test_twelve_points_are_few_files(tmp_path, axes):
    path = tmp_path / "small.zarr"
    run_to_store(parse_spec(growth(**axes)), path, SERIAL, quiet=True)
    assert sum(file.is_file() for file in path.rglob("*")) <= 60


def test_a_path_that_is_not_ours_is_left_alone(tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    for name, cure in ("file", ""), ("folder", ", or for a new one a path where nothing is"):
        with pytest.raises(
            ps.StoreError, match=f"not a pairsweep store: name a store that pairsweep run has made{cure}"
        ):
            run_to_store(parse_spec(MAP), tmp_path / name, quiet=True)
    assert (tmp_path / "file").read_text() == "mine"
    assert list((tmp_path / "folder").iterdir()) == []


@pytest.fixture
def failing(tmp_path):
    (tmp_path / "mine.py").write_text(
        "def f(energy, theta, phi, width):\n"
        "    if width == 2.0:\n        raise RuntimeError('no such width')\n"
        "    return 0 * phi, 0 * phi\n"
    )
    text = GROWTH.split("[occupation]")[0] + '[occupation]\npattern = "custom"\nfunction = "mine.py:f"\n'
    path = tmp_path / "spec.toml"
    path.write_text(text + "width = [1.0, 2.0, 3.0]\n[coupling]\ng = 1e-6\n")
    return path


def test_failures_are_recorded_with_labels_and_tracebacks(failing, tmp_path):
    store = tmp_path / "out.zarr"
    outcome = run_to_store(failing, store, SERIAL, quiet=True)
    assert outcome.failed == 1
    (failure,) = ps.errors(store)
    assert failure.at == {"width": 2.0}
    assert "no such width" in failure.reason
    assert "mine.py" in failure.traceback
    assert run_to_store(failing, store, SERIAL, quiet=True).computed == 0
    assert run_to_store(failing, store, SERIAL, quiet=True, retry_failed=True).computed == 1


def test_a_point_of_a_store_wants_the_function_it_was_made_with(failing, tmp_path, monkeypatch):
    store = tmp_path / "out.zarr"
    run_to_store(failing, store, SERIAL, quiet=True)
    monkeypatch.chdir(tmp_path)
    assert point(store, {"width": 3.0}).failures == {}
    (tmp_path / "mine.py").write_text("def f(energy, theta, phi, width):\n    return phi, phi\n")
    with pytest.raises(ps.SpecError, match="not what the store was made with"):
        point(store, {"width": 3.0})


@pytest.mark.processes
def test_a_custom_function_travels_to_worker_processes(failing, tmp_path):
    ds = ps.run(failing, tmp_path / "out.zarr", scheduler="local", workers=2, quiet=True)
    np.testing.assert_array_equal(ds.status, [1, 2, 1])


def test_one_point_again(finished):
    again = point(finished, {"rho_high": "0.9", "rho_low": "0.1", "g": "1e-6"})
    at, results = again.at, again.results
    assert again.failures == {}
    assert at["rho_high"] == 0.9
    assert results["growth_rate"] == ps.open_store(finished).growth_rate.sel(
        rho_high=0.9, rho_low=0.1, g=1e-6
    )


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ({"rho_high": "0.9", "rho_low": "0.1"}, "add g=VALUE"),
        ({"rho_high": "0.9", "rho_low": "0.1", "g": "3e-6"}, "nearest: 1e-06"),
        ({"rho": "0.9"}, "not an axis"),
    ],
)
def test_a_point_that_is_not_in_the_sweep(finished, at, words):
    with pytest.raises(ps.SpecError, match=words):
        point(finished, at)


@pytest.mark.processes
def test_importing_the_package_is_light():
    import subprocess

    code = (
        "import sys, pairsweep; heavy = {'dask', 'distributed', 'matplotlib', 'scipy', 'xarray', 'numba', 'zarr'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.processes
def test_growth_functions_load_neither_dask_nor_matplotlib_nor_scipy():
    import subprocess

    code = (
        "import sys, pairsweep as ps; ps.bins, ps.quadrant, ps.read_spec, ps.SpecError;"
        "print(sorted({'dask', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("values", ["[0.1, 0.9]", "{ start = 0.1, stop = 0.9, num = 40 }"])
def test_a_plan_counts_the_files_of_the_store(tmp_path, values):
    text = growth(rho_high=values)
    ps.run(text, tmp_path / "out.zarr", scheduler="serial", quiet=True)
    files = sum(path.is_file() for path in (tmp_path / "out.zarr").rglob("*"))
    assert abs(files_of(Store.open(tmp_path / "out.zarr").template) - files) <= 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/usr/local/bin/pairsweep", "run", "a b.toml"], "pairsweep run 'a b.toml'"),
        ([f"{Path(ps.__file__).parent}/__main__.py", "run", "x.toml"], "pairsweep run x.toml"),
        (["study/script.py", "--fast"], "python study/script.py --fast"),
        (["-c", "1"], "python"),
        ([""], "python"),
    ],
)
def test_the_history_says_what_was_started(monkeypatch, arguments, said):
    monkeypatch.setattr(sys, "argv", arguments)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert started_by() == said


def test_the_history_of_a_notebook(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/lib/ipykernel_launcher.py", "-f", "/run/kernel-1234.json"])
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    assert started_by() == "notebook"
