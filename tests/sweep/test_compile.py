import importlib
import os
import pickle
import subprocess
import sys
import threading

import pytest

from pairsweep.analyses.registry import ANALYSES
from pairsweep.contract.errors import UsageError
from pairsweep.kernels.compiling import NOTE
from pairsweep.kernels.jit import _origin
from pairsweep.machine_code.folders import cache_folder
from pairsweep.sweep.compile import compile_code

TWICE = {
    "run": "with and without third-order kicks",
    "run_points": "with and without third-order kicks",
    "adjugate": "real and complex matrices",
    "turn_columns": "columns, and rows as those of the transpose",
    "two_sum": "one number and eight at once",
}
SPEC = """
analyses = [{analyses}]
[grid]
{grid}
[coupling]
g = [1e-8, 2e-8]
[evolution]
t_end = 10.0
samples = 5
perturbation = 1e-5
tolerance = 1e-4
method = "{method}"
[growth]
modes = 3
details = true
[continuum]
ladder_max = 4
"""
BINS = """kind = "bins"
n_energy = [1, 10]
n_theta = 1
n_phi = 4
energy_max = 10.0
[occupation]
pattern = "quadrant"
rho_high = [0.1, 0.9]
rho_low = 0.1
"""
BEAMS = """kind = "beams"
[[grid.beams]]
name = "a"
direction = "x"
energy = 1.0
weight = 1e3
rho = 1.0
[[grid.beams]]
name = "b"
direction = "y"
energy = 2.0
weight = 1e3
rho = 0.1
"""


def test_an_unknown_analysis_is_one_line():
    with pytest.raises(UsageError, match=f"'nothing': choose from {', '.join(ANALYSES)}"):
        compile_code(["nothing"])


def test_every_analysis_says_how_it_is_compiled():
    assert [name for name, analysis in ANALYSES.items() if not analysis.warm_up] == []


def pairsweep(*arguments):
    folder = cache_folder() / "of compile"  # that nobody else compiles into
    return subprocess.run(
        [sys.executable, "-m", "pairsweep", *arguments],
        env=os.environ | {"PAIRSWEEP_CACHE_DIR": str(folder)},
        capture_output=True,
        text=True,
    )


def specialised(lines):
    """Kernels that were compiled for more than one signature, and for how many, by what `pairsweep compile` said."""
    more = {}
    for entry in os.scandir(lines[0].split(" is in ")[1]):
        module = importlib.import_module(entry.name.rpartition("-")[0])
        if entry.name != _origin(module.__name__).folder:
            continue  # of kernels as they were before an edit
        for file in os.scandir(entry.path):
            if file.name.endswith(".nbi"):
                with open(file.path, "rb") as content:
                    pickle.load(content)
                    _, specialisations = pickle.loads(content.read())
                if len(specialisations) > 1:
                    more[file.name.rsplit("-", 1)[0]] = len(specialisations)
    return more


@pytest.fixture(scope="module")
def compiled():
    return pairsweep("compile").stdout.splitlines()


@pytest.mark.processes
def test_each_kernel_of_growth_is_compiled_once():
    # seconds where no kernel has changed: the folder stays; all other analyses are slow to compile where one has
    more = specialised(pairsweep("compile", "growth").stdout.splitlines())
    assert more.items() <= dict.fromkeys(TWICE, 2).items()


@pytest.mark.slow
@pytest.mark.processes
def test_each_kernel_is_compiled_once(compiled):
    first, size = compiled
    assert first.startswith(f"machine code of {', '.join(ANALYSES)} is in ")
    assert float(size.split()[1]) > 1
    assert specialised(compiled) == dict.fromkeys(TWICE, 2)


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.parametrize("method", ["splitting", "averaged"])
@pytest.mark.parametrize("grid", [BINS, BEAMS])
def test_a_sweep_finds_all_code_compiled(compiled, tmp_path, grid, method):
    names = [name for name in ("growth", "evolution", "continuum") if grid is BINS or name != "continuum"]
    spec = tmp_path / "spec.toml"
    text = SPEC.format(analyses=", ".join(f'"{n}"' for n in names), grid=grid, method=method)
    spec.write_text(text if grid is BINS else text.split("[continuum]")[0])
    said = pairsweep("run", str(spec), "--store", str(tmp_path / "out.zarr"))
    assert said.returncode == 0, said.stderr
    assert NOTE not in said.stderr


def test_compiling_leaves_the_main_thread_to_ctrl_c(monkeypatch):
    """A signal that Python hears within LLVM ends in a process that waits for itself."""
    threads = []
    monkeypatch.setattr(
        "pairsweep.sweep.compile.solve", lambda small: threads.append(threading.current_thread())
    )
    compile_code(["growth"], quiet=True)
    assert threads
    assert threading.main_thread() not in threads
