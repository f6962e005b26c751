"""Real memory in a real process: does RSS come back, and does RSS alone drive the levels."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock.cache.pressure.allocator import Allocator
from penstock.cache.pressure.limits import MB

CHILD = Path(__file__).with_name("filled_server.py")

pytestmark = pytest.mark.skipif(sys.platform != "linux" or not Allocator().has_trim, reason="only glibc gives small objects back")


def run(megabytes: int, mode: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, str(CHILD), str(megabytes), mode], stdout=subprocess.PIPE, check=True, timeout=60)
    return json.loads(done.stdout)


def test_after_an_emergency_drop_rss_is_back_within_20_mb_of_the_baseline() -> None:
    report = run(120, "ledger")
    assert report["filled"] - report["baseline"] > 110 * MB
    assert report["left"] == 0
    assert report["after"] - report["baseline"] < 20 * MB
    assert report["history"] == ["CRITICAL"]


def test_memory_outside_the_ledger_drives_the_levels_up_and_its_end_brings_them_down() -> None:
    report = run(60, "ballast")
    assert report["ledger_ratio"] < 0.3
    assert report["history"][:4] == ["SOFT", "MEDIUM", "HARD", "CRITICAL"]
    assert report["actions"][0] == "EMERGENCY_DROP"
    assert report["left"] == 0
    assert (report["fell_to"], report["history"][4:]) == ("NORMAL", ["HARD", "MEDIUM", "SOFT", "NORMAL"])
    assert report["retained_at_the_end"] < 20 * MB, "the excuse ends with the ballast"
