"""Stores of one kind become one dataset, as if they had been one sweep; others are refused."""

import numpy as np
import pytest
import xarray as xr

import pairsweep as ps
from tests.specs import BEAMS, GROWTH, changed, growth

RUN = {"scheduler": "serial", "quiet": True}


@pytest.fixture
def made(tmp_path):
    """Run a specification into a store of its own."""

    def make(text):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.zarr"
        ps.run(text, path, **RUN)
        return path

    return make


def same(one, other):
    """Whether two datasets are the same but for their attributes and the order of their dimensions."""
    xr.testing.assert_identical(
        one.load().drop_attrs().transpose(*other.dims), other.load().drop_attrs().transpose(*other.dims)
    )
    assert {name: v.dtype for name, v in one.variables.items()} == {
        n: v.dtype for n, v in other.variables.items()
    }
    for name, v in other.data_vars.items():
        assert one[name].attrs == v.attrs


def test_single_values_become_an_axis(made):
    parts = [made(growth(rho_high="[0.6, 0.9]", g=g)) for g in ("1e-5", "1e-6")]
    whole = ps.run(growth(rho_high="[0.6, 0.9]", g="[1e-6, 1e-5]"), **RUN)
    found = ps.combine(parts, "g")
    assert found.growth_rate.chunks is not None  # nothing is read
    assert (found.status.dtype, found.mode_kind.dtype) == (np.int8, np.int8)
    assert len(found.attrs["history"].splitlines()) == 2
    same(found, whole)


def test_parts_of_an_axis_and_datasets(made):
    first, second, third = (made(growth(rho_high=values)) for values in ("[0.6, 0.9]", "[0.7]", "0.8"))
    whole = ps.run(growth(rho_high="[0.6, 0.7, 0.8, 0.9]"), **RUN)
    same(ps.combine([ps.open_store(first), second, third], "rho_high"), whole)
    again = ps.combine([ps.combine([first, second], "rho_high"), third], "rho_high")
    same(again, whole)


def test_bins_that_some_do_not_have_are_nan_and_counts_stay_whole(made):
    parts = [made(growth(n_energy=str(n), rho_high="[0.6, 0.9]")) for n in (2, 1)]
    whole = ps.run(growth(n_energy="[1, 2]", rho_high="[0.6, 0.9]"), **RUN)
    same(ps.combine(parts, "n_energy"), whole)


def test_a_key_of_a_beam_and_members_of_a_zip(made):
    parts = [made(changed(BEAMS.replace("rho = 1.0", f"rho = {rho}", 1), g="[1e-3]")) for rho in (0.8, 1.0)]
    whole = ps.run(changed(BEAMS.replace("rho = 1.0", "rho = [0.8, 1.0]", 1), g="[1e-3]"), **RUN)
    found = ps.combine(parts, "rho_x")
    assert found.beam_rho.dims == ("rho_x", "beam")
    same(found.drop_vars("rho_x"), whole.drop_vars("rho_x"))
    np.testing.assert_array_equal(found.rho_x, whole.rho_x)
    zipped = 'zip = [["rho_high", "rho_low"]]\n' + GROWTH.lstrip()
    parts = [
        made(changed(zipped, rho_high=high, rho_low=low))
        for high, low in (("[0.9, 0.7]", "[0.1, 0.2]"), ("[0.8]", "[0.0]"))
    ]
    found = ps.combine(parts, "rho_high")
    np.testing.assert_array_equal(found.rho_high, [0.7, 0.8, 0.9])
    np.testing.assert_array_equal(found.rho_low, [0.2, 0.0, 0.1])
    assert found.rho_low.dims == ("rho_high",)
    with pytest.raises(ps.UsageError, match="moves along rho_high"):
        ps.combine(parts, "rho_low")


def test_what_differs_in_more_than_the_axis_is_refused(made):
    store = made(growth(g="1e-6", rho_high="[0.6, 0.9]"))
    with pytest.raises(ps.StoreError, match=r"in more than g: occupation.rho_low 0.1 and 0.2: combine what"):
        ps.combine([store, made(growth(g="1e-5", rho_low="0.2", rho_high="[0.6, 0.9]"))], "g")
    with pytest.raises(ps.StoreError, match=r"growth\.method default and "):
        ps.combine(
            [store, made(growth(g="1e-5", rho_high="[0.6, 0.9]") + '\n[growth]\nmethod = "dense"\n')], "g"
        )
    with pytest.raises(ps.StoreError, match=r"has other values of rho_high than"):
        ps.combine([store, made(growth(g="1e-5", rho_high="[0.6, 0.8]"))], "g")


def test_what_cannot_be_combined_is_said(made):
    store = made(growth(g="[1e-6, 1e-5]"))
    for sources, along, words in (
        ([], "g", "give the stores"),
        ([store, store], "g", r"g = 1e-06 = None|is in .*zarr and in .*zarr: select other values"),
        ([store], "gg", "did you mean g"),
        ([store], "energy_bin", "is no axis of the sweep; those of .* are g"),
        (
            [ps.open_store(store).drop_attrs()],
            "g",
            "dataset 1: has no record of what it depends on|has no record",
        ),
    ):
        with pytest.raises(ps.UsageError, match=words) as caught:
            ps.combine(sources, along)
        assert "\n" not in str(caught.value)
