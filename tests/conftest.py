"""Kernels compiled and not (``both``), and ``--fast``: only the tests that compile no kernel and start no process."""

import os
import signal
import sys
import tempfile
from pathlib import Path

import numba.core.event
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from pairsweep.machine_code.kernel import Kernel


@pytest.fixture(params=["compiled", "uncompiled"])
def both(request, monkeypatch):
    """Run a test twice: with the kernels, and with the Python functions they are made of, all the way down."""
    if request.param == "uncompiled":
        for module in list(sys.modules.values()):
            if getattr(module, "__name__", "").partition(".")[0] in ("pairsweep", "tests"):
                for name, value in list(vars(module).items()):
                    if isinstance(value, Kernel):
                        monkeypatch.setattr(module, name, value.py_func)
    with np.errstate(all="ignore"):  # as in compiled code
        yield


@pytest.fixture(scope="session", autouse=True)
def _patient():
    """Commands do not say what takes long: on a busy machine that would be a line more than a test expects."""
    from pairsweep.sweep import progress

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "PATIENCE_SECONDS", 3600.0)
        yield


# The same examples in every run, which is to say nothing of its own: `--hypothesis-profile random` looks for others.
common = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("same", derandomize=True, database=None, **common)
settings.register_profile("random", **common)
settings.load_profile("same")


class Fast(numba.core.event.Listener):
    """Ends a test as skipped where it begins to compile, so that nobody keeps a list of those that do.

    pytest's own cache remembers them while their file stays what it is: the next run does not even begin them.
    """

    KNOWN = "fast/compiles"
    REASON = "compiles a kernel"

    def __init__(self, folder, config):
        self.folder = Path(folder)
        self.config = config
        self.compiling = {}
        # Code that an earlier run has compiled would hide who needs it.
        os.environ["PAIRSWEEP_CACHE_DIR"] = folder
        os.environ.setdefault("PAIRSWEEP_INTERLEAVINGS", "2")
        numba.core.event.register("numba:compile", self)

    def on_start(self, event):
        pytest.skip(self.REASON)

    def on_end(self, event):
        pass

    def pytest_collection_modifyitems(self, config, items):
        known = self._known()
        left_out = {item for item in items if _is_left_out(item) or item.nodeid in known}
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]

    def _known(self):
        """Tests that compiled when they were last tried, with the time of their file, which has not changed since."""
        known = self.config.cache.get(self.KNOWN, {}) if hasattr(self.config, "cache") else {}
        now = {file: self._stamp(file) for file in {test.partition("::")[0] for test in known}}
        return {test: stamp for test, stamp in known.items() if now[test.partition("::")[0]] == stamp}

    def _stamp(self, file):
        path = self.config.rootpath / file
        return path.stat().st_mtime_ns if path.exists() else None

    def pytest_runtest_logreport(self, report):
        if report.skipped and report.longrepr[2].endswith(self.REASON):
            self.compiling[report.nodeid] = self._stamp(report.nodeid.partition("::")[0])

    def pytest_sessionfinish(self):
        if hasattr(self.config, "cache") and not hasattr(self.config, "workerinput"):
            self.config.cache.set(self.KNOWN, self._known() | self.compiling)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self):
        outcome = yield
        compiled = list(self.folder.rglob("*.nbi"))
        for file in compiled:
            file.unlink()  # the next test has nothing to do with it
        assert not compiled, "another process has compiled: mark this test `processes`"
        return outcome


def _is_left_out(item):
    """Whether it is known beforehand that a test is none of the fast ones."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    marked = any(item.get_closest_marker(name) for name in ("processes", "slow"))
    return marked or parameters.get("both") == "compiled"


def pytest_addoption(parser):
    parser.addoption(
        "--fast", action="store_true", help="only the tests that compile no kernel and start no process"
    )


def pytest_configure(config):
    # A shell that runs the tests in the background has it ignored, here and in all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("fast"):
        folder = tempfile.TemporaryDirectory(prefix="pairsweep-fast-")
        config.add_cleanup(folder.cleanup)
        config.pluginmanager.register(Fast(folder.name, config))
