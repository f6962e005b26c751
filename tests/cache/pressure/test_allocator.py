"""Giving memory back."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from penstock.cache.pressure.allocator import Allocator, bound_heap, find_malloc_trim

if TYPE_CHECKING:
    from .conftest import FakeClock


def test_memory_is_released_at_most_every_30_s_unless_it_is_urgent(clock: FakeClock) -> None:
    trims: list[float] = []
    code: list[float] = []
    allocator = Allocator(clock=clock, trim=lambda: trims.append(clock.now_s), release_libraries=lambda: code.append(clock.now_s))
    assert allocator.release()
    clock.advance(29)
    assert not allocator.release()
    assert not code
    assert allocator.release(is_urgent=True)
    assert len(code) == 1
    clock.advance(29)
    assert not allocator.release()
    clock.advance(1)
    assert allocator.release()
    assert len(trims) == allocator.statistics() == 3


def test_systems_without_malloc_trim_have_none() -> None:
    def no_symbol(_: None) -> ctypes.CDLL:
        raise AttributeError("musl, macOS")

    def no_handle(_: None) -> ctypes.CDLL:
        raise TypeError("Windows")

    assert find_malloc_trim(no_symbol) is None
    assert find_malloc_trim(no_handle) is None


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_malloc_trim_is_found_and_can_be_called() -> None:
    trim = find_malloc_trim()
    if trim is None:
        pytest.skip("not glibc")
    trim()
    assert Allocator().has_trim


def test_the_heap_is_bounded_where_there_is_mallopt() -> None:
    def no_symbol(_: None) -> ctypes.CDLL:
        raise AttributeError("musl, macOS")

    assert not bound_heap(no_symbol)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_a_freed_file_goes_back_to_the_system_whatever_was_freed_before() -> None:
    """By default glibc raises its threshold for maps with each freed block, and keeps files in arenas from then on."""
    code = (
        "import os, sys, threading\n"
        "from penstock.cache.pressure.allocator import bound_heap\n"
        "if not bound_heap(): sys.exit(9)\n"
        "rss = lambda: int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE')\n"
        "bytes(bytearray(30_000_000))\n"
        "before = rss()\n"
        "def work():\n"
        "    held = [bytearray(b'x') * 1_100_000 for _ in range(40)]\n"
        "    kept.append(held[::13]); held.clear()\n"
        "kept = []\n"
        "for _ in range(4):\n"
        "    thread = threading.Thread(target=work); thread.start(); thread.join()\n"
        "print(rss() - before, sum(len(one) for some in kept for one in some))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    if run.returncode == 9:
        pytest.skip("not glibc")
    grown, kept = map(int, run.stdout.split())
    assert kept <= grown < kept + 8_000_000


def test_modules_are_left_to_themselves_only_in_a_process_that_began_so() -> None:
    script = (
        "import gc\n"
        "from penstock.cache.pressure.allocator import keep_modules\n"
        "keep_modules()\n"
        "print(gc.get_freeze_count())\n"
        "gc.freeze()\n"
        "at_start = gc.get_freeze_count()\n"
        "imported = [[] for _ in range(1000)]\n"
        "keep_modules()\n"
        "print(gc.get_freeze_count() - at_start > 1000)\n"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["0", "True"]
