"""Letting go of library pages."""

import ctypes
import mmap
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.cache.pressure.library_pages import clean_mappings, find_madvise, release_library_pages

SMAPS = """\
1000-3000 r-xp 00000000 fe:00 1                          /usr/lib/libfirst.so.6
Rss:                   8 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
3000-4000 r--p 00002000 fe:00 1                          /usr/lib/librelocated.so
Rss:                   4 kB
Anonymous:             4 kB
4000-6000 rw-p 00003000 fe:00 1                          /usr/lib/libwritable.so
Anonymous:             0 kB
6000-7000 r--s 00000000 fe:00 2                          /home/a/index/1.seg
Anonymous:             0 kB
7000-9000 rw-p 00000000 00:00 0
Anonymous:             8 kB
9000-a000 r-xp 00000000 00:00 0                          [vdso]
Anonymous:             0 kB
a000-d000 r--p 00000000 fe:00 3                          /home/with a space/_core.cpython-311-x86_64-linux-gnu.so
Anonymous:             0 kB
"""


def test_only_clean_read_only_libraries_are_let_go_of(tmp_path: Path) -> None:
    wanted = [(0x1000, 0x2000), (0xA000, 0x3000)]
    assert list(clean_mappings(SMAPS)) == wanted
    advised: list[tuple[int, int]] = []
    (tmp_path / "smaps").write_text(SMAPS)
    assert release_library_pages(tmp_path / "smaps", lambda at, length: advised.append((at, length))) == 0x5000
    assert advised == wanted


def test_without_proc_or_madvise_nothing_is_done(tmp_path: Path) -> None:
    def no_symbol(_: None) -> ctypes.CDLL:
        raise AttributeError("Windows")

    assert release_library_pages(tmp_path / "none", lambda _at, _length: pytest.fail("advised")) == 0
    assert find_madvise(no_symbol) is None


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(mmap, "MADV_DONTNEED"), reason="Linux only")
def test_libraries_work_on_and_occupy_less() -> None:
    program = """
import threading
import numpy
from penstock.cache.pressure.library_pages import release_library_pages
from penstock.cache.pressure.probe import SystemProbe
values = numpy.arange(1000.0)
stop = threading.Event()
def work():
    while not stop.is_set():
        assert numpy.sort(values[::-1])[7] == 7.0
thread = threading.Thread(target=work)
thread.start()
before = SystemProbe().sample().file_bytes
least = before
for _ in range(20):
    assert release_library_pages() > 0
    least = min(least, SystemProbe().sample().file_bytes)
stop.set()
thread.join()
assert numpy.linalg.norm(numpy.ones(4)) == 2.0
assert least < before - (2 << 20), (before, least)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
