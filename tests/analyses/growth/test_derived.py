"""What one looks at first in the growth rates of a sweep."""

import numpy as np
import xarray as xr

from pairsweep.analyses.growth.derived import findings
from pairsweep.analyses.growth.solver import Method


def results(**changes):
    data = {
        "growth_rate": [0.0, 2e-3, 0.0, np.nan],
        "mode_kind": np.array([0, 1, 0, 0], np.int8),
        "growth_floor": [0.0, 1e-9, 3e-5, np.nan],
        "growth_method_taken": np.array([Method.SIGNS, Method.BULK, Method.DENSE, Method.NONE], np.int8),
    }
    return xr.Dataset(
        {name: ("g", values) for name, values in (data | changes).items()}, {"g": np.geomspace(1e-9, 1e-6, 4)}
    )


def test_lines_count_what_is_unstable_and_where_it_is_fastest():
    found = findings(results())
    assert found.lines[0] == "  unstable     1 of 3 (1 oscillating)"
    assert found.lines[1].startswith("  largest      growth rate 0.002 MeV at g = 1e-08")
    assert found.numbers["largest_growth"] == 2e-3


def test_points_on_dense_eigenvalues_are_named_with_their_floor():
    assert findings(results()).lines[-1] == (
        "  dense        1 rest on dense eigenvalues: 0 there means below 3e-05 MeV"
    )
    certified = np.array([Method.SIGNS, Method.BULK, Method.DISPERSION, Method.NONE], np.int8)
    assert not any("dense" in line for line in findings(results(growth_method_taken=certified)).lines)
    assert findings(results().drop_vars("growth_floor")).lines == findings(results()).lines[:-1]


def test_how_far_stable_points_are_from_a_crossing_is_said():
    ds = results().assign(epn_crossing_distance=("g", [0.25, 0.0, 0.03, np.nan]))
    (line,) = (line for line in findings(ds).lines if "EPN" in line)
    assert line == "  EPN          reaches 0 at 1 of 3; nearest of the others 0.03 away at g = 1e-07"
    everywhere = ds.assign(epn_crossing_distance=ds["epn_crossing_distance"] * 0)
    assert not any("EPN" in line for line in findings(everywhere).lines)
