"""Outputs whose lines have something before them: a time, a service's name."""

import re
from collections.abc import Callable

import pytest

from penstock.tools.filters.engine import compress_text, kind_of
from penstock.tools.filters.filter import Document, Focus
from penstock.tools.filters.leads import lead_of
from tests.tools.filters.conftest import Count, check_whole

PASSED = [f"--- PASS: TestOk{i} (0.00s)" for i in range(120)]
GO_TEST = [
    *PASSED[:60],
    "--- FAIL: TestSum (0.00s)",
    "    sum_test.go:9: got 3, want 4",
    *PASSED[60:],
    "FAIL",
    "FAIL\tshop/sum\t0.02s",
]
LEADS: dict[str, Callable[[int, str], str]] = {
    "time": lambda i, line: f"2026-05-01T12:00:{i % 60:02}.1234567Z {line}",
    "clock": lambda i, line: f"[12:00:{i % 60:02}] {line}",
    "service": lambda i, line: f"api-1  | {line}",
    "package": lambda i, line: f"@shop/api:test: {line}",
    "crlf": lambda i, line: f"{line}\r",
    "colours": lambda i, line: f"\x1b[3{i % 8}m{line}\x1b[0m",
    "overwritten": lambda i, line: f"\r{i}% done\r{line}",
    "byte order mark": lambda i, line: "\ufeff" * (i == 0) + line,
}


@pytest.mark.parametrize("name", LEADS)
def test_failures_are_known_behind_what_stands_before_every_line(name: str, count: Count) -> None:
    text = "\n".join(LEADS[name](i, line) for i, line in enumerate(GO_TEST)) + "\n"
    result = compress_text(text, Focus(300, exit_code=1, is_default=True), count)
    check_whole(result)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", result.text)
    assert result.kind == "go test"
    assert all(line in shown for line in ("--- FAIL: TestSum", "    sum_test.go:9: got 3, want 4", "FAIL\tshop/sum"))
    assert "TestOk7 " not in shown


@pytest.mark.parametrize(
    "lines",
    [
        [f"2026-05-01 12:00:{i % 60:02} INFO request {i} served in {i} ms" for i in range(50)],
        [f'2026-05-01T12:00:00Z {{"level": "info", "msg": "request {i}"}}' for i in range(50)],
    ],
)
def test_a_log_keeps_its_times(lines: list[str]) -> None:
    assert kind_of(Document("\n".join(lines))) == "log"


def test_lines_of_which_some_have_none_have_no_lead() -> None:
    assert lead_of(Document("\n".join(["[12:00:01] a"] * 20 + ["b", "c"] * 4))) is None
    assert lead_of(Document("a | b\n")) is None
    assert lead_of(Document("")) is None


def test_a_test_run_in_the_middle_of_a_long_log_keeps_its_failures(count: Count) -> None:
    around = [f"step {i} of the pipeline took {i * 7 % 100} ms" for i in range(1500)]
    result = compress_text("\n".join([*around, *GO_TEST, *around]), Focus(400, exit_code=1), count)
    assert "--- FAIL: TestSum (0.00s)\n    sum_test.go:9: got 3, want 4" in result.text
