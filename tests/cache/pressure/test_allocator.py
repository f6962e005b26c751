"""Giving memory back."""

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING

import pytest

from penstock.cache.pressure.allocator import Allocator, find_malloc_trim

if TYPE_CHECKING:
    from .conftest import FakeClock


def test_memory_is_released_at_most_every_30_s_unless_it_is_urgent(clock: FakeClock) -> None:
    trims: list[float] = []
    allocator = Allocator(clock=clock, trim=lambda: trims.append(clock.now_s))
    assert allocator.release()
    clock.advance(29)
    assert not allocator.release()
    assert allocator.release(is_urgent=True)
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
