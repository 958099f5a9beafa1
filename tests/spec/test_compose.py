"""Specifications from files that include others, from mappings and text, with keys set from outside."""

import io

import numpy as np
import pytest

from pairsweep.cli.commands import main
from pairsweep.contract.errors import SpecError
from pairsweep.spec.compose import value_of
from pairsweep.spec.reader import parse_spec, read_spec

BASE = """
analyses = ["growth"]
[grid]
kind = "bins"
n_energy = 2
n_theta = 1
n_phi = 4
energy_max = 20.0
[occupation]
pattern = "quadrant"
rho_high = 0.9
rho_low = 0.1
"""
TABLES = {
    "analyses": ["growth"],
    "grid": {"kind": "bins", "n_energy": 2, "n_theta": 1, "n_phi": 4, "energy_max": 20.0},
    "occupation": {"pattern": "quadrant", "rho_high": np.linspace(0.5, 1.0, 3), "rho_low": np.float64(0.1)},
    "coupling": {"g": 1e-6},
}


def test_a_file_lays_its_keys_over_those_it_includes(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "grid.toml").write_text(BASE)
    path = tmp_path / "top.toml"
    path.write_text('include = "base/grid.toml"\n[grid]\nn_energy = 3\n[coupling]\ng = [1e-6, 1e-5]\n')
    spec = read_spec(path)
    assert spec["n_energy"].values == (3,)
    assert spec["n_phi"].values == (4,)
    assert spec["g"].values == (1e-6, 1e-5)
    assert parse_spec(spec.text).digest == spec.digest  # the text is whole


@pytest.mark.parametrize(
    ("include", "said"),
    [
        ('"none.toml"', "none.toml: cannot be read"),
        ("3", 'include = "base.toml"'),
        ('"top.toml"', "a circle?"),
    ],
)
def test_includes_that_cannot_be(tmp_path, include, said):
    path = tmp_path / "top.toml"
    path.write_text(f"include = {include}\n{BASE}[coupling]\ng = 1e-6\n")
    with pytest.raises(SpecError, match=said.replace("?", r"\?")):
        read_spec(path)


def test_tables_text_and_what_was_read():
    from_tables = read_spec(TABLES)
    assert from_tables["rho_high"].values == (0.5, 0.75, 1.0)
    assert from_tables["rho_low"].values == (0.1,)
    from_text = read_spec(BASE + "[coupling]\ng = 1e-6\n")
    assert read_spec(from_text) is from_text
    changed = read_spec(from_text, {"coupling.g": [1e-7, 1e-6]})
    assert changed["g"].is_axis
    with pytest.raises(SpecError, match=r"numbers, text"):
        read_spec({**TABLES, "coupling": {"g": object()}})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-7", 1e-7),
        ("[1, 2]", [1, 2]),
        ("dense", "dense"),
        ('"dense"', "dense"),
        ("true", True),
        ("a b", "a b"),
    ],
)
def test_values_on_the_command_line(text, value):
    assert value_of(text) == value


def test_set_and_standard_input(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(BASE + "[coupling]\ng = 1e-6"))
    assert main(["plan", "-", "--set", "coupling.g=[1e-7, 1e-6]"]) == 0
    assert "g (2)" in capsys.readouterr().out
    path = tmp_path / "spec.toml"
    path.write_text(BASE + "[coupling]\ng = 1e-6\n")
    for wrong in ("coupling.g", "=3", "coupling.g=", "title.g=3", "..=3"):
        assert main(["plan", str(path), "--set", wrong]) == 2
    assert "--set" in capsys.readouterr().err


def test_an_error_names_the_file(tmp_path):
    path = tmp_path / "spec.toml"
    path.write_text(BASE + "[coupling]\ng = -1e-6\n")
    for source in (path, str(path)):
        with pytest.raises(SpecError) as caught:
            read_spec(source)
        assert str(caught.value) == f"{path}: coupling.g = -1e-06: {caught.value.cure}"
    with pytest.raises(SpecError, match=r"^coupling\.g = -1e-06"):
        read_spec(BASE + "[coupling]\ng = -1e-6\n")


def test_a_byte_order_mark_and_other_encodings(tmp_path):
    path = tmp_path / "spec.toml"
    text = BASE + "[coupling]\ng = 1e-6\n"
    path.write_bytes(text.encode("utf-8-sig"))
    assert read_spec(path)["g"].values == (1e-6,)
    path.write_bytes(text.encode("utf-16"))
    with pytest.raises(SpecError, match=r"spec.toml: is not UTF-8 text; save it as UTF-8"):
        read_spec(path)
