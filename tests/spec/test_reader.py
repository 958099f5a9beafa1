import pytest
import xarray as xr

from pairsweep.blocks.layout import make_template
from pairsweep.contract.errors import SpecError
from pairsweep.drawing.style import coordinate_label
from pairsweep.points.axes import expand
from pairsweep.spec.reader import parse_spec, read_spec
from tests.specs import BEAMS, GROWTH, changed, growth


def refused(text):
    with pytest.raises(SpecError) as error:
        parse_spec(text)
    line = str(error.value)
    assert "\n" not in line
    assert len(line) < 400
    return line


def test_scalars_lists_and_ranges():
    spec = parse_spec(growth(rho_high="{ start = 0.5, stop = 1.0, num = 6 }", n_energy="[3]"))
    assert not spec["rho_low"].is_axis
    assert spec["n_energy"].is_axis
    assert spec["n_energy"].values == (3,)
    assert spec["rho_high"].values == (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    assert spec["cell_volume"].values == ("midpoint",)


def test_log_ranges_hit_both_ends_exactly():
    values = parse_spec(growth(g='{ start = 1e-8, stop = 1e-2, num = 7, spacing = "log" }'))["g"].values
    assert (values[0], values[-1]) == (1e-8, 1e-2)
    assert values[3] == pytest.approx(1e-5)


def test_beams_are_kept_in_order_and_named():
    spec = parse_spec(BEAMS)
    assert spec.beams == ("x", "z")
    assert spec["rhobar_x"].values == (0.3,)
    assert "rhobar_z" not in spec
    assert spec["theta_x"].values[0] == pytest.approx(1.5707963267948966)


def test_digest_sees_physics_and_nothing_else():
    spec = parse_spec(GROWTH)
    assert parse_spec("# a comment\n" + changed(GROWTH, title='"Other"')).digest == spec.digest
    assert parse_spec(growth(g="1.0e-6")).digest == spec.digest
    assert parse_spec(growth(g="2e-6")).digest != spec.digest
    assert parse_spec(growth(g="[1e-6]")).digest != spec.digest
    assert parse_spec(growth(g="[1e-6]")).digest != parse_spec(growth(g="[1e-6, 2e-6]")).digest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (growth().replace("rho_high", "rho_hgih"), ["occupation.rho_hgih", "did you mean rho_high"]),
        (growth().replace("[coupling]", "[couplings]"), ["couplings", "did you mean coupling"]),
        (growth().replace("rho_high", '"rh\u043e_high"'), ["unknown key", "cyrillic small letter o"]),
        (growth(pattern='"qu\u0430drant"'), ["pattern", "did you mean quadrant", "cyrillic small letter a"]),
        (growth(analyses='["growht"]'), ["analyses", "growth"]),
        (growth(analyses="[]"), ["analyses"]),
        (growth(analyses='"growth"'), ["analyses", "list"]),
        (growth(rho_low="nan"), ["rho_low", "nan"]),
        (growth(rho_low="1.5"), ["rho_low", "1.5", "between 0 and 1"]),
        (growth(rho_low="-0.1"), ["rho_low", "between 0 and 1"]),
        (growth(rho_low="true"), ["rho_low", "number"]),
        (growth(rho_low='"0.1"'), ["rho_low", "number"]),
        (growth(rho_low="[0.1, 1.2]"), ["rho_low[1]", "1.2"]),
        (growth(g="0"), ["coupling.g", "0"]),
        (growth(g="-1e-6"), ["coupling.g"]),
        (growth(g="inf"), ["coupling.g", "inf"]),
        (growth(g='{ start = 0.0, stop = 1.0, num = 3, spacing = "log" }'), ["coupling.g", "log", "above 0"]),
        (growth(g="{ start = 1e-7, stop = 1e-6 }"), ["coupling.g.num", "missing"]),
        (growth(g="{ start = 1e-7, stop = 1e-6, num = 3, step = 1 }"), ["coupling.g.step", "stop"]),
        (growth(g="{ start = 1e-6, stop = 1e-6, num = 3 }"), ["start equals stop"]),
        (growth(n_energy="-1"), ["n_energy", "-1"]),
        (growth(n_energy="1.5"), ["n_energy", "1.5", "whole number"]),
        (growth(n_energy="{ start = 1, stop = 4, num = 3 }"), ["n_energy", "whole numbers"]),
        (growth(n_energy="9" * 30), ["n_energy"]),
        (growth(n_energy="9" * 5000), ["number"]),
        (growth(n_energy="100000", n_phi="100000"), ["grid", "pairs"]),
        (growth(n_energy="[]"), ["n_energy", "at least one value"]),
        (growth(n_energy="[1, 1]"), ["n_energy", "twice"]),
        (growth(n_phi="6"), ["n_phi", "6", "multiple of 4"]),
        (growth(energy_max="0.0"), ["energy_max", "above 0"]),
        (growth(kind='"balls"'), ["grid.kind", "balls", "bins"]),
        (growth(rho_high="{ start = 0, stop = 1, num = 40000 }", rho_low="{ start = 0, stop = 1, num = 40000 }"),
         ["sweep", "1600000000", "at most"]),
        (growth(rho_high="{ start = 0, stop = 1, num = 1000000000000 }"), ["rho_high.num"]),
        ('zip = [["rho_high", "rho_low"]]\n' + growth(rho_high="[0.8, 0.9]"), ["zip", "rho_low", "single value"]),
        ('zip = [["rho_high", "rho_low"]]\n' + growth(rho_high="[0.8, 0.9]", rho_low="[0.1]"), ["zip", "length"]),
        ('zip = [["rho_high", "rho_lwo"]]\n' + growth(rho_high="[0.8, 0.9]"), ["zip", "did you mean rho_low"]),
        ('zip = ["rho_high"]\n' + GROWTH, ["zip", "groups"]),
        ('analyses = ["growth"]\ngrid = 3', ["grid", "table"]),
        ("", ["analyses"]),
        ("= 3", ["not TOML"]),
        (BEAMS.replace('name = "x"', 'name = "beam"'), ["beams[0]", "rho_beam"]),
        (BEAMS.replace('name = "x"', 'name = "quadrant"'), ["rho_quadrant"]),
        (BEAMS.replace('name = "x"', 'name = "z"'), ["another beam"]),
        (BEAMS.replace('name = "x"', 'name = "\\u0445"'), ["beams[0].name", "letters"]),
        (BEAMS.replace('direction = "x"', 'direction = "w"'), ["direction", "w"]),
        (BEAMS.replace('direction = "x"', 'direction = "x"\ntheta = 0.1'), ["direction", "either"]),
        (BEAMS.replace("theta = 0.0\n", ""), ["beams[1].theta", "missing"]),
        (BEAMS + '[occupation]\npattern = "quadrant"', ["occupation", "beams carry their own"]),
        (growth(pattern='"custom"') + '\n[evolution]', ["occupation.function", "file.py:function"]),
        (growth(analyses='["evolution"]'), ["evolution", "missing"]),
    ],
)  # fmt: skip
def test_bad_input_names_place_value_and_cure(text, words):
    line = refused(text)
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("t_end", "0", ["t_end", "above 0"]),
        ("t_end", "-3.0", ["t_end"]),
        ("t_end", "inf", ["t_end", "inf"]),
        ("t_end", "[1.0, 2.0]", ["t_end", "never an axis"]),
        ("samples", "1", ["samples", "at least 2"]),
        ("tolerance", "0", ["tolerance", "0"]),
        ("tolerance", "1e-20", ["tolerance", "1e-12"]),
        ("method", '"euler"', ["method", "euler"]),
        ("perturbation", "-1e-5", ["perturbation"]),
        ("seed", "0.5", ["seed", "whole number"]),
    ],
)
def test_evolution_table(key, value, words):
    table = {"t_end": "10.0", "samples": "11", "perturbation": "1e-5"} | {key: value}
    text = growth(analyses='["growth", "evolution"]')
    line = refused(text + "\n[evolution]\n" + "\n".join(f"{k} = {v}" for k, v in table.items()))
    for word in words:
        assert word in line


def test_one_of_the_two_ends():
    text = growth(analyses='["evolution"]') + "\n[evolution]\nsamples = 5\nperturbation = 0\n"
    assert "t_end_mu" in refused(text)
    assert "t_end_mu" in refused(text + "t_end = 1.0\nt_end_mu = 1.0")
    assert parse_spec(text + "t_end_mu = 8").options["evolution"].in_mu


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"\x00" * 10, b"PK\x03\x04", b'a = "' + b"x" * 10**6 + b'"']
)
def test_files_that_are_not_specifications(tmp_path, content):
    path = tmp_path / "spec.toml"
    path.write_bytes(content)
    with pytest.raises(SpecError):
        read_spec(path)


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(SpecError, match="cannot be read"):
            read_spec(path)


def test_custom_function_is_found_beside_the_specification(tmp_path):
    (tmp_path / "mine.py").write_text("def f(energy, theta, phi, width):\n    return 0 * phi, 0 * phi\n")
    text = (
        GROWTH.split("[occupation]")[0]
        + '[occupation]\npattern = "custom"\nfunction = "mine.py:f"\nwidth = [1.0, 2.0]\n'
    )
    path = tmp_path / "spec.toml"
    path.write_text(text + "[coupling]\ng = 1e-6")
    spec = read_spec(path)
    assert spec["width"].values == (1.0, 2.0)
    before = spec.digest
    (tmp_path / "mine.py").write_text("def f(energy, theta, phi, width):\n    return phi, phi\n")
    assert read_spec(path).digest != before


OWN = """
[occupation]
pattern = "custom"
function = "mine.py:f"
radius = [10.0, 20.0]
units = {units}
labels = {labels}
"""


def _own(tmp_path, units, labels):
    (tmp_path / "mine.py").write_text("def f(energy, theta, phi, radius):\n    return 0.5, 0.5\n")
    text = GROWTH.split("[occupation]")[0] + OWN.format(units=units, labels=labels) + "[coupling]\ng = 1e-6\n"
    return parse_spec(text, folder=tmp_path)


def test_own_parameters_have_units_and_labels(tmp_path):
    spec = _own(tmp_path, '{ radius = "km" }', "{ radius = '$r$' }")
    (radius,) = (c for c in make_template(expand(spec), (2,)).coordinates if c.name == "radius")
    assert (radius.attrs["units"], radius.attrs["label"]) == ("km", "$r$")
    assert coordinate_label(xr.DataArray([1.0], name="radius", attrs=radius.attrs)) == "$r$ (km)"
    assert spec.digest == _own(tmp_path, "{}", "{}").digest  # they decide no number


@pytest.mark.parametrize(
    ("units", "labels", "words"),
    [
        ('{ radus = "km" }', "{}", ["occupation.units.radus", "did you mean radius"]),
        ("{}", "{ radius = 3 }", ["occupation.labels.radius = 3", "give text"]),
    ],
)
def test_units_of_what_is_no_parameter_are_refused(tmp_path, units, labels, words):
    with pytest.raises(SpecError) as error:
        _own(tmp_path, units, labels)
    assert all(word in str(error.value) for word in words)


def test_units_may_be_a_parameter_of_the_function_too(tmp_path):
    assert _own(tmp_path, '"km"', "2")["units"].values == ("km",)


def test_an_own_parameter_must_not_hide_another(tmp_path):
    (tmp_path / "mine.py").write_text("def f(energy, theta, phi, **others): ...")
    for name in ("g", "growth_rate", "n_phi"):
        text = (
            GROWTH.split("[occupation]")[0]
            + f'[occupation]\npattern = "custom"\nfunction = "mine.py:f"\n{name} = 1.0\n'
        )
        (tmp_path / "spec.toml").write_text(text + "[coupling]\ng = 1e-6")
        with pytest.raises(SpecError, match=name):
            read_spec(tmp_path / "spec.toml")


def test_growth_table():
    text = (
        growth() + '\n[growth]\nmethod = "dispersion"\ngrowth_tolerance = 1e-5\nmodes = 3\ndetails = true\n'
    )
    assert parse_spec(text).options["growth"].modes == 3
    assert parse_spec(text).digest != parse_spec(GROWTH).digest
    for bad, word in (
        ("modes = 3", "modes = [3]"),
        ("true", "1"),
        ("1e-5", "1e-12"),
        ('"dispersion"', '"dens"'),
    ):
        assert "growth." in refused(text.replace(bad, word))


def test_beams_without_any_weight_are_refused():
    assert "every weight is 0" in refused(BEAMS.replace("weight = 1.0", "weight = 0.0"))


BAND = growth(pattern='"energy_band"').replace("rho_high", "e_low = 5.0\ne_high = 10.0\nrho_high", 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BAND.replace("e_low = 5.0", "e_low = 15.0"), ["occupation.e_low", "above e_high"]),
        (BAND.replace("e_low", "edge_width = 6.0\ne_low"), ["edge_width", "wider than the band"]),
        (growth(analyses='["continuum"]') + "\n[continuum]\nladder_max = 1000000\n", None),
        (
            growth(analyses='["continuum"]', n_phi="64") + "\n[continuum]\nladder_max = 1000000\n",
            ["ladder_max", "pairs"],
        ),
        (
            growth(analyses='["continuum"]', n_phi="400") + "\n[continuum]\nangle_rungs = 8\n",
            ["angle_rungs", "pairs"],
        ),
    ],
)
def test_bands_and_ladders_that_make_no_sense(text, words):
    if words is None:
        parse_spec(text)
        return
    line = refused(text)
    for word in words:
        assert word in line


def test_dense_matrices_that_no_memory_holds_are_refused():
    line = refused(growth(n_energy="[1, 100]", n_phi="256") + '\n[growth]\nmethod = "dense"\n')
    assert "78 GiB for 25,600 pairs" in line
