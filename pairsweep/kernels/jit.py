"""The one decorator of every kernel."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

from pairsweep.kernels.source import code_digest
from pairsweep.machine_code.cache import Origin
from pairsweep.machine_code.kernel import Kernel

F = TypeVar("F", bound=Callable[..., Any])

LONG = 1000
"""Bytes of bytecode from which on a kernel is compiled apart from its callers, about 25 lines."""


@cache
def _origin(module: str) -> Origin | None:
    """Name a module and digest all that its kernels depend on; None where there is no file, as in a notebook."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return None
    path = Path(file)
    package = path.parent if path.stem == "__init__" else path.with_suffix("")
    name = path.stem if module == "__main__" else module
    try:
        return Origin(name, code_digest(name, folder=package.parents[name.count(".")]))
    except (IndexError, ModuleNotFoundError):  # a module that was loaded under a name of its own
        return None


def jit(*, apart: bool | None = None, **options: Any) -> Callable[[F], F]:
    """Compile a kernel without the GIL and keep its machine code on disk.

    Every kernel stays callable uncompiled as ``kernel.py_func``.

    Parameters
    ----------
    apart
        Compile the kernel once and let its callers call it, instead of once again within each caller: unless given,
        what `LONG` says. For a short kernel in an inner loop False.
    **options
        For numba's compiler, such as ``fastmath``.
    """

    def decorate(function: F) -> F:
        settings: Any = numba.config
        if settings.DISABLE_JIT:
            return function
        long = len(function.__code__.co_code) > LONG and not options.get("forceinline")
        # C callbacks, which nothing here asks for, would cost a tenth of the compilation
        chosen = {"nopython": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True} | options
        kernel: Any = Kernel(
            function, chosen, apart=long if apart is None else apart, origin=_origin(function.__module__)
        )
        return cast(F, kernel)

    return decorate
