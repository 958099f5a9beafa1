"""Runs a sweep: spec, plan, store, blocks on a scheduler; and what else composes those floors."""

from __future__ import annotations

import hashlib
import json
import math
import shlex
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pairsweep import __version__
from pairsweep.analyses.base import PointFailure
from pairsweep.blocks.calibrate import aside, files_read, measured_seconds
from pairsweep.blocks.layout import FUNCTION, make_template
from pairsweep.blocks.plan import Plan, make_plan
from pairsweep.blocks.solve import solve_block, solve_points
from pairsweep.contract.errors import SpecError, StoreError
from pairsweep.contract.fields import Scalar
from pairsweep.contract.template import DONE, FAILED, PENDING
from pairsweep.contract.variables import POINT, STATUS_FLAGS
from pairsweep.execute import Ack, Echo, Site, Tls, check_scheduler, execute, unheard
from pairsweep.kernels.compiling import announced
from pairsweep.kernels.source import code_digest
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.points.axes import Sweep, at_points, expand
from pairsweep.spec.model import DATA, Spec
from pairsweep.spec.reader import parse_spec, read_spec
from pairsweep.store import Store, check_growth, create, grow, is_there, open_dataset, same_values
from pairsweep.sweep.progress import Progress
from pairsweep.user_code.function import UserFunction, find_function, from_record

if TYPE_CHECKING:
    import xarray as xr

# Below this the start of worker processes costs more than they save.
IN_PROCESS_SECONDS = 2.0
AXIS = json.dumps("axis")  # an axis in a fingerprint, whatever its values


@dataclass(frozen=True)
class SolveTask:
    """Computes and stores the missing points of one block; all that travels to a worker.

    ``generation`` tells a store that has grown from what it was before, which a worker may still have open.
    """

    store: str
    generation: int
    text: str
    custom: UserFunction | None
    retry_failed: bool

    @classmethod
    def of(cls, store: Store, spec: Spec, retry_failed: bool = False) -> SolveTask:
        """Give the task of a store."""
        return cls(str(store.path), store.identity.generation, spec.text, spec.custom, retry_failed)

    def __call__(self, block: int, only: range | None = None) -> Ack:
        """Solve ``block``; ``only`` restricts it to some of its points, the last axis fastest."""
        sweep, store = _opened(self)
        masks = store.todo(block, self.retry_failed, only)
        mask = np.any(list(masks.values()), axis=0)
        if not mask.any():
            return Ack(block, 0, 0, 0.0, socket.gethostname())
        result = solve_block(sweep, store.template, block, mask)
        store.write(block, result, masks)
        failed = int((result.arrays["status"][mask] == FAILED).sum())
        return Ack(block, int(mask.sum()) - failed, failed, result.seconds, socket.gethostname())

    def size(self, block: int) -> int:
        """Give the number of points of a block."""
        slices = _opened(self)[1].template.block_slices(block)
        return math.prod(s.stop - s.start for s in slices)

    def bury(self, block: int, point: int, reason: str) -> Ack:
        """Record that a point takes its process down, without computing it."""
        _opened(self)[1].record_failure(block, point, reason, self.retry_failed)
        return Ack(block, 0, 1, 0.0, socket.gethostname())


@lru_cache(maxsize=4)
def _opened(task: SolveTask) -> tuple[Sweep, Store]:
    store = Store.open(task.store)
    spec = parse_spec(task.text, custom=task.custom)
    if store.template.axes != (POINT,):
        return expand(spec), store
    places = {c.name: c.values.tolist() for c in store.template.coordinates if c.dims == (POINT,)}
    return at_points(spec, places), store


@dataclass(frozen=True)
class Where:
    """Where a sweep runs.

    Attributes
    ----------
    scheduler : str
        "local" (worker processes; in this process where they would not pay), "threads", "serial", "dask" (a local
        cluster with dask's dashboard), the address of a dask scheduler, or a batch system such as "slurm".
    workers : int, optional
        Number of local workers; one per core where left out.
    cluster : path, optional
        TOML file of the site with a ``[cluster]`` table; that of the specification where left out.
    tls : Tls, optional
        Certificates for connections that leave this machine; dask's own configuration where left out.
    insecure : bool
        Talk to a scheduler on another machine without TLS all the same.
    """

    scheduler: str = "local"
    workers: int | None = None
    cluster: str | Path | None = None
    tls: Tls | None = None
    insecure: bool = False

    def site(self, spec: Spec) -> Site:
        """Give what the jobs of a batch system are like."""
        return Site.from_table(spec.cluster) if self.cluster is None else Site.read(self.cluster)


@dataclass(frozen=True)
class Outcome:
    """What a run did: points of the sweep, how many it computed, how many of all failed, and the seconds."""

    points: int
    computed: int
    failed: int
    seconds: float


@dataclass(frozen=True)
class LabelledFailure:
    """A failed point: its values on the axes, one line, and the traceback."""

    at: dict[str, Scalar]
    reason: str
    traceback: str


def as_spec(spec: str | Path | Spec) -> Spec:
    """Read a specification where a path is given."""
    return spec if isinstance(spec, Spec) else read_spec(spec)


def run(
    spec: str | Path | Spec,
    store: str | Path | None = None,
    *,
    scheduler: str = "local",
    workers: int | None = None,
    retry_failed: bool = False,
    quiet: bool = False,
) -> xr.Dataset:
    """Run a sweep and return its results.

    Parameters
    ----------
    spec : path or Spec
        The specification.
    store : path, optional
        Where the results go; what is finished there is not computed again, and new values on its axes are added. In
        memory where left out.
    scheduler, workers
        See `Where`.
    retry_failed : bool
        Compute failed points again.
    quiet : bool
        Show no progress.

    Returns
    -------
    xarray.Dataset
        Opened lazily from the store, or in memory.

    Raises
    ------
    UsageError
        For a specification, store or scheduler that cannot be used: place, value, cure.
    """
    where = Where(scheduler, workers)
    if store is None:
        with tempfile.TemporaryDirectory(prefix="pairsweep-") as folder:
            path = Path(folder) / "results.zarr"
            run_to_store(spec, path, where, quiet=quiet)
            return open_dataset(path).load()
    run_to_store(spec, store, where, retry_failed=retry_failed, quiet=quiet)
    return open_dataset(store)


def run_to_store(
    spec: str | Path | Spec,
    path: str | Path,
    where: Where = Where(),
    *,
    retry_failed: bool = False,
    quiet: bool = False,
) -> Outcome:
    """Run what is missing of a sweep in the store at ``path``; see `run`."""
    started = time.monotonic()
    spec = as_spec(spec)
    check_scheduler(where.scheduler, where.workers, where.site(spec), where.tls, where.insecure)
    sweep = expand(spec)
    progress = Progress(quiet)
    seconds = math.inf
    with announced(progress.say, progress.step):
        store, sweep = _continued(path, sweep) if is_there(path) else (None, sweep)
        if store is None or not _same_labels(store, sweep):
            plan = plan_sweep(sweep, where.scheduler not in ("serial", "threads"), progress.say)
            seconds, sweep = plan.seconds, plan.sweep
            store = (create if store is None else grow)(path, plan.template, fingerprint(sweep.spec))
        if where.scheduler == "local" and spec.custom is None and seconds < IN_PROCESS_SECONDS:
            where = replace(where, scheduler="serial")
        computed = compute(store, SolveTask.of(store, sweep.spec, retry_failed), where, spec, progress)
    failed = int((store.statuses() == FAILED).sum())
    return Outcome(sweep.n_points, computed, failed, time.monotonic() - started)


def compute(store: Store, task: SolveTask, where: Where, spec: Spec, progress: Progress) -> int:
    """Compute what the ledger of a store calls missing; return how many points that were."""
    if not store.is_writable and next(store.pending(task.retry_failed), None) is None:
        return 0
    with store.lock() as held:
        status = store.statuses()
        missing = int((status != DONE).sum() if task.retry_failed else (status == PENDING).sum())
        if not missing:
            return 0
        progress.begin(status.size, status.size - missing)
        store.append_history(f"{shlex.join(['pairsweep', *sys.argv[1:]])} (version {__version__})")

        def advance(ack: Ack) -> None:
            held.check()  # a coordinator whose lock was taken over stops
            progress.advance(ack.done, ack.failed)

        try:
            execute(
                task,
                store.pending(task.retry_failed),
                on_done=advance,
                scheduler=where.scheduler,
                workers=where.workers,
                site=where.site(spec),
                tls=where.tls,
                insecure=where.insecure,
                echo=progress.say,
            )
        finally:
            progress.close()
    return missing


def fingerprint(spec: Spec) -> dict[str, str]:
    """Give what a store's numbers depend on, entry by entry, so that a refusal can name what differs."""
    entries = {name: json.dumps(value) for name, value in spec.physics().items()}
    entries["analyses"] = json.dumps(list(spec.analyses))
    entries |= {f"code.{name}": digest for name, digest in code_digests(spec).items()}
    return entries


def code_digests(spec: Spec) -> dict[str, str]:
    """Digest of the code that each analysis' numbers depend on: its solver, and what makes its systems."""
    patterns = [str(name) for name in (spec["pattern"].values if "pattern" in spec else ())]
    modules = sorted({PATTERNS[name].function.__module__ for name in patterns if name in PATTERNS})
    systems = code_digest("pairsweep.points.systems", within=("pairsweep.points",))
    occupations = code_digest(*modules, within=("pairsweep.physics",)) if modules else ""
    digests = {}
    for analysis in spec.declared():
        solver = code_digest(
            *analysis.code, within=("pairsweep.analyses", "pairsweep.kernels", "pairsweep.physics")
        )
        digests[analysis.name] = hashlib.sha256(f"{solver} {systems} {occupations}".encode()).hexdigest()[:16]
    return digests


def _continued(path: str | Path, sweep: Sweep) -> tuple[Store | None, Sweep]:
    """Open the store of a sweep to go on in it, with the files that its function is known to read.

    One in which nothing is done yet and whose function has been mended is removed: there is None then.
    """
    store = Store.open(path)
    if _only_function_differs(store, sweep) and not (store.statuses() == DONE).any():
        with store.lock():
            shutil.rmtree(store.path)
        return None, sweep
    sweep = _with_files(sweep, _known_files(store, sweep))
    return _matching_store(path, sweep), sweep


def _known_files(store: Store, sweep: Sweep) -> list[str]:
    """Paths of the files that a store knows its function to read, where it is the same function."""
    same = store.fingerprint.get("custom") == fingerprint(sweep.spec)["custom"]
    return [name.removeprefix(DATA) for name in store.fingerprint if same and name.startswith(DATA)]


def _only_function_differs(store: Store, sweep: Sweep) -> bool:
    """Whether a store was made with the same specification but another function of the user's."""
    marks = fingerprint(_with_files(sweep, _known_files(store, sweep)).spec)
    names = store.fingerprint.keys() | marks.keys()
    differing = {name for name in names if store.fingerprint.get(name) != marks.get(name)}
    return bool(differing) and all(name == "custom" or name.startswith(DATA) for name in differing)


def _matching_store(path: str | Path, sweep: Sweep) -> Store:
    """Open the store of a sweep, which may have got more values on its axes; refuse that of another."""
    store = Store.open(path)
    marks = fingerprint(sweep.spec)
    for name, now in marks.items():
        there = store.fingerprint.get(name, now)
        if there != now and AXIS in (there, now):
            what, cure = f"{name} is an axis there and has one value now", "give all its values as a list"
            if now == AXIS:
                what, cure = f"{name} has one value there and is an axis now", "only axes can get more values"
            raise StoreError(str(store.path), what, f"{cure}; or name another store")
    store.check(marks)
    check_growth(store, make_template(sweep, store.template.block_shape))
    return store


def _same_labels(store: Store, sweep: Sweep) -> bool:
    """Tell whether a store is laid out as this sweep is now: the same axes in the same order, and the same analyses."""
    if (store.template.axes, set(store.analyses)) != (sweep.names, set(sweep.spec.analyses)):
        return False
    there, here = (
        {c.name: c.values for c in t.coordinates if c.dims and c.dims[0] in t.axes}
        for t in (store.template, make_template(sweep, store.template.block_shape))
    )
    return there.keys() == here.keys() and all(same_values(there[name], here[name]) for name in here)


def plan_sweep(sweep: Sweep, apart: bool = True, echo: Echo = unheard) -> Plan:
    """Plan a sweep by what its own points cost here; see `measured_seconds`.

    A user's own function is called for the first time: what it reads belongs to the plan's sweep.

    Raises
    ------
    SpecError
        For a function that no point can be computed with.
    """
    with aside(sweep, echo) if apart else nullcontext() as crew:
        sweep = _with_files(sweep, files_read(sweep, crew, echo))
        seconds = measured_seconds(sweep, crew)
    return make_plan(sweep, seconds)


def _with_files(sweep: Sweep, paths: Iterable[str]) -> Sweep:
    """Give a sweep whose function is known to read some files."""
    custom = sweep.spec.custom
    if custom is None:
        return sweep
    return replace(sweep, spec=replace(sweep.spec, custom=custom.reads(paths)))


def progress_of(path: str | Path) -> dict[str, int]:
    """Count the points of a store by state."""
    counts = np.bincount(Store.open(path).statuses().ravel(), minlength=len(STATUS_FLAGS))
    return {name: int(count) for name, count in zip(STATUS_FLAGS, counts, strict=True)}


def done_points(path: str | Path, sweep: Sweep) -> int:
    """Count the points of a sweep that are done in the store at ``path``; 0 where there is none yet.

    Raises
    ------
    StoreError
        If the sweep cannot go on in that store.
    """
    if not is_there(path):
        return 0
    store = Store.open(path)
    if _only_function_differs(store, sweep) and not (store.statuses() == DONE).any():
        return 0
    sweep = _with_files(sweep, _known_files(store, sweep))
    return int((_matching_store(path, sweep).statuses() == DONE).sum())


def open_store(path: str | Path) -> xr.Dataset:
    """Open the results of a sweep, finished or not, as a lazily loaded Dataset.

    Raises
    ------
    StoreError
        If there is no store of a sweep at ``path``.
    """
    return open_dataset(path)


def open_maps(path: str | Path) -> tuple[xr.Dataset, xr.Dataset | None]:
    """Open a map and, if ``path`` is a refined one, the coarse one it refines and itself."""
    ds = open_dataset(path)
    if "refines" not in ds.attrs:
        return ds, None
    return open_dataset(Path(path).parent / str(ds.attrs["refines"])), ds


def stored_spec(store: Store) -> Spec:
    """Read the specification a store was made from.

    A user's function is taken from where it was, or from the current folder, and must be what it was; where it is
    nowhere, its source is taken from the store.
    """
    text = str(store.attrs["specification"])
    if FUNCTION not in store.attrs:
        return parse_spec(text)
    kept = from_record(str(store.attrs[FUNCTION]))
    found = None
    for folder in (kept.spec_folder, Path()):
        try:
            found = find_function(kept.reference, folder).reads(file.path for file in kept.data)
        except SpecError:
            continue
        if found.digest == kept.digest:
            break
    if found is not None and (found.digest, found.data_digests()) != (kept.digest, kept.data_digests()):
        cure = "is not what the store was made with: put the old function back, or run it into another store"
        raise SpecError("occupation.function", kept.reference, cure)
    return parse_spec(text, custom=found or kept)


def errors(path: str | Path) -> list[LabelledFailure]:
    """List the failed points of a store with their labels, reasons and tracebacks."""
    store = Store.open(path)
    axes = [c for c in store.template.coordinates if len(c.dims) == 1 and c.dims[0] in store.template.axes]
    return [
        LabelledFailure(
            {c.name: c.values[failure.position[store.template.axes.index(c.dims[0])]].item() for c in axes},
            failure.reason,
            failure.traceback,
        )
        for failure in store.failures()
    ]


def solve_one(
    source: str | Path, at: Mapping[str, str]
) -> tuple[dict[str, Scalar], dict[str, object], dict[str, PointFailure]]:
    """Compute one point of a specification or a store in the foreground.

    Parameters
    ----------
    source : path
        A TOML file or a store.
    at : mapping
        The value on each axis, as text; axes with a single value may be left out.

    Returns
    -------
    (labels, results, failures)
        Failures by the analysis that failed; none where the point succeeded.
    """
    spec = stored_spec(Store.open(source)) if Path(source).is_dir() else read_spec(source)
    sweep = expand(spec)
    position = _position(sweep, at)
    template = make_template(sweep, (1,) * len(sweep.shape))
    numbers, failures = solve_points(
        sweep, template, np.array([position], dtype=np.int64).reshape(1, len(position))
    )
    results: dict[str, object] = {name: values[0] for name, values in numbers.items()}
    return sweep.point(position), results, failures.get(0, {})


def _position(sweep: Sweep, at: Mapping[str, str]) -> tuple[int, ...]:
    position = []
    known = {m.name for dimension in sweep.dimensions for m in dimension.members}
    for name in at:
        if name not in known:
            raise SpecError(
                "--at", name, f"is not an axis of this sweep; its axes are {', '.join(sorted(known))}"
            )
    for dimension in sweep.dimensions:
        found = None
        for member in dimension.members:
            if member.name in at:
                found = _nearest(member.name, member.values, at[member.name])
        if found is None and dimension.size > 1:
            raise SpecError("--at", None, f"names no value of {dimension.name}: add {dimension.name}=VALUE")
        position.append(found or 0)
    return tuple(position)


def _nearest(name: str, values: tuple[Scalar, ...], wanted: str) -> int:
    """Find the index of a value given as text; numbers to nine digits, as they are printed."""
    for index, value in enumerate(values):
        if str(value) == wanted:
            return index
    try:
        number = float(wanted)
    except ValueError:
        number = float("nan")
    for index, value in enumerate(values):
        if not isinstance(value, str) and abs(value - number) <= 1e-9 * abs(number):
            return index
    near = sorted(values, key=lambda v: 0.0 if isinstance(v, str) or number != number else abs(v - number))[
        :3
    ]
    raise SpecError(
        "--at", f"{name}={wanted}", f"is no value of this axis; nearest: {', '.join(map(str, near))}"
    )
