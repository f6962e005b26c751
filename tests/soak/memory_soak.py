"""Mixed calls on a large workspace, in a child short of memory: is RSS bounded, is anything stale, lost or in error?

`python -m tests.soak.memory_soak` runs two plans in turn, `--plan NAME` one of them; `--calls --files --total-mb --ledger-mb
--data-mb` make one of any size. Prints JSON lines `{metric, value, unit, reference}`, of a long run after each tenth of it, each
time all of them; exit code 1 if a promise broke.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from penstock.server.stats import read_snapshots
from tests.pipe import PipeClient
from tests.soak._workload import SEARCHED, Tally, Workload
from tests.soak.workspace import WorkspacePlan, build_workspace

MB = 1 << 20
LAUNCH = (sys.executable, str(Path(__file__).with_name("_launch.py")))
LEVELS = ("NORMAL", "SOFT", "MEDIUM", "HARD", "CRITICAL")
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
    """RLIMIT_DATA of the server, which allows itself half of that as RSS, or 512 MB above its baseline if that is less."""
    burst_every: int = 60
    """A climb or a burst of large reads every so many steps, so that every level is reached."""
    needs_every_level: bool = True
    warm_up_s: float = 300.0
    """The first search builds the index; the run begins when everything is searched, or after so long."""
    max_s: float = 6 * 3600.0
    """The calls end after so long, and the run has failed if there were fewer than planned."""


PLANS = (
    SoakPlan("small_ledger", 5_000, WorkspacePlan(4_000, 80), ledger_mb=32),
    SoakPlan(
        "many_files_and_calls",
        100_000,
        WorkspacePlan(500_000, 350, bulk_mb=10_240),
        burst_every=400,
        data_mb=1536,
        needs_every_level=False,
        warm_up_s=420,
    ),
)
"""The second takes 45 minutes; most of the index is built while its calls are made."""


@dataclass
class SoakReport:
    """What a run found."""

    plan: SoakPlan
    tally: Tally
    mix: str = ""
    """The steps that the calls are drawn from."""
    files: int = 0
    file_bytes: int = 0
    """What the workspace really holds."""
    rss_bytes: list[int] = field(default_factory=list[int])
    """RSS after each hundredth of the calls."""
    warm_up_s: float = 0.0
    searched: str = ""
    """What the last search of the warm-up had searched."""
    levels: list[str] = field(default_factory=list[str])
    evictions: str = ""
    rss_limit_bytes: int = 0
    """What the server says is its RSS limit."""
    ledger_peak_bytes: int = 0
    seconds: float = 0.0
    exit_code: int = 0

    @property
    def slope_mb(self) -> float:
        """Least-squares growth of RSS in MB per 1,000 calls over the second half."""
        half = self.rss_bytes[len(self.rss_bytes) // 2 :]
        return slope_of(half) / MB * 1000 / max(1, self.plan.calls / 100)  # a step is a hundredth of the calls

    def failures(self) -> list[str]:
        """Return every broken promise."""
        tally, plan = self.tally, self.plan
        found = [
            f"{len(items)} {what}, first: {items[0]}"
            for what, items in (("errors", tally.errors), ("stale", tally.stale), ("lost", tally.lost))
            if items
        ]
        if max(self.rss_bytes, default=0) > self.rss_limit_bytes * 1.1:
            found.append(f"RSS reached {max(self.rss_bytes) / MB:.0f} MB, limit {self.rss_limit_bytes / MB:.0f} MB + 10 %")
        if plan.calls >= 20_000 and self.slope_mb >= MAX_SLOPE_MB:
            found.append(f"RSS grows by {self.slope_mb:.2f} MB per 1,000 calls")
        if self.ledger_peak_bytes > plan.ledger_mb * MB:
            found.append(f"the ledger reached {self.ledger_peak_bytes} bytes")
        if tally.calls.total() < plan.calls:
            found.append(f"{tally.calls.total():,} of {plan.calls:,} calls in {plan.max_s:.0f} s")
        missing = [level for level in LEVELS if level not in self.levels]
        if plan.needs_every_level and missing:
            found.append(f"levels never seen: {', '.join(missing)}")
        if self.files < plan.workspace.files:
            found.append(f"the workspace holds {self.files} files, not {plan.workspace.files}")
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
    client = PipeClient(corpus.root, data_dir, command=command, env=env)
    work = Workload(client, corpus)
    report = SoakReport(plan, work.tally, mix=work.mix())
    report.files, report.file_bytes = corpus.measure()
    start = time.monotonic()
    try:
        _warm_up(client, report)
        _look(report, client.call("status")["_meta"]["penstock/status"])
        steps = 0
        ends = time.monotonic() + plan.max_s
        while (done := work.tally.calls.total()) < plan.calls and time.monotonic() < ends:
            steps += 1
            if plan.burst_every and steps % plan.burst_every == 0:
                (work.climb, work.burst)[steps // plan.burst_every % 2]()
            work.step()
            if done >= len(report.rss_bytes) * plan.calls // 100:
                report.rss_bytes.append(client.rss_bytes())
                if len(report.rss_bytes) % 10 == 0:
                    _look(report, client.call("status")["_meta"]["penstock/status"])
                report.seconds = time.monotonic() - start
                _progress(report, done)
        work.restore_all()
        _collect(report, data_dir, client.process.pid)
    finally:
        report.exit_code = client.close()
    report.seconds = time.monotonic() - start
    return report


def _warm_up(client: PipeClient, report: SoakReport) -> None:
    """Search until every file is searched."""
    start = time.monotonic()
    while report.warm_up_s < report.plan.warm_up_s:
        text = client.call("search", query="cache merge", k=1, timeout_s=180)["content"][0]["text"]
        found = SEARCHED.search(text)
        report.searched = found[0].strip(" ·") if found else text.splitlines()[0][:80]
        report.warm_up_s = time.monotonic() - start
        sys.stderr.write(f"\rindex: {report.searched} after {report.warm_up_s:.0f} s, RSS {client.rss_bytes() / MB:.0f} MB ")
        if found and found[1] == found[2] and not found[3]:
            return


def _progress(report: SoakReport, done: int) -> None:
    plan, tally = report.plan, report.tally
    if len(report.rss_bytes) % 10 == 0:
        print_rows(report)
    if sys.stderr.isatty() or len(report.rss_bytes) % 10 == 0:
        rate = done / max(0.001, report.seconds - report.warm_up_s)
        bad = len(tally.errors) + len(tally.stale) + len(tally.lost)
        sys.stderr.write(
            f"\r{plan.name}: {done:,}/{plan.calls:,} calls, {rate:.0f}/s, RSS {report.rss_bytes[-1] / MB:.0f} MB, {bad} bad "
        )
        sys.stderr.flush()


def _collect(report: SoakReport, data_dir: Path, pid: int) -> None:
    """Read the levels seen and the ledger's peak from the server's stats file, waiting for one written after the last call."""
    written_after = time.time()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for snapshot in read_snapshots(data_dir):
            if snapshot["pid"] == pid and snapshot["written_at"] >= written_after:
                _look(report, snapshot)
                return
        time.sleep(0.2)
    report.tally.errors.append("the server published no statistics")


def _look(report: SoakReport, snapshot: Mapping[str, Any]) -> None:
    """Take over what the server says of itself."""
    report.levels = list(snapshot["pressure"]["seen"])
    report.ledger_peak_bytes = int(snapshot["ledger"]["peak_bytes"])
    report.rss_limit_bytes = int(snapshot["memory"]["limit_bytes"])
    report.evictions = f"{snapshot['evictions']['rounds']} rounds, {snapshot['evictions']['freed_bytes'] / MB:.0f} MB freed"


def print_rows(report: SoakReport) -> None:
    """Print the figures so far as JSON lines."""
    plan, tally = report.plan, report.tally
    slowest = ", ".join(f"{kind} {tally.seconds[kind] / tally.calls[kind] * 1000:.1f}" for kind in sorted(tally.seconds))
    rows: list[tuple[str, Any, str, Any]] = [
        ("files", report.files, "", plan.workspace.files),
        ("workspace", round(report.file_bytes / MB), "MB", plan.workspace.total_mb + plan.workspace.bulk_mb),
        ("RLIMIT_DATA", plan.data_mb, "MB", None),
        ("index_build", round(report.warm_up_s, 1), f"s until a search said {report.searched}", None),
        ("calls", tally.calls.total(), "", plan.calls),
        ("mix_of_steps", report.mix, "", None),
        ("calls_by_kind", ", ".join(f"{kind} {count:,}" for kind, count in sorted(tally.calls.items())), "", None),
        ("seconds", round(report.seconds, 1), "s", None),
        ("ms_per_call", slowest, "ms", None),
        ("errors", len(tally.errors), "", 0),
        ("typed_refusals", " ".join(f"{code}:{count}" for code, count in sorted(tally.refusals.items())) or 0, "", None),
        ("stale", len(tally.stale), "", 0),
        ("edits", tally.edits, "", None),
        ("edits_searched_for", tally.calls["edit_then_search"], "", None),
        ("edits_found_by_the_next_search", tally.found_edits, "", None),
        (
            "edits_not_found_but_the_answer_said_so",
            ", ".join(f"{label}: {count}" for label, count in sorted(tally.labelled_edits.items())) or 0,
            "",
            None,
        ),
        ("lost", len(tally.lost), "", 0),
        ("restored", tally.restored, "", None),
        ("rss_max", round(max(report.rss_bytes, default=0) / MB, 1), "MB", round(report.rss_limit_bytes / MB * 1.1, 1)),
        ("rss_slope_last_half", round(report.slope_mb, 3), "MB per 1,000 calls", MAX_SLOPE_MB),
        ("rss_by_tenth", " ".join(f"{value / MB:.0f}" for value in report.rss_bytes[::10]), "MB", None),
        ("ledger_peak", round(report.ledger_peak_bytes / MB, 1), "MB", plan.ledger_mb),
        ("levels_seen", " ".join(report.levels), "", None),
        ("evictions", report.evictions, "", None),
    ]
    for metric, value, unit, reference in rows:
        line = {"soak": plan.name, "metric": f"{plan.name}.{metric}", "value": value, "unit": unit, "reference": reference}
        sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def print_report(report: SoakReport) -> None:
    """Print all figures, and what failed."""
    print_rows(report)
    for failure in report.failures():
        sys.stdout.write(json.dumps({"soak": report.plan.name, "failed": failure}) + "\n")
    sys.stdout.flush()


def parse_plans(arguments: list[str]) -> tuple[list[SoakPlan], Path | None]:
    """Return the runs asked for and the folder to keep the workspace in."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", choices=[plan.name for plan in PLANS], action="append")
    parser.add_argument("--max-s", type=float, default=SoakPlan.max_s, help="seconds after which the calls end")
    parser.add_argument("--calls", type=int)
    parser.add_argument("--files", type=int, default=1500)
    parser.add_argument("--total-mb", type=int, default=30)
    parser.add_argument("--bulk-mb", type=int, default=0)
    parser.add_argument("--burst-every", type=int, default=60)
    parser.add_argument("--ledger-mb", type=int, default=32)
    parser.add_argument("--data-mb", type=int, default=1024)
    parser.add_argument("--any-levels", action="store_true", help="do not ask for every level to be seen")
    parser.add_argument("--scratch", type=Path, help="keep the workspace here and use it again")
    options = parser.parse_args(arguments)
    if options.calls is None:
        chosen = [plan for plan in PLANS if plan.name in (options.plan or [each.name for each in PLANS])]
        return [replace(plan, max_s=options.max_s) for plan in chosen], options.scratch
    workspace = WorkspacePlan(options.files, options.total_mb, bulk_mb=options.bulk_mb)
    plan = SoakPlan("chosen", options.calls, workspace, options.ledger_mb, options.data_mb, options.burst_every)
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
