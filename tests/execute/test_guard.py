"""A script without a main guard is told so before its workers run it again."""

import subprocess
import sys

import pytest

CALL = 'check_scheduler("dask", None)'
HEAD = "from pairsweep.execute import check_scheduler\n"


def run(script, text):
    script.write_text(HEAD + text)
    return subprocess.run([sys.executable, script], capture_output=True, text=True)


@pytest.mark.parametrize("text", [CALL, f"def main():\n    {CALL}\nmain()", f"if True:\n    {CALL}"])
def test_a_script_without_a_main_guard_is_refused_in_one_line(tmp_path, text):
    done = run(tmp_path / "script.py", text)
    line = 1 + len(text.splitlines())
    said = f'script.py, line {line}, stands outside of: if __name__ == "__main__"'
    assert said in done.stderr.splitlines()[-1]
    assert done.returncode == 1


@pytest.mark.parametrize("test", ['__name__ == "__main__"', '"__main__" == __name__ and 1'])
def test_a_guard_is_seen(tmp_path, test):
    done = run(tmp_path / "script.py", f"def main():\n    {CALL}\nif {test}:\n    main()\n")
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_no_script_needs_no_guard():
    done = subprocess.run([sys.executable, "-c", HEAD + CALL], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
