"""Real outputs of real tools: what is kept is theirs, what failed is kept, and the result is the one committed.

`PENSTOCK_GOLDEN=write` rewrites the committed results (`*.out`, at a budget of 500 tokens): for changes that mean to.
"""

import json
import os
import re
from pathlib import Path
from typing import Any, Final

import pytest

from penstock.tools.filters.engine import compress_text
from penstock.tools.filters.filter import Filtered, Focus
from penstock.tools.filters.planner import FLOOR_TOKENS
from tests.tools.filters.conftest import Count, check_whole

FOLDER: Final = Path(__file__).parents[2] / "fixtures" / "filters"
EXPECTED: Final[dict[str, dict[str, Any]]] = json.loads((FOLDER / "expected.json").read_text("utf-8"))
GOLDEN_BUDGET: Final = 500
BUDGETS: Final = (200, GOLDEN_BUDGET, 2000)
_GAP: Final = re.compile(r"… ([\d,]+) lines? \((\d+)-(\d+)\) …")


def output(name: str) -> str:
    return (FOLDER / f"{name}.txt").read_bytes().decode()


def filtered(name: str, count: Count, budget: int | None) -> Filtered:
    focus = Focus(budget or 2500, exit_code=EXPECTED[name]["exit"], is_default=budget is None)
    return compress_text(output(name), focus, count)


def check_text(result: Filtered, text: str) -> None:
    """Read the rendered result as its reader does: kept lines in order, gaps that add up."""
    lines = result.document.lines
    shown = text.removesuffix("\n").split("\n") if result.document.text.endswith("\n") else text.split("\n")
    at = 0
    for line in shown[len(result.derived) if result.is_lossy else 0 :]:
        gap = _GAP.fullmatch(line)
        if gap and result.is_lossy:
            first, last = int(gap[2]), int(gap[3])
            assert first == at + 1
            assert int(gap[1].replace(",", "")) == last - first + 1
            at = last
        elif "…[+" in line and result.is_lossy:
            at += 1
        else:
            assert line == lines[at]
            at += 1
    assert at == len(lines)


def test_there_are_outputs_of_every_family_group() -> None:
    assert len(EXPECTED) >= 120
    assert all((FOLDER / name.split("/")[0] / "how.txt").is_file() for name in EXPECTED)
    assert sum(path.stat().st_size for path in FOLDER.rglob("*")) < 2_500_000


@pytest.mark.parametrize("name", EXPECTED)
def test_kept_lines_are_the_original_s_and_gaps_add_up(name: str, count: Count) -> None:
    original = output(name)
    for budget in (None, *BUDGETS):
        result = filtered(name, count, budget)
        check_whole(result)
        check_text(result, result.text)
        assert result.kind == EXPECTED[name]["kind"]
        assert len(result.text) <= len(original)
        assert count(result.text) <= max(budget or 2500, FLOOR_TOKENS)
        assert result.is_lossy or result.text == original


@pytest.mark.parametrize("name", [name for name, entry in EXPECTED.items() if entry["must"]])
def test_planted_failures_survive(name: str, count: Count) -> None:
    """Where they do not fit, the result says that failures or errors are missing."""
    for budget in (None, *BUDGETS):
        result = filtered(name, count, budget)
        missing = [text for text in EXPECTED[name]["must"] if text not in result.text]
        assert not missing or (result.left_out and budget in (200, GOLDEN_BUDGET)), (budget, missing)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_result_is_the_committed_one(name: str, count: Count) -> None:
    result = filtered(name, count, GOLDEN_BUDGET)
    golden = FOLDER / f"{name}.out"
    if os.environ.get("PENSTOCK_GOLDEN") == "write":
        golden.unlink(missing_ok=True)
        if result.is_lossy:
            golden.write_bytes(result.text.encode())
    assert result.text == (golden.read_bytes().decode() if result.is_lossy else output(name))
    assert golden.exists() == result.is_lossy
