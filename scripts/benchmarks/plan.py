"""What `plan` says a sweep takes, and what it then takes on one core.

    python scripts/benchmarks/plan.py [NAME ...]

A line a sweep: the seconds that are planned, between which bounds, those of the run, and their ratio (goal: within a
factor of 2). Shipped sweeps with fewer points, and two in which a few points are dear.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pairsweep.points.axes import expand
from pairsweep.spec.reader import read_spec
from pairsweep.store import create
from pairsweep.sweep.progress import Progress
from pairsweep.sweep.resume import fingerprint
from pairsweep.sweep.run import compute, plan_sweep
from pairsweep.sweep.task import SolveTask
from pairsweep.sweep.where import Where

# One point in 50 has angles and energies of which there are many more than in the others.
DEAR_GROWTH = f"""
analyses = ["growth"]
zip = [["rho_high", "n_energy", "n_theta"]]
[grid]
kind = "bins"
n_energy = {[40 if i % 50 == 7 else 1 for i in range(2000)]}
n_theta = {[8] * 2000}
n_phi = 8
energy_max = 20.0
[occupation]
pattern = "quadrant"
rho_high = {{ start = 0.5, stop = 1.0, num = 2000 }}
rho_low = 0.1
[coupling]
g = 1e-6
"""
# Most points couple so weakly that they are averaged.
DEAR_EVOLUTION = """
analyses = ["evolution"]
[grid]
kind = "bins"
n_energy = 2
n_theta = 1
n_phi = 4
energy_max = 20.0
[occupation]
pattern = "quadrant"
rho_high = { start = 0.5, stop = 1.0, num = 20 }
rho_low = 0.1
[coupling]
g = [1e-7, 2e-7, 5e-7, 1e-6]
[evolution]
t_end = 1500.0
samples = 101
perturbation = 1e-5
"""
RANGE = {"start": 0.2, "stop": 1.0}
SWEEPS = {
    "instability_map": {"occupation.rho_high": RANGE | {"num": 500}},
    "epn_crossing": {},
    "persistent_bin": {},
    "saturation": {"evolution.seed": 0, "evolution.tolerance": 1e-3, "occupation.rho_low": 0.1},
    "physical_coupling": {},
    "continuum_coupling": {"continuum.ladder_max": 64},
    "continuum_edges": {"continuum.ladder_max": 0},
    "fermi_gap": {},
    "phase_diagram": {"occupation.rho_high": RANGE | {"num": 21}},
    "inhomogeneous_bins": {},
    "dear growth": DEAR_GROWTH,
    "dear evolution": DEAR_EVOLUTION,
}


def main() -> None:
    """Plan and run each, and print a line."""
    print(
        f"{'sweep':20s} {'planned':>9s} {'from':>8s} {'to':>8s} {'took':>8s} {'ratio':>6s} {'measuring':>10s} kept"
    )
    for name in sys.argv[1:] or SWEEPS:
        given = SWEEPS[name]
        spec = read_spec(given) if isinstance(given, str) else read_spec(name, given)
        plan_sweep(expand(spec))  # loads, or compiles, what it needs
        started = time.perf_counter()
        plan = plan_sweep(expand(spec))
        measuring = time.perf_counter() - started
        with tempfile.TemporaryDirectory() as folder:
            store = create(Path(folder) / "s.zarr", plan.template, fingerprint(spec))
            started = time.perf_counter()
            points = compute(store, SolveTask.of(store, spec), Where("serial"), spec, Progress(quiet=True))
            took = time.perf_counter() - started
        kept = sum(len(each.positions) for each in plan.solved)
        print(
            f"{name:20s} {plan.seconds:9.3f} {plan.least_seconds:8.3f} {plan.most_seconds:8.3f} {took:8.3f} "
            f"{plan.seconds / took:6.2f} {measuring:10.2f} {kept} of {points}",
            flush=True,
        )


if __name__ == "__main__":
    main()
