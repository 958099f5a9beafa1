"""What an analysis is: one frozen declaration from which everything else of the house is made.

Specification, plan, store, ``show``, pictures and the reference pages take what they need from here and name no
analysis. A declaration is light to import: its solver and its pictures are loaded when they are called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.contract.fields import Field, fields_of
from pairsweep.contract.template import Coordinate
from pairsweep.contract.variables import Label, Variable
from pairsweep.contract.view import SpecView, SweepView

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class PointFailure:
    """Why one system has no result: one line, the traceback of a user's function, and what the solver saw."""

    reason: str
    traceback: str = ""
    seen: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Solution:
    """Results of P systems: arrays with leading axis P by exactly the declared names, and failures by row."""

    arrays: Mapping[str, NDArray[Any]]
    failures: Mapping[int, PointFailure] = field(default_factory=dict)


@dataclass(frozen=True)
class Findings:
    """What one looks at first in the results of an analysis: lines of ``show``, and the numbers by name."""

    lines: tuple[str, ...] = ()
    numbers: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class WarmUp:
    """What a small system is solved with, so that code is compiled before it is needed.

    Attributes
    ----------
    options : of the analysis
    needed : of the analyses that it needs
    own : a value of each of its axes
    """

    options: Any
    needed: tuple[Any, ...] = ()
    own: Mapping[str, Any] = field(default_factory=dict)


def _no_dimensions(options: Any, sweep: SweepView) -> tuple[Coordinate, ...]:
    return ()


def _no_check(options: Any, spec: SpecView) -> None:
    return None


def _nothing(ds: xr.Dataset, unit: str) -> Findings:
    return Findings()


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """An analysis.

    Attributes
    ----------
    name : the word in ``analyses``, and the name of its table
    meaning : one line for the reference
    options : frozen dataclass whose fields are made by `contract.fields.option`
    axes : keys of its table that may be axes; they reach the solver as ``systems.own``
    needs : analyses whose options its solver gets after its own
    variables : every variable it can compute; which of them, ``Variable.when`` and ``kinds`` say
    labels : labels of its own dimensions and coordinates
    dimensions : its own coordinates from options and sweep; one called like a dimension gives that its size
    check : refusals before anything is stored, as `SpecError`
    solve : solve(systems, options, *options of what it needs) -> `Solution`
    summary : summary(ds, unit) -> its `Findings` in a dataset, which may have none of its variables; lines say rates in
        a unit of `dataset.units`, numbers are as stored
    pictures : module of its pictures, functions made by `drawing.picture.picture`; "" for none
    code : modules whose code, with all that they import of kernels, physics and analyses, its numbers depend on
    warm_up : small systems that together use all of its compiled code
    """

    name: str
    meaning: str
    options: type
    solve: Callable[..., Solution]
    code: tuple[str, ...]
    variables: tuple[Variable, ...]
    axes: tuple[Field, ...] = ()
    needs: tuple[Analysis, ...] = ()
    labels: tuple[Label, ...] = ()
    dimensions: Callable[[Any, SweepView], tuple[Coordinate, ...]] = _no_dimensions
    check: Callable[[Any, SpecView], None] = _no_check
    summary: Callable[[xr.Dataset, str], Findings] = _nothing
    pictures: str = ""
    warm_up: tuple[WarmUp, ...] = ()

    @property
    def fields(self) -> tuple[Field, ...]:
        """Every key of its table: axes first, then what is one value for the whole sweep."""
        return (*self.axes, *fields_of(self.options))

    def computed(self, options: Any, kind: str) -> tuple[Variable, ...]:
        """Variables that it computes under these options over this kind of grid."""
        return tuple(v for v in self.variables if (not v.kinds or kind in v.kinds) and v.when(options))


def index_coordinate(label: Label, values: Any) -> Coordinate:
    """Give a dimension of an analysis its own labels."""
    return Coordinate(label.name, (label.name,), np.asarray(values), label.attrs)
