"""Fill the cache of machine code before the first sweep: for an image, a node type, a class room."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

from pairsweep.analyses.registry import ANALYSES
from pairsweep.contract.errors import UsageError
from pairsweep.contract.waiting import interruptibly
from pairsweep.kernels.compiling import announced
from pairsweep.machine_code.cache import Kept, kept
from pairsweep.sweep.ahead import Small, ahead, solve
from pairsweep.sweep.progress import Progress


class Compiled(NamedTuple):
    """What has been compiled, and where it is."""

    analyses: tuple[str, ...]
    kept: Kept


def compile_code(names: Iterable[str] = (), quiet: bool = False) -> Compiled:
    """Compile all code of analyses, unless it is in the cache already: on two cores where there are two.

    Parameters
    ----------
    names
        Analyses; all where there are none.
    quiet
        Show no progress.

    Raises
    ------
    UsageError
        For an unknown analysis.
    """
    chosen = tuple(dict.fromkeys(names)) or tuple(ANALYSES)
    for name in chosen:
        if name not in ANALYSES:
            raise UsageError("compile", name, f"choose from {', '.join(ANALYSES)}")
    progress = Progress(quiet)
    work = [
        Small(name, warm_up, points)
        for name in chosen
        for warm_up in ANALYSES[name].warm_up
        for points in (1, 2)  # one system may have code of its own
    ]
    with announced(progress.say, progress.step), ahead(work[:0:-1]):
        for small in work:
            # LLVM hears no Ctrl-C, and does not survive one that Python hears within it
            interruptibly(partial(solve, small))
    return Compiled(chosen, kept())
