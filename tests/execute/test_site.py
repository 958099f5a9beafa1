"""The [cluster] table: what it means, and what is refused."""

import pytest

from pairsweep.execute import ExecuteError, Site


def test_a_full_table(tmp_path):
    path = tmp_path / "site.toml"
    path.write_text(
        '[cluster]\ncores = 32\nmemory = "64GB"\njobs = 10\nleast_jobs = 0\nwalltime = "1-02:03:04"\n'
        'queue = "long"\nlines = ["--constraint=skylake"]\nprologue = ["module load python"]\n'
    )
    site = Site.read(path)
    assert (site.cores, site.jobs, site.queue) == (32, 10, "long")
    assert site.lines == ("--constraint=skylake",)
    assert site.seconds == ((24 + 2) * 60 + 3) * 60 + 4


@pytest.mark.parametrize("walltime", ["00:02:00", "00:10", "12:00:00", "7-00:00:00"])
def test_workers_leave_before_they_are_killed(walltime):
    site = Site.from_table({"walltime": walltime})
    lifetime, stagger = site.lifetime
    assert lifetime - stagger > 0
    assert lifetime + stagger < site.seconds


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"core": 1}, "the keys are cores"),
        ({"cores": 0}, "positive whole number"),
        ({"cores": True}, "positive whole number"),
        ({"jobs": 1.5}, "positive whole number"),
        ({"queue": "a\nb"}, "one line"),
        ({"lines": "--x"}, "list of lines"),
        ({"memory": "4 gigs"}, 'a size such as "4GB"'),
        ({"memory": "0GB"}, 'a size such as "4GB"'),
        ({"memory": "1e999"}, 'a size such as "4GB"'),
        ({"walltime": "soon"}, "hours:minutes:seconds"),
        ({"walltime": "00:00:30"}, "at least 120 seconds"),
    ],
)
def test_what_a_table_cannot_say(table, said):
    with pytest.raises(ExecuteError, match=said):
        Site.from_table(table)


@pytest.mark.parametrize("content", [b"[clustre]\n", b"[cluster\n", b"\xff\xfe"])
def test_unusable_files(tmp_path, content):
    path = tmp_path / "site.toml"
    path.write_bytes(content)
    with pytest.raises(ExecuteError, match="--cluster"):
        Site.read(path)
    with pytest.raises(ExecuteError, match="--cluster"):
        Site.read(tmp_path / "nothing.toml")
