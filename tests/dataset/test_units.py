"""Rates in other units, against numbers worked out from CODATA's exact h, c and e."""

import numpy as np
import pytest

import pairsweep as ps
from pairsweep.contract.errors import UsageError
from pairsweep.dataset.units import UNITS, in_unit
from tests.datasets import growth_sweep

# of the exact 2019 SI: h = 6.62607015e-34 J s, e = 1.602176634e-19 C, c = 299792458 m/s
PER_SECOND = 1e6 * 1.602176634e-19 / (6.62607015e-34 / (2 * np.pi))
PER_CM = PER_SECOND / 29979245800.0


@pytest.fixture(scope="module")
def ds():
    return growth_sweep({"g": [1e-7, 1e-6, 1e-5], "rho_high": [0.2, 0.9]})


def test_a_mev_per_second_and_per_centimetre(ds):
    growth = ds["growth_rate"]
    np.testing.assert_allclose(in_unit(ds, growth, "1/s"), growth * PER_SECOND, rtol=1e-9)
    np.testing.assert_allclose(in_unit(ds, growth, "1/cm"), growth * PER_CM, rtol=1e-9)
    assert in_unit(ds, growth, "MeV") is growth


def test_over_the_coupling_each_point_has_its_own(ds):
    growth = ds["growth_rate"]
    over_g, over_mu = (in_unit(ds, growth, unit) for unit in ("g", "mu"))
    assert over_g.dims == over_mu.dims == growth.dims
    np.testing.assert_allclose(over_g.sel(g=1e-6), growth.sel(g=1e-6) / 1e-6)
    np.testing.assert_allclose(over_mu.sel(g=1e-5), growth.sel(g=1e-5) / (1e-5 * 20.0**3))


def test_name_and_meaning_stay_and_the_unit_is_said(ds):
    for unit, units in UNITS.items():
        found = in_unit(ds, ds["frequency"], unit)
        assert found.name == "frequency"
        assert found.attrs == {**ds["frequency"].attrs, "units": units}


def test_derived_in_a_unit_has_every_rate_of_the_results(ds):
    found = ps.derived(ds, "1/cm")
    stored = {name for name, values in ds.data_vars.items() if values.attrs.get("units") == "MeV"}
    assert set(found.data_vars) == stored > {"growth_rate", "frequency"}
    np.testing.assert_allclose(found["frequency"], ds["frequency"] * PER_CM, rtol=1e-9)
    assert {"growth_per_s", "growth_per_cm"} <= set(ps.derived(ds).data_vars)


def test_what_cannot_be_is_refused(ds):
    with pytest.raises(UsageError, match="choose one of MeV, 1/s, 1/cm, g, mu"):
        in_unit(ds, ds["growth_rate"], "furlong")
    with pytest.raises(UsageError, match="epn_crossing_depth is not in MeV"):
        in_unit(ds, ds["epn_crossing_depth"], "1/s")


def test_the_largest_in_units_of_mu_is_another_point(ds):
    """At small g a mode grows as mu, so that over mu the largest need not be at the largest g."""
    strong = ds.copy(deep=True)
    strong["growth_rate"].loc[{"g": 1e-7, "rho_high": 0.9}] = 2e-3
    line = next(line for line in ps.summary(strong, "mu").lines if "largest" in line)
    assert line == "  largest      growth rate 2.5 mu' at g = 1e-07, rho_high = 0.9"
    assert ps.summary(strong, "mu").largest_growth == float(strong["growth_rate"].max())
    with pytest.raises(UsageError, match="unit"):
        ps.summary(ds, "furlong")
