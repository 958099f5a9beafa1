from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from pairsweep.drawing import style


@pytest.mark.processes
def test_importing_the_pictures_does_not_load_matplotlib():
    code = "import sys, pairsweep.plot; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_matplotlib_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ModuleNotFoundError, match="pip install"), style.context():
        pass


@pytest.mark.parametrize(
    ("units", "text"),
    [("1", ""), ("", ""), (None, ""), ("MeV", "MeV"), ("MeV^-2", "MeV$^{-2}$"), ("MeV^3", "MeV$^{3}$")],
)
def test_units(units, text):
    assert style.unit_text(units) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9, "0.9"),
        (12, "12"),
        (0, "0"),
        (1e-6, "$10^{-6}$"),
        (3.1622776e-6, r"$3.162\times10^{-6}$"),
        (2.5e7, r"$2.5\times10^{7}$"),
        ("midpoint", "midpoint"),
    ],
)
def test_numbers(value, text):
    assert style.number(value) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("g", "$g$"),
        ("rho_high", r"$\rho_{\rm high}$"),
        ("rhobar_x", r"$\bar\rho_{\rm x}$"),
        ("energy_z", r"$E_{\rm z}$"),
        ("my_own_parameter", "my own parameter"),
    ],
)
def test_symbols(name, text):
    assert style.symbol(name) == text


def test_zipped_coordinates_are_named_together():
    ds = xr.Dataset(
        coords={"n_theta": [1, 2], "n_phi": ("n_theta", [4, 8]), "g": ("g", [1e-6], {"units": "MeV^-2"})}
    )
    assert style.point_text(ds, "n_theta", 1) == r"$N_\theta$ = 2, $N_\phi$ = 8"
    assert style.group_title(ds, ["n_theta", "g"]) == r"$N_\theta$, $N_\phi$, $g$ (MeV$^{-2}$)"
    assert style.group_text(ds, {"n_theta": 1, "g": 0}) == "2, 8, $10^{-6}$"


def test_geometric_labels_are_recognised():
    assert style.is_geometric(np.geomspace(1e-8, 1e-2, 7))
    assert not style.is_geometric(np.linspace(0.1, 1.0, 7))
    assert not style.is_geometric(np.array([0.0, 1.0, 10.0]))


def test_labels_that_would_crowd_at_one_end_are_geometric_too():
    assert style.is_geometric(np.array([6.65e-14, 1e-12, 1e-10, 1e-8, 1e-7, 1e-6]))
    assert style.is_geometric(np.array([1.0, 4.0, 16.0, 100.0]))
    assert not style.is_geometric(np.array([5.0, 10.0, 20.0, 40.0, 60.0, 80.0, 100.0]))


def test_the_style_takes_back_only_what_it_set():
    """A notebook turns interactive drawing on at its first figure, which may be ours."""
    import matplotlib as mpl

    with mpl.rc_context({"interactive": False, "font.size": 7.0}):
        with style.context():
            assert mpl.rcParams["font.size"] == style.RC["font.size"]
            mpl.rcParams["interactive"] = True
        assert mpl.rcParams["interactive"]
        assert mpl.rcParams["font.size"] == 7.0


def test_figures_of_the_first_cell_of_a_notebook_are_shown(monkeypatch):
    import matplotlib.pyplot as plt

    taken = []
    monkeypatch.setattr(plt, "switch_backend", taken.append)
    style.load_notebook_backend()
    assert taken == []
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    style.load_notebook_backend()
    assert taken == [plt.get_backend()]


@pytest.mark.parametrize("log", [False, True])
def test_cells_hold_their_labels(log):
    labels = np.geomspace(0.1, 10, 5)
    edges = style.cell_edges(labels, log=log)
    assert np.all(edges[:-1] < labels)
    assert np.all(labels < edges[1:])
    assert style.cell_edges(labels[:1], log=log).size == 2


def test_the_label_of_a_variable_leaves_out_what_its_zero_says_and_fits_beside_a_small_picture():
    values = xr.DataArray(
        np.zeros(2),
        attrs={"long_name": "largest growth rate in the continuum, 0 where none", "units": "MeV"},
    )
    assert style.meaning_label(values, 24) == "largest growth rate in\nthe continuum (MeV)"
    assert (
        style.meaning_label(values, 24, ", over mu")
        == "largest growth rate in\nthe continuum, over mu\n(MeV)"
    )
    assert style.meaning_label(xr.DataArray(np.zeros(2), name="a"), 24) == "a"
