"""Control groups, against file trees as kernels and container runtimes show them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.cache.pressure.cgroup import (
    find_groups,
    parse_fields,
    parse_limit,
    read_limits,
    read_text,
    read_throttles,
    read_usage,
)

Build = Callable[[dict[str, str]], Path]

V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1_MOUNT = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"


def test_the_tightest_limit_of_the_path_and_every_parent_is_found(system_root: Build) -> None:
    root = system_root(
        {
            "proc/self/cgroup": "0::/user.slice/app.scope\n",
            "proc/self/mountinfo": V2_MOUNT,
            "sys/fs/cgroup/cgroup.controllers": "memory\n",
            "sys/fs/cgroup/user.slice/memory.max": "1000000\n",
            "sys/fs/cgroup/user.slice/memory.high": "max\n",
            "sys/fs/cgroup/user.slice/app.scope/memory.max": "max\n",
            "sys/fs/cgroup/user.slice/app.scope/memory.high": "2000000\n",
        }
    )
    groups = find_groups(root)
    assert [group.name for group in groups] == ["/user.slice/app.scope", "/user.slice", "/"]
    assert read_limits(groups) == {
        "cgroup v2 /user.slice memory.max": 1_000_000,
        "cgroup v2 /user.slice/app.scope memory.high": 2_000_000,
    }


def test_a_container_sees_its_limit_at_the_mounts_root(system_root: Build) -> None:
    root = system_root({"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": V2_MOUNT, "sys/fs/cgroup/memory.max": "536870912\n"})
    assert read_limits(find_groups(root)) == {"cgroup v2 / memory.max": 536_870_912}


def test_a_path_outside_the_namespace_falls_back_to_the_mounts_root(system_root: Build) -> None:
    root = system_root(
        {"proc/self/cgroup": "0::/../other\n", "proc/self/mountinfo": V2_MOUNT, "sys/fs/cgroup/memory.max": "5000\n"}
    )
    assert [group.name for group in find_groups(root)] == ["/"]


def test_v1_paths_are_taken_relative_to_what_is_mounted(system_root: Build) -> None:
    """Docker on v1 mounts only the container's own part of the hierarchy."""
    root = system_root(
        {
            "proc/self/cgroup": "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n",
            "proc/self/mountinfo": "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "268435456\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "200000000\n",
            "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 50000000\ntotal_active_file 10000000\n",
        }
    )
    groups = find_groups(root)
    assert read_limits(groups) == {"cgroup v1 / memory.limit_in_bytes": 268_435_456}
    (usage,) = read_usage(groups)
    assert (usage.working_bytes, usage.room_bytes) == (140_000_000, 128_435_456)


def test_the_unlimited_number_of_v1_is_no_limit(system_root: Build) -> None:
    root = system_root(
        {
            "proc/self/cgroup": "4:memory:/a\n",
            "proc/self/mountinfo": V1_MOUNT,
            "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9223372036854771712\n",
        }
    )
    groups = find_groups(root)
    assert [group.name for group in groups] == ["/a", "/"]
    assert read_limits(groups) == {}
    assert read_usage(groups) == []


def test_hits_of_the_limits_are_counted_over_all_parents(system_root: Build) -> None:
    root = system_root(
        {
            "proc/self/cgroup": "0::/a/b\n",
            "proc/self/mountinfo": V2_MOUNT,
            "sys/fs/cgroup/a/memory.events": "low 9\nhigh 3\nmax 1\noom 0\n",
            "sys/fs/cgroup/a/b/memory.events": "low 0\nhigh 2\nmax 0\n",
        }
    )
    assert read_throttles(find_groups(root)) == 6


def test_usage_without_file_pages_is_what_counts(system_root: Build) -> None:
    root = system_root(
        {
            "proc/self/cgroup": "0::/a\n",
            "proc/self/mountinfo": V2_MOUNT,
            "sys/fs/cgroup/a/memory.max": "1000\n",
            "sys/fs/cgroup/a/memory.current": "950\n",
            "sys/fs/cgroup/a/memory.stat": "anon 100\nactive_file 300\ninactive_file 500\n",
        }
    )
    (usage,) = read_usage(find_groups(root))
    assert (usage.working_bytes, usage.room_bytes) == (150, 850)


@pytest.mark.parametrize("mountinfo", ["", "nonsense\n", "1 2 - \n", "30 23 0:26 / /x rw - tmpfs tmpfs rw\n"])
def test_mounts_that_make_no_sense_give_no_groups(system_root: Build, mountinfo: str) -> None:
    root = system_root({"proc/self/cgroup": "0::/\nnonsense\n", "proc/self/mountinfo": mountinfo})
    assert find_groups(root) == []


@pytest.mark.parametrize(("text", "limit"), [("max\n", None), ("", None), (None, None), ("-1", None), ("123\n", 123)])
def test_limit_files_are_parsed(text: str | None, limit: int | None) -> None:
    assert parse_limit(text) == limit


def test_fields_that_are_no_numbers_are_skipped() -> None:
    assert parse_fields("MemTotal: 5 kB\nbad\nname x\n") == {"MemTotal": 5}
    assert parse_fields(None) == {}


def test_a_missing_file_reads_as_none(tmp_path: Path) -> None:
    assert read_text(tmp_path / "absent") is None
