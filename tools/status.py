"""`status`: pressure, budgets, residency, net savings, index coverage, and why things left."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from .answer import Answer, facts_line
from .call import Call
from .savings import Savings

STATUS_KEY: Final = "penstock/status"
MB: Final = 1 << 20


class StatusTool:
    """Serves `status` from a snapshot that the engine takes of all its parts."""

    def __init__(self, snapshot: Callable[[], Mapping[str, Any]], savings: Callable[[], Savings]) -> None:
        self._snapshot = snapshot
        self._savings = savings

    def run(self, call: Call, *, detail: str = "short") -> Answer:
        """Answer one call."""
        call.deadline.check()
        found = self._snapshot()
        savings = self._savings()
        lines = [*_headline(found), *_savings_lines(savings, is_full=detail == "full")]
        if detail == "full":
            lines += _full(found)
        machine = {
            **found,
            "savings": {"fixed": savings.fixed, "sent": savings.sent, "left_out": savings.left_out, "net": savings.net},
        }
        return Answer("\n".join(lines), meta={STATUS_KEY: machine})


def _headline(found: Mapping[str, Any]) -> list[str]:
    pressure, ledger, memory = found["pressure"], found["ledger"], found["memory"]
    lines = [
        facts_line(
            "status",
            f"pressure {pressure['level']}",
            f"ledger {ledger['used_bytes'] / MB:.1f} of {ledger['budget_bytes'] / MB:.0f} MB",
            f"RSS {memory['rss_bytes'] / MB:.0f} of {memory['limit_bytes'] / MB:.0f} MB ({memory['limit_reason']})",
        ),
        f"cache: {found['cache']}",
        f"handles: {found['handles']}",
        f"receipts: {found['receipts']}",
        f"index: {found['index']}",
    ]
    return lines + [f"notice: {notice}" for notice in found["notices"]]


def _savings_lines(savings: Savings, *, is_full: bool) -> list[str]:
    net = f"{savings.net:+,}"
    lines = [
        f"savings: net {net} tok = {savings.left_out:,} left out - {savings.overhead:,} own cost"
        f" (definitions and instructions {savings.fixed:,}); sent {savings.sent:,}"
    ]
    if is_full:
        lines += [
            f"  {name}: {costs.calls:,} calls, {costs.sent:,} tok sent, {costs.left_out:,} left out, {costs.errors:,} errors"
            for name, costs in savings.tools.items()
        ]
    return lines


def _memory(memory: Mapping[str, Any]) -> list[str]:
    """Say what RSS is made of, and which limit it is held against."""
    fixed = memory["fixed_bytes"]
    later = "".join(f" + {name} {held / MB:.1f} MB" for name, held in fixed.items())
    at_start = memory["baseline_bytes"] - sum(fixed.values())
    others = [f"{name} {held / MB:,.0f} MB" for name, held in memory["effective_candidates"].items()]
    probe = f", {memory['probe_failures']:,} probe failures" if memory["probe_failures"] else ""
    file_bytes = memory.get("file_bytes")
    mapped = (
        ""
        if file_bytes is None
        else f"RSS: {file_bytes / MB:.1f} MB of {memory['rss_bytes'] / MB:.1f} MB are pages of mapped files"
    )
    return [
        *([mapped] if mapped else []),
        f"baseline: {at_start / MB:.1f} MB at start-up{later}; above it and the ledger {memory['unexplained_bytes'] / MB:.1f} MB,"
        f" of these {memory['retained_bytes'] / MB:.1f} MB excused as kept by the allocator",
        f"machine allows: {memory['effective_bytes'] / MB:,.0f} MB by {memory['effective_source']}"
        f" (of {', '.join(others) or 'nothing readable'}){probe}",
    ]


def _full(found: Mapping[str, Any]) -> list[str]:
    pressure = found["pressure"]
    detail = f" ({pressure['detail']})" if pressure["detail"] else ""
    lines = [
        f"pressure: p {pressure['p']} by {pressure['driver'] or 'nothing'}{detail}, levels seen: {', '.join(pressure['seen'])}",
        f"guard: looks every {pressure['poll_s']:g} s, {pressure['samples']:,} samples, {pressure['refusals']:,} refusals,"
        f" {pressure['failures']:,} failures",
        *_memory(found["memory"]),
        f"search entropies: {found['reservoir']}",
        f"workers: {found['workers']}",
    ]
    lines += [
        f"  {change['ago_s']} s ago: {change['level']} (p {change['p']} by {change['driver']})" for change in pressure["history"]
    ]
    ledger = found["ledger"]
    lines.append("ledger accounts: " + (", ".join(f"{name} {held:,} B" for name, held in ledger["accounts"].items()) or "none"))
    lines += [
        f"beside the ledger: {name} {held:,} B mapped read-only from files, as much of it resident as was read last"
        for name, held in ledger.get("beside", {}).items()
    ]
    lines.append(f"ledger peak {ledger['peak_bytes']:,} of {ledger['budget_bytes']:,} B, {ledger['refusals']:,} refusals")
    evictions = found["evictions"]
    lines.append(f"evictions: {evictions['rounds']} rounds, {evictions['freed_bytes']:,} bytes freed")
    lines += [f"  {explanation}" for explanation in found["explanations"]]
    lines += [f"left: {line}" for line in found["left"]]
    return lines
