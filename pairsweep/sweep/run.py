"""Runs a sweep: spec, plan, store, blocks on a scheduler."""

from __future__ import annotations

import math
import shlex
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pairsweep import __version__
from pairsweep.analyses.registry import ANALYSES
from pairsweep.blocks.calibrate import aside, files_read, measured_costs
from pairsweep.blocks.plan import Plan, make_plan
from pairsweep.blocks.solve import SolvedPoints, joined
from pairsweep.contract.display import Displayed, Shown
from pairsweep.contract.template import DONE, PENDING
from pairsweep.execute import Ack, Echo, check_scheduler, execute, unheard
from pairsweep.kernels.compiling import announced
from pairsweep.points.axes import Sweep, expand
from pairsweep.spec.model import Source, Spec
from pairsweep.spec.reader import read_spec
from pairsweep.store import Store, create, grow, is_there, open_dataset
from pairsweep.sweep.ahead import Small, ahead
from pairsweep.sweep.progress import MEASURING, Progress, doing, duration
from pairsweep.sweep.resume import (
    continued,
    fingerprint,
    is_laid_out,
    single_values,
    store_of_failed,
    with_files,
)
from pairsweep.sweep.task import SolveTask
from pairsweep.sweep.where import Where

if TYPE_CHECKING:
    import xarray as xr

# Below this the start of worker processes costs more than they save.
IN_PROCESS_SECONDS = 2.0
HERE = Where()


@dataclass(frozen=True, repr=False)
class Outcome(Displayed):
    """What a run did: points of the sweep, how many it computed, how many of all failed, and the seconds."""

    points: int
    computed: int
    failed: int
    seconds: float

    def _shown(self) -> Shown:
        rows = (
            ("computed", f"{self.computed:,} in {duration(self.seconds)}"),
            ("failed", f"{self.failed:,}"),
        )
        return Shown(f"{self.points:,} points", rows)


def run(
    spec: Source,
    store: str | Path | None = None,
    *,
    where: Where | None = None,
    scheduler: str = "local",
    workers: int | None = None,
    retry_failed: bool = False,
    recompute: Sequence[str] = (),
    overrides: Mapping[str, object] | None = None,
    quiet: bool = False,
) -> xr.Dataset:
    """Run a sweep and return its results.

    Parameters
    ----------
    spec : path, TOML text, mapping or Spec
        The specification.
    store : path, optional
        Where the results go; what is finished there is not computed again, and new values on its axes and new analyses
        are added. In memory where left out.
    where : Where, optional
        All that the command line can say of the place; or give
    scheduler, workers
        of it alone.
    retry_failed : bool
        Compute failed points again.
    recompute : names of analyses
        Drop their results and compute them anew; the others stay.
    overrides : mapping, optional
        Keys of the specification to change, such as ``{"growth.method": "dense"}``. With ``retry_failed`` options of an
        analysis may be changed for the failed points of a store alone.
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
    where = Where(scheduler, workers) if where is None else where
    if store is None:
        with tempfile.TemporaryDirectory(prefix="pairsweep-") as folder:
            path = Path(folder) / "results.zarr"
            run_to_store(spec, path, where, overrides=overrides, quiet=quiet)
            return open_dataset(path).load()
    run_to_store(
        spec,
        store,
        where,
        retry_failed=retry_failed,
        recompute=recompute,
        overrides=overrides,
        quiet=quiet,
    )
    return open_dataset(store)


def run_to_store(
    spec: Source,
    path: str | Path,
    where: Where = HERE,
    *,
    retry_failed: bool = False,
    recompute: Sequence[str] = (),
    overrides: Mapping[str, object] | None = None,
    quiet: bool = False,
) -> Outcome:
    """Run what is missing of a sweep in the store at ``path``; see `run`."""
    started = time.monotonic()
    wanted = read_spec(spec, overrides)
    check_scheduler(where.scheduler, where.workers, where.site(wanted), where.tls, where.insecure)
    sweep = expand(wanted)
    progress = Progress(quiet)
    seconds = math.inf
    solved: tuple[SolvedPoints, ...] = ()
    with announced(progress.say, progress.step):
        failed_alone = retry_failed and _differs_in_options(path, wanted)
        if failed_alone:
            store = store_of_failed(path, sweep)
        else:
            there, sweep = continued(path, sweep, recompute)
            if there is not None and not recompute and is_laid_out(there, sweep):
                store = there
            else:
                with nullcontext() if quiet else doing(MEASURING):
                    plan = plan_sweep(sweep, where.scheduler not in ("serial", "threads"), progress.say)
                seconds, sweep, solved = plan.seconds, plan.sweep, plan.solved
                marks = fingerprint(sweep.spec)
                if there is None:
                    store = create(path, plan.template, marks)
                else:
                    store = grow(path, plan.template, marks, recompute, single_values(there, sweep))
        if where.scheduler == "local" and wanted.custom is None and seconds < IN_PROCESS_SECONDS:
            where = replace(where, scheduler="serial")
        task = SolveTask.of(store, sweep.spec, retry_failed, failed_alone)
        computed = compute(store, task, where, wanted, progress, solved)
    return Outcome(sweep.n_points, computed, store.count_failed(), time.monotonic() - started)


def _differs_in_options(path: str | Path, wanted: Spec) -> bool:
    """Whether a store was made under other options of its analyses."""
    if not is_there(path):
        return False
    there, now = Store.open(path).fingerprint, fingerprint(wanted)
    options = {f"{name}." for name in wanted.options}
    return any(
        there.get(name) != now.get(name)
        for name in there.keys() | now.keys()
        if name.startswith(tuple(options))
    )


def compute(
    store: Store,
    task: SolveTask,
    where: Where,
    spec: Spec,
    progress: Progress,
    solved: Sequence[SolvedPoints] = (),
) -> int:
    """Compute what the ledger of a store calls missing; return how many points that were.

    Points that are ``solved`` already are stored first, like those of any block, where that is worth its files.
    """
    if not store.is_writable and next(store.pending(task.retry_failed), None) is None:
        return 0
    with store.lock() as held:
        if task.failed_alone:
            missing = store.count_failed()
        else:
            status = store.statuses()
            missing = int((status != DONE if task.retry_failed else status == PENDING).sum())
        if not missing:
            return 0
        points = store.template.n_points
        progress.begin(points, points - missing)
        store.append_history(f"{started_by()} (version {__version__})")

        def advance(ack: Ack) -> None:
            held.check()  # a coordinator whose lock was taken over stops
            progress.advance(ack.done, ack.failed)

        try:
            if solved:
                for block, result, mask in joined(solved).by_block(store.template):
                    advance(task.keep(store, block, result, mask))
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


def started_by() -> str:
    """Say what is running this process: a command, a script with its arguments, or a notebook."""
    if "ipykernel" in sys.modules:
        return "notebook"
    program, *arguments = sys.argv or [""]
    package = str(Path(__file__).parents[1])
    if Path(program).name == "pairsweep" or program.startswith(package):
        return shlex.join(["pairsweep", *arguments])
    if program in ("", "-c"):
        return "python"
    return shlex.join(["python", program, *arguments])


def _later_analyses(spec: Spec) -> list[Small]:
    """Small systems for all analyses of a sweep but the first, the last one first."""
    names = [name for name in ANALYSES if name in spec.options and ANALYSES[name].warm_up]
    return [
        Small(name, replace(ANALYSES[name].warm_up[0], options=spec.options[name]), 2)
        for name in names[:0:-1]
    ]


def plan_sweep(sweep: Sweep, apart: bool = True, echo: Echo = unheard) -> Plan:
    """Plan a sweep by what its own points cost here; see `measured_costs`.

    A user's own function is called for the first time: what it reads belongs to the plan's sweep.

    Raises
    ------
    SpecError
        For a function that no point can be computed with.
    """
    with aside(sweep, echo) if apart else nullcontext() as crew, ahead(_later_analyses(sweep.spec)):
        sweep = with_files(sweep, files_read(sweep, crew, echo))
        costs = measured_costs(sweep, crew)
    seconds = {pairs: cost.seconds for pairs, cost in costs.items()}
    plan = make_plan(sweep, seconds, {pairs: (cost.low, cost.high) for pairs, cost in costs.items()})
    return replace(
        plan,
        solved=tuple(points for cost in costs.values() for points in cost.solved),
        extrapolated_from=max(cost.extrapolated_from for cost in costs.values()),
    )


def plan(spec: Source, *, overrides: Mapping[str, object] | None = None) -> Plan:
    """Say what a sweep would compute: points, blocks, bytes, and seconds on one core.

    Raises
    ------
    SpecError
        For a specification that cannot be used.
    """
    with announced():
        return plan_sweep(expand(read_spec(spec, overrides)))
