"""A compiled kernel: numba's dispatcher, with code that its callers call instead of taking it in.

numba links the code of every called function into the caller and optimises all of it again, level by level, so that
the outermost functions cost as much as the algorithms below them. A kernel that stands apart is compiled once; its
callers know its symbol only. They lose what inlining would gain, which is nothing for a kernel of some size.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from numba.core import types
from numba.core.registry import CPUDispatcher

from pairsweep.machine_code.cache import Calls, KernelCache, Origin


class Symbol(NamedTuple):
    """Where a name in machine code comes from: a kernel by module and name, and the signature."""

    module: str
    kernel: str
    signature: Any


class Kernel(CPUDispatcher):
    """A kernel; ``apart`` says that callers do not take in its code, ``origin`` where it is kept on disk."""

    symbols: ClassVar[dict[str, Symbol]] = {}
    """Names in machine code of all kernels apart that this process has."""
    known: ClassVar[dict[tuple[str, str], Kernel]] = {}
    """All kernels apart of the modules that were imported."""

    def __init__(
        self,
        function: Callable[..., Any],
        targetoptions: dict[str, Any],
        *,
        apart: bool,
        origin: Origin | None,
    ) -> None:
        super().__init__(function, targetoptions=targetoptions)
        self.apart = apart
        if apart:
            self.known[function.__module__, function.__qualname__] = self
        if origin is not None:
            self._cache = KernelCache(function, origin, Calls(needs, are_there))

    def add_overload(self, cres: Any) -> None:
        """Take compiled or loaded code into use; callers of a kernel apart find no code to take in."""
        super().add_overload(cres)
        if self.apart:
            self.targetctx.remove_user_function(cres.entry_point)
            self.targetctx.insert_user_function(cres.entry_point, cres.fndesc, ())
            place = Symbol(self.py_func.__module__, self.py_func.__qualname__, cres.signature)
            self.symbols[cres.fndesc.mangled_name] = place

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Type a call from another kernel; a constant counts as a value of its type, not as a type of its own."""
        values = {name: types.unliteral(each) for name, each in kws.items()}
        return super().get_call_template(tuple(types.unliteral(each) for each in args), values)

    def compile(self, sig: Any) -> Any:
        """Load or compile for a signature; the garbage collector finds nothing in it and takes a tenth of the time."""
        if not gc.isenabled():
            return super().compile(sig)
        gc.disable()
        try:
            return super().compile(sig)
        finally:
            gc.enable()


def needs(compiled: Any) -> dict[str, Symbol]:
    """Name the kernels apart that compiled code calls."""
    called = (f.name for f in compiled.library._final_module.functions if f.is_declaration)
    return {name: Kernel.symbols[name] for name in called if name in Kernel.symbols}


def are_there(symbols: dict[str, Symbol]) -> bool:
    """Load or compile the kernels apart that code on disk calls; returns whether they go by the names it knows."""
    for name, (module, kernel, signature) in symbols.items():
        if name not in Kernel.symbols:
            called = Kernel.known.get((module, kernel))
            if called is None:
                return False
            called.compile(signature.args)
    return all(name in Kernel.symbols for name in symbols)
