"""Nothing outside is ever opened, under races too (promise 6)."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "soak" / "race.py"


def test_no_open_escapes_a_process_that_swaps_folders_for_links() -> None:
    """100,000 opens, half by each strategy; the control, realpath and then open, must leak in the same race."""
    run = subprocess.run([sys.executable, str(SCRIPT), "--opens", "50000"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    control, *jailed = [json.loads(line) for line in run.stdout.splitlines()]
    assert control["escapes"] > 0
    assert jailed
    assert all(outcome["opens"] == 50_000 and outcome["escapes"] == 0 for outcome in jailed)
