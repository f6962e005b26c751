"""The system probe, on fake trees and on this machine."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.cache.pressure.probe import SystemProbe

Build = Callable[[dict[str, str]], Path]

V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def limits_file(data: str, address: str) -> str:
    """Return /proc/self/limits as the kernel lays it out."""
    return (
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max cpu time              unlimited            unlimited            seconds   \n"
        f"Max data size             {data:<20} unlimited            bytes     \n"
        f"Max address space         {address:<20} unlimited            bytes     \n"
    )


def test_a_plain_machine_is_limited_by_its_memory(system_root: Build) -> None:
    probe = SystemProbe(system_root({}))
    assert probe.rss_bytes() == 6400 * PAGE
    assert probe.effective_limit().source == "total memory"
    assert probe.sample().file_bytes == 1000 * PAGE
    assert probe.effective_limit().limit_bytes == 8 << 30
    sample = probe.sample()
    assert (sample.available_bytes, sample.available_source) == (4 << 30, "MemAvailable")
    assert (sample.stall_us, sample.throttles, sample.is_tight) == (None, None, False)


def test_a_limited_child_is_limited_by_its_rlimits(system_root: Build) -> None:
    probe = SystemProbe(system_root({"proc/self/limits": limits_file("300000000", "900000000")}))
    limit = probe.effective_limit()
    assert (limit.limit_bytes, limit.source) == (300_000_000, "RLIMIT_DATA")
    assert limit.candidates["RLIMIT_AS"] == 900_000_000
    sample = probe.sample()
    assert (sample.available_bytes, sample.available_source) == (300_000_000 - 9000 * PAGE, "RLIMIT_DATA")


def test_a_cgroup_is_the_limit_and_says_how_much_room_it_has(system_root: Build) -> None:
    files = {
        "proc/self/cgroup": "0::/box\n",
        "proc/self/mountinfo": V2_MOUNT,
        "proc/pressure/memory": "some avg10=0.00 total=77\nfull avg10=0.00 total=5\n",
        "sys/fs/cgroup/box/memory.max": "400000000\n",
        "sys/fs/cgroup/box/memory.high": "300000000\n",
        "sys/fs/cgroup/box/memory.current": "290000000\n",
        "sys/fs/cgroup/box/memory.stat": "active_file 0\ninactive_file 0\n",
        "sys/fs/cgroup/box/memory.events": "high 4\nmax 0\n",
        "sys/fs/cgroup/box/memory.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=123\nfull total=1\n",
    }
    probe = SystemProbe(system_root(files))
    assert probe.effective_limit().source == "cgroup v2 /box memory.high"
    sample = probe.sample()
    assert (sample.available_bytes, sample.is_tight) == (10_000_000, True)
    assert (sample.throttles, sample.stall_us) == (4, 123)


def test_without_a_group_of_its_own_stalls_are_the_machines(system_root: Build) -> None:
    files = {"proc/pressure/memory": "some avg10=0.00 avg60=0.00 avg300=0.00 total=77\nfull total=5\n"}
    assert SystemProbe(system_root(files)).sample().stall_us == 77


def test_a_statm_that_makes_no_sense_is_an_error(system_root: Build) -> None:
    with pytest.raises(OSError, match="statm"):
        SystemProbe(system_root({"proc/self/statm": "x y\n"})).rss_bytes()


def test_a_machine_that_says_nothing_is_an_error(system_root: Build) -> None:
    with pytest.raises(OSError, match="no memory limit"):
        SystemProbe(system_root({"proc/meminfo": ""})).effective_limit()


def test_without_proc_psutil_answers(tmp_path: Path) -> None:
    """On macOS and Windows; psutil itself works on this machine as well."""
    probe = SystemProbe(tmp_path)
    assert probe.rss_bytes() > 1 << 20
    assert probe.sample().available_source == "available memory"
    assert probe.effective_limit().source == "total memory"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_this_machines_probe_agrees_with_psutil() -> None:
    import psutil

    probe = SystemProbe()
    assert probe.rss_bytes() == pytest.approx(psutil.Process().memory_info().rss, rel=0.05)
    assert probe.effective_limit().limit_bytes <= psutil.virtual_memory().total
    assert "proc" in repr(probe)
