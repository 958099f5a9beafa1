"""A user's own function from the specification to the store, under every scheduler and from any folder."""

import json
import shutil

import numpy as np
import pytest

import pairsweep as ps
from pairsweep.cli.commands import main
from pairsweep.contract.errors import SpecError, StoreError
from pairsweep.spec.reader import read_spec
from pairsweep.sweep.point import point
from pairsweep.sweep.run import run_to_store
from pairsweep.sweep.where import Where
from tests.specs import GROWTH

pytestmark = pytest.mark.processes  # a user's function is tried in one of its own

SERIAL = Where("serial")
STEP = """import numpy as np


def f(energy, theta, phi, level):
    return 2 * (np.where(phi < 1.57, {}, 0.1),)
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A folder with a specification and files; the current folder is another one."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    class Study:
        folder = tmp_path / "study"
        store = tmp_path / "out.zarr"

        def write(self, keys="level = [0.6, 0.9]", grid="", **files):
            self.folder.mkdir(exist_ok=True)
            for name, text in files.items():
                (self.folder / f"{name}.py").write_text(text)
            head = GROWTH.split("[occupation]")[0] + grid
            text = f'{head}[occupation]\npattern = "custom"\nfunction = "mine.py:f"\n{keys}\n[coupling]\ng = 1e-6\n'
            (self.folder / "spec.toml").write_text(text)
            return self.folder / "spec.toml"

        def run(self, where=SERIAL, **options):
            return run_to_store(self.folder / "spec.toml", self.store, where, quiet=True, **options)

        @property
        def growth(self):
            return ps.open_store(self.store).growth_rate.values

    return Study()


def expected(*levels):
    """Growth rates of the quadrant pattern."""
    grid = ps.bins(1, 1, 4, 20.0)
    return [float(ps.growth(grid, ps.quadrant(grid, level, 0.1)[0], g=1e-6).growth_rate) for level in levels]


# --- what it is called with ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "temperature",
        "chemical_potential",
        "dipole",
        "rho_high",
        "rhobar_low",
        "e_low",
        "edge_width",
        "flux_factor",
    ],
)
def test_every_key_reaches_the_function_whatever_its_name(study, name):
    study.write(
        keys=f"opening = [0.5, 0.9]\n{name} = [0.25, 0.5]",
        mine=f"import numpy as np\ndef f(energy, theta, phi, opening, {name}=0.0):\n"
        f"    return 2 * (np.where(phi < 1.57, opening, {name}),)\n",
    )
    assert study.run().failed == 0
    ds = ps.open_store(study.store)
    assert ds.growth_rate.sel({"opening": 0.9, name: 0.25}) != ds.growth_rate.sel({"opening": 0.9, name: 0.5})


def test_keys_of_a_pattern_on_the_same_axis_go_to_the_function_that_names_them(study):
    keys = "rho_high = 0.9\nrho_low = [0.1, 0.2]\nlevel = 0.6"
    path = study.write(
        keys=keys,
        mine="import numpy as np\ndef f(energy, theta, phi, level, rho_low):\n"
        "    r = np.where(phi < 1.57, level, rho_low)\n    return r, r\n",
    )
    path.write_text(path.read_text().replace('"custom"', '["quadrant", "custom"]'))
    assert study.run().failed == 0
    quadrant = ps.open_store(study.store).growth_rate
    grid = ps.bins(1, 1, 4, 20.0)
    for pattern, level in (("quadrant", 0.9), ("custom", 0.6)):
        rho, _ = ps.quadrant(grid, level, 0.2)
        alone = ps.growth(grid, rho, g=1e-6).growth_rate
        assert float(quadrant.sel(pattern=pattern, rho_low=0.2)) == pytest.approx(float(alone), rel=1e-9)


@pytest.mark.parametrize("name", ["energy", "theta", "phi", "n_phi", "g", "growth_rate", "status"])
def test_names_that_the_engine_needs_are_refused(study, name):
    path = study.write(keys=f"{name} = 1.0", mine="def f(energy, theta, phi, **others): ...\n")
    with pytest.raises(SpecError, match=name):
        read_spec(path)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("[0, 1]", int),
        ("1", int),
        ("{ start = 0, stop = 1, num = 2 }", int),
        ("[0.0, 1.0]", float),
        ("[0, 1.0]", float),
        ("{ start = 0, stop = 1, num = 3 }", float),
        ('{ start = 1, stop = 4, num = 2, spacing = "log" }', float),
        ('["a", "b"]', str),
    ],
)
def test_whole_numbers_stay_whole(study, given, kind):
    mine = f"def f(energy, theta, phi, level):\n    assert type(level) is {kind.__name__}, type(level)\n"
    study.write(keys=f"level = {given}", mine=mine + "    return 0 * phi, 0 * phi\n")
    assert study.run().failed == 0
    coordinate = ps.open_store(study.store).level
    assert coordinate.dtype.kind in {int: "i", float: "f", str: "OUT"}[kind]


# --- where it runs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", [SERIAL, Where("threads", 2), Where("local", 1), Where("dask", 1)])
def test_the_file_beside_it_is_found_under_every_scheduler(study, where):
    study.write(
        mine="from shapes import inside\nimport numpy as np\n\n\ndef f(energy, theta, phi, level):\n"
        "    return 2 * (np.where(inside(phi), level, 0.1),)\n",
        shapes="def inside(phi):\n    return phi < 1.57\n",
    )
    assert study.run(where).failed == 0
    np.testing.assert_allclose(study.growth, expected(0.6, 0.9), rtol=1e-9)


def test_a_point_of_a_store_is_computed_from_any_folder_even_without_the_file(study):
    study.write(mine="from helper import low\n" + STEP.format("level + low"), helper="low = 0.0\n")
    study.run()
    for _ in range(2):
        again = point(study.store, {"level": "0.9"})
        numbers, failures = again.results, again.failures
        assert not failures
        assert numbers["growth_rate"] == study.growth[1]
        shutil.rmtree(study.folder, ignore_errors=True)


def test_a_table_beside_the_function_belongs_to_it(study):
    mine = (
        "from pathlib import Path\nimport numpy as np\n"
        "with np.load(Path(__file__).with_name('table.npz')) as table:\n    SCALE = table['scale']\n"
        + STEP.format("level * SCALE")
    )
    study.write(mine=mine)
    np.savez(study.folder / "table.npz", scale=1.0)
    assert study.run(Where("local", 1)).failed == 0
    np.testing.assert_allclose(study.growth, expected(0.6, 0.9), rtol=1e-9)
    np.savez(study.folder / "table.npz", scale=0.5)
    study.write(keys="level = [0.6, 0.7, 0.9]")
    with pytest.raises(StoreError, match=r"data table\.npz"):
        study.run()
    np.savez(study.folder / "table.npz", scale=1.0)
    assert study.run().computed == 1
    np.testing.assert_allclose(study.growth, expected(0.6, 0.7, 0.9), rtol=1e-9)


# --- what it was -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changed", ["helper", "mine"])
def test_a_changed_function_or_helper_is_refused(study, changed):
    files = {"mine": "from helper import top\n" + STEP.format("level * top"), "helper": "top = 1.0\n"}
    study.write(**files)
    study.run()
    study.write(
        keys="level = [0.6, 0.7, 0.9]",
        **{changed: files[changed].replace("1.0", "0.5").replace("0.1", "0.2")},
    )
    with pytest.raises(StoreError, match="holds another sweep"):
        study.run()
    with pytest.raises(SpecError, match="not what the store was made with"):
        point(study.store, {"level": "0.9"})
    study.write(
        keys="level = [0.6, 0.7, 0.9]", **{name: f"# a comment\n{text}" for name, text in files.items()}
    )
    assert study.run().computed == 1


@pytest.mark.parametrize("retry", [True, False])
def test_a_store_with_nothing_done_takes_a_mended_function(study, retry):
    study.write(mine=STEP.format("LEVEL[level]"))
    assert study.run().failed == 2
    study.write(mine=STEP.format("level"))
    outcome = study.run(retry_failed=retry)
    assert (outcome.computed, outcome.failed) == (2, 0)
    np.testing.assert_allclose(study.growth, expected(0.6, 0.9), rtol=1e-9)


def test_one_with_something_done_does_not(study):
    study.write(mine=STEP.format("{0.6: 0.6}[level]"))
    assert study.run().failed == 1
    study.write(mine=STEP.format("level"))
    with pytest.raises(StoreError, match="custom"):
        study.run()


# --- the first call --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["plan", "run"])
@pytest.mark.parametrize(
    ("mine", "words"),
    [
        ("def f(energy, theta, phi, levels):\n    return phi, phi\n", "did you mean levels"),
        ("def f(energy, theta, phi, level, depth):\n    return phi, phi\n", "occupation.depth: is missing"),
        ("def f(energy, theta, phi, level):\n    return phi[:2] * 0, phi * 0\n", "shape (2,)"),
        ("def f(energy, theta, phi, level):\n    return phi * 0\n", "return two arrays"),
        (
            "import random\ndef f(energy, theta, phi, level):\n    return random.random() + 0 * phi, 0 * phi\n",
            "asked twice",
        ),
    ],
)
def test_what_is_wrong_everywhere_is_refused_before_anything_is_stored(study, capsys, command, mine, words):
    path = str(study.write(mine=mine))
    assert main([command, path, "--store", str(study.store)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
    assert not study.store.exists()


@pytest.mark.parametrize(
    ("value", "words"),
    [("1.5 * level", "rho = 1.35"), ("LEVEL", "NameError"), ("level / 0", "ZeroDivisionError")],
)
def test_a_first_point_that_fails_is_said_by_plan(study, capsys, value, words):
    path = str(study.write(keys="level = [0.9, 0.6]", mine=STEP.format(value)))
    assert main(["plan", path]) == 0
    assert words in capsys.readouterr().err


# --- a function itself -----------------------------------------------------------------------------------------


def tables(function, **keys):
    """A specification as a mapping."""
    return {
        "analyses": ["growth"],
        "grid": {"kind": "bins", "n_energy": 1, "n_theta": 1, "n_phi": 4, "energy_max": 20.0},
        "occupation": {"pattern": "custom", "function": function, "level": [0.6, 0.9], **keys},
        "coupling": {"g": 1e-6},
    }


def test_a_function_itself_may_stand_in_a_mapping():
    low = 0.1

    def f(energy, theta, phi, level):
        return 2 * (np.where(phi < 1.57, level, low),)

    ds = ps.run(tables(f), scheduler="serial", quiet=True)
    np.testing.assert_allclose(ds.growth_rate, expected(0.6, 0.9), rtol=1e-9)


def test_a_lambda_reaches_worker_processes_and_a_store_goes_on(study):
    spec = tables(lambda energy, theta, phi, level: 2 * (np.where(phi < 1.57, level, 0.1),))
    for levels in ([0.6, 0.9], [0.6, 0.7, 0.9]):
        spec["occupation"]["level"] = levels
        ds = ps.run(spec, study.store, scheduler="local", workers=1, quiet=True)
        np.testing.assert_allclose(ds.growth_rate, expected(*levels), rtol=1e-9)


@pytest.fixture
def another_process(monkeypatch):
    """Forget what makes a process know its own functions again."""

    def forget():
        monkeypatch.setattr("pairsweep.user_code.function.PROCESS", "another")
        monkeypatch.setattr("pairsweep.user_code.function._given", {})

    return forget


def test_a_function_that_cannot_be_known_again_does_not_go_on_in_another_process(study, another_process):
    unknown = object()
    spec = tables(lambda energy, theta, phi, level: (level + 0 * phi + 0 * (unknown is None), 0 * phi))
    for levels in ([0.6, 0.9], [0.6, 0.7, 0.9]):  # in this process it is known
        spec["occupation"]["level"] = levels
        ps.run(spec, study.store, scheduler="serial", quiet=True)
    another_process()
    with pytest.raises(StoreError, match="put the function into a file"):
        ps.run(spec, study.store, scheduler="serial", quiet=True)


def quadrant_like(energy, theta, phi, level):
    return 2 * (np.where(phi < 1.57, level, 0.1),)


def test_a_store_keeps_the_text_of_a_function_and_computes_with_it_where_it_was_given(study, another_process):
    def f(energy, theta, phi, level):
        return quadrant_like(energy, theta, phi, level)

    ps.run(tables(f), study.store, scheduler="serial", quiet=True)
    assert "return quadrant_like(energy" in json.loads(ps.open_store(study.store).attrs["function"])["source"]
    found = point(study.store, {"level": 0.9})
    assert float(found.results["growth_rate"]) == pytest.approx(expected(0.9)[0], rel=1e-9)
    another_process()
    with pytest.raises(SpecError, match=r"stood in no file: give it again by ps\.run"):
        point(study.store, {"level": 0.9})
    assert ps.run(tables(f), study.store, scheduler="serial", quiet=True).status.values.tolist() == [1, 1]


def test_a_function_among_the_overrides(study):
    path = study.write(mine=STEP.format("level"))
    mended = {"occupation.function": lambda energy, theta, phi, level: (level + 0 * phi, level + 0 * phi)}
    spec = read_spec(path, mended)
    assert spec.custom.pickled
    assert 'function = "__main__:function"' in spec.text
    ds = ps.run(path, overrides=mended, scheduler="serial", quiet=True)
    assert (ds.growth_rate == 0).all()  # alike in all directions


def test_a_function_that_cannot_travel_is_refused(study):
    import threading

    lock = threading.Lock()
    with pytest.raises(SpecError, match="cannot travel to workers"):
        read_spec(tables(lambda energy, theta, phi, level: (lock, level)))


@pytest.mark.parametrize("scheduler", ["serial", "threads"])
def test_what_it_prints_is_apart_from_what_a_command_found(study, capsys, scheduler):
    talking = STEP.format("level").replace("    return", "    print('called with', level)\n    return")
    spec = study.write(mine=talking)
    assert main(["run", str(spec), "--store", str(study.store), "--scheduler", scheduler]) == 0
    out, err = capsys.readouterr()
    assert "called with" not in out
    assert {"called with 0.6", "called with 0.9"} <= set(err.splitlines())
