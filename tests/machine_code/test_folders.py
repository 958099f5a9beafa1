import os
import subprocess
import sys

import pytest

from pairsweep.machine_code import folders


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    for name in ("PAIRSWEEP_CACHE_DIR", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(folders.tempfile, "tempdir", str(tmp_path / "tmp"))
    folders.cache_folder.cache_clear()
    folders.cache_folders.cache_clear()
    yield
    folders.cache_folder.cache_clear()
    folders.cache_folders.cache_clear()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"PAIRSWEEP_CACHE_DIR": "a", "NUMBA_CACHE_DIR": "b", "XDG_CACHE_HOME": "c"}, "a"),
        ({"NUMBA_CACHE_DIR": "b", "XDG_CACHE_HOME": "c"}, "b"),
        ({"XDG_CACHE_HOME": "c"}, "c/pairsweep"),
        ({"HOME": "d"}, "d/.cache/pairsweep"),
    ],
)
@pytest.mark.skipif(sys.platform == "darwin", reason="has a folder of its own for that")
def test_the_folder_is_the_one_asked_for(tmp_path, monkeypatch, given, expected):
    for name, value in given.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    assert folders.cache_folder() == tmp_path / expected
    assert folders.cache_folders() == (tmp_path / expected,)
    assert folders.cache_folder().is_dir()
    assert folders.why_not_wanted() == ""


def test_a_user_without_home_has_a_private_folder_and_has_it_again(tmp_path, monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(folders.Path, "home", nowhere)
    folder = folders.cache_folder()
    assert folder == tmp_path / "tmp" / f"pairsweep-{os.getuid()}"
    assert folder.stat().st_mode & 0o077 == 0
    folders.cache_folder.cache_clear()
    assert folders.cache_folder() == folder
    assert folders.cache_folders() == (folder,)
    assert folders.why_not_wanted() == "this user has no home"


def test_a_folder_that_cannot_be_written_is_still_read(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    wanted = tmp_path / "file" / "below"
    monkeypatch.setenv("PAIRSWEEP_CACHE_DIR", str(wanted))
    private = tmp_path / "tmp" / f"pairsweep-{os.getuid()}"
    assert folders.cache_folder() == private
    assert folders.cache_folders() == (wanted, private)
    assert folders.why_not_wanted() == f"{wanted} cannot be written"


@pytest.mark.parametrize("place", ["open to others", "link", "file"])
def test_what_others_could_have_put_there_is_not_used(tmp_path, monkeypatch, place):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PAIRSWEEP_CACHE_DIR", str(tmp_path / "file"))
    private = tmp_path / "tmp" / f"pairsweep-{os.getuid()}"
    if place == "open to others":
        private.mkdir()
        private.chmod(0o777)
    elif place == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        private.symlink_to(tmp_path / "elsewhere")
    else:
        private.write_text("")
    folder = folders.cache_folder()
    assert folder != private
    assert folder.is_dir()
    assert folder.stat().st_mode & 0o077 == 0

    assert folders.why_not_wanted().endswith(f"for this process only: {private} is not private")


@pytest.mark.processes
def test_a_user_whom_the_system_does_not_know_is_one_without_home():
    code = (
        "import os; from pairsweep.machine_code.folders import wanted\n"
        "if os.getuid() == 0: os.setuid(54321)\nprint(wanted())"
    )
    own = {k: v for k, v in os.environ.items() if k not in ("HOME", "PAIRSWEEP_CACHE_DIR", "XDG_CACHE_HOME")}
    found = subprocess.run([sys.executable, "-c", code], env=own, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert os.getuid() or found.stdout == "None\n"
