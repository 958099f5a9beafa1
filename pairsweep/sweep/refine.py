"""Refines a map around its boundary: new points only where stable and unstable ones meet.

An adaptive library does not fit: those at hand place points by a loss that is estimated from the values around
them, promise no smallest island and keep their state in a pickle. Here cells are bisected (`dataset.mesh`), which
brackets the boundary, and the points go into a store like those of any sweep, so that a refinement that was
interrupted goes on where it stopped.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pairsweep.blocks.calibrate import aside, measured_costs
from pairsweep.blocks.layout import make_template
from pairsweep.blocks.plan import BLOCK_SECONDS
from pairsweep.contract.errors import SpecError, StoreError
from pairsweep.contract.fields import Scalar
from pairsweep.contract.template import PENDING, Template
from pairsweep.contract.variables import POINT
from pairsweep.dataset.mesh import Mesh, Place
from pairsweep.dataset.refined import At, classes
from pairsweep.kernels.compiling import announced
from pairsweep.points.axes import Sweep, at_points, expand
from pairsweep.spec.model import Spec
from pairsweep.store import Store, create, grow
from pairsweep.sweep.progress import Progress
from pairsweep.sweep.results import open_store
from pairsweep.sweep.resume import fingerprint, stored_spec
from pairsweep.sweep.run import IN_PROCESS_SECONDS, compute
from pairsweep.sweep.task import SolveTask
from pairsweep.sweep.where import Where

LARGEST_BLOCK = 4096


@dataclass(frozen=True)
class Refinement:
    """What a refinement did.

    Attributes
    ----------
    path : where the refined points are
    points, computed : points of the refined map without the coarse ones, and how many of them were new
    full : points of the full grid that would know the boundary as well
    cells : number of cells that the boundary runs through
    island : extent on each axis of the smallest island that is sure to be found
    """

    path: str
    points: int
    computed: int
    full: int
    cells: int
    island: dict[str, float]


@dataclass(frozen=True)
class _Slice:
    """The map over the refined axes at one place of all others."""

    fixed: Mapping[str, Scalar]
    mesh: Mesh


def refine(
    store: str | Path,
    along: str | Sequence[str],
    to: float | Sequence[float],
    path: str | Path | None = None,
    where: Where = Where(),  # noqa: B008 - frozen
    quiet: bool = False,
    by: str | None = None,
) -> Refinement:
    """Add points around the instability boundary of a finished map until it is known to a tolerance.

    Parameters
    ----------
    store : path
        The finished coarse map.
    along : str or sequence of str
        Axes to refine; on every value of the others the boundary is refined on its own.
    to : float, or one for each axis
        Width on each axis, in its units, to which the boundary is bracketed.
    path : path, optional
        Store of the refined points; beside the coarse one, with "refined" in its name, where left out.
    where, quiet
        See `pairsweep.sweep.run.run`.
    by : str, optional
        Variable whose boundary is refined: that of its codes (verdict, mode_kind), or of where it is above 0. By
        default the verdict where there is one, else the growth rate.

    Raises
    ------
    UsageError
        For an axis that is not numeric, moves with others or has one value, a store that is not finished, or a
        tolerance that the axis cannot represent.
    """
    coarse = Store.open(store)
    spec = stored_spec(coarse)
    along = (along,) if isinstance(along, str) else along
    widths = tuple(to) if isinstance(to, Sequence) else (to,) * len(along)
    sweep = _checked(spec, coarse, along, widths)
    progress = Progress(quiet)
    target = _Target(
        Path(path) if path is not None else refined_path(store),
        coarse,
        spec,
        _Boundary(tuple(along), widths, by),
        where,
        progress,
    )
    before = len(target.places)
    target.compute((), progress)  # what an interrupted refinement left
    known = classes(open_store(store), sweep.names, by) | target.classes()
    slices = _slices(sweep, along, widths)
    pending: dict[int, list[Place]] = {i: piece.mesh.coarse() for i, piece in enumerate(slices)}
    while pending:
        located = {
            (i, place): _at(sweep.names, along, slices[i], place)
            for i, wanted in pending.items()
            for place in wanted
        }
        missing = [at for at in dict.fromkeys(located.values()) if at not in known]
        if missing:
            target.compute(missing, progress)
            known |= target.classes()
        for i, wanted in pending.items():
            slices[i].mesh.learn({place: known[located[i, place]] for place in wanted})
        pending = {i: wanted for i, piece in enumerate(slices) if (wanted := piece.mesh.split())}
    full = len(slices) * math.prod(
        1 + math.ceil((axis.max() - axis.min()) / width)
        for axis, width in zip((np.asarray(spec[name].values) for name in along), widths, strict=True)
    )
    return Refinement(
        path=str(target.path),
        points=len(target.places),
        computed=len(target.places) - before,
        full=full,
        cells=sum(len(piece.mesh.boundary_cells()) for piece in slices),
        island=dict(zip(along, slices[0].mesh.certain_island, strict=True)),
    )


def refined_path(store: str | Path) -> Path:
    """Where the refined points of a map go by default."""
    path = Path(os.path.normpath(store))
    return path.with_name(f"{path.stem}.refined{path.suffix}")


def _checked(spec: Spec, coarse: Store, along: Sequence[str], widths: Sequence[float]) -> Sweep:
    sweep = expand(spec)
    if not along or len(set(along)) != len(along):
        raise SpecError(
            "--along", ",".join(along), f"name each axis once; the axes are {', '.join(sweep.names)}"
        )
    if len(widths) != len(along):
        raise SpecError("--to", list(widths), "give one width, or one for each axis")
    for name, width in zip(along, widths, strict=True):
        if name not in sweep.names:
            raise SpecError(
                "--along", name, f"is not an axis of this map; its axes are {', '.join(sweep.names)}"
            )
        dimension = sweep.dimensions[sweep.names.index(name)]
        field = dimension.members[0].field
        if len(dimension.members) > 1:
            others = ", ".join(member.name for member in dimension.members[1:])
            raise SpecError("--along", name, f"moves together with {others}: nothing lies between its values")
        if field.kind != "number":
            raise SpecError("--along", name, "has no values between its values: only numbers can be refined")
        if dimension.size < 2:
            raise SpecError("--along", name, "has a single value: a boundary needs two")
        largest = max(abs(float(v)) for v in dimension.members[0].values)
        if not (math.isfinite(width) and width > 4 * np.spacing(largest)):
            raise SpecError(
                "--to", width, f"numbers near {largest:g} on {name} cannot be told apart so finely"
            )
    if (coarse.statuses() == PENDING).any():
        raise StoreError(str(coarse.path), "is not finished", "run the coarse map to its end first")
    return sweep


def _slices(sweep: Sweep, along: Sequence[str], widths: Sequence[float]) -> list[_Slice]:
    others = [dimension for dimension in sweep.dimensions if dimension.name not in along]
    axes = [np.sort(np.asarray(sweep.spec[name].values, dtype=np.float64)) for name in along]
    found = []
    for index in itertools.product(*(range(dimension.size) for dimension in others)):
        fixed = {d.name: d.members[0].values[i] for d, i in zip(others, index, strict=True)}
        found.append(_Slice(fixed, Mesh(axes, widths)))
    return found


def _at(names: Sequence[str], along: Sequence[str], piece: _Slice, place: Place) -> At:
    moving = dict(zip(along, piece.mesh.coordinates(place), strict=True))
    return tuple(moving[name] if name in moving else piece.fixed[name] for name in names)


@dataclass(frozen=True)
class _Boundary:
    """What is refined: along which axes, to which width on each, and the boundary of which variable."""

    along: tuple[str, ...]
    widths: tuple[float, ...]
    by: str | None


class _Target:
    """The store of the refined points, which gets more of them round by round."""

    def __init__(
        self,
        path: Path,
        coarse: Store,
        spec: Spec,
        boundary: _Boundary,
        where: Where,
        progress: Progress,
    ) -> None:
        self.path, self._spec, self._where = path, spec, where
        self._sweep = expand(spec)
        with announced(progress.say, progress.step), aside(self._sweep, progress.say) as crew:
            self._seconds = max(cost.seconds for cost in measured_costs(self._sweep, crew).values())
        self._marks = fingerprint(spec) | {
            "refined along": ", ".join(boundary.along),
            "refines": str(coarse.identity.id),
        }
        self._attrs = {
            "refines": os.path.relpath(coarse.path, path.parent),
            "refined_along": list(boundary.along),
            "refined_to": [float(width) for width in boundary.widths],
        }
        self._by = boundary.by
        if boundary.by is not None:
            self._marks["refined by"] = self._attrs["refined_by"] = boundary.by
        self.places: list[At] = []
        if path.exists():
            store = Store.open(path)
            if store.template.axes != (POINT,):
                raise StoreError(str(path), "is no refined map", "name another store")
            store.check(self._marks)
            columns = {c.name: c.values.tolist() for c in store.template.coordinates if c.dims == (POINT,)}
            self.places = list(zip(*(columns[name] for name in self._sweep.names), strict=True))

    def classes(self) -> dict[At, int]:
        """Classes of the points that are computed."""
        return classes(open_store(self.path), self._sweep.names, self._by) if self.path.exists() else {}

    def compute(self, new: Sequence[At], progress: Progress) -> None:
        """Add points, and compute all that are missing."""
        self.places += new
        if not self.places:
            return
        points = at_points(self._spec, self._values())
        if not self.path.exists():
            block = min(LARGEST_BLOCK, max(1, int(BLOCK_SECONDS / self._seconds)))
            store = create(self.path, self._template(points, (block,)), self._marks)
        else:
            store = Store.open(self.path)
            if new:
                store = grow(self.path, self._template(points, store.template.block_shape), self._marks)
        where = self._where
        if where.scheduler == "local" and self._seconds * len(new) < IN_PROCESS_SECONDS:
            where = replace(where, scheduler="serial")
        compute(store, SolveTask.of(store, self._spec), where, self._spec, progress)

    def _template(self, points: Sweep, block_shape: tuple[int, ...]) -> Template:
        template = make_template(points, block_shape)
        return replace(template, attrs={**template.attrs, **self._attrs})

    def _values(self) -> dict[str, list[Scalar]]:
        """Values of every axis at every point; axes that move together by the value of the first."""
        values: dict[str, list[Scalar]] = {}
        for number, dimension in enumerate(self._sweep.dimensions):
            leading = [place[number] for place in self.places]
            values[dimension.name] = leading
            for member in dimension.members[1:]:
                partner = dict(zip(dimension.members[0].values, member.values, strict=True))
                values[member.name] = [partner[value] for value in leading]
        return values
