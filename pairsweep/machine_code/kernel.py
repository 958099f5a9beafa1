"""A compiled kernel, as Python calls it and as other kernels call it.

What Python calls is complete: machine code, and the unpacking of Python's objects, which is as much work to compile as
a short kernel. What kernels call needs neither unpacking nor, unless it stands apart, machine code of its own: numba
links it into each caller and optimises all of it there. That repeats itself level by level, so that the outermost
functions would cost as much as the algorithms below them; a kernel apart is therefore compiled once, and its callers
know its symbol only. They lose what inlining would gain, which is nothing for a kernel of some size.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from llvmlite import binding
from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, CompileResult, Flags
from numba.core.registry import CPUDispatcher

from pairsweep.machine_code.cache import Form, KernelCache, Origin


class Symbol(NamedTuple):
    """Where a name in machine code comes from: a kernel by module and name, and the signature."""

    module: str
    kernel: str
    signature: Any


class _Flags(Flags):
    """numba's flags, compared by those that reach into what a function calls, and these once.

    numba compiles what it has for arrays and tuples anew for each set of flags, and compares them at every call that
    it types.
    """

    __slots__ = ("_key",)
    OWN = ("no_cpython_wrapper", "no_cfunc_wrapper", "no_compile")

    def __hash__(self) -> int:
        return 0  # there are few, and not all values have a hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Flags) and self._compared() == other._compared()

    def _compared(self) -> list[Any]:
        if not hasattr(self, "_key"):
            self._key = [value for name, value in self.values().items() if name not in self.OWN]
        return self._key


class Compiled(CPUDispatcher):
    """numba's dispatcher without the garbage collector, which finds nothing in compiling and takes a tenth of it.

    Freezing and unfreezing what there is counts it as old: going through it at once would take as long afterwards.
    """

    fetched: ClassVar[int] = 0
    """How often this process has loaded or compiled code."""
    seconds: ClassVar[float] = 0.0
    """How long that took it; a kernel fetches what it calls."""
    _fetching: ClassVar[bool] = False

    def __init__(
        self,
        function: Callable[..., Any],
        targetoptions: dict[str, Any],
        pipeline: type[Compiler] = Compiler,
    ) -> None:
        super().__init__(function, targetoptions=targetoptions, pipeline_class=pipeline)
        self._compiler._customize_flags = _Flags  # type: ignore[attr-defined]

    @property
    def is_compiled(self) -> bool:
        """Whether this process has code of it."""
        return bool(self.overloads)

    def compile(self, sig: Any) -> Any:
        """Load or compile for a signature."""
        Compiled.fetched += 1
        if Compiled._fetching:
            return self._fetch(sig)
        started, Compiled._fetching = time.perf_counter(), True
        try:
            return self._fetch(sig)
        finally:
            Compiled._fetching = False
            Compiled.seconds += time.perf_counter() - started

    def _fetch(self, sig: Any) -> Any:
        if not gc.isenabled():
            return super().compile(sig)
        gc.disable()
        try:
            return super().compile(sig)
        finally:
            if gc.get_freeze_count() == 0:  # nobody else has frozen anything
                gc.freeze()
                gc.unfreeze()
            gc.enable()


class Kernel(Compiled):
    """A kernel that Python calls; ``apart`` says how kernels call it, ``origin`` where both are kept on disk."""

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
        # said of each kernel: numba would take them over from the caller that happens to be compiled first
        targetoptions = {"forceinline": False, "fastmath": False} | targetoptions
        super().__init__(function, targetoptions)
        self._apart, self._origin = apart, origin
        if apart:
            self.known[function.__module__, function.__qualname__] = self
        if origin is not None:
            self._cache = KernelCache(function, origin, Form("python", _reduced, _rebuilt))

    @cached_property
    def callee(self) -> Any:
        """The kernel as other kernels call it."""
        return (Apart if self._apart else Within)(self.py_func, self.targetoptions, self._origin)

    @property
    def is_compiled(self) -> bool:
        """Whether this process has code of it, in either form."""
        return super().is_compiled or ("callee" in self.__dict__ and self.callee.is_compiled)

    @property
    def is_compiling(self) -> bool:  # type: ignore[override]
        """Whether either form is being compiled: a call of it from within calls itself."""
        return bool(super().is_compiling or ("callee" in self.__dict__ and self.callee.is_compiling))

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Type a call from another kernel; a constant counts as a value of its type, not as a type of its own."""
        values = {name: types.unliteral(each) for name, each in kws.items()}
        return self.callee.get_call_template(tuple(types.unliteral(each) for each in args), values)

    def get_overload(self, sig: Any) -> Any:
        """Name what another kernel calls."""
        return self.callee.get_overload(sig)


class Callee(Compiled):
    """A kernel as other kernels call it; Python cannot."""

    form: ClassVar[Form]
    pipeline: ClassVar[type[Compiler]] = Compiler

    def __init__(
        self, function: Callable[..., Any], targetoptions: dict[str, Any], origin: Origin | None
    ) -> None:
        options = targetoptions | {"no_cpython_wrapper": True}
        super().__init__(function, options, self.pipeline)
        if origin is not None:
            self._cache = KernelCache(function, origin, self.form)

    def add_overload(self, cres: Any) -> None:
        """Take compiled or loaded code into use, without an entry for Python."""
        self.overloads[tuple(cres.signature.args)] = cres


class _Body(JITCodeLibrary):
    """Optimised code that is linked into its callers: no machine code is made of it alone."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    @classmethod
    def of(cls, codegen: Any, bitcode: bytes) -> _Body:
        """Make one of what was kept on disk."""
        body = cls(codegen, "body")
        body._final_module = binding.parse_bitcode(bitcode)
        body._finalize_final_module()
        return body


class _WithoutMachineCode(Compiler):
    """numba's compiler up to a `_Body`."""

    def __init__(self, typingctx: Any, targetctx: Any, library: Any, *rest: Any) -> None:
        super().__init__(typingctx, targetctx, _Body(targetctx.codegen(), "body"), *rest)  # type: ignore[no-untyped-call]
        self.state.flags.no_compile = True


class Within(Callee):
    """A kernel that its callers take in."""

    pipeline = _WithoutMachineCode

    def add_overload(self, cres: Any) -> None:
        """Take compiled or loaded code into use under a name of its own, since it has no entry."""
        if cres.entry_point is None:
            cres = cres._replace(entry_point=object())
            self.targetctx.insert_user_function(cres.entry_point, cres.fndesc, [cres.library])
        super().add_overload(cres)


class Apart(Callee):
    """A kernel that its callers call by its symbol."""

    symbols: ClassVar[dict[str, Symbol]] = {}
    """Names in machine code of all kernels apart that this process has."""

    def add_overload(self, cres: Any) -> None:
        """Take compiled or loaded code into use; callers find no code to take in."""
        super().add_overload(cres)
        self.targetctx.remove_user_function(cres.entry_point)
        self.targetctx.insert_user_function(cres.entry_point, cres.fndesc, ())
        place = Symbol(self.py_func.__module__, self.py_func.__qualname__, cres.signature)
        self.symbols[cres.fndesc.mangled_name] = place


class Needed(NamedTuple):
    """What code on disk needs beside itself: kernels apart by their names in machine code, and other names."""

    kernels: dict[str, Symbol]
    others: tuple[str, ...]


def needs(compiled: Any) -> Needed:
    """List what compiled code calls or reads that is not in it."""
    module = compiled.library._final_module
    outside = {each.name for each in (*module.functions, *module.global_variables) if each.is_declaration}
    kernels = {name: Apart.symbols[name] for name in outside if name in Apart.symbols}
    others = (name for name in outside if name not in kernels and not name.startswith("llvm."))
    return Needed(kernels, tuple(sorted(others)))


def are_there(needed: Needed, target_context: Any) -> bool:
    """Load or compile what code on disk needs; returns whether the kernels go by the names it knows."""
    if any(binding.address_of_symbol(name) is None for name in needed.others):
        target_context.refresh()  # numba has all of them once it is ready to compile, which takes it long
    for name, (module, kernel, signature) in needed.kernels.items():
        if name not in Apart.symbols:
            called = Kernel.known.get((module, kernel))
            if called is None:
                return False
            called.callee.compile(signature.args)
    return all(name in Apart.symbols for name in needed.kernels)


def _reduced(compiled: Any) -> Any:
    return needs(compiled), compiled._reduce()


def _rebuilt(target_context: Any, payload: Any) -> Any:
    """Load machine code; None for code whose callees have other names by now, which would end the process."""
    needed, reduced = payload
    return CompileResult._rebuild(target_context, *reduced) if are_there(needed, target_context) else None


def _reduced_body(compiled: Any) -> Any:
    needed = needs(compiled)  # which finishes the library
    compiled.fndesc.typemap = compiled.fndesc.calltypes = None  # large, and not of use any more
    bitcode = compiled.library._final_module.as_bitcode()
    return needed, (bitcode, compiled.fndesc, compiled.signature, compiled.reload_init)


def _rebuilt_body(target_context: Any, payload: Any) -> Any:
    needed, (bitcode, description, signature, reload_init) = payload
    if not are_there(needed, target_context):
        return None
    for reload in reload_init:
        reload()
    known: dict[str, Any] = {
        "target_context": target_context,
        "typing_context": target_context.typing_context,
        "library": _Body.of(target_context.codegen(), bitcode),
        "entry_point": object(),
        "fndesc": description,
        "signature": signature,
        "objectmode": False,
        "reload_init": reload_init,
    }
    return CompileResult(*map(known.get, CompileResult._fields))


Apart.form = Form("apart", _reduced, _rebuilt)
Within.form = Form("within", _reduced_body, _rebuilt_body)
