"""What of a plane a screen shows."""

import numpy as np
import pytest
import xarray as xr

from pairsweep.viewer.plane import cut, dimensions_of, rasterise, shown_variables, side_of, usual_sides


def dataset(**labels):
    shape = tuple(len(values) for values in labels.values())
    values = np.arange(np.prod(shape), dtype=float).reshape(shape)
    return xr.Dataset(
        {"growth_rate": (tuple(labels), values), "status": (tuple(labels), np.ones(shape, np.int8))},
        {name: np.asarray(values) for name, values in labels.items()},
    )


def sides(ds, *dims):
    return tuple(side_of(ds, dim) for dim in dims)


def whole(x, y):
    return x.edges[0], x.edges[-1], y.edges[0], y.edges[-1]


def test_labels_lie_where_they_belong():
    ds = dataset(g=[1e-6, 1e-7, 1e-5], n_energy=[1, 2, 8], kind=["b", "a"], rho=[0.1, 0.5])
    g, count, kind, rho = sides(ds, "g", "n_energy", "kind", "rho")
    assert (g.log, g.evenly, g.texts) == (True, False, ("1e-07", "1e-06", "1e-05"))
    assert (count.evenly, count.at.tolist()) == (True, [0, 1, 2])
    assert (kind.evenly, kind.texts) == (True, ("b", "a"))
    assert (rho.log, rho.edges.tolist()) == (False, pytest.approx([-0.1, 0.3, 0.7]))
    assert not side_of(ds, "g", "linear").log
    assert side_of(ds, "rho", "log").log
    assert not side_of(ds, "kind", "log").log


def test_a_cut_is_ascending_whatever_the_order_of_the_labels():
    ds = dataset(g=[1e-6, 1e-7, 1e-5], rho=[0.5, 0.1], seed=[0, 1])
    x, y = sides(ds, "g", "rho")
    values = cut(ds, "growth_rate", (x, y), {"seed": 1})
    for i, g in enumerate([1e-7, 1e-6, 1e-5]):
        for j, rho in enumerate([0.1, 0.5]):
            assert values[j, i] == float(ds.growth_rate.sel(g=g, rho=rho, seed=1))


def test_a_variable_without_a_side_is_the_same_along_it():
    ds = dataset(g=[1.0, 2.0], rho=[0.1, 0.5, 0.9]).assign(only_g=("g", [3.0, 4.0]))
    assert cut(ds, "only_g", sides(ds, "g", "rho"), {}).tolist() == [[3, 4]] * 3


def test_the_longest_axes_come_first():
    ds = dataset(a=[1.0, 2], b=[1.0, 2, 3], c=[1.0, 2, 3, 4])
    ds["kappa_mean"] = (("a", "b", "c", "time"), np.zeros((2, 3, 4, 9)))
    assert usual_sides(ds, dimensions_of(ds, "growth_rate")) == ["b", "c"]
    assert dimensions_of(ds, "kappa_mean")[-1] == "time"
    assert shown_variables(ds) == ["growth_rate", "status", "kappa_mean"]


def test_few_points_are_a_pixel_each():
    ds = dataset(x=np.linspace(0, 1, 7), y=np.linspace(2, 3, 5))
    x, y = sides(ds, "x", "y")
    values = cut(ds, "growth_rate", (x, y), {})
    raster = rasterise(values, x, y, whole(x, y), (640, 480))
    np.testing.assert_array_equal(raster.values, values)
    assert (raster.x0, raster.x1, raster.y0, raster.y1) == pytest.approx(whole(x, y))


@pytest.mark.parametrize("spacing", [np.linspace, np.geomspace])
def test_of_many_points_no_strip_is_lost(spacing):
    ds = dataset(x=spacing(1.0, 2.0, 3000), y=spacing(1.0, 7.0, 2000))
    x, y = sides(ds, "x", "y")
    values = np.zeros((2000, 3000))
    values[:, 1234] = 1.0  # a strip of one point
    values[77] = 2.0
    raster = rasterise(values, x, y, whole(x, y), (640, 480))
    assert raster.values.shape == (480, 640)
    assert np.all(raster.values.max(axis=1) >= 1.0)
    assert np.all(raster.values.max(axis=0) == 2.0)
    assert np.count_nonzero(np.all(raster.values >= 1.0, axis=0)) == 1


def test_every_pixel_shows_the_largest_of_its_own_points():
    rng = np.random.default_rng(0)
    values = rng.random((90, 1000))
    ds = dataset(x=np.arange(1000.0), y=np.arange(90.0))
    x, y = sides(ds, "x", "y")
    raster = rasterise(values, x, y, (99.5, 899.5, -0.5, 89.5), (80, 30))
    np.testing.assert_allclose(
        raster.values, values[:, 100:900].reshape(30, 3, 80, 10).max(axis=(1, 3)), rtol=1e-6
    )


def test_no_result_is_none_only_where_no_point_of_a_pixel_has_one():
    values = np.full((100, 1000), np.nan)
    values[50, 500] = 1.0
    ds = dataset(x=np.arange(1000.0), y=np.arange(100.0))
    x, y = sides(ds, "x", "y")
    raster = rasterise(values, x, y, whole(x, y), (100, 10))
    assert np.nansum(raster.values) == 1.0
    assert np.isnan(raster.values).sum() == 999


def test_codes_are_never_mixed():
    values = np.random.default_rng(0).integers(0, 4, (900, 900)).astype(float)
    ds = dataset(x=np.arange(900.0), y=np.arange(900.0))
    x, y = sides(ds, "x", "y")
    raster = rasterise(values, x, y, whole(x, y), (100, 100), codes=True)
    np.testing.assert_array_equal(raster.values, values[4::9, 4::9])


def test_a_frame_is_cut_out_with_all_cells_that_it_touches():
    ds = dataset(x=np.arange(10.0), y=np.arange(10.0))
    x, y = sides(ds, "x", "y")
    values = cut(ds, "growth_rate", (x, y), {})
    raster = rasterise(values, x, y, (2.6, 5.2, -40.0, 1.4), (640, 480))
    np.testing.assert_array_equal(raster.values, values[:2, 3:6])
    assert (raster.x0, raster.x1, raster.y0, raster.y1) == (2.5, 5.5, -0.5, 1.5)
    beyond = rasterise(values, x, y, (50.0, 60.0, 0.0, 1.0), (640, 480))
    assert beyond.values.shape[1] == 10


def test_uneven_labels_fill_their_cells():
    ds = dataset(x=[0.0, 1.0, 10.0], y=[0.0, 1.0])
    x, y = sides(ds, "x", "y")
    values = np.array([[1.0, 2.0, 3.0]] * 2)
    raster = rasterise(values, x, y, whole(x, y), (100, 100))
    row = raster.values[0]
    centres = raster.x0 + (np.arange(100) + 0.5) * (raster.x1 - raster.x0) / 100
    np.testing.assert_array_equal(row, np.where(centres < 0.5, 1.0, np.where(centres < 5.5, 2.0, 3.0)))


def test_a_place_belongs_to_the_cell_it_lies_in():
    x = side_of(dataset(x=[3.0, 1.0, 2.0]), "x")
    assert [x.nearest(place) for place in (-9.0, 0.9, 1.6, 2.4, 99.0)] == [0, 0, 1, 1, 2]
