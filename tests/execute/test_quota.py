"""A container may use less than its machine has."""

import pytest

from pairsweep.execute import pool, quota

GIB = 2**30


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Write control groups: what this process is in, and files below the mount."""
    monkeypatch.setattr(quota, "GROUPS", tmp_path / "own")
    monkeypatch.setattr(quota, "MOUNTS", tmp_path / "mount")
    monkeypatch.setattr(quota.os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)
    monkeypatch.setattr(quota.os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 64 * GIB // 4096}.get)

    def write(own, **files):
        (tmp_path / "own").write_text(own)
        for name, text in files.items():
            path = tmp_path / "mount" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return write


@pytest.mark.parametrize(
    ("own", "files", "cores", "memory"),
    [
        ("0::/\n", {}, 16, 64),
        ("0::/\n", {"cpu.max": "max 100000\n", "memory.max": "max\n"}, 16, 64),
        ("0::/\n", {"cpu.max": "400000 100000\n", "memory.max": f"{8 * GIB}\n"}, 4, 8),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 2, 64),
        ("0::/\n", {"cpu.max": "10000 100000\n"}, 1, 64),
        # the group around decides, and a path from outside of the container leads nowhere
        ("0::/job/step\n", {"job/cpu.max": "300000 100000", "job/step/cpu.max": "max 100000"}, 3, 64),
        ("0::/docker/abc\n", {"cpu.max": "200000 100000", "memory.max": f"{4 * GIB}"}, 2, 4),
        ("0::/../outside\n", {"cpu.max": "200000 100000"}, 2, 64),
        # version 1, alone and beside an empty version 2
        (
            "4:memory:/a\n3:cpu,cpuacct:/a\n0::/\n",
            {
                "cpu,cpuacct/a/cpu.cfs_quota_us": "250000\n",
                "cpu,cpuacct/a/cpu.cfs_period_us": "50000\n",
                "memory/a/memory.limit_in_bytes": f"{2 * GIB}\n",
                "memory/memory.limit_in_bytes": "9223372036854771712\n",
            },
            5,
            2,
        ),
        ("3:cpu,cpuacct:/a\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 16, 64),
        ("3:cpu:/a\n", {"cpu/cpu.cfs_quota_us": "600000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 6, 64),
    ],
)
def test_cores_and_memory_of_control_groups(groups, own, files, cores, memory):
    groups(own, **files)
    assert quota.cores() == cores
    assert quota.memory() == memory * GIB


def test_a_machine_without_control_groups_has_all_its_cores(groups):
    assert (quota.cores(), quota.memory()) == (16, 64 * GIB)


def test_workers_share_what_the_container_may_use(groups):
    groups("0::/\n", **{"memory.max": f"{20 * GIB}"})
    assert pool._share_of_memory(4) == int(0.9 * 20 * GIB) // 4
    assert pool._share_of_memory(100) == GIB  # less and none would start
