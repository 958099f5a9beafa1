"""The linear phase of stored curves, and that it is the one the kernels fit."""

import numpy as np
import pytest

from pairsweep.analyses.evolution.derived import phase_of, rate_of
from pairsweep.analyses.evolution.kernels.curves import first_maximum, linear_growth
from tests.datasets import pulses


def test_it_is_the_rise_before_the_first_maximum():
    time = np.linspace(0, 14, 281)
    curve = pulses(time, 1.7)
    rise = phase_of(curve)
    slope = np.diff(np.log(curve[rise])) / np.diff(time[rise])
    # at 0.15 of its maximum this pulse still grows at sqrt(1 - 0.15^2) = 0.989 of the rate
    assert np.all((slope > 0.98 * 1.7) & (slope <= 1.7))
    assert rate_of(time, curve) == pytest.approx(1.7, rel=0.01)


def test_a_beat_at_the_start_is_none_of_it():
    time = np.linspace(0, 40, 801)
    curve = 0.3 / np.cosh(0.4 * (time - 30)) + 2e-3 * np.abs(np.sin(9 * time))
    rise = phase_of(curve)
    assert curve[rise.start] > 2e-3
    # what beats adds to the curve itself, most where it is small
    assert rate_of(time, curve) == pytest.approx(0.4, rel=0.12)


@pytest.mark.parametrize(
    "curve", [np.full(50, 1e-3), np.linspace(0.1, 1, 50), np.full(50, np.nan), np.zeros(50)]
)
def test_curves_without_growth_have_none(curve):
    assert phase_of(curve) is None
    assert np.isnan(rate_of(np.arange(50.0), curve))


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_without_a_beat_it_is_the_phase_that_runs_are_fitted_in(rate):
    time = np.linspace(0, 100, 1001)
    curve = 0.4 / np.cosh(rate * (time - 60.1))
    assert rate_of(time, curve) == pytest.approx(linear_growth(time, curve, first_maximum(curve)), rel=1e-12)
