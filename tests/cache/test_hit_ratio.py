"""The cache's hit ratio on a recorded history, and the policies that it is measured against."""

import random
import subprocess
from pathlib import Path

import pytest

from tests.benchmarks.hit_ratio import (
    TRACES,
    Trace,
    hits_of_clairvoyant,
    hits_of_lru,
    hits_of_session,
    is_below_lru,
    load,
    measure,
    record,
    trace_of,
)


@pytest.mark.parametrize(("name", "ratios"), [("flask", (0.05, 0.2)), ("okio", (0.4,)), ("mockito", (0.2,)), ("axum", (0.4,))])
def test_it_is_not_below_lru_on_a_real_history(name: str, ratios: tuple[float, ...]) -> None:
    """Flask is ordinary; on the others the margin is smallest, and a larger protected segment loses."""
    rows = measure(load(TRACES / f"{name}.json.gz"), ratios)
    assert not is_below_lru(rows), rows
    assert all(float(row["session"]) <= float(row["clairvoyant"]) for row in rows)


def test_with_room_for_everything_only_first_reads_miss() -> None:
    rng = random.Random(1)
    trace = Trace("all", [rng.randrange(1000) for _ in range(50)], [rng.randrange(50) for _ in range(500)])
    first_reads = len(set(trace.accesses))
    for policy in (hits_of_session, hits_of_lru, hits_of_clairvoyant):
        assert policy(trace, 1 << 24) == len(trace.accesses) - first_reads


def test_a_scan_does_not_empty_the_cache() -> None:
    """Eight files read again and again, with a scan of a hundred others in between."""
    hot, scan = list(range(8)), list(range(8, 108))
    trace = Trace("scan", [1000] * 108, [*hot, *hot, *scan, *hot, *scan, *hot])
    budget = 40 * 3000
    assert hits_of_lru(trace, budget) == 8
    assert hits_of_session(trace, budget) == 24


def test_the_clairvoyant_keeps_what_is_needed_first() -> None:
    trace = Trace("loop", [100] * 12, list(range(12)) * 10)
    assert hits_of_lru(trace, 11 * 1500) < hits_of_clairvoyant(trace, 11 * 1500)


def test_traces_are_recorded_from_histories_and_read_back(tmp_path: Path) -> None:
    repository = tmp_path / "history"
    repository.mkdir()
    git = ("git", "-C", str(repository), "-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run([*git, "init", "-q"], check=True)
    for name, text in (("a", "one"), ("b", "four"), ("a", "three")):
        (repository / name).write_text(text)
        subprocess.run([*git, "add", name], check=True)
        subprocess.run([*git, "commit", "-q", "-m", name], check=True)
    trace = trace_of(repository)
    assert trace == Trace("history", [5, 4], [0, 1, 0])
    record(trace, tmp_path / "trace.json.gz")
    assert load(tmp_path / "trace.json.gz") == trace


def test_three_histories_are_recorded() -> None:
    traces = [load(path) for path in TRACES.glob("*.json.gz")]
    assert len(traces) >= 3
    assert all(max(trace.accesses) < len(trace.sizes) for trace in traces)
