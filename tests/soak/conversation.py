"""A working day on a public project, replayed: what a second server still knows after the first was killed, ended or left."""

import json
import sys
import tempfile
from pathlib import Path

from tests.soak._conversation import ENDINGS, RESUME_TOKENS, WANTED, Outcome, converse


def report(metric: str, value: float, unit: str, reference: float | str = "") -> None:
    sys.stdout.write(
        json.dumps({"soak": "conversation", "metric": metric, "value": value, "unit": unit, "reference": reference}) + "\n"
    )
    sys.stdout.flush()


def is_good(found: Outcome) -> bool:
    is_found = found.passages + found.facts >= 0.9 * 2 * WANTED and found.restored == found.handles >= 10
    return is_found and found.calls >= 100 and found.is_summary_whole and found.resume_tokens <= RESUME_TOKENS


def main() -> int:
    """Play the day once for each ending; 1 if anything is lost."""
    failed = False
    for ending in ENDINGS:
        with tempfile.TemporaryDirectory() as folder:
            found = converse(Path(folder), ending)
        failed |= not is_good(found)
        report(f"{ending}: tool calls", found.calls, "calls", ">= 100")
        report(f"{ending}: server gone after", round(found.exit_s, 2), "s")
        report(f"{ending}: resume", found.resume_tokens, "tokens", f"<= {RESUME_TOKENS}")
        report(f"{ending}: handles restored byte-exact", found.restored, "handles", f"of {found.handles}")
        report(f"{ending}: passages in the top 5", found.passages, "passages", f"of {WANTED}")
        report(f"{ending}: facts in the top 5", found.facts, "facts", f"of {WANTED}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
