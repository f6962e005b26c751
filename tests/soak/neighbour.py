"""A hostile neighbour takes memory inside the server's process while it works, so that RSS and not the ledger drives p.

Three phases: the neighbour grows until the level is CRITICAL, holds, lets go; then it wavers around the MEDIUM mark; then
it is gone. Checked: levels rise in order and fall to NORMAL, at most six changes in any minute, every action on its level's
rungs, every call answered. Prints JSON lines; exit code 1 if one of these fails.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.cache.pressure.homeostasis import LADDER, Action
from penstock.cache.pressure.levels import HOLD_S, MAX_CHANGES, WINDOW_S, PressureLevel
from penstock.server.stats import read_snapshots
from tests.pipe import PipeClient
from tests.soak._workload import Workload
from tests.soak.workspace import WorkspacePlan, build_workspace

LAUNCH = (sys.executable, str(Path(__file__).with_name("_launch.py")))
GROWTH_MB = 320
"""RSS the server allows itself above its baseline here: small, so that the neighbour need not take much."""
STEP_MB = 8
PHASE_S = 60.0
FALL_S = WINDOW_S + 4 * HOLD_S + 10.0
"""A fall from CRITICAL takes four holds, and up to a window more where it would else be one change too many in a minute."""


@dataclass
class Observation:
    """What was seen of the server, merged over its snapshots."""

    changes: dict[float, str] = field(default_factory=dict[float, str])
    """Level by the time it was entered, seconds since the epoch, rounded to 0.1 s."""
    rounds: dict[float, dict[str, Any]] = field(default_factory=dict[float, dict[str, Any]])
    level: str = "NORMAL"
    p: float = 0.0
    p_max: float = 0.0
    ledger_ratio_max: float = 0.0
    total_changes: int = 0

    def take(self, snapshot: dict[str, Any]) -> None:
        """Merge one snapshot."""
        at, pressure, ledger = snapshot["written_at"], snapshot["pressure"], snapshot["ledger"]
        self.level, self.p, self.total_changes = pressure["level"], pressure["p"], pressure["changes"]
        self.p_max = max(self.p_max, self.p)
        self.ledger_ratio_max = max(self.ledger_ratio_max, ledger["used_bytes"] / ledger["budget_bytes"])
        for change in pressure["history"]:
            _merge(self.changes, at - change["ago_s"], change["level"])
        for each in snapshot["evictions"]["last"]:
            _merge(self.rounds, at - each["ago_s"], {name: value for name, value in each.items() if name != "ago_s"})

    def worst_minute(self) -> int:
        """Return the largest number of changes in any minute."""
        return max((sum(first <= at < first + WINDOW_S for at in self.changes) for first in self.changes), default=0)

    def actions(self) -> str:
        """Return how often each level was answered by which action."""
        counts = Counter(f"{each['level']}:{each['action']}" for each in self.rounds.values())
        return " ".join(f"{name}×{count}" for name, count in sorted(counts.items()))

    def strange_actions(self) -> list[str]:
        """Return the rounds whose action is not on the rungs of their level."""
        found: list[str] = []
        for each in self.rounds.values():
            rungs = LADDER[PressureLevel[each["level"]]]
            if not rungs.floor <= Action[each["action"]] <= rungs.ceiling:
                found.append(f"{each['level']}: {each['action']}")
        return found


def _merge(seen: dict[float, Any], at: float, what: Any) -> None:
    """Add an event unless it was already seen: times differ by rounding between snapshots."""
    if not any(abs(at - other) < 0.35 and seen[other] == what for other in seen):
        seen[round(at, 1)] = what


class Neighbour:
    """The ballast, and a look at the server every half second."""

    def __init__(self, control: Path, data_dir: Path, pid: int) -> None:
        self._control = control
        self._data_dir = data_dir
        self._pid = pid
        self.megabytes = 0
        self.observation = Observation()

    def hold(self, megabytes: int) -> None:
        """Have the ballast become so large."""
        self.megabytes = megabytes
        draft = self._control.with_suffix(".new")
        draft.write_text(str(megabytes))
        draft.replace(self._control)

    def watch(self, seconds: float, until: Callable[[Observation], bool] = lambda _: False) -> bool:
        """Look for so long or until something is seen; return whether it was."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for snapshot in read_snapshots(self._data_dir):
                if snapshot["pid"] == self._pid:
                    self.observation.take(snapshot)
            if until(self.observation):
                return True
            time.sleep(0.5)
        return False

    def grow_until_critical(self, seconds: float) -> bool:
        """Take more and more until the server says CRITICAL."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.megabytes < 4 * GROWTH_MB:
            self.hold(self.megabytes + STEP_MB)
            if self.watch(1.0, lambda seen: seen.level == "CRITICAL"):
                return True
        return False

    def waver(self, seconds: float) -> None:
        """Go to and fro around the MEDIUM mark."""
        end = time.monotonic() + seconds
        own = self.observation.p - self.megabytes / GROWTH_MB
        while time.monotonic() < end:
            for ratio in (0.65, 0.88, 0.72, 0.82):
                self.hold(max(0, int((ratio - own) * GROWTH_MB)))
                self.watch(1.5)


def work_until(stop: threading.Event, work: Workload) -> None:
    """Make calls until told to stop, about twenty a second."""
    while not stop.wait(0.05):
        work.step()


def run(seconds: float, scratch: Path) -> tuple[Observation, Workload, list[str]]:
    """Run the phases against a real server; return what was seen and what failed."""
    corpus = build_workspace(scratch / "workspace", WorkspacePlan(2000, 20))
    control, data_dir = scratch / "ballast", scratch / "data"
    control.write_text("0")
    env = {"PENSTOCK_MEMORY_RSS_MB": str(GROWTH_MB), "PENSTOCK_MEMORY_LEDGER_MB": "64"}
    failures: list[str] = []
    with PipeClient(corpus.root, data_dir, command=(*LAUNCH, "--ballast", str(control)), env=env) as client:
        work, stop = Workload(client, corpus), threading.Event()
        work.search()  # the index is built before the neighbour comes
        for _ in range(60):
            work.step()
        neighbour = Neighbour(control, data_dir, client.process.pid)
        thread = threading.Thread(target=work_until, args=(stop, work))
        thread.start()
        try:
            if not neighbour.grow_until_critical(seconds):
                failures.append(f"CRITICAL was not reached, p {neighbour.observation.p}")
            neighbour.watch(10)
            neighbour.hold(0)
            if not neighbour.watch(FALL_S, lambda seen: seen.level == "NORMAL"):
                failures.append(f"the level stayed {neighbour.observation.level} after the neighbour had left")
            neighbour.waver(WINDOW_S)
            neighbour.hold(0)
            if not neighbour.watch(FALL_S, lambda seen: seen.level == "NORMAL"):
                failures.append(f"the level stayed {neighbour.observation.level} after the wavering")
        finally:
            stop.set()
            thread.join(120)
        work.restore_all()
    return neighbour.observation, work, failures


def main() -> int:
    """Print the figures; 1 if a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phase-s", type=float, default=PHASE_S)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="penstock-neighbour-") as folder:
        seen, work, failures = run(options.phase_s, Path(folder))
    tally = work.tally
    if seen.worst_minute() > MAX_CHANGES:
        failures.append("the level oscillates")
    failures += [f"an action off its rungs: {each}" for each in seen.strange_actions()]
    failures += [
        f"{what}: {items[:1]}" for what, items in (("error", tally.errors), ("stale", tally.stale), ("lost", tally.lost)) if items
    ]
    rows: list[tuple[str, Any, str, Any]] = [
        ("p_max", seen.p_max, "", None),
        ("ledger_ratio_max", round(seen.ledger_ratio_max, 3), "", None),
        ("level_changes", seen.total_changes, "", None),
        ("changes_in_the_worst_minute", seen.worst_minute(), "", MAX_CHANGES),
        ("levels", " ".join(seen.changes[at] for at in sorted(seen.changes)), "", None),
        ("rounds", len(seen.rounds), "", None),
        ("actions", seen.actions(), "", None),
        ("actions_off_their_rungs", len(seen.strange_actions()), "", 0),
        ("calls", sum(tally.calls.values()), "", None),
        ("typed_refusals", sum(tally.refusals.values()), "", None),
        ("errors", len(tally.errors), "", 0),
        ("stale", len(tally.stale), "", 0),
        ("lost", len(tally.lost), "", 0),
    ]
    for metric, value, unit, reference in rows:
        sys.stdout.write(
            json.dumps({"soak": "neighbour", "metric": metric, "value": value, "unit": unit, "reference": reference}) + "\n"
        )
    for failure in failures:
        sys.stdout.write(json.dumps({"soak": "neighbour", "failed": failure}) + "\n")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
