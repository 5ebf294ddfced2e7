"""The memory that is available, on made-up machines with control groups of both versions."""

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from rssp import _costs, _memory
from rssp._memory import available_memory, group_memory
from rssp.errors import InfeasibleError

GB = 10**9
FIRST = "31 24 0:27 {top} /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory\n"
SECOND = "30 23 0:26 {top} /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
OTHERS = (
    "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
    "33 24 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
    "torn line\n"
)


def machine(root: Path, groups: str, mounts: str, **files: dict[str, object]) -> Path:
    """A file system with /proc/self and the files of each group, by its folder with __ for /."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    (root / "proc/self/mountinfo").write_text(OTHERS + mounts)
    for folder, contents in files.items():
        path = root / "sys/fs/cgroup" / folder.replace("__", "/")
        path.mkdir(parents=True, exist_ok=True)
        for name, value in contents.items():
            (path / name).write_text(f"{value}\n")
    return root


def second(limit: object, used: int, cache: int = 0, high: object = "max") -> dict[str, object]:
    stat = f"anon {used - cache}\nactive_file 7\ninactive_file {cache}"
    return {"memory.max": limit, "memory.high": high, "memory.current": used, "memory.stat": stat}


def first(limit: int, used: int, cache: int = 0) -> dict[str, object]:
    stat = f"inactive_file 5\ntotal_inactive_file {cache}"
    return {"memory.limit_in_bytes": limit, "memory.usage_in_bytes": used, "memory.stat": stat}


NONE = 9223372036854771712  # how version 1 says that there is no limit


@pytest.mark.parametrize("version", [1, 2])
def test_files_kept_in_memory_are_available(tmp_path, version):
    if version == 2:
        root = machine(tmp_path, "0::/job\n", SECOND.format(top="/"), job=second(8 * GB, 5 * GB, 3 * GB))
    else:
        groups = "4:memory:/job\n3:cpu,cpuacct:/other\n1:name=systemd:/\n0::/\n"
        root = machine(tmp_path, groups, FIRST.format(top="/"), memory__job=first(8 * GB, 5 * GB, 3 * GB))
    assert group_memory(root) == [6 * GB]


def test_every_group_around_the_process_counts_in_version_2(tmp_path):
    root = machine(
        tmp_path,
        "0::/batch/job/step\n",
        SECOND.format(top="/"),
        batch=second(16 * GB, 15 * GB),
        batch__job=second("max", 4 * GB),
        batch__job__step=second(8 * GB, 2 * GB),
        batch__job__neighbour=second(1, 1),
    )
    assert group_memory(root) == [6 * GB, 1 * GB]


def test_every_group_around_the_process_counts_in_version_1(tmp_path):
    root = machine(
        tmp_path,
        "7:memory:/batch/job\n0::/\n",
        FIRST.format(top="/") + SECOND.format(top="/"),
        memory=first(NONE, 20 * GB),
        memory__batch=first(16 * GB, 13 * GB),
        memory__batch__job=first(8 * GB, 2 * GB),
    )
    assert group_memory(root) == [6 * GB, 3 * GB]


def test_a_group_that_would_be_slowed_down_is_at_its_limit(tmp_path):
    root = machine(tmp_path, "0::/job\n", SECOND.format(top="/"), job=second(8 * GB, 1 * GB, high=3 * GB))
    assert group_memory(root) == [2 * GB]


def test_a_group_above_its_limit_has_nothing_left(tmp_path):
    root = machine(tmp_path, "0::/job\n", SECOND.format(top="/"), job=second(1 * GB, 2 * GB))
    assert group_memory(root) == [0]


@pytest.mark.parametrize(
    ("group", "top"),
    [
        ("/", "/"),  # the container sees its own group as the top
        ("/box/abc", "/box/abc"),  # under the name that it has outside
        ("/", "/box/abc"),
        ("/../sister", "/"),  # moved out of what can be seen
        ("/elsewhere", "/box/abc"),
        ("/box/abcd", "/box/abc"),  # not inside, although the names begin alike
    ],
)
def test_inside_a_container_the_top_that_is_seen_counts(tmp_path, group, top):
    limits = {"memory.max": 4 * GB, "memory.current": GB}
    root = machine(tmp_path, f"0::{group}\n", SECOND.format(top=top), **{"": limits})
    assert group_memory(root) == [3 * GB]


def test_a_group_inside_a_container(tmp_path):
    root = machine(
        tmp_path, "0::/box/abc/job\n", SECOND.format(top="/box/abc"), **{"": second(4 * GB, GB), "job": second(GB, 1)}
    )
    assert group_memory(root) == [GB - 1, 3 * GB]


def test_folders_with_spaces(tmp_path):
    mounts = SECOND.format(top="/").replace("/sys/fs/cgroup", r"/sys/fs/cgroup/all\040groups")
    root = machine(tmp_path, "0::/my job: one\n", mounts, **{"all groups/my job: one": second(GB, 0)})
    assert group_memory(root) == [GB]


def test_no_limit_and_no_groups(tmp_path):
    assert group_memory(tmp_path / "not Linux") == []
    unlimited = machine(tmp_path / "a", "0::/job\n", SECOND.format(top="/"), job=second("max", GB))
    assert group_memory(unlimited) == []
    old = machine(tmp_path / "b", "1:memory:/\n", FIRST.format(top="/"), memory=first(NONE, GB))
    assert group_memory(old) == []
    gone = machine(tmp_path / "c", "0::/gone\nnonsense\n", SECOND.format(top="/"))
    assert group_memory(gone) == []


def test_the_tightest_limit_counts(monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=8 * GB, free=GB))
    monkeypatch.setattr(_memory, "group_memory", list)
    assert available_memory() == 8 * GB  # what is free is less than what is available
    monkeypatch.setattr(_memory, "group_memory", lambda: [9 * GB, 2 * GB])
    assert available_memory() == 2 * GB


def test_a_group_without_room_makes_large_work_infeasible(monkeypatch):
    monkeypatch.setattr(_costs, "available_memory", lambda: GB)
    _costs._available.cache_clear()
    try:
        _costs.require_feasible("half of it", memory_bytes=0.5 * GB)
        with pytest.raises(InfeasibleError, match=r"0\.6 GB"):
            _costs.require_feasible("most of it", memory_bytes=0.7 * GB)
    finally:
        monkeypatch.undo()
        _costs._available.cache_clear()
