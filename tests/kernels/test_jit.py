import subprocess
import sys

import pytest

from pairsweep.kernels import jit as module
from pairsweep.machine_code.cache import KernelCache


def test_kernels_run_without_the_gil_and_are_cached():
    @module.jit()
    def twice(x):
        return 2 * x

    assert twice(3) == 6
    assert twice.targetoptions["nogil"]
    assert twice.py_func(4) == 8
    assert isinstance(twice._cache, KernelCache)


@pytest.mark.processes
def test_importing_a_kernel_leaves_numbas_settings_alone():
    code = (
        "import numba, pairsweep.kernels.sorting; assert numba.config.CACHE_DIR == '', numba.config.CACHE_DIR"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
