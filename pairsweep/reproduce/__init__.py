"""The Letter in one command: its sweeps, its figures and its statements, as one self-contained report.

Everything comes from the shipped sweeps through the public functions; an interrupted reproduction goes on where it
stopped, as any sweep does.
"""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

from pairsweep.checks import UsageError
from pairsweep.plot import draw, save
from pairsweep.query import summary
from pairsweep.reproduce.figures import FIGURES
from pairsweep.reproduce.report import Drawn, write_report
from pairsweep.reproduce.statements import SWEEPS, Statement, statements
from pairsweep.runner import run

__all__ = ["SWEEPS", "Statement", "reproduce", "shipped", "statements"]


def shipped(name: str) -> Path:
    """Path of a sweep that comes with the package: inside it, or beside it in a checkout."""
    package = Path(str(files("pairsweep")))
    for folder in (package / "sweeps", package.parent / "sweeps"):
        path = folder / f"{name}.toml"
        if path.is_file():
            return path
    raise UsageError("sweep", name, "does not come with this installation; install pairsweep again")


def reproduce(
    out: str | Path, *, scheduler: str = "local", workers: int | None = None, quiet: bool = False
) -> tuple[Path, list[Statement]]:
    """Run the Letter's sweeps, draw its figures and check its statements.

    Parameters
    ----------
    out : path
        Folder of the report: ``index.html``, ``figures/`` (PNG and PDF) and ``stores/``. Made where missing; what is
        computed there already is kept.
    scheduler, workers, quiet
        See `runner.run`.

    Returns
    -------
    Path of the report, and the statements that it lists.
    """
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise UsageError("out", str(out), "is a file; name a folder")
    for folder in ("stores", "figures"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    results, failed = {}, {}
    for i, name in enumerate(SWEEPS):
        _say(f"[{i + 1}/{len(SWEEPS)}] {name}", quiet)
        store = out / "stores" / f"{name}.zarr"
        results[name] = run(shipped(name), store, scheduler=scheduler, workers=workers, quiet=quiet)
        counted = summary(results[name])
        if counted.done < counted.points:
            failed[name] = counted.points - counted.done
    _say("drawing", quiet)
    drawn = []
    for figure in FIGURES:
        ds = results[figure.sweep]
        picture = draw(figure.kind, ds, **figure.options)
        png = out / "figures" / f"{figure.name}.png"
        save(picture, png)
        save(picture, png.with_suffix(".pdf"))
        digest = str(ds.attrs["specification_digest"])
        drawn.append(Drawn(figure, png, digest, f"stores/{figure.sweep}.zarr"))
    table = statements(results)
    index = out / "index.html"
    write_report(index, table, drawn, failed)
    return index, table


def _say(line: str, quiet: bool) -> None:
    if not quiet:
        print(line, file=sys.stderr, flush=True)
