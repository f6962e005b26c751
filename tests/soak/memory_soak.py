"""Mixed calls on a large workspace, in a child short of memory: is RSS bounded, is anything stale, lost or in error?

`python -m tests.soak.memory_soak` runs three sizes in turn; `--calls --files --total-mb --ledger-mb --data-mb` run one of any
size. Prints JSON lines `{metric, value, unit, reference}`; exit code 1 if a promise broke.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from penstock.server.stats import read_snapshots
from tests.pipe import PipeClient
from tests.soak._workload import Tally, Workload
from tests.soak.workspace import WorkspacePlan, build_workspace

MB = 1 << 20
LAUNCH = (sys.executable, str(Path(__file__).with_name("_launch.py")))
LEVELS = ("NORMAL", "SOFT", "MEDIUM", "HARD", "CRITICAL")
SEARCHED = re.compile(r"([\d,]+) of ([\d,]+) files")
MAX_SLOPE_MB = 1.0
"""Growth of RSS per 1,000 calls over the second half of the run."""


@dataclass(frozen=True)
class SoakPlan:
    """One run."""

    name: str
    calls: int
    workspace: WorkspacePlan
    ledger_mb: int = 256
    data_mb: int = 1024
    """RLIMIT_DATA of the server; half of it is the RSS the server allows itself at most."""
    burst_every: int = 60
    """A burst of large parallel reads every so many calls, so that every level is reached."""
    needs_every_level: bool = True
    warm_up_s: float = 300.0
    """The first search builds the index; the run begins when everything is searched, or after so long."""

    @property
    def rss_limit_mb(self) -> int:
        """The RSS limit by the server's own rule for a limited child."""
        return self.data_mb // 2


PLANS = (
    SoakPlan("small_ledger", 5_000, WorkspacePlan(15_000, 300), ledger_mb=32, data_mb=1024),
    SoakPlan("large_workspace", 100_000, WorkspacePlan(500_000, 10_500), needs_every_level=False, warm_up_s=3600),
)


@dataclass
class SoakReport:
    """What a run found."""

    plan: SoakPlan
    tally: Tally
    rss_bytes: list[int] = field(default_factory=list[int])
    """RSS after each hundredth of the calls."""
    levels: list[str] = field(default_factory=list[str])
    ledger_peak_bytes: int = 0
    seconds: float = 0.0
    exit_code: int = 0

    @property
    def slope_mb(self) -> float:
        """Least-squares growth of RSS in MB per 1,000 calls over the second half."""
        half = self.rss_bytes[len(self.rss_bytes) // 2 :]
        return slope_of(half) / MB * 1000 / max(1, self.plan.calls / 100)

    def failures(self) -> list[str]:
        """Return every broken promise."""
        tally, plan = self.tally, self.plan
        found = [
            f"{len(items)} {what}, first: {items[0]}"
            for what, items in (("errors", tally.errors), ("stale", tally.stale), ("lost", tally.lost))
            if items
        ]
        if max(self.rss_bytes, default=0) > plan.rss_limit_mb * MB * 1.1:
            found.append(f"RSS reached {max(self.rss_bytes) / MB:.0f} MB, limit {plan.rss_limit_mb} MB + 10 %")
        if plan.calls >= 20_000 and self.slope_mb >= MAX_SLOPE_MB:
            found.append(f"RSS grows by {self.slope_mb:.2f} MB per 1,000 calls")
        if self.ledger_peak_bytes > plan.ledger_mb * MB:
            found.append(f"the ledger reached {self.ledger_peak_bytes} bytes")
        missing = [level for level in LEVELS if level not in self.levels]
        if plan.needs_every_level and missing:
            found.append(f"levels never seen: {', '.join(missing)}")
        if self.exit_code != 0:
            found.append(f"the server ended with {self.exit_code}")
        return found


def slope_of(values: list[int]) -> float:
    """Return the least-squares slope per step; 0 for fewer than two values."""
    count = len(values)
    if count < 2:
        return 0.0
    mean_x, mean_y = (count - 1) / 2, sum(values) / count
    over = sum((x - mean_x) * (y - mean_y) for x, y in enumerate(values))
    return over / sum((x - mean_x) ** 2 for x in range(count))


def run_soak(plan: SoakPlan, scratch: Path) -> SoakReport:
    """Build the workspace, start the limited server, make the calls, restore everything, close."""
    corpus = build_workspace(scratch / "workspace", plan.workspace)
    data_dir = scratch / "data"
    env = {"PENSTOCK_MEMORY_LEDGER_MB": str(plan.ledger_mb), "PENSTOCK_WORKSPACE_MAX_FILES": str(plan.workspace.files + 1000)}
    command = (*LAUNCH, "--data-mb", str(plan.data_mb))
    start = time.monotonic()
    client = PipeClient(corpus.root, data_dir, command=command, env=env)
    work = Workload(client, corpus)
    report = SoakReport(plan, work.tally)
    try:
        _warm_up(client, plan.warm_up_s)
        for number in range(1, plan.calls + 1):
            if plan.burst_every and number % plan.burst_every == 0:
                (work.climb, work.burst)[number // plan.burst_every % 2]()
            work.step()
            if number % max(1, plan.calls // 100) == 0:
                report.rss_bytes.append(client.rss_bytes())
                _progress(plan, number, report, start)
        work.restore_all()
        _collect(report, data_dir, client.process.pid)
    finally:
        report.exit_code = client.close()
    report.seconds = time.monotonic() - start
    return report


def _warm_up(client: PipeClient, seconds: float) -> None:
    """Search until every file is searched."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = client.call("search", query="cache merge", k=1, timeout_s=180)["content"][0]["text"]
        found = SEARCHED.search(text)
        if found and found[1] == found[2]:
            return
        sys.stderr.write(f"\rindex: {found[0] if found else text.splitlines()[0][:60]} ")


def _progress(plan: SoakPlan, number: int, report: SoakReport, start: float) -> None:
    rate = number / max(0.001, time.monotonic() - start)
    bad = len(report.tally.errors) + len(report.tally.stale) + len(report.tally.lost)
    if not sys.stderr.isatty() and number % max(1, plan.calls // 10):
        return
    sys.stderr.write(
        f"\r{plan.name}: {number:,}/{plan.calls:,} calls, {rate:.0f}/s, RSS {report.rss_bytes[-1] / MB:.0f} MB, {bad} bad "
    )
    sys.stderr.flush()


def _collect(report: SoakReport, data_dir: Path, pid: int) -> None:
    """Read the levels seen and the ledger's peak from the server's stats file, waiting for one written after the last call."""
    written_after = time.time()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for snapshot in read_snapshots(data_dir):
            if snapshot["pid"] == pid and snapshot["written_at"] >= written_after:
                report.levels = list(snapshot["pressure"]["seen"])
                report.ledger_peak_bytes = int(snapshot["ledger"]["peak_bytes"])
                return
        time.sleep(0.2)
    report.tally.errors.append("the server published no statistics")


def print_report(report: SoakReport) -> None:
    """Print JSON lines."""
    plan, tally = report.plan, report.tally
    rows: list[tuple[str, Any, str, Any]] = [
        ("calls", sum(tally.calls.values()), "", plan.calls),
        ("seconds", round(report.seconds, 1), "s", None),
        ("errors", len(tally.errors), "", 0),
        ("typed_refusals", sum(tally.refusals.values()), "", None),
        ("stale", len(tally.stale), "", 0),
        ("edits", tally.edits, "", None),
        ("lost", len(tally.lost), "", 0),
        ("restored", tally.restored, "", None),
        ("rss_max", round(max(report.rss_bytes, default=0) / MB, 1), "MB", plan.rss_limit_mb),
        ("rss_slope_last_half", round(report.slope_mb, 3), "MB per 1,000 calls", MAX_SLOPE_MB),
        ("ledger_peak", round(report.ledger_peak_bytes / MB, 1), "MB", plan.ledger_mb),
        ("levels_seen", " ".join(report.levels), "", None),
    ]
    for metric, value, unit, reference in rows:
        line = {"soak": plan.name, "metric": f"{plan.name}.{metric}", "value": value, "unit": unit, "reference": reference}
        sys.stdout.write(json.dumps(line) + "\n")
    for failure in report.failures():
        sys.stdout.write(json.dumps({"soak": plan.name, "failed": failure}) + "\n")
    sys.stdout.flush()


def parse_plans(arguments: list[str]) -> tuple[list[SoakPlan], Path | None]:
    """Return the runs asked for and the folder to keep the workspace in."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int)
    parser.add_argument("--files", type=int, default=1500)
    parser.add_argument("--total-mb", type=int, default=30)
    parser.add_argument("--ledger-mb", type=int, default=32)
    parser.add_argument("--data-mb", type=int, default=1024)
    parser.add_argument("--any-levels", action="store_true", help="do not ask for every level to be seen")
    parser.add_argument("--scratch", type=Path, help="keep the workspace here and use it again")
    options = parser.parse_args(arguments)
    if options.calls is None:
        return list(PLANS), options.scratch
    plan = SoakPlan("chosen", options.calls, WorkspacePlan(options.files, options.total_mb), options.ledger_mb, options.data_mb)
    return [replace(plan, needs_every_level=not options.any_levels)], options.scratch


def main() -> int:
    """Run the plans; 1 if a promise broke."""
    plans, kept = parse_plans(sys.argv[1:])
    failed = False
    for plan in plans:
        base = kept or Path(tempfile.mkdtemp(prefix="penstock-soak-", dir=os.environ.get("TMPDIR")))
        try:
            report = run_soak(plan, base / plan.name)
        finally:
            if kept is None:
                shutil.rmtree(base, ignore_errors=True)
        sys.stderr.write("\n")
        print_report(report)
        failed |= bool(report.failures())
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
