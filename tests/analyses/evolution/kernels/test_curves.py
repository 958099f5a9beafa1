"""Numbers read off curves that are known in closed form, compiled and uncompiled."""

import numpy as np
import pytest

from pairsweep.analyses.evolution.kernels.curves import (
    first_maximum,
    linear_growth,
    peak_at,
    period_of_maxima,
    read_curve,
)

TIMES = np.linspace(0, 100, 401)


def sech(times, rate, centre):
    return 0.4 / np.cosh(rate * (times - centre))


def test_a_sech_rises_at_its_rate_and_peaks_at_its_centre(both):
    curve = sech(TIMES, 0.2, 60.1)
    found = read_curve(TIMES, curve, curve)
    assert found.growth_rate_fit == pytest.approx(0.2, rel=0.01)
    assert found.kappa_max == pytest.approx(0.4, rel=1e-4)
    assert found.time_of_max == pytest.approx(60.1, abs=1e-3)
    assert np.isnan(found.period)


def test_peak_of_a_parabola_on_uneven_times_is_exact():
    times = np.array([0.0, 1.0, 3.0])
    time, value = peak_at(times, 5.0 - (times - 1.3) ** 2, 1)
    assert (time, value) == pytest.approx((1.3, 5.0))


def test_a_forced_curve_has_no_saturation():
    curve = np.abs(np.sin(TIMES)) + 1e-3
    assert np.isnan(read_curve(TIMES, curve, np.full_like(curve, 1.0))).all()


def test_a_rise_that_has_not_ended_is_no_maximum():
    assert first_maximum(np.exp(0.1 * TIMES)) == -1
    assert np.isnan(linear_growth(TIMES, np.exp(0.1 * TIMES), -1))


def test_ripples_on_the_flank_are_not_the_maximum():
    curve = sech(TIMES, 0.1, 60.0) * (1 + 0.02 * np.sin(3 * TIMES))
    assert abs(TIMES[first_maximum(curve)] - 60.0) < 2.0


def test_two_slopes_are_no_linear_phase():
    curve = np.where(TIMES < 40, np.exp(0.05 * (TIMES - 40)), np.exp(0.3 * (TIMES - 40)))
    top = np.searchsorted(TIMES, 48.0)
    assert np.isnan(linear_growth(TIMES, curve, top))


def test_a_line_of_three_e_folds_is_needed():
    assert np.isnan(linear_growth(TIMES, 1000.0 + np.exp(0.1 * TIMES), 400))
    assert linear_growth(TIMES, np.exp(0.1 * TIMES), 400) == pytest.approx(0.1)


def test_period_of_equal_and_of_unequal_maxima():
    assert period_of_maxima(TIMES, np.sin(0.2 * TIMES) ** 2) == pytest.approx(np.pi / 0.2, rel=1e-3)
    assert np.isnan(period_of_maxima(TIMES, np.sin(0.002 * TIMES**2) ** 2))
    assert np.isnan(period_of_maxima(TIMES, sech(TIMES, 0.2, 50.0)))
