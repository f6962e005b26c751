"""`make soak`: run every long test in turn; what each prints as JSON lines is written to `RESULTS.md` beside this file."""

import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
NOT_RUNS = {"__main__", "pipe", "workspace"}


def main() -> int:
    """Run the scripts named on the command line, or all; 1 if any failed."""
    known = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_RUNS and not path.stem.startswith("_"))
    wanted = sys.argv[1:] or known
    sections: list[str] = []
    failed = False
    for name in wanted:
        if name not in known:
            sys.stderr.write(f"no soak {name!r}; there are: {', '.join(known)}\n")
            return 2
        sys.stderr.write(f"# {name}\n")
        start = time.monotonic()
        run = subprocess.run([sys.executable, "-m", f"tests.soak.{name}"], stdout=subprocess.PIPE, text=True, check=False)
        sys.stdout.write(run.stdout)
        failed |= run.returncode != 0
        sections.append(_section(name, run.stdout, run.returncode, time.monotonic() - start))
    if not sys.argv[1:] or not failed:
        _write(sections, wanted)
    return int(failed)


def _section(name: str, output: str, code: int, seconds: float) -> str:
    rows: list[str] = []
    for line in output.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and "metric" in row:
            rows.append(f"| {row['metric']} | {row.get('value')} | {row.get('unit', '')} | {row.get('reference') or ''} |")
    verdict = "passed" if code == 0 else f"FAILED (exit {code})"
    table = "\n".join(["| metric | value | unit | reference |", "|---|---|---|---|", *rows])
    return f"## {name}\n\n{verdict} in {seconds:,.0f} s\n\n{table}\n"


def _write(sections: list[str], wanted: list[str]) -> None:
    """Replace the sections of what was run; keep the others."""
    path = HERE / "RESULTS.md"
    kept = {}
    if path.exists():
        for block in path.read_text().split("\n## ")[1:]:
            kept[block.split("\n", 1)[0]] = f"## {block.rstrip()}\n"
    stamp = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores"
    for name, section in zip(wanted, sections, strict=True):
        kept[name] = section.replace(" s\n", f" s ({stamp})\n", 1)
    body = "\n".join(kept[name] for name in sorted(kept))
    path.write_text(f"# Soak results\n\nWritten by `make soak`; each section says when it was run.\n\n{body}")


if __name__ == "__main__":
    sys.exit(main())
