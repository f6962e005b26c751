"""The pressure package's state as plain data, for `status`, the stats file and the terminal view. Pure."""

from collections.abc import Mapping
from typing import Any

from .gauge import PressureGauge
from .guard import MemoryGuard
from .orchestrator import EvictionOrchestrator

KEPT = 20
"""Changes and explanations in a snapshot; `statistics()` has all that are kept."""


def pressure_snapshot(
    guard: MemoryGuard, gauge: PressureGauge, orchestrator: EvictionOrchestrator, *, now_s: float
) -> Mapping[str, Any]:
    """Return JSON-able data in bytes, ratios and seconds before `now_s` (the clock that all three were given)."""
    return {
        "pressure": _pressure(guard, now_s),
        "memory": _memory(guard, gauge),
        "ledger": _ledger(gauge),
        "evictions": _evictions(orchestrator, now_s),
    }


def _pressure(guard: MemoryGuard, now_s: float) -> Mapping[str, Any]:
    statistics = guard.statistics()
    reading = statistics.reading
    return {
        "level": statistics.level.name,
        "p": round(reading.p, 4) if reading else 0.0,
        "driver": reading.driver.value if reading else "",
        "detail": reading.detail if reading else "",
        "seen": [level.name for level in statistics.seen],
        "changes": statistics.changes,
        "history": [
            {
                "ago_s": round(now_s - change.at_s, 1),
                "level": change.level.name,
                "p": round(change.p, 4),
                "driver": change.driver.value,
            }
            for change in statistics.history[-KEPT:]
        ],
        "samples": statistics.samples,
        "failures": statistics.failures,
        "refusals": statistics.refusals,
        "poll_s": statistics.poll_s,
    }


def _memory(guard: MemoryGuard, gauge: PressureGauge) -> Mapping[str, Any]:
    statistics, reading = gauge.statistics(), guard.statistics().reading
    return {
        "rss_bytes": reading.rss_bytes if reading else 0,
        "file_bytes": reading.file_bytes if reading else None,
        "rss_ratio": round(reading.rss_ratio, 4) if reading else 0.0,
        "baseline_bytes": statistics.limit.baseline_bytes,
        "limit_bytes": statistics.limit.limit_bytes,
        "limit_reason": statistics.limit.reason,
        "effective_bytes": statistics.effective_limit.limit_bytes,
        "effective_source": statistics.effective_limit.source,
        "effective_candidates": dict(statistics.effective_limit.candidates),
        "unexplained_bytes": reading.unexplained_bytes if reading else 0,
        "retained_bytes": statistics.retained_bytes,
        "fixed_bytes": dict(statistics.fixed_bytes),
        "probe_failures": statistics.probe_failures,
    }


def _ledger(gauge: PressureGauge) -> Mapping[str, Any]:
    statistics = gauge.ledger.statistics()
    return {
        "used_bytes": statistics.used_bytes,
        "budget_bytes": statistics.budget_bytes,
        "peak_bytes": statistics.peak_bytes,
        "accounts": dict(statistics.accounts),
        "refusals": statistics.refusals,
    }


def _evictions(orchestrator: EvictionOrchestrator, now_s: float) -> Mapping[str, Any]:
    statistics = orchestrator.statistics()
    return {
        "rounds": statistics.rounds,
        "skipped": statistics.skipped,
        "failures": statistics.failures,
        "freed_bytes": statistics.freed_bytes,
        "backoff_s": statistics.backoff_s,
        "last": [
            {
                "ago_s": round(now_s - each.at_s, 1),
                "level": each.level.name,
                "action": each.action.name,
                "is_escalated": each.is_escalated,
                "driver": each.driver.value,
                "what": each.what,
                "freed_bytes": each.freed_bytes,
                "rss_delta_bytes": each.rss_delta_bytes,
                "p_before": round(each.p_before, 4),
                "p_after": round(each.p_after, 4),
                "helped": each.helped,
            }
            for each in statistics.explanations[-KEPT:]
        ],
    }
