"""The one decorator of every kernel."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

from pairsweep.kernels.source import code_digest
from pairsweep.machine_code.cache import KernelCache, Origin

F = TypeVar("F", bound=Callable[..., Any])

PACKAGE = Path(__file__).parents[1]


def kernel_sources(package: Path = PACKAGE) -> list[Path]:
    """Find the files of all kernels: whatever lies in a folder ``kernels``, at any depth."""
    return sorted(p for p in package.rglob("*.py") if "kernels" in p.relative_to(package).parts[:-1])


@cache
def kernel_digest() -> str:
    """Digest of the sources of all kernels: the version that a store belongs to."""
    return code_digest(
        *(
            ".".join(p.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
            for p in kernel_sources()
        )
    )


KERNELS: list[Any] = []
"""All kernels of the modules that were imported, in that order."""


@cache
def _origin(module: str) -> Origin | None:
    """Name a module and digest all that its kernels depend on; None where there is no file, as in a notebook."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return None
    path = Path(file)
    package = path.parent if path.stem == "__init__" else path.with_suffix("")
    name = path.stem if module == "__main__" else module
    folder = package.parents[name.count(".")]
    try:
        return Origin(name, code_digest(name, folder=folder))
    except ModuleNotFoundError:
        return None


def jit(**options: Any) -> Callable[[F], F]:
    """Compile a kernel without the GIL and keep its machine code on disk.

    ``options`` go to ``numba.njit``; every kernel stays callable uncompiled as ``kernel.py_func``.
    """

    def decorate(function: F) -> F:
        # C callbacks, which nothing here asks for, would cost a tenth of the compilation
        chosen: Any = {"no_cfunc_wrapper": True} | options
        compiled: Any = numba.njit(nogil=True, error_model="numpy", **chosen)(function)
        origin = _origin(function.__module__)
        if origin and hasattr(compiled, "py_func"):  # it has none where numba is switched off
            compiled._cache = KernelCache(function, origin)
        KERNELS.append(compiled)
        return cast(F, compiled)

    return decorate
