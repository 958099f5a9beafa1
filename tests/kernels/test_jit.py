import subprocess
import sys
from pathlib import Path

import numba
import pytest

from pairsweep.kernels import jit as module


def test_kernels_run_without_the_gil_and_are_cached():
    @module.jit()
    def twice(x):
        return 2 * x

    assert twice(3) == 6
    assert twice.targetoptions["nogil"]
    assert twice.py_func(4) == 8


def test_the_cache_folder_belongs_to_the_sources(tmp_path, monkeypatch):
    monkeypatch.setenv("PAIRSWEEP_CACHE_DIR", str(tmp_path))
    module.cache_directory.cache_clear()
    try:
        folder = Path(module.cache_directory())
        assert folder.parent == tmp_path
        assert module.kernel_digest() in folder.name
        assert numba.__version__ in folder.name
    finally:
        module.cache_directory.cache_clear()


def test_the_digest_sees_kernels_at_any_depth_and_nothing_else(tmp_path):
    files = [
        "kernels/a.py",
        "kernels/deep/er/b.py",
        "analyses/one/kernels/c.py",
        "analyses/one/kernels/d/e.py",
    ]
    others = ["analyses/one/solver.py", "kernels.py"]
    for name in (*files, *others):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    assert [p.relative_to(tmp_path).as_posix() for p in module.kernel_sources(tmp_path)] == sorted(files)
    seen = {module.digest_of(tmp_path)}
    for name in files:
        (tmp_path / name).write_text("x = 2\n")
        seen.add(module.digest_of(tmp_path))
    assert len(seen) == 1 + len(files)
    before = module.digest_of(tmp_path)
    for name in others:
        (tmp_path / name).write_text("x = 2\n")
    assert module.digest_of(tmp_path) == before


def test_the_digest_covers_every_compiled_function_of_the_package():
    compiled = {p for p in module.PACKAGE.rglob("*.py") if "\n@jit(" in p.read_text()}
    assert compiled <= set(module.kernel_sources())


def test_an_unwritable_cache_is_replaced_by_a_private_folder(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PAIRSWEEP_CACHE_DIR", str(tmp_path / "file"))
    module.cache_directory.cache_clear()
    try:
        folder = Path(module.cache_directory())
        assert folder.is_dir()
        assert folder.stat().st_mode & 0o077 == 0
    finally:
        module.cache_directory.cache_clear()


@pytest.mark.parametrize(
    "name", ["evolution.kernels.equations", "growth.kernels.dense", "growth.kernels.crossing"]
)
def test_importing_a_kernel_leaves_numbas_settings_alone(name):
    code = f"import numba, pairsweep.analyses.{name}; assert numba.config.CACHE_DIR == '', numba.config.CACHE_DIR"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PATH": "", "HOME": str(Path.home())})
