#!/usr/bin/env python3
"""What the engine costs beside the bare kernel, storing included, and beside others; prints a table.

    engine.py             points of 1 us, 1 ms and 1 s; serial, 1 and 2 workers; xyzpy; one dask task per point
    engine.py --scale N   N small blocks of a simulated kernel: seconds, memory, files

CPU seconds where one process does the work, so that other users of the machine do not count.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent), str(HERE.parents[2])]

import numba  # noqa: E402
import numpy as np  # noqa: E402
import psutil  # noqa: E402

from pairsweep.contract.template import DONE, ArrayPlan, BlockResult, Coordinate, Template  # noqa: E402
from pairsweep.execute import Ack, Pool, execute  # noqa: E402
from pairsweep.execute import pool as pools  # noqa: E402
from pairsweep.store import Store, create  # noqa: E402

N_ARRAYS = 9  # as many as the growth analysis stores for a point
ARRAYS = (
    ArrayPlan("status", (), (), "int8", 0, {}),
    *(ArrayPlan(f"value_{i}", (), (), "float64", float("nan"), {}, "bench") for i in range(N_ARRAYS)),
)


@numba.njit(nogil=True)
def kernel(x: np.ndarray, turns: int, out: np.ndarray) -> None:
    """Stand in for a solver: ``turns`` steps of arithmetic for each point."""
    for i in range(x.size):
        value = x[i]
        for _ in range(turns):
            value = np.sin(value) + x[i]
        for j in range(out.shape[0]):
            out[j, i] = value * (j + 1)


@dataclass(frozen=True)
class Sweep:
    """The bare kernel as the engine's task."""

    store: str
    turns: int

    def __call__(self, block: int, only: range | None = None) -> Ack:
        store, values = opened(self.store)
        masks = store.todo(block, only=only)
        (piece,) = store.template.block_slices(block)
        out = np.empty((N_ARRAYS, piece.stop - piece.start))
        kernel(values[piece], self.turns, out)
        arrays = {f"value_{i}": row for i, row in enumerate(out)}
        states = {"bench": np.full(out.shape[1], DONE, dtype=np.int8)}
        store.write(block, BlockResult(arrays, states, (), 0.0), masks)
        return Ack(block, out.shape[1], 0, 0.0, "")

    def size(self, block: int) -> int:
        return math.prod(opened(self.store)[0].block_shape(block))

    def record_failure(self, block: int, point: int, reason: str) -> Ack:
        raise RuntimeError(reason)


@lru_cache(maxsize=2)
def opened(path: str) -> tuple[Store, np.ndarray]:
    """Open a store and its axis once per process."""
    store = Store.open(path)
    return store, np.asarray(store.template.coordinates[0].values)


def new(folder: str, points: int, block: int) -> Store:
    axis = Coordinate("x", ("x",), np.linspace(0, 1, points), {})
    path = Path(tempfile.mkdtemp(dir=folder)) / "s.zarr"
    return create(path, Template(("x",), (points,), (block,), (axis,), ARRAYS, {}), {})


def cpu(action: Callable[[], object]) -> float:
    started = time.process_time()
    action()
    return time.process_time() - started


def turns_for(seconds: float) -> int:
    """Calibrate the kernel."""
    x, out = np.linspace(0, 1, 1000), np.empty((N_ARRAYS, 1000))
    kernel(x, 1, out)
    each = min(cpu(lambda: kernel(x, 1000, out)) for _ in range(3)) / 1e6
    return max(1, round(seconds / each))


def serial(folder: str, points: int, block: int, turns: int) -> tuple[float, float]:
    """CPU seconds of the bare kernel, block by block, and of the engine; the least of three each."""
    x = np.linspace(0, 1, points)
    out = np.empty((N_ARRAYS, block))

    def bare() -> None:
        for start in range(0, points, block):
            kernel(x[start : start + block], turns, out)

    def engine(store: Store) -> None:
        task = Sweep(str(store.path), turns)
        execute(task, store.pending(), on_done=lambda ack: None, scheduler="serial")

    stores = [new(folder, points, block) for _ in range(3)]
    return min(cpu(bare) for _ in stores), min(cpu(partial(engine, store)) for store in stores)


def pooled(folder: str, points: int, block: int, turns: int, workers: int) -> tuple[float, float]:
    """CPU seconds of worker processes and client after their start, and wall seconds."""
    store = new(folder, points, block)
    warm = new(folder, block * workers * 2, block)
    pools.HEAD_START = 0.0
    with Pool(workers) as pool:
        pool.run(Sweep(str(warm.path), turns), warm.pending(), lambda ack: None)
        started, used = time.perf_counter(), family_cpu()
        pool.run(Sweep(str(store.path), turns), store.pending(), lambda ack: None)
        return family_cpu() - used, time.perf_counter() - started


def family_cpu() -> float:
    """CPU seconds of this process and its children so far."""
    me = psutil.Process()
    times = [process.cpu_times() for process in (me, *me.children())]
    return sum(t.user + t.system for t in times)


def one_point(x: float, turns: int) -> list[float]:
    out = np.empty((N_ARRAYS, 1))
    kernel(np.array([x]), turns, out)
    return out[:, 0].tolist()


def task_per_point(points: int, turns: int, workers: int) -> float:
    """Wall seconds of dask with a task for each point and nothing stored."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, host="127.0.0.1") as cluster,
        Client(cluster) as client,
    ):
        client.gather(client.map(one_point, np.linspace(2, 3, 50).tolist(), turns=turns))
        started = time.perf_counter()
        client.gather(client.map(one_point, np.linspace(0, 1, points).tolist(), turns=turns))
        return time.perf_counter() - started


def xyzpy(points: int, turns: int) -> float | None:
    """Wall seconds of xyzpy in this process, if it is there."""
    try:
        import xyzpy as xyz
    except ImportError:
        return None
    runner = xyz.Runner(
        one_point,
        var_names=["y"],
        var_dims={"y": ["j"]},
        var_coords={"j": range(N_ARRAYS)},
        constants={"turns": turns},
    )
    started = time.perf_counter()
    runner.run_combos({"x": np.linspace(0, 1, points)}, verbosity=0)
    return time.perf_counter() - started


def costs(folder: str) -> None:
    print(
        "| point | how | points | points/s | of the bare kernel | overhead, us/point |\n|---|---|---|---|---|---|"
    )

    def row(name: str, how: str, points: int, seconds: float, bare: float) -> None:
        overhead, rate = (seconds - bare) / points * 1e6, points / seconds
        speed = f"{rate:,.0f}" if rate > 10 else f"{rate:.3f}"
        print(
            f"| {name} | {how} | {points:,} | {speed} | {bare / seconds:.1%} | {overhead:.3f} |", flush=True
        )

    for name, seconds, points, block, few in (
        ("1 us", 1e-6, 3_000_000, 1_000_000, 3000),
        ("1 ms", 1e-3, 4_000, 1_000, 1000),
        ("1 s", 1.0, 4, 2, 4),
    ):
        turns = turns_for(seconds)
        bare, engine = serial(folder, points, block, turns)
        row(name, "bare kernel", points, bare, bare)
        row(name, "pairsweep, serial", points, engine, bare)
        for workers in (1, 2):
            used, took = pooled(folder, points, block // 2, turns, workers)
            row(name, f"pairsweep, {workers} workers (CPU of all)", points, used, bare)
            row(name, f"pairsweep, {workers} workers (wall)", points, took, bare / workers)
        share = bare * few / points
        took = task_per_point(few, turns, 2)
        row(name, "dask, a task per point, 2 workers (wall)", few, took, share / 2)
        other = xyzpy(few, turns)
        if other is None:
            print(f"| {name} | xyzpy | not installed here | | | |")
        else:
            row(name, "xyzpy, serial (wall)", few, other, share)


def scale(folder: str, blocks: int) -> None:
    """The ledger, the chunk files and the client with many blocks."""
    print(f"| {blocks:,} blocks of 10 points | seconds | memory, MB |\n|---|---|---|")

    def row(name: str, action: Callable[[], object]) -> None:
        started = time.perf_counter()
        action()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {name} | {time.perf_counter() - started:.1f} | {memory:.0f} |", flush=True)

    stores: list[Store] = []
    row("create", lambda: stores.append(new(folder, 10 * blocks, 10)))
    (store,) = stores
    row("read an empty ledger", lambda: sum(1 for _ in store.pending()))
    task = Sweep(str(store.path), 1)
    row("run on 2 workers", lambda: execute(task, store.pending(), on_done=lambda ack: None, workers=2))
    row("resume when all is done", lambda: sum(1 for _ in store.pending()))
    row("open", lambda: Store.open(store.path))
    files = sum(len(names) for _, _, names in os.walk(store.path))
    print(f"| files | {files:,} | |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=int, metavar="N")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="engine-") as folder:
        if options.scale:
            scale(folder, options.scale)
        else:
            costs(folder)


if __name__ == "__main__":
    import engine  # the task by its module's name, as workers import it

    engine.main()
