"""Finding a user's function: what belongs to it, and what makes it another."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pairsweep
from pairsweep.contract.errors import SpecError, UserCodeError
from pairsweep.user_code.function import TRAVELLING_BYTES, find_function, from_callable
from pairsweep.user_code.module import load, load_anew
from pairsweep.user_code.trial import try_function

MOMENTA = (np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.0, 1.5]), np.array([0.1, 3.0, 5.0]))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that is neither the current one nor on the path, and a quick way to fill it."""

    class Folder:
        path = tmp_path / "study"

        def write(self, **files):
            for name, text in files.items():
                target = self.path / name.replace("__", "/", 1)
                target = target if target.suffix else target.with_suffix(".py")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
            return self

        def find(self, reference="mine.py:f", data=()):
            return find_function(reference, self.path, data)

        def call(self, *args, reference="mine.py:f", **kwargs):
            return load(self.find(reference))(*args, **kwargs)

    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return Folder()


def test_the_file_beside_is_importable_from_any_folder(folder):
    folder.write(
        mine="from shapes import inside\ndef f(x):\n    return inside(x)\n",
        shapes="def inside(x):\n    return x < 2\n",
    )
    assert folder.call(1)
    assert {file.module for file in folder.find().sources} == {"mine", "shapes"}


def test_an_import_inside_the_function_finds_it_too(folder):
    folder.write(mine="def f(x):\n    from shapes import y\n    return x + y\n", shapes="y = 2\n")
    assert folder.call(1) == 3


def test_packages_relative_imports_and_helpers_of_helpers(folder):
    folder.write(
        mine="from lib.a import value\nf = lambda: value\n",
        lib____init__="scale = 10\n",
        lib__a="from . import scale\nfrom .b import value as v\nvalue = v * scale\n",
        lib__b="import top\nvalue = top.one\n",
        top="one = 1\n",
    )
    assert folder.call() == 10
    assert {f.module for f in folder.find().sources} == {"mine", "lib", "lib.a", "lib.b", "top"}


def test_a_module_reference_beside_the_specification(folder):
    folder.write(
        lib____init__="", lib__occ="from .base import two\ndef f():\n    return two\n", lib__base="two = 2\n"
    )
    assert folder.call(reference="lib.occ:f") == 2


def test_a_file_in_a_subfolder_sees_its_own_folder_and_that_of_the_specification(folder):
    folder.write(
        code__mine="import near, far\ndef f():\n    return near.x + far.x\n",
        code__near="x = 1\n",
        far="x = 2\n",
    )
    assert folder.call(reference="code/mine.py:f") == 3


def test_module_file_and_name_are_right(folder):
    folder.write(mine="import sys\ndef f():\n    return __name__, __file__, sys.modules[__name__].f is f\n")
    assert folder.call() == ("mine", str(folder.path / "mine.py"), True)


def test_dataclasses_with_postponed_annotations_pickles_and_numba_caches(folder):
    folder.write(
        mine="from __future__ import annotations\n"
        "import pickle\nfrom dataclasses import dataclass\nimport numba\n"
        "@dataclass\nclass Level:\n    value: float\n"
        "@numba.njit(cache=True)\ndef twice(x):\n    return 2 * x\n"
        "def f(x):\n    return twice(pickle.loads(pickle.dumps(Level(x))).value)\n"
    )
    assert folder.call(1.5) == 3.0


def test_kept_machine_code_does_not_outlive_a_helper(folder):
    mine = (
        "import numba\nfrom helper import level\n@numba.njit(cache=True)\ndef g(x):\n    return level() * x\n"
    )
    mine += "def f(x):\n    return g(x)\n"
    helper = "import numba\n@numba.njit(cache=True)\ndef level():\n    return {}\n"
    folder.write(mine=mine, helper=helper.format(2.0))
    assert folder.call(3.0) == 6.0
    folder.write(helper=helper.format(5.0))
    assert folder.call(3.0) == 15.0


def test_modules_called_alike_of_two_functions_do_not_mix(folder, tmp_path):
    for name, value in (("one", 1), ("two", 2)):
        folder.path = tmp_path / name
        folder.write(
            mine="def f():\n    import helper\n    return helper.value\n", helper=f"value = {value}\n"
        )
    one, two = (load(find_function("mine.py:f", tmp_path / name)) for name in ("one", "two"))
    assert [one(), two(), one(), two()] == [1, 2, 1, 2]


def test_nothing_is_left_behind_in_this_process(folder):
    folder.write(mine="import helper\ndef f():\n    return 1\n", helper="")
    before = list(sys.path), list(sys.meta_path), set(sys.modules)
    folder.call()
    assert (list(sys.path), list(sys.meta_path)) == before[:2]
    assert not {"mine", "helper"} & (set(sys.modules) - before[2])


def test_an_edited_helper_is_another_function_at_once(folder):
    folder.write(mine="from helper import value\ndef f():\n    return value\n", helper="value = 1\n")
    before = folder.find()
    assert load(before)() == 1
    folder.write(helper="value = 2\n")
    assert load(folder.find())() == 2
    assert folder.find().digest != before.digest


def test_comments_and_layout_make_no_other_function(folder):
    folder.write(mine="from helper import value\ndef f():\n    return value\n", helper="value = (1, 2)\n")
    before = folder.find().digest
    folder.write(mine='"""Words."""\nfrom helper import value  # why\n\n\ndef f():\n    return value\n')
    folder.write(helper="value = (\n    1,\n    2,\n)\n")
    assert folder.find().digest == before
    folder.write(unrelated="whatever = 1\n")
    assert folder.find().digest == before


def test_where_it_lies_makes_no_other_function(folder, tmp_path):
    folder.write(mine="def f():\n    return 1\n")
    before = folder.find().digest
    folder.path.rename(tmp_path / "moved")
    assert find_function("mine.py:f", tmp_path / "moved").digest == before


@pytest.mark.parametrize("change", ["edited", "gone"])
def test_it_travels_and_stays_what_it_was(folder, change):
    folder.write(
        mine="from pathlib import Path\nfrom helper import value\n"
        "def f():\n    return value + int(Path(__file__).with_name('table.txt').read_text())\n",
        helper="value = 1\n",
        **{"table.txt": "10"},
    )
    travelling = pickle.dumps(folder.find(data=["table.txt"]))
    for name in ("mine.py", "helper.py", "table.txt"):
        if change == "gone":
            (folder.path / name).unlink()
        else:
            (folder.path / name).write_text("value = 7; f = None\n")
    assert load_anew(pickle.loads(travelling))() == 11


def test_data_count_by_their_bytes(folder):
    folder.write(mine="def f(): ...\n", **{"table.txt": "1", "more__a.txt": "2", "more__b.txt": "3"})
    before = folder.find(data=["table.txt", "more"])
    assert sorted(before.data_digests()) == ["more/a.txt", "more/b.txt", "table.txt"]
    folder.write(**{"more__b.txt": "4"})
    after = folder.find(data=["table.txt", "more"])
    assert after.digest == before.digest
    changed = {name for name, digest in after.data_digests().items() if before.data_digests()[name] != digest}
    assert changed == {"more/b.txt"}


def test_large_data_stay_where_they_are_and_must_not_change(folder):
    folder.write(mine="def f():\n    return 1\n")
    large = folder.path / "large.bin"
    large.write_bytes(bytes(TRAVELLING_BYTES + 1))
    function = folder.find(data=["large.bin"])
    assert len(pickle.dumps(function)) < 10_000
    assert load_anew(function)() == 1
    large.write_bytes(bytes(TRAVELLING_BYTES) + b"1")
    with pytest.raises(UserCodeError, match="has changed since"):
        load_anew(function)
    large.unlink()
    with pytest.raises(UserCodeError, match="not on this machine"):
        load_anew(function)


@pytest.mark.parametrize(
    ("files", "reference", "message"),
    [
        ({}, "mine.py:f", "cannot be read"),
        ({}, "mine.py", "file.py:function"),
        ({}, "nowhere.at.all:f", "no Python module nowhere.at.all"),
        ({"mine": "def f(:\n"}, "mine.py:f", r"mine\.py, line 1"),
        ({"mine": "import helper\n", "helper": "\n\nx = = 1\n"}, "mine.py:f", r"helper\.py, line 3"),
        ({"mine": "import random\n", "random": "x = 1\n"}, "mine.py:f", "Python's own module|rename it"),
    ],
)
def test_what_cannot_be_a_function_is_refused(folder, files, reference, message):
    folder.write(keep="", **files)
    with pytest.raises(SpecError, match=message):
        folder.find(reference)


def test_a_missing_data_file_is_named(folder):
    folder.write(mine="def f(): ...\n")
    with pytest.raises(SpecError, match=r"occupation\.data = 'table\.npz'"):
        folder.find(data=["table.npz"])


def test_a_file_called_like_a_module_of_python_is_loaded_all_the_same(folder):
    folder.write(profile="def f():\n    return __name__\n")
    assert folder.call(reference="profile.py:f") == "user_profile"


def test_the_engine_is_never_taken_for_a_helper(folder):
    folder.write(mine="import pairsweep as ps\ndef f():\n    return ps.bins(1, 1, 4).size\n")
    (folder.path / "pairsweep").symlink_to(Path(pairsweep.__file__).parent)
    assert folder.call() == 4
    assert [file.module for file in folder.find().sources] == ["mine"]


def test_a_function_that_is_not_there(folder):
    folder.write(mine="def g(): ...\n")
    with pytest.raises(UserCodeError, match="mine has no function f"):
        folder.call()


@pytest.mark.processes
def test_an_installed_module(folder):
    folder.write(keep="")
    function = folder.find("numpy.linalg:norm")
    assert load(function)([3.0, 4.0]) == 5.0
    assert load(function).function is np.linalg.norm
    assert {file.module.split(".")[0] for file in function.sources} == {"numpy"}


# --- the first call -------------------------------------------------------------------------------------------


def tried(folder, body, parameters="level", given={"level": 0.5}):  # noqa: B006
    folder.write(mine=f"import numpy as np\ndef f(energy, theta, phi, {parameters}):\n    {body}\n")
    return try_function(folder.find(), MOMENTA, lambda loaded: given)


def test_a_function_that_fits(folder):
    assert tried(folder, "return level + 0 * phi, 0.1").complaint == ""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return level + phi, phi", "rho = 3.5"),
        ("return 0 * phi, phi * np.nan", "rhobar = nan"),
        ("return LEVEL + phi, phi", "NameError"),
        ("return [0.1, 0.2][level], phi", "TypeError"),
    ],
)
def test_what_may_be_right_elsewhere_is_said(folder, body, words):
    assert words in tried(folder, body).complaint


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return phi", "return two arrays"),
        ("return 0 * phi[:2]", "return two arrays"),
        ("return 0 * phi, 0 * phi, 0 * phi", "return two arrays"),
        ("return None", "returns NoneType"),
        ("return 0 * phi, np.zeros((2, 2))", r"rhobar of shape \(2, 2\)"),
        ("return np.zeros(4), 0 * phi", r"rho of shape \(4,\)"),
        ("return 'many', 0 * phi", "array of numbers"),
        ("r = np.random.default_rng().random(phi.size); return r, r", "asked twice"),
        ("f.n = getattr(f, 'n', 0) + 0.1; return f.n + 0 * phi, 0 * phi", "asked twice"),
    ],
)
def test_what_is_wrong_everywhere_is_refused(folder, body, words):
    with pytest.raises(SpecError, match=words):
        tried(folder, body)


@pytest.mark.parametrize(
    ("parameters", "given", "words"),
    [
        (
            "opening",
            {"openning": 1.0},
            r"occupation\.openning: is no parameter of mine\.py:f: did you mean opening",
        ),
        ("opening", {}, r"occupation\.opening: is missing"),
        ("*, opening, depth", {"opening": 1.0}, r"occupation\.depth: is missing"),
        ("opening=1", {"x": 1.0}, "is no parameter"),
    ],
)
def test_parameters_that_do_not_fit_are_named(folder, parameters, given, words):
    with pytest.raises(SpecError, match=words):
        tried(folder, "return 0 * phi, 0 * phi", parameters, given)


def test_a_function_may_take_whatever_comes(folder):
    assert tried(folder, "return others['level'] + 0 * phi, 0 * phi", "**others").complaint == ""


def test_files_that_it_reads_are_found_whether_it_loads_them_or_opens_them(folder):
    folder.write(**{"a.txt": "0.5", "b.txt": "0.1", "unread.txt": "1"})
    np.savez(folder.path / "c.npz", level=0.1)
    folder.write(
        mine="from pathlib import Path\nimport numpy as np\nHERE = Path(__file__).parent\n"
        "A = float((HERE / 'a.txt').read_text())\n"
        "def f(energy, theta, phi):\n    b = np.loadtxt(HERE / 'b.txt') + np.load(HERE / 'c.npz')['level']\n"
        "    with open(HERE / 'log.txt', 'w') as log:\n        log.write('called')\n"
        "    return A + 0 * phi, b + 0 * phi\n"
    )
    function = folder.find()
    for _ in range(2):  # also when it was loaded before
        assert sorted(try_function(function, MOMENTA, lambda loaded: {}).read) == ["a.txt", "b.txt", "c.npz"]
    assert function.reads(["a.txt"]).data_digests().keys() == {"a.txt"}


# --- functions of a running program ----------------------------------------------------------------------------

NOTEBOOK = """
import sys
import numpy as np
from pairsweep.user_code.function import from_callable

LEVEL = {level}
HIDDEN = {hidden}

def helper(x):
    return {factor} * x + LEVEL

def f(energy, theta, phi, opening=1):{comment}
    def inner(y):
        return helper(y) + HIDDEN
    return inner(phi), opening
"""


def told(tmp_path, name="script.py", **values):
    """Digest of the function of a script, in a process of its own."""
    values = {"level": "1.0", "hidden": "np.ones(2)", "factor": "2", "comment": ""} | values
    path = tmp_path / name
    path.write_text(NOTEBOOK.format(**values) + "print(from_callable(f).digest)\n")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_function_of_a_script_is_known_again_in_another_process(tmp_path):
    first = told(tmp_path)
    assert told(tmp_path, comment="  # a comment") == first
    for change in ({"level": "1.5"}, {"hidden": "np.zeros(2)"}, {"factor": "3"}):
        assert told(tmp_path, **change) != first


def test_a_module_beside_a_script_counts_too(tmp_path):
    digests = []
    for value in (1, 1, 2):
        (tmp_path / "beside.py").write_text(
            f"import below\n\ndef inside(x):\n    return below.value + {value}\n"
        )
        (tmp_path / "below.py").write_text("value = 1  # a comment\n")
        digests.append(told(tmp_path, hidden="__import__('beside')"))
    assert digests[0] == digests[1] != digests[2]


def test_a_function_that_cannot_be_identified_is_another_in_every_process(tmp_path):
    assert told(tmp_path, hidden="object()") != told(tmp_path, hidden="object()")


def test_a_function_without_a_file_travels_by_value():
    level = 0.25
    function = pickle.loads(pickle.dumps(from_callable(lambda energy, theta, phi: (level + 0 * phi, 0.1))))
    assert try_function(function, MOMENTA, lambda loaded: {}).complaint == ""
    np.testing.assert_array_equal(load(function)(*MOMENTA)[0], [level, level, level])


def test_an_imported_function_is_taken_from_its_file(folder, monkeypatch):
    folder.write(mine="from helper import one\ndef f():\n    return one\n", helper="one = 1\n")
    monkeypatch.syspath_prepend(folder.path)
    import mine

    function = from_callable(mine.f)
    assert function.digest == folder.find().digest
    assert load(function)() == 1
    monkeypatch.delitem(sys.modules, "mine")
    monkeypatch.delitem(sys.modules, "helper")
