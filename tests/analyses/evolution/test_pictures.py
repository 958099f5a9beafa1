from __future__ import annotations

import numpy as np
import pytest

from pairsweep.analyses.evolution.pictures.conservation import conservation
from pairsweep.analyses.evolution.pictures.curves import evolution
from pairsweep.contract.errors import UsageError
from pairsweep.drawing import style
from tests.datasets import evolution_sweep


@pytest.fixture(scope="module")
def runs():
    return evolution_sweep([1, 3])


@pytest.fixture
def ax():
    with style.context():
        return style.panels(1, 1, (None, None))[1][0]


def test_prediction_has_the_stored_growth_rate(runs, ax):
    one = runs.isel(n_energy=0)
    evolution(one, ax)
    curve, predicted = ax.get_lines()
    time = predicted.get_xdata() / 0.008  # from 1/mu' to 1/MeV
    slope = np.diff(np.log(predicted.get_ydata())) / np.diff(time)
    assert slope == pytest.approx(np.full(slope.size, float(one["growth_rate"])))
    late = curve.get_ydata()[np.isin(curve.get_xdata(), predicted.get_xdata())]
    assert np.abs(np.log(predicted.get_ydata() / late)).min() < 0.05  # it touches the curve


def test_only_the_bin_that_carries_the_mode_is_predicted(runs, ax):
    evolution(runs.isel(n_energy=1), ax, y="kappa_energy")
    assert len(ax.get_lines()) == 3 + 1


def test_time_in_mev_on_demand(runs, ax):
    evolution(runs, ax, x="time_mev")
    assert ax.get_xlabel() == r"Time $t$ (MeV$^{-1}$)"
    assert ax.get_xlim()[1] == pytest.approx(14 / 0.008)


def test_time_in_units_of_the_interaction(runs, ax):
    in_mev = runs.assign_coords(time=runs["time_mev"].values).drop_vars("time_mev")
    evolution(in_mev, ax, x="time_mu")
    assert ax.get_xlim()[1] == pytest.approx(14)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y": "kappa_meen"}, "did you mean kappa_mean"),
        ({"x": "g"}, "choose one of time, time_mev, time_mu"),
        ({"y": "rho_beam"}, "analyses"),
    ],
)
def test_bad_requests(runs, ax, options, message):
    with pytest.raises(UsageError, match=message):
        evolution(runs.isel(n_energy=0), ax, **options)


def test_spin_total_is_the_sum_of_its_parts(runs, ax):
    one = runs.isel(n_energy=0)
    conservation(one, ax)
    for line, component in zip(ax.get_lines(), "xyz", strict=True):
        parts = one["spin_occupation"] + one["spin_pairing"]
        assert np.array_equal(line.get_ydata(), parts.sel(component=component).values)


def test_exact_zeros_of_a_drift_stay_visible(runs, ax):
    conservation(runs, ax)
    energy, norm = ax.get_lines()[:2]
    assert energy.get_ydata().tolist() == [1e-9, 2e-9]
    assert norm.get_ydata().tolist() == [2.0**-53] * 2
