"""A small sweep with every kind of coordinate and array, and results that tell which point they belong to."""

from __future__ import annotations

import numpy as np

from pairsweep.contract.template import DONE, FAILED, ArrayPlan, BlockResult, Coordinate, Failure, Template

FLAGS = {"flag_values": np.array([0, 1, 2], dtype=np.int8), "flag_meanings": "pending done failed"}
ARRAYS = (
    ArrayPlan("status", (), (), "int8", 0, FLAGS),
    ArrayPlan("growth_rate", (), (), "float64", float("nan"), {"units": "MeV"}, "growth"),
    ArrayPlan("n_unstable", (), (), "int32", -1, {}, "growth"),
    ArrayPlan("energy_weight", ("energy_bin",), (3,), "float64", float("nan"), {}, "growth"),
)
MORE_ARRAYS = (
    ArrayPlan("kappa_mean", ("time",), (2,), "float64", float("nan"), {}, "evolution"),
    ArrayPlan("method_taken", (), (), "int8", 0, {}, "evolution"),
)
BOTH = ("growth", "evolution")


def template(
    rho: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5),
    kind: tuple[str, ...] = ("midpoint", "exact"),
    block_shape: tuple[int, int] = (2, 1),
    g: float = 1e-6,
    analyses: tuple[str, ...] = ("growth",),
) -> Template:
    values = np.array(rho)
    coordinates = (
        Coordinate("rho", ("rho",), values, {"long_name": "occupation"}),
        Coordinate("rho_twice", ("rho",), 2 * values, {}),
        Coordinate("kind", ("kind",), np.array(kind), {}),
        Coordinate("g", (), np.array(g), {"units": "MeV^-2"}),
        Coordinate("pattern", (), np.array("quadrant"), {}),
        Coordinate("energy", ("rho", "energy_bin"), values[:, None] * np.ones(3), {"units": "MeV"}),
    )
    if "evolution" in analyses:
        coordinates += (
            Coordinate("time", ("time",), np.arange(2.0), {}),
            Coordinate("perturbation", (), np.array(1e-5), {}),
        )
    arrays = tuple(plan for plan in ARRAYS + MORE_ARRAYS if not plan.analysis or plan.analysis in analyses)
    return Template(
        ("rho", "kind"), (len(rho), len(kind)), block_shape, coordinates, arrays, {"title": "test"}
    )


def labels(sweep: Template, block: int) -> tuple[np.ndarray, np.ndarray]:
    """Values of rho, and a number for kind, at the points of a block."""
    by_name = {c.name: c.values for c in sweep.coordinates}
    rows, columns = sweep.block_slices(block)
    kind = np.array([len(text) for text in by_name["kind"][columns]], dtype=float)
    rho, number = np.meshgrid(by_name["rho"][rows].astype(float), kind, indexing="ij")
    return rho, number


def true_growth(rho: np.ndarray, number: np.ndarray) -> np.ndarray:
    """What the sweep computes: different at every point, so that no mix-up goes unseen."""
    return rho + 10.0 * number


def solve(
    sweep: Template, block: int, failing: tuple[float, ...] = (), late: tuple[float, ...] = ()
) -> BlockResult:
    """Results of a block; growth fails where rho is in ``failing``, evolution where it is in ``late``."""
    rho, number = labels(sweep, block)
    growth = true_growth(rho, number)
    failed = {"growth": np.isin(rho, failing), "evolution": np.isin(rho, late)}
    states = {name: np.where(failed[name], FAILED, DONE).astype(np.int8) for name in sweep.analyses}
    growth[failed["growth"]] = np.nan
    kappa = np.where(failed["evolution"], np.nan, -true_growth(rho, number))
    origin = [s.start for s in sweep.block_slices(block)]
    failures = tuple(
        Failure(
            tuple(int(o + i) for o, i in zip(origin, place, strict=True)), "no result", "Traceback ...", name
        )
        for name in sweep.analyses
        for place in np.argwhere(failed[name])
    )
    arrays = {
        "growth_rate": growth,
        "n_unstable": np.full(growth.shape, 2, dtype=np.int32),
        "energy_weight": np.repeat(growth[..., None], 3, axis=-1),
        "kappa_mean": np.repeat(kappa[..., None], 2, axis=-1),
        "method_taken": np.ones(growth.shape, dtype=np.int8),
    }
    return BlockResult(arrays, states, failures, 0.5)
