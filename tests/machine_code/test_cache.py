"""A package of two small files of kernels, run by processes of its own: who compiles, and who loads."""

import gc
import json
import os
import subprocess
import sys
import time

import pytest

from pairsweep.kernels.jit import jit
from pairsweep.machine_code import cache

INNER = """
from pairsweep.kernels.jit import jit

@jit()
def inner(x):
    return x + 1
"""
OUTER = """
import inner
from pairsweep.kernels.jit import jit

called = inner.inner

@jit()
def outer(x):
    return 2 * called(x)

@jit()
def other(x):
    return 3 * x
"""
RUN = """
import json, sys, time
from numba.core import event

class Listener(event.Listener):
    def on_start(self, event):
        compiled.append(event.data["dispatcher"].py_func.__name__)
        pass  # here
    def on_end(self, event): pass

compiled = []
event.register("numba:compile", Listener())
import outer
print(json.dumps([outer.outer(2), outer.other(2), compiled]))
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "inner.py").write_text(INNER)
    (tmp_path / "outer.py").write_text(OUTER)
    return tmp_path


def start(folder, code=RUN, **own):
    own = {"PAIRSWEEP_CACHE_DIR": str(folder / "cache")} | own
    paths = os.pathsep.join([str(folder), *(p for p in sys.path if p)])
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": paths} | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(process):
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    *values, compiled = json.loads(out)
    return values, compiled, err


def run(folder, **own):
    return result(start(folder, **own))


ALL = ["outer", "inner", "other"]


@pytest.mark.processes
def test_code_is_compiled_once_and_anew_only_where_an_edit_reaches(folder):
    assert run(folder) == ([6, 6], ALL, "")
    assert run(folder) == ([6, 6], [], "")
    (folder / "inner.py").write_text(
        "# a comment\n" + INNER.replace("def inner(x):", 'def inner(x):\n    "Doc."')
    )
    assert run(folder) == ([6, 6], [], "")
    (folder / "outer.py").write_text(OUTER.replace("3 * x", "4 * x"))
    assert run(folder) == ([6, 8], ["outer", "other"], "")
    (folder / "inner.py").write_text(INNER.replace("+ 1", "+ 2"))
    assert run(folder) == ([8, 8], ALL, "")
    (folder / "inner.py").write_text(INNER)
    assert run(folder) == ([6, 8], [], "")


@pytest.mark.processes
def test_another_version_or_processor_has_a_folder_of_its_own(folder):
    run(folder)
    (machine,) = (folder / "cache").glob("kernels-*")
    assert machine.name == f"kernels-{cache.machine_name()}"
    assert run(folder, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")[1] == ALL
    assert len(list((folder / "cache").glob("kernels-*-generic-*"))) == 1


@pytest.mark.processes
def test_of_two_processes_one_compiles_and_the_other_loads(folder):
    slow = RUN.replace("pass  # here", "time.sleep(0.5)")
    both = [result(p) for p in [start(folder, slow), start(folder, slow)]]
    assert [values for values, _, _ in both] == [[6, 6], [6, 6]]
    assert sorted(both[0][1] + both[1][1]) == sorted(ALL)


@pytest.mark.processes
def test_a_killed_process_leaves_no_lock(folder):
    stuck = RUN.replace("pass  # here", "print('taken', flush=True); time.sleep(100)")
    first = start(folder, stuck)
    assert first.stdout.readline() == "taken\n"
    second = start(folder)
    time.sleep(0.5)
    assert second.poll() is None
    first.kill()
    first.communicate()
    assert result(second)[:2] == ([6, 6], ALL)


@pytest.mark.processes
def test_a_stopped_process_is_waited_for_only_so_long(folder):
    stuck = RUN.replace("pass  # here", "print('taken', flush=True); time.sleep(100)")
    first = start(folder, stuck)
    try:
        assert first.stdout.readline() == "taken\n"
        impatient = "from pairsweep.machine_code import cache; cache.PATIENCE = 0.1\n" + RUN
        assert result(start(folder, impatient))[1] == ALL
    finally:
        first.kill()
        first.communicate()


@pytest.mark.processes
def test_a_kernel_that_does_not_compile_gives_its_lock_back(folder):
    (folder / "outer.py").write_text(OUTER.replace("3 * x", "x.nothing"))
    held = (
        "import outer, numba\ntry: outer.other(1)\nexcept numba.TypingError: pass\n"
        "from pairsweep.machine_code import cache\n"
        "print(cache._lock_of(outer.other._cache._folders[-1])._handle)"
    )
    out, err = start(folder, held).communicate()
    assert out == "None\n", err


@pytest.mark.processes
@pytest.mark.parametrize("kind", ["nbc", "nbi"])
@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_damaged_files_are_one_line_and_made_anew(folder, kind, damage):
    run(folder)
    (path,) = (folder / "cache").glob(f"kernels-*/*/other-*.{kind}")
    content = bytearray(path.read_bytes())
    if damage == "cut":
        del content[-5:]
    else:  # in the code itself, where pickle would not notice; an index begins with numba's version
        content[len(content) // 2 if kind == "nbc" else 1] ^= 255
    path.write_bytes(content)
    values, compiled, said = run(folder)
    assert (values, compiled) == ([6, 6], ["other"])
    assert said.count("\n") == 1
    assert "cannot be read" in said
    assert str(path.parent) in said
    assert run(folder) == ([6, 6], [], "")


@pytest.mark.processes
def test_a_folder_of_somebody_else_is_read_and_the_rest_is_kept_in_a_private_one(folder):
    run(folder)
    read_only = "from pairsweep.machine_code import folders\nfolders._is_usable = lambda f: False\n"
    own = {"TMPDIR": str(folder)}
    assert result(start(folder, read_only + RUN, **own)) == ([6, 6], [], "")
    (folder / "outer.py").write_text(OUTER.replace("3 * x", "4 * x"))
    assert result(start(folder, read_only + RUN, **own)) == ([6, 8], ["outer", "other"], "")
    assert result(start(folder, read_only + RUN, **own)) == ([6, 8], [], "")
    (private,) = folder.glob("pairsweep-*")
    assert {p.name.split("-")[0] for p in private.glob("kernels-*/*")} == {"outer"}


@pytest.mark.processes
def test_a_folder_that_can_be_none_is_not_one_that_cannot_be_read(folder):
    (folder / "file").write_text("")
    own = {"PAIRSWEEP_CACHE_DIR": str(folder / "file" / "cache"), "TMPDIR": str(folder)}
    assert run(folder, **own) == ([6, 6], ALL, "")
    assert run(folder, **own) == ([6, 6], [], "")


@pytest.mark.processes
def test_however_much_is_damaged_is_one_line(folder):
    run(folder)
    for path in (folder / "cache").glob("kernels-*/*/*.nb[ic]"):
        path.write_bytes(b"lost" * len(path.name))
    values, compiled, said = run(folder)
    assert (values, compiled) == ([6, 6], ALL)
    assert said.count("\n") == 1
    assert run(folder) == ([6, 6], [], "")


@pytest.mark.processes
def test_code_that_may_not_be_read_is_one_line(folder):
    run(folder)
    refuse = (
        "from pairsweep.machine_code import cache\n"
        "def load(*_): raise PermissionError(13, 'Permission denied')\n"
        "cache._Files.load = load\n"
    )
    values, compiled, said = result(start(folder, refuse + RUN))
    assert (values, compiled) == ([6, 6], ALL)
    assert said.count("\n") == 1
    assert "cannot be read (PermissionError): compiled anew" in said


@pytest.mark.processes
def test_a_full_disk_is_one_line(folder):
    full = (
        "from pairsweep.machine_code import cache\n"
        "def save(*_): raise OSError(28, 'No space left on device')\n"
        "cache._Files._save_index = save\n"
    )
    values, compiled, said = result(start(folder, full + RUN))
    assert (values, compiled) == ([6, 6], ALL)
    assert said == f"pairsweep: machine code cannot be kept in {folder / 'cache'}: No space left on device\n"


@pytest.mark.processes
def test_where_there_are_no_locks_everybody_compiles(folder):
    none = "import fcntl\ndef flock(*_): raise OSError(37, 'No locks available')\nfcntl.flock = flock\n"
    assert result(start(folder, none + RUN)) == ([6, 6], ALL, "")


@pytest.mark.processes
def test_code_that_nobody_has_used_for_a_month_goes_when_something_is_compiled(folder):
    run(folder)
    names = {p.name.split("-")[0]: p for p in (folder / "cache").glob("kernels-*/*")}
    old = folder / "cache" / "kernels-of-long-ago" / "growth_1234"
    old.mkdir(parents=True)
    (old / "f.nbi").write_text("")
    other = folder / "cache" / "sources-1.json"
    long_ago = time.time() - cache.KEPT - 100
    for path in (*names.values(), old, other):
        os.utime(path, (long_ago, long_ago))
    assert run(folder)[1] == []
    assert time.time() - names["outer"].stat().st_mtime < 100  # used just now
    assert old.exists()
    os.utime(names["inner"], (long_ago, long_ago))
    (folder / "outer.py").write_text(OUTER.replace("3 * x", "4 * x"))
    (folder / "inner.py").write_text(INNER.replace("+ 1", "+ 3"))
    run(folder)
    assert not old.parent.exists()
    assert not names["inner"].exists()
    assert names["outer"].exists()
    assert other.exists()


def test_a_kernel_of_no_file_is_compiled_without_a_place_on_disk():
    space = {"__name__": "nowhere"}
    exec("from pairsweep.kernels.jit import jit\n@jit()\ndef f(x):\n    return x + 1\n", space)
    assert space["f"](1) == 2
    assert not isinstance(space["f"]._cache, cache.KernelCache)


@pytest.mark.processes
def test_a_script_may_have_kernels(folder):
    script = folder / "my script.py"
    script.write_text(OUTER + "print(outer(2), len(outer.stats.cache_hits))\n")
    found = []
    for _ in range(2):
        process = subprocess.run(
            [sys.executable, str(script)],
            env=os.environ
            | {
                "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]),
                "PAIRSWEEP_CACHE_DIR": str(folder / "cache"),
            },
            capture_output=True,
            text=True,
        )
        assert process.returncode == 0, process.stderr
        found.append(process.stdout.split())
    assert found == [["6", "0"], ["6", "1"]]


APART = """
from pairsweep.kernels.jit import jit

@jit(apart=True)
def inner(x):
    if x > 100:
        raise ValueError("too large")
    return x + 1
"""


@pytest.mark.processes
def test_a_kernel_apart_is_not_taken_in_by_its_callers(folder):
    (folder / "inner.py").write_text(APART)
    code = RUN + (
        "library = outer.outer.overloads[outer.outer.signatures[0]].library\n"
        "called = [f.name for f in library._final_module.functions if f.is_declaration and 'inner' in f.name]\n"
        "assert len(called) == 1, called\n"
        "try: outer.outer(200)\n"
        "except ValueError as error: assert str(error) == 'too large'\n"
        "else: raise AssertionError\n"
    )
    assert result(start(folder, code)) == ([6, 6], ALL, "")
    assert run(folder) == ([6, 6], [], "")


@pytest.mark.processes
def test_code_whose_callee_has_another_name_by_now_is_compiled_anew(folder):
    (folder / "inner.py").write_text(APART)
    assert run(folder) == ([6, 6], ALL, "")
    for path in (folder / "cache").glob("kernels-*/inner-*/inner-*"):
        path.unlink()
    # numba numbers the functions of a process, and so this one goes by another name now
    other = (
        "import numba\n@numba.njit\ndef f(x): return x\nf(1), f(1.0), f(1j)\n"
        "import inner\ninner.inner.callee.compile((numba.int64,))\n"
    )
    assert start(folder, other).communicate() == ("", "")
    assert run(folder) == ([6, 6], ["outer"], "")
    assert run(folder) == ([6, 6], [], "")


@pytest.mark.processes
def test_a_callee_that_is_missing_on_disk_is_compiled(folder):
    (folder / "inner.py").write_text(APART)
    assert run(folder) == ([6, 6], ALL, "")
    for path in (folder / "cache").glob("kernels-*/inner-*/inner-*"):
        path.unlink()
    values, compiled, said = run(folder)
    assert (values, said) == ([6, 6], "")
    assert compiled[0] == "inner"


@pytest.mark.processes
def test_a_constant_makes_no_specialisation_of_its_own(folder):
    outer = OUTER.replace("2 * called(x)", "called(x) + called(1) + called(2) - x").replace(
        "3 * x", "called(x=3) * x"
    )
    (folder / "outer.py").write_text(outer)
    assert run(folder) == ([6, 8], ALL, "")


@pytest.mark.processes
def test_what_cannot_be_kept_is_numbas_warning_and_compiled_again(folder):
    pointer = "import ctypes\nabsolute = ctypes.CDLL(None).labs\nabsolute.argtypes = [ctypes.c_long]\n"
    pointer += "absolute.restype = ctypes.c_long\n"
    (folder / "outer.py").write_text(pointer + OUTER.replace("3 * x", "absolute(3 * x)"))
    for compiled in (ALL, ["other"]):
        values, found, said = run(folder)
        assert (values, found) == ([6, 6], compiled)
        assert "Cannot cache" in said


@pytest.mark.processes
def test_a_kernel_has_a_form_for_python_and_one_for_kernels(folder):
    both = "import inner, outer\n"
    both += (
        "found = [outer.outer(2), inner.inner(2), inner.inner(2)]\n"  # first in a kernel, then from Python
    )
    names = []
    for _ in range(2):
        code = RUN.replace("import outer", both).replace("outer.outer(2), outer.other(2)", "found")
        ((found,), compiled, said) = result(start(folder, code))
        assert (found, said) == ([6, 3, 3], "")
        names.append(compiled)
    assert names == [["outer", "inner", "inner"], []]
    files = {path.name.split(".")[0] for path in (folder / "cache").glob("kernels-*/*/*.nbi")}
    assert files == {"outer-python", "inner-within", "inner-python"}


RECURSIVE = """
from pairsweep.kernels.jit import jit

@jit(apart={apart})
def inner(x):
    if x < 1:
        return 1
    return x * inner(x - 1)
"""


@pytest.mark.processes
@pytest.mark.parametrize("apart", [False, True])
def test_a_kernel_may_call_itself(folder, apart):
    (folder / "inner.py").write_text(RECURSIVE.format(apart=apart))
    for compiled in (ALL, []):
        assert run(folder) == ([4, 6], compiled, "")
    own = "import inner\nprint(inner.inner(4))"
    assert start(folder, own).communicate() == ("24\n", "")


def test_the_garbage_collector_is_left_on_and_takes_what_compiling_leaves_for_old():
    @jit()
    def twice(x):
        return 2 * x

    young = [1.5]
    assert twice(1) == 2
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    assert any(each is young for each in gc.get_objects(generation=2))
