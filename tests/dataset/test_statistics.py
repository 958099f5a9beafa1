from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from pairsweep.contract.errors import UsageError
from pairsweep.dataset.statistics import QUANTILES, statistics


def seeds(shape=(3, 41), failed=()):
    """Numbers and codes over g and seed."""
    rng = np.random.default_rng(1)
    status = np.ones(shape, dtype=np.int8)
    for at in failed:
        status[at] = 2
    values = np.where(status == 1, rng.lognormal(size=shape), np.nan)
    return xr.Dataset(
        {
            "status": (("g", "seed"), status),
            "kappa_max": (("g", "seed"), values, {"units": "1", "long_name": "largest pairing"}),
            "kappa_mean": (("g", "seed", "time"), values[..., None] * [1.0, 2.0]),
            "mode_kind": (("g", "seed"), rng.integers(0, 3, shape).astype(np.int8)),
        },
        coords={"g": [1e-7, 1e-6, 1e-5], "seed": np.arange(shape[1]), "kick": ("seed", rng.random(shape[1]))},
    )


@pytest.mark.parametrize("failed", [(), ((0, 3), (0, 17), (2, 40))])
def test_statistics_are_those_of_numpy_over_what_is_done(failed):
    ds = seeds(failed=failed)
    found = statistics(ds, "seed")
    for name in ("kappa_max", "kappa_mean"):
        values, axis = ds[name].values, 1
        assert found[name].sel(statistic="mean").values == pytest.approx(np.nanmean(values, axis))
        assert found[name].sel(statistic="deviation").values == pytest.approx(np.nanstd(values, axis, ddof=1))
        for statistic, share in QUANTILES.items():
            wanted = np.nanquantile(values, share, axis)
            assert found[name].sel(statistic=statistic).values == pytest.approx(wanted)
    assert found["count"].values.tolist() == [41 - sum(at[0] == i for at in failed) for i in range(3)]
    assert found.attrs["reduced_over"] == "seed, kick"
    assert "kick" not in found.coords


def test_shares_and_histograms_count_every_point_once():
    ds = seeds(failed=((1, 0),))
    found = statistics(ds, "kick", bins=7)
    assert found["mode_kind_share"].sum("mode_kind_code").values == pytest.approx(np.ones(3))
    assert found["mode_kind_code"].values.tolist() == ["stable", "oscillating", "static"]
    assert found["kappa_max_histogram"].sum("kappa_max_bin").values.tolist() == [41, 40, 41]
    low, high = found["kappa_max_low"], found["kappa_max_high"]
    assert (low.values[0], high.values[-1]) == pytest.approx(
        (float(ds["kappa_max"].min()), float(ds["kappa_max"].max()))
    )
    assert "kappa_mean_histogram" not in found


def test_nothing_done_is_nan_and_not_a_number():
    ds = seeds(failed=[(1, i) for i in range(41)])
    found = statistics(ds, "seed")
    assert found["kappa_max"].isel(g=1).isnull().all()
    assert found["status"].values.tolist() == [1, 2, 1]
    assert found["mode_kind_share"].isel(g=1).isnull().all()


def test_one_value_and_equal_values_have_statistics():
    found = statistics(seeds(shape=(3, 1)), "seed")
    assert found["kappa_max"].sel(statistic="median").notnull().all()
    assert found["kappa_max"].sel(statistic="deviation").isnull().all()
    same = seeds()
    same["kappa_max"] = xr.ones_like(same["kappa_max"])
    assert statistics(same, "seed")["kappa_max_histogram"].sum() == 3 * 41


@pytest.mark.parametrize(("over", "bins"), [("sede", 20), ("seed", 0), ("seed", 2.5)])
def test_what_cannot_be_reduced_is_refused(over, bins):
    with pytest.raises(UsageError):
        statistics(seeds(), over, bins)
