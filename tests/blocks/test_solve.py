import numpy as np
import pytest

import pairsweep as ps
from pairsweep.analyses.continuum.analysis import VERDICTS
from pairsweep.blocks.layout import make_template
from pairsweep.blocks.solve import solve_block, solve_points
from pairsweep.points.axes import expand
from pairsweep.spec.reader import parse_spec, read_spec
from tests.specs import BEAMS, GROWTH, growth

MAP = growth(
    n_energy="[1, 2, 3]",
    rho_high="[0.5, 0.7, 0.9, 1.0]",
    rho_low="[0.0, 0.1, 0.6]",
    g="[1e-7, 1e-6]",
)


def all_positions(sweep):
    return np.indices(sweep.shape).reshape(len(sweep.shape), sweep.n_points).T


def solved(text, positions=None):
    sweep = expand(parse_spec(text))
    return solve_points(
        sweep, make_template(sweep, sweep.shape), all_positions(sweep) if positions is None else positions
    )


def test_a_point_is_the_same_in_any_order_block_and_batch():
    sweep = expand(parse_spec(MAP))
    whole, _ = solved(MAP)
    order = np.random.default_rng(0).permutation(sweep.n_points)
    shuffled, _ = solved(MAP, all_positions(sweep)[order])
    for name in whole:
        np.testing.assert_array_equal(shuffled[name], whole[name][order])
    for block_shape in [(1, 1, 1, 1), (2, 3, 2, 1), (3, 4, 3, 2)]:
        template = make_template(sweep, block_shape)
        for block in range(0, template.n_blocks, 3):
            result = solve_block(sweep, template, block)
            found = {**result.arrays, "status": result.states["growth"]}
            for name in whole:
                full = whole[name].reshape(sweep.shape + whole[name].shape[1:])
                np.testing.assert_array_equal(found[name], full[template.block_slices(block)])


def test_points_equal_single_systems():
    sweep = expand(parse_spec(MAP))
    numbers, errors = solved(MAP)
    assert not errors
    for row in (0, 17, 40, 71):
        point = sweep.point(tuple(all_positions(sweep)[row]))
        grid = ps.bins(point["n_energy"], 1, 4)
        single = ps.growth(grid, *ps.quadrant(grid, point["rho_high"], point["rho_low"]), g=point["g"])
        assert numbers["growth_rate"][row] == float(single.growth_rate)
        np.testing.assert_array_equal(
            numbers["energy_weight"][row][: grid.bin_energy.size], single.energy_weight
        )
        assert np.isnan(numbers["energy_weight"][row][grid.bin_energy.size :]).all()


def test_a_mask_limits_the_work_and_the_rest_is_fill():
    sweep = expand(parse_spec(MAP))
    template = make_template(sweep, sweep.shape)
    mask = np.zeros(sweep.shape, bool)
    mask[1, 2] = True
    result = solve_block(sweep, template, 0, {"growth": mask})
    assert (result.states["growth"][mask] == 1).all()
    assert (result.states["growth"][~mask] == 0).all()
    assert np.isfinite(result.arrays["growth_rate"][mask]).all()
    assert np.isnan(result.arrays["growth_rate"][~mask]).all()


def test_growth_is_computed_once_for_all_seeds(monkeypatch):
    from pairsweep.analyses.growth import solver

    counted = []
    original = solver.growth_of_systems
    monkeypatch.setattr(
        solver, "growth_of_systems", lambda *a, **k: counted.append(len(a[1])) or original(*a, **k)
    )
    text = (
        growth(g="[1e-6, 2e-6]")
        + "\n[evolution]\nt_end = 1.0\nsamples = 2\nperturbation = 0\nseed = [0, 1, 2]"
    )
    numbers, _ = solved(text)
    assert sum(counted) == 2
    assert len(np.unique(numbers["growth_rate"])) == 2


def test_beams_and_their_angles():
    text = BEAMS.replace("theta = 0.0", "theta = [0.0, 0.2, 1.5707963267948966]")
    numbers, errors = solved(text)
    assert not errors
    rates = numbers["growth_rate"] / 1e-3
    assert rates[0] == pytest.approx(0.98, abs=1e-3)
    assert 0 < rates[1] != rates[0]
    assert rates[2] == 0.0  # parallel beams only turn together


def test_rhobar_defaults_to_rho():
    numbers, _ = solved(BEAMS.replace("rhobar = 0.3\n", ""))
    expected, _ = solved(BEAMS.replace("rhobar = 0.3", "rhobar = 1.0"))
    assert numbers["growth_rate"][0] == expected["growth_rate"][0]


@pytest.fixture
def custom(tmp_path):
    def make(body, parameters="width = [1.0, 2.0]\n"):
        (tmp_path / "mine.py").write_text(
            f"import numpy as np\n\ndef f(energy, theta, phi, width=1.0):\n    {body}\n"
        )
        text = GROWTH.split("[occupation]")[0]
        text += (
            '[occupation]\npattern = "custom"\nfunction = "mine.py:f"\n'
            + parameters
            + "[coupling]\ng = 1e-6\n"
        )
        (tmp_path / "spec.toml").write_text(text)
        sweep = expand(read_spec(tmp_path / "spec.toml"))
        return solve_points(sweep, make_template(sweep, sweep.shape), all_positions(sweep))

    return make


def test_custom_equals_the_built_in_pattern(custom):
    numbers, errors = custom("rho = np.where(phi < np.pi / 2, 0.9, 0.1 * width); return rho, rho")
    assert not errors
    assert numbers["growth_rate"][0] == solved(GROWTH)[0]["growth_rate"][0]
    assert numbers["growth_rate"][1] == solved(growth(rho_low="0.2"))[0]["growth_rate"][0]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            "if width > 1: raise ValueError('too\\n wide')\n    return 0 * phi, 0 * phi",
            "ValueError: too wide",
        ),
        ("return (0 * phi, 0 * phi) if width < 2 else (phi, phi)", "occupations lie between 0 and 1"),
        ("return (0 * phi, 0 * phi) if width < 2 else (phi * np.nan, phi)", "rho = nan"),
        ("return (0 * phi, 0 * phi) if width < 2 else phi", "raised"),
        ("return (0 * phi, 0 * phi) if width < 2 else (phi[:2], phi)", "raised"),
    ],
)
def test_a_failing_point_is_recorded_and_the_others_go_on(custom, body, reason):
    numbers, errors = custom(body)
    assert list(errors) == [1]
    assert reason in errors[1]["growth"].reason
    assert "\n" not in errors[1]["growth"].reason
    np.testing.assert_array_equal(numbers["status"], [1, 2])
    assert numbers["growth_rate"][0] == 0.0
    assert np.isnan(numbers["growth_rate"][1])


def test_an_exception_keeps_its_traceback(custom):
    _, errors = custom("raise KeyError('here')")
    assert "mine.py" in errors[0]["growth"].traceback
    assert "KeyError" in errors[0]["growth"].traceback


def test_details_and_modes_on_request():
    text = growth(n_phi="[4, 8]") + "\n[growth]\nmodes = 3\ndetails = true\n"
    sweep = expand(parse_spec(text))
    template = make_template(sweep, sweep.shape)
    shapes = {array.name: array.trailing_shape for array in template.arrays}
    assert shapes["angular_weight"] == (1, 8)
    assert shapes["mode_growth_rate"] == (3,)
    numbers, errors = solved(text)
    assert not errors
    assert numbers["mode_growth_rate"][0, 0] == numbers["growth_rate"][0]
    assert numbers["mode_growth_rate"][0, 1] == 0.0
    np.testing.assert_allclose(np.nansum(numbers["angular_weight"], axis=(1, 2)), 1)
    assert (numbers["static_criterion"] < 1).all()
    (phi,) = (c for c in template.coordinates if c.name == "phi")
    assert phi.dims == ("n_phi", "phi_bin")


def test_the_continuum_analysis_fills_its_variables_and_ladders():
    text = (
        growth(analyses='["continuum"]', n_energy="[1, 4]")
        + "\n[continuum]\nladder_max = 16\nangle_rungs = 1\n"
    )
    sweep = expand(parse_spec(text))
    template = make_template(sweep, sweep.shape)
    numbers, errors = solved(text)
    assert not errors
    assert [VERDICTS[code] for code in numbers["verdict"]] == ["discretisation", "discretisation"]
    np.testing.assert_array_equal(numbers["ladder_approaches"], [1, 1])
    (bins_of_rung,) = (c for c in template.coordinates if c.name == "ladder_n_energy")
    np.testing.assert_array_equal(bins_of_rung.values, [[1, 2, 4, 8, 16], [4, 8, 16, 0, 0]])
    np.testing.assert_array_equal(numbers["ladder_growth"][1, :3], numbers["ladder_growth"][0, 2:])
    assert np.isnan(numbers["ladder_growth"][1, 3:]).all()
    finer = ps.bins(4, 2, 8, cell_volume="exact")
    expected = ps.growth(finer, *ps.quadrant(finer, 0.9, 0.1), g=1e-6).growth_rate
    assert numbers["ladder_angle_growth"][1, 1] == pytest.approx(float(expected), rel=1e-9)


def test_beams_have_no_continuum():
    with pytest.raises(ps.SpecError, match="beams have single energies"):
        parse_spec(BEAMS.replace('["growth"]', '["continuum"]'))
