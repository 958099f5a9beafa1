"""Whether processes that import the main script again would run it again."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import FrameType

from pairsweep.execute.task import ExecuteError


def check_main_guard() -> None:
    """Refuse to start processes from a script that has no main guard around what starts them.

    Each of them imports the script, and would start its own; multiprocessing says so in two hundred lines, again and
    again.
    """
    line = _line_of_script()
    file = getattr(sys.modules["__main__"], "__file__", None)
    if line is None or not file:
        return
    try:
        statements = ast.parse(Path(file).read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return
    here = [each for each in statements if each.lineno <= line <= (each.end_lineno or line)]
    if here and not any(isinstance(each, ast.If) and _asks_for_name(each.test) for each in here):
        cure = f'{file}, line {line}, stands outside of: if __name__ == "__main__": its workers would run it again'
        raise ExecuteError("--scheduler", "dask", cure)


def _line_of_script() -> int | None:
    """Line of the main script that is being run in this thread, if one is."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") == "__main__":
            return frame.f_lineno
        frame = frame.f_back
    return None


def _asks_for_name(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test))
