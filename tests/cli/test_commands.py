import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pairsweep as ps
from pairsweep.cli.commands import INTERRUPTED, READER_LEFT, _selection, main
from pairsweep.cli.text import failure_lines, result_text
from pairsweep.contract.errors import UsageError
from pairsweep.sweep.results import LabelledFailure
from tests.specs import BEAMS, GROWTH, growth

MAP = growth(rho_high="[0.5, 0.9]", rho_low="[0.1, 0.6]")


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text(MAP)
    return str(path)


@pytest.fixture
def store(spec, tmp_path, capsys):
    path = str(tmp_path / "map.zarr")
    assert main(["run", spec, "--store", path, "--scheduler", "serial", "--quiet"]) == 0
    capsys.readouterr()
    return path


def test_a_store_that_is_not_named_is_called_after_the_specification(spec, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert main(["run", spec, "--scheduler", "serial", "--quiet"]) == 0
    assert (folder / "map.zarr").is_dir()
    assert "computed in" in (out := capsys.readouterr().out)
    assert "map.zarr" in out
    monkeypatch.setattr("sys.stdin", io.StringIO(MAP))
    assert main(["run", "-"]) == 2
    assert "--store: is missing" in capsys.readouterr().err


def test_a_point_of_a_specification_on_standard_input(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(MAP))
    assert main(["point", "-", "--at", "rho_high=0.9,rho_low=0.1"]) == 0
    assert "growth_rate" in capsys.readouterr().out


def test_run_says_what_came_out(spec, tmp_path, capsys):
    assert main(["run", spec, "--store", str(tmp_path / "new.zarr"), "--scheduler", "serial"]) == 0
    out, _ = capsys.readouterr()
    assert "4 of 4 points" in out
    assert "unstable     1 of 4" in out
    assert "largest      growth rate 0.0133935 MeV at rho_high = 0.9, rho_low = 0.1" in out


def test_quiet_is_quiet_on_standard_error(spec, tmp_path, capsys):
    main(["run", spec, "--store", str(tmp_path / "new.zarr"), "--scheduler", "serial", "--quiet"])
    assert capsys.readouterr().err == ""


def test_show_and_plot_take_a_unit(store, tmp_path, capsys):
    assert main(["show", store, "--unit", "1/s"]) == 0
    assert "growth rate 2.03482e+19 1/s at" in capsys.readouterr().out
    assert main(["plot", "growth-map", store, "--unit", "1/cm", "-o", str(tmp_path / "map.png")]) == 0
    assert (tmp_path / "map.png").stat().st_size > 0
    capsys.readouterr()
    assert main(["show", store, "--unit", "furlong"]) == 2
    assert capsys.readouterr().err == "pairsweep: unit = 'furlong': choose one of MeV, 1/s, 1/cm, g, mu\n"


def test_plan_computes_nothing(spec, tmp_path, capsys):
    assert main(["plan", spec]) == 0
    out = capsys.readouterr().out
    assert "points    4" in out
    assert [p.name for p in tmp_path.iterdir()] == ["map.toml"]


def test_plan_counts_what_is_done(spec, store, capsys):
    assert main(["plan", spec, "--store", store]) == 0
    assert "done      4 of them" in capsys.readouterr().out


def test_status_for_people_and_programs(store, capsys):
    assert main(["status", store, "--json"]) == 0
    counts = {"pending": 0, "done": 4, "failed": 0}
    assert json.loads(capsys.readouterr().out) == {**counts, "analyses": {"growth": counts}}
    assert main(["status", store]) == 0
    assert capsys.readouterr().out == "4 of 4 points done, 0 failed, 0 pending\n"


@pytest.mark.processes
def test_a_reader_that_leaves_ends_a_command_quietly(store):
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "pairsweep", "show", store]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == READER_LEFT


@pytest.mark.processes
def test_an_interrupted_run_says_so_even_where_nobody_reads():
    # as in `pairsweep run ... 2>&1 | tee log`, whose tee is interrupted as well
    code = (
        "import sys; from pairsweep.cli import commands as cli\n"
        "def interrupted(*_):\n    print('so far'); sys.stdin.read(); raise KeyboardInterrupt\n"
        "cli._explained = interrupted; sys.exit(cli.main(['show', 'none.zarr']))"
    )
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    # something is left to write at the exit
    environment = os.environ | {"PYTHONUNBUFFERED": ""}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, **streams) as process:
        process.stdout.close()
        process.stdin.close()
    assert process.returncode == INTERRUPTED


def flip(store, array):
    """Damage a chunk of an array."""
    (chunk, *_) = sorted(p for p in Path(store, array).rglob("*") if p.is_file() and p.name != "zarr.json")
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 1
    chunk.write_bytes(data)


def test_damaged_labels_are_mended_by_whatever_reads_them(store, tmp_path):
    commands = (
        ["show", store],
        ["plot", "growth-map", store, "-o", str(tmp_path / "a.png")],
        ["status", store],
    )
    for command in commands:
        flip(store, "rho_high")
        assert main(command) == 0
    flip(store, "rho_high")
    assert ps.open_store(store).rho_high.values.tolist() == [0.5, 0.9]
    assert main(["verify", store]) == 0


def test_labels_damaged_with_their_copies_are_an_error_of_one_line(store, capsys):
    flip(store, "rho_high")
    for copy in Path(store).glob("status/engine/*/copies/labels"):
        copy.write_bytes(b"")
    for command in ("show", "status", "verify"):
        assert main([command, store]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "their copy as well" in line


def test_damaged_results_are_named_with_the_cure(spec, store, tmp_path, capsys):
    flip(store, "growth_rate")
    for command in (["show", store], ["plot", "growth-map", store, "-o", str(tmp_path / "a.png")]):
        assert main(command) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "growth_rate/c/0/0 is damaged" in line
        assert line.endswith(f"pairsweep verify {store}, then run again")
    results = ps.open_store(store)
    with pytest.raises(ps.StoreError, match="pairsweep verify"):
        results.growth_rate.load()
    assert results.status.load().all()
    assert main(["status", store]) == 0
    assert main(["verify", store]) == 1
    assert main(["run", spec, "--store", store, "--scheduler", "serial", "--quiet"]) == 0
    assert main(["show", store]) == 0


@pytest.fixture
def apart(tmp_path):
    """A specification whose function is called in another process, which must make its machine code."""
    (tmp_path / "mine.py").write_text(
        "def f(energy, theta, phi, a):\n    return 0.5 + 0 * phi, a + 0 * phi\n"
    )
    text = GROWTH.split("[occupation]")[0] + '[occupation]\npattern = "custom"\nfunction = "mine.py:f"\n'
    path = tmp_path / "spec.toml"
    path.write_text(text + "a = [0.1, 0.2, 0.3]\n[coupling]\ng = 1e-6\n")
    return str(path)


@pytest.mark.processes
def test_what_worker_processes_compile_is_said_once(apart, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("PAIRSWEEP_CACHE_DIR", str(tmp_path / "cache"))
    assert main(["plan", apart]) == 0
    assert sum("compiling" in line for line in capfd.readouterr().err.splitlines()) == 1
    assert main(["run", apart, "--store", str(tmp_path / "quiet.zarr"), "--quiet"]) == 0
    assert capfd.readouterr().err == ""


def test_a_connection_that_breaks_is_an_error_and_no_signal(spec):
    # as when a worker dies before its next block is sent
    assert main(["plan", spec]) == 0
    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN


def test_show(store, capsys):
    assert main(["show", store]) == 0
    out = capsys.readouterr().out
    assert "rho_high" in out
    assert "4 done" in out


def test_verify_finds_damage_and_the_next_run_repairs_it(spec, store, capsys):
    assert main(["verify", store]) == 0
    assert "every file" in capsys.readouterr().out
    (chunk, *_) = sorted(
        p for p in Path(store, "growth_rate").rglob("*") if p.is_file() and p.name != "zarr.json"
    )
    chunk.write_bytes(chunk.read_bytes()[:-1])
    assert main(["verify", store]) == 1
    assert chunk.relative_to(store).as_posix() in capsys.readouterr().out
    assert main(["run", spec, "--store", store, "--scheduler", "serial", "--quiet"]) == 0
    assert "of 4 points computed" in capsys.readouterr().out
    assert main(["verify", store]) == 0


def test_point_of_a_specification_and_of_a_store(spec, store, capsys):
    lines = []
    for source in (spec, store):
        assert main(["point", source, "--at", "rho_high=0.9,rho_low=0.1"]) == 0
        lines.append(capsys.readouterr().out)
    assert lines[0] == lines[1]
    assert "growth_rate                0.0133934" in lines[0]


def test_plot_writes_a_picture(store, tmp_path, capsys):
    picture = tmp_path / "map.png"
    assert main(["plot", "growth-map", store, "-o", str(picture)]) == 0
    assert picture.stat().st_size > 1000


def test_an_unknown_picture_and_an_unknown_format(store, tmp_path, capsys):
    assert main(["plot", "piechart", store, "-o", str(tmp_path / "x.png")]) == 2
    assert "growth-map" in capsys.readouterr().err
    assert main(["plot", "growth-map", store, "-o", str(tmp_path / "x.docx")]) == 2
    assert ".png" in capsys.readouterr().err


def test_a_picture_that_cannot_be_written(store, tmp_path, capsys):
    (tmp_path / "taken.png").mkdir()
    assert main(["plot", "growth-vs-bins", store, "-o", str(tmp_path / "taken.png")]) == 2
    *_, line = capsys.readouterr().err.splitlines()  # before it matplotlib may say that it looks for fonts
    assert "taken.png" in line
    assert line.endswith("name a place that can be written")


@pytest.mark.parametrize(
    ("name", "result", "text"),
    [
        ("growth_rate", 0.25, "0.25 MeV"),
        ("mode_kind", np.int8(2), "2 (static)"),
        ("n_unstable", np.int32(2), "2"),
        ("energy_weight", np.array([0.25, 0.75, np.nan]), "0.25, 0.75"),
        ("spin_pairing", np.arange(12.0).reshape(4, 3), "12 numbers (time, component), 0 to 11 MeV^3"),
        ("kappa_mean", np.full(3, np.nan), "nan"),
        ("period", np.nan, "nan MeV^-1"),
    ],
)
def test_results_of_a_point_have_units_and_codes_their_meaning(name, result, text):
    assert result_text(name, result) == text


def test_failed_points_give_exit_code_1_and_a_traceback(tmp_path, capsys):
    (tmp_path / "mine.py").write_text(
        "def f(energy, theta, phi, a):\n    return phi / 9 / (1 / (a - 1)), phi\n"
    )
    text = (
        GROWTH.split("[occupation]")[0]
        + '[occupation]\npattern = "custom"\nfunction = "mine.py:f"\na = [1, 2]\n'
    )
    (tmp_path / "spec.toml").write_text(text + "[coupling]\ng = 1e-6\n")
    store = str(tmp_path / "out.zarr")
    assert (
        main(["run", str(tmp_path / "spec.toml"), "--store", store, "--scheduler", "serial", "--quiet"]) == 1
    )
    out = capsys.readouterr().out
    assert "2 failed" in out
    assert "ZeroDivisionError" in out
    assert main(["point", str(tmp_path / "spec.toml"), "--at", "a=1"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("pairsweep: this point fails")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "missing.toml", "--store", "out.zarr"], "missing.toml: cannot be read"),
        (["run", "bad.toml", "--store", "out.zarr"], "occupation.rho_low = 2.0"),
        (["run", "good.toml", "--store", "good.toml"], "good.toml"),
        (["run", "good.toml", "--store", "out.zarr", "--scheduler", "clod"], "clod"),
        (["run", "good.toml", "--store", "out.zarr", "--workers", "0"], "--workers"),
        (["status", "none.zarr"], "none.zarr"),
        (["show", "good.toml"], "good.toml"),
        (["plot", "piechart", "none.zarr", "-o", "x.png"], "none.zarr"),
        (["point", "good.toml", "--at", "g"], "AXIS=VALUE"),
        (["point", "good.toml", "--at", "h=3"], "h"),
        (["reproduce", "--out", "good.toml/report"], "name a folder that can be written"),
    ],
)
def test_unusable_input_ends_with_one_line_and_code_2(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    Path("good.toml").write_text(BEAMS)
    Path("bad.toml").write_text(growth(rho_low="2.0"))
    before = {p: p.read_bytes() for p in Path().iterdir()}
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert words in line
    assert {p: p.read_bytes() for p in Path().iterdir() if p.is_file()} == before
    assert not Path("out.zarr").exists()


def test_letters_that_a_terminal_lacks_are_no_error(tmp_path, monkeypatch):
    spec = tmp_path / "title.toml"
    spec.write_text('title = "größer"\n' + GROWTH.replace('title = "Test"', ""), "utf-8")
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii", "strict"))
    assert main(["plan", str(spec)]) == 0
    assert written.getvalue().splitlines()[0] == b"gr??er"


def test_pictures_need_no_backend_of_a_notebook(store, tmp_path):
    picture = tmp_path / "map.png"
    command = ["plot", "growth-map", store, "-o", str(picture)]
    foreign = os.environ | {"MPLBACKEND": "module://no_such_package.backend_inline"}
    done = subprocess.run(
        [sys.executable, "-m", "pairsweep", *command], env=foreign, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert picture.stat().st_size > 0


@pytest.mark.parametrize("command", ["show", "status", "verify"])
@pytest.mark.parametrize(
    "place", ["link", "file", "folder", "none", "file/below", "s3://bucket/x.zarr", "~no-such/x"]
)
def test_what_is_no_store_is_said_in_one_line(tmp_path, monkeypatch, capsys, command, place):
    monkeypatch.chdir(tmp_path)
    Path("link").symlink_to("nowhere")
    Path("file").write_text("x")
    Path("folder").mkdir()
    assert main([command, place]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert place.removeprefix("~") in err


@pytest.mark.processes
def test_help_is_light():
    code = "import sys; from pairsweep.cli.parser import parser; parser(); print('numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "False"


def test_select_adds_up_and_takes_the_nearest():
    given = ["g=1e-6,rho_low~0.1", "g=1e-7", "rho_high=0.1..0.5"]
    assert _selection(given) == {"g": ["1e-6", "1e-7"], "rho_low": "~0.1", "rho_high": "0.1..0.5"}
    with pytest.raises(UsageError, match="AXIS=VALUE"):
        _selection(["rho_low"])


def test_the_only_point_of_a_sweep_has_no_place():
    failures = [LabelledFailure(at, "growth", "why", "") for at in ({}, {"g": 1e-6})]
    assert failure_lines(failures[:1]) == ["  failed       1 x why"]
    assert failure_lines(failures[1:])[1].strip() == "e.g. at g = 1e-06"
