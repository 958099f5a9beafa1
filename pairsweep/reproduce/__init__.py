"""The Letter in one command: its sweeps, its figures and its statements, as one self-contained report.

Everything comes from the shipped sweeps through the public functions; an interrupted reproduction goes on where it
stopped, as any sweep does.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from pairsweep.contract.errors import UsageError
from pairsweep.plot import draw, save
from pairsweep.reproduce.figures import FIGURES
from pairsweep.reproduce.report import Drawn, write_report
from pairsweep.reproduce.statements import SWEEPS, Outcome, Statement, statements
from pairsweep.spec.shipped import shipped_sweeps
from pairsweep.sweep.results import open_store
from pairsweep.sweep.run import run_to_store
from pairsweep.sweep.summary import summary
from pairsweep.sweep.where import Where

__all__ = ["SWEEPS", "Reproduction", "Statement", "reproduce", "shipped", "statements"]


HERE = Where()  # worker processes on this machine


def shipped(name: str) -> Path:
    """Path of a sweep that comes with the package."""
    found = shipped_sweeps().get(name)
    if found is None:
        raise UsageError("sweep", name, "does not come with this installation; install pairsweep again")
    return found


@dataclass(frozen=True)
class Reproduction:
    """What came out: the report, its table of statements, and the sweeps with points that have no result."""

    report: Path
    statements: list[Statement]
    incomplete: dict[str, int]

    def count(self, outcome: Outcome) -> int:
        """Number of statements with this outcome."""
        return sum(statement.outcome == outcome for statement in self.statements)


def reproduce(out: str | Path, where: Where = HERE, *, quiet: bool = False) -> Reproduction:
    """Run the Letter's sweeps, draw its figures and check its statements.

    Parameters
    ----------
    out : path
        Folder of the report: ``index.html``, ``figures/`` (PNG and PDF) and ``stores/``. Made where missing; what
        is computed there already is kept.
    where : Where
        Where the sweeps run.
    quiet : bool
        Show no progress.

    Raises
    ------
    UsageError
        Where ``out`` cannot be such a folder, or holds sweeps of another version.
    """
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise UsageError(str(out), None, "is a file; name a folder")
    try:
        for folder in ("stores", "figures"):
            (out / folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(str(out), None, f"{error.strerror}; name a folder that can be written") from error
    results, incomplete = {}, {}
    for i, name in enumerate(SWEEPS):
        _say(f"[{i + 1}/{len(SWEEPS)}] {name}", quiet)
        store = out / "stores" / f"{name}.zarr"
        run_to_store(shipped(name), store, where, quiet=quiet)
        results[name] = open_store(store)
        counted = summary(results[name])
        if counted.done < counted.points:
            incomplete[name] = counted.points - counted.done
    drawn = []
    for figure in FIGURES:
        _say(f"drawing {figure.name}", quiet)
        ds = results[figure.sweep]
        picture = draw(figure.kind, ds, **figure.options)
        png = out / "figures" / f"{figure.name}.png"
        save(picture, png)
        save(picture, png.with_suffix(".pdf"))
        digest = str(ds.attrs["specification_digest"])
        drawn.append(Drawn(figure, png, digest, f"stores/{figure.sweep}.zarr"))
    made = Reproduction(out / "index.html", statements(results), incomplete)
    write_report(made.report, made.statements, drawn, incomplete)
    return made


def _say(line: str, quiet: bool) -> None:
    if not quiet:
        print(line, file=sys.stderr, flush=True)
