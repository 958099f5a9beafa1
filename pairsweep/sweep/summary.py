"""The numbers of a sweep that one looks at first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from pairsweep.analyses.registry import ANALYSES
from pairsweep.contract.display import Displayed, Shown
from pairsweep.contract.errors import UsageError, suggest
from pairsweep.contract.template import DONE, FAILED, PENDING
from pairsweep.dataset.select import axes, variable
from pairsweep.dataset.units import STORED, UNITS
from pairsweep.sweep.results import open_store

NAME = 15  # columns of a line that say what it is about


@dataclass(frozen=True)
class AxisRange:
    """What was swept along one axis."""

    name: str
    size: int
    first: object
    last: object
    units: str

    def __str__(self) -> str:
        units = f" {self.units}" if self.units not in ("", "1") else ""
        ends = [f"{v:.6g}" if isinstance(v, float) else str(v) for v in (self.first, self.last)]
        return f"{self.name:<12} {self.size:>6} values   {' ... '.join(ends[: self.size])}{units}"


@dataclass(frozen=True, repr=False)
class Summary(Displayed):
    """The numbers of a sweep that one looks at first; as text they are what ``show`` says.

    What the analyses found stands in ``numbers`` and can be read as attributes: of growth ``modes`` (points per kind of
    the fastest mode), ``unstable``, ``largest_growth`` (MeV, NaN while nothing is known), ``largest_efold_seconds`` and
    ``largest_at`` (its labels); of the continuum ``verdicts``; of evolution ``largest_energy_drift`` and
    ``largest_norm_drift``. ``lines`` say the same in words.
    """

    title: str
    axes: tuple[AxisRange, ...]
    points: int
    done: int
    failed: int
    pending: int
    numbers: Mapping[str, object]
    lines: tuple[str, ...]

    def __getattr__(self, name: str) -> object:
        try:
            return self.__dict__["numbers"][name]
        except KeyError:
            raise AttributeError(f"this summary has no {name!r}") from None

    def _shown(self) -> Shown:
        lines = str(self).splitlines()
        return Shown(lines[0], tuple((line[:NAME].strip(), line[NAME:].strip()) for line in lines[1:]))

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        states = f"{self.done:,} done, {self.failed:,} failed, {self.pending:,} pending"
        ranges = [f"  {axis}" for axis in self.axes]
        points = f"  points       {self.points:,}: {states}"
        return "\n".join([self.title or "(untitled)", *ranges, points, *self.lines])


def summary(source: str | Path | xr.Dataset, unit: str = STORED) -> Summary:
    """Count the states of a sweep's points and let each of its analyses say what it found.

    Parameters
    ----------
    source : see `open_store`
    unit : str
        In which lines say rates, one of "MeV", "1/s", "1/cm", "g", "mu"; numbers are as stored.
    """
    ds = open_store(source)
    if unit not in UNITS:
        raise UsageError("unit", unit, suggest(unit, UNITS))
    status = variable(ds, "status").values
    found = [analysis.summary(ds, unit) for analysis in ANALYSES.values()]
    return Summary(
        title=str(ds.attrs.get("title", "")),
        axes=tuple(_range(ds, name) for name in axes(ds)),
        points=status.size,
        done=int((status == DONE).sum()),
        failed=int((status == FAILED).sum()),
        pending=int((status == PENDING).sum()),
        numbers={name: value for findings in found for name, value in findings.numbers.items()},
        lines=tuple(line for findings in found for line in findings.lines),
    )


def _range(ds: xr.Dataset, name: str) -> AxisRange:
    values = ds[name].values.tolist()
    return AxisRange(name, len(values), values[0], values[-1], str(ds[name].attrs.get("units", "")))
