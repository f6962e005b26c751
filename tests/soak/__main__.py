"""`make soak`: run every long test in turn; what each prints as JSON lines is written to `RESULTS.md` beside this file.

A section is written when its run ends, passed or failed, and once a minute before that; one that a run never finished says so.
"""

import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NOT_RUNS = {"__main__", "pipe", "workspace"}
REFRESH_S = 60.0


class Section:
    """One run's part of `RESULTS.md`: the last value of every metric, and what failed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._start = time.monotonic()
        self._rows: dict[str, dict[str, Any]] = {}
        self._failures: list[str] = []

    def take(self, line: str) -> None:
        """Take note of a line of output, if it is one of ours."""
        try:
            row = json.loads(line)
        except ValueError:
            return
        if isinstance(row, dict) and "metric" in row:
            self._rows[row["metric"]] = row
        elif isinstance(row, dict) and "failed" in row:
            self._failures.append(str(row["failed"]))

    def text(self, code: int | None) -> str:
        """Return the section as it stands; without an exit code it is that of a run under way."""
        seconds = time.monotonic() - self._start
        verdict = {None: "PARTIAL: still running, or ended from outside, after", 0: "passed in"}.get(
            code, f"FAILED (exit {code}) in"
        )
        stamp = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores"
        rows = [
            f"| {row['metric']} | {row.get('value')} | {row.get('unit', '')} | {_shown(row.get('reference'))} |"
            for row in self._rows.values()
        ]
        table = "\n".join(["| metric | value | unit | reference |", "|---|---|---|---|", *rows])
        failures = "".join(f"\n- failed: {failure}" for failure in self._failures)
        return f"## {self.name}\n\n{verdict} {seconds:,.0f} s ({stamp})\n\n{table}\n{failures and failures + chr(10)}"


def main() -> int:
    """Run the scripts named on the command line, or all; 1 if any failed."""
    known = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_RUNS and not path.stem.startswith("_"))
    wanted = sys.argv[1:] or known
    unknown = [name for name in wanted if name not in known]
    if unknown:
        sys.stderr.write(f"no soak {', '.join(unknown)}; there are: {', '.join(known)}\n")
        return 2
    return int(any([run(name) != 0 for name in wanted]))  # noqa: C419 -- all of them are run, whatever the first says


def run(name: str) -> int:
    """Run one script, pass its output on, and keep its section; return its exit code."""
    sys.stderr.write(f"# {name}\n")
    section, written_s = Section(name), time.monotonic()
    command = [sys.executable, "-m", f"tests.soak.{name}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            section.take(line)
            if time.monotonic() - written_s >= REFRESH_S:
                written_s = time.monotonic()
                write(name, section.text(None))
    write(name, section.text(process.returncode))
    return process.returncode


def write(name: str, section: str, path: Path = HERE / "RESULTS.md") -> None:
    """Replace one section of the results; keep the others."""
    kept: dict[str, str] = {}
    if path.exists():
        for block in path.read_text().split("\n## ")[1:]:
            kept[block.split("\n", 1)[0]] = f"## {block.rstrip()}\n"
    kept[name] = section
    body = "\n".join(kept[each] for each in sorted(kept))
    path.write_text(f"# Soak results\n\nWritten by `make soak`; each section says when it was run.\n\n{body}")


def _shown(reference: object) -> str:
    return "" if reference is None else str(reference)


if __name__ == "__main__":
    sys.exit(main())
