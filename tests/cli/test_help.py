import pytest

from pairsweep.analyses.registry import ANALYSES, owners
from pairsweep.cli.commands import main
from pairsweep.cli.help import help_lines, tables
from pairsweep.plot import pictures
from pairsweep.spec.reader import read_spec
from pairsweep.spec.schema import WORDS
from pairsweep.spec.shipped import shipped_sweeps


def test_every_key_and_variable_has_its_help():
    for table, fields in tables().items():
        for field in fields:
            assert any(table in line for line in help_lines(field.name))
    for keys in WORDS.values():
        for key, meaning in keys.items():
            assert meaning.split()[0] in " ".join(help_lines(key))
    for _, variable in owners():
        assert any(f"variable {variable.name}" in line for line in help_lines(variable.name))
    for name in (*ANALYSES, *pictures(), *shipped_sweeps()):
        assert help_lines(name)


def test_what_it_says(capsys):
    assert main(["help", "growth.modes"]) == 0
    said = capsys.readouterr().out
    assert "number of fastest modes" in said
    assert "at least 0, at most 1000" in said
    for topic, word in (("spec", "[coupling]"), ("dataset", "growth_rate"), ("pictures", "growth-map")):
        assert main(["help", topic]) == 0
        assert word in capsys.readouterr().out
    assert main(["help", "growth_rat"]) == 2
    assert "did you mean growth_rate" in capsys.readouterr().err
    assert main(["help", "xylophone"]) == 2
    assert len(capsys.readouterr().err) < 200  # and not every name there is


def test_alone_it_is_the_help(capsys):
    assert main([]) == 0
    alone = capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--help"])
    assert capsys.readouterr().out == alone


def test_a_shipped_sweep_is_reached_by_name():
    assert read_spec("epn_crossing").title
    assert read_spec("epn_crossing").digest == read_spec(shipped_sweeps()["epn_crossing"]).digest
