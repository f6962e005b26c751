"""What default answers keep of the test runs of named public projects, and whether every failure survives.

Each suite runs as published and with a line of its project broken (`_suites.py`). A failure counts as kept when the name of
the test, its assertion and its place are all in the answer. `-v` says on stderr what is missing.
"""

import json
import re
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from penstock.cache.tokens import O200kCounter
from penstock.tools.filters.engine import compress_text
from penstock.tools.filters.filter import Focus

from . import _suites
from ._suites import Output

BUDGET = 2500
LIMIT = 0.12
SIZED_TOKENS = 2000
"""The share of tokens is a promise for runs above this; shorter ones may keep some 400 tokens of what explains the failures."""

Failure = tuple[str, ...]
"""Texts of one failed test that an answer must have."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One run, measured."""

    output: Output
    raw: int
    kept: int
    failures: int
    failures_named: int
    failures_kept: int
    left_out: int
    reasons: int
    """Classes of assertion: the same words but for numbers and quoted values."""
    reasons_kept: int

    @property
    def ratio(self) -> float:
        return self.kept / self.raw


def failures_of(output: Output) -> list[Failure]:
    """Return what the run says of each failed test; read apart from the filters, by other means."""
    return {"pip": _pytest, "go": _go, "cargo": _cargo, "npm": _tap}[output.client](output.text)


def _pytest(text: str) -> list[Failure]:
    blocks = re.split(r"^_+ (?!_ )(.+?) _+\n", text.split("short test summary info")[0], flags=re.MULTILINE)
    found: list[Failure] = []
    for name, body in zip(blocks[1::2], blocks[2::2], strict=True):
        evidence = re.findall(r"^E .*$", body, re.MULTILINE)[:1]
        place = re.findall(r"^[^\s:]+:\d+: \w+$", body, re.MULTILINE)[-1:]
        bare = re.sub(r"^.*[. ](?=\w+(?:\[|$))", "", name)
        found.append((bare, *evidence, *place))
    return found


def _go(text: str) -> list[Failure]:
    lines = text.splitlines()
    heads = [number for number, line in enumerate(lines) if re.match(r"\s*--- FAIL: ", line)]
    found: list[Failure] = []
    for number in heads:
        near = [line for line in lines[max(0, number - 30) : number + 30] if re.match(r"\s+\S+\.go:\d+: ", line)]
        found.append((lines[number], *near[:1]))
    return found


def _cargo(text: str) -> list[Failure]:
    blocks = re.split(r"^---- (\S+) stdout ----\n", text, flags=re.MULTILINE)
    found: list[Failure] = []
    for name, body in zip(blocks[1::2], blocks[2::2], strict=True):
        facts = re.findall(r"^thread '.*panicked at .*$|^assertion .*$|^ +(?:left|right): .*$", body, re.MULTILINE)
        found.append((name, *facts[:4]))
    return found


def _tap(text: str) -> list[Failure]:
    blocks = re.split(r"^(not ok \d+ .*)\n", text, flags=re.MULTILINE)
    found: list[Failure] = []
    for name, body in zip(blocks[1::2], blocks[2::2], strict=True):
        facts = re.findall(r"^ +(?:expected|actual|at): .*$", body.split("\n  ...\n")[0], re.MULTILINE)
        found.append((name, *facts))
    return found


def measure(output: Output, counter: O200kCounter) -> Measure:
    """Compress one run as a default answer would, and look for its failures."""
    result = compress_text(
        output.text, Focus(BUDGET, exit_code=output.exit_code, is_default=True), lambda text: counter.count(text).tokens
    )
    failures = failures_of(output)
    named = [failure for failure in failures if failure[0] in result.text]
    kept = [failure for failure in failures if all(fact in result.text for fact in failure)]
    for failure in failures:
        missing = [fact for fact in failure if fact not in result.text]
        if missing and not result.left_out:
            note(f"    lost: {missing}")
    reasons: dict[str, bool] = {}
    for failure in failures:
        for fact in failure[1:2]:
            reason = re.sub(r"\d+|'[^']*'", "", fact)
            reasons[reason] = reasons.get(reason, False) or fact in result.text
    raw, shown = (counter.count(text).tokens for text in (output.text, result.text))
    return Measure(
        output,
        raw,
        shown,
        len(failures),
        len(named),
        len(kept),
        sum(result.left_out.values()),
        len(reasons),
        sum(reasons.values()),
    )


def report(metric: str, value: float, unit: str, reference: float | None = None) -> None:
    line = {"bench": "suites", "metric": metric, "value": round(value, 4), "unit": unit, "reference": reference}
    sys.stdout.write(json.dumps({**line, "ratio": reference and round(value / reference, 3)}) + "\n")
    sys.stdout.flush()


def report_runs(measures: Sequence[Measure]) -> bool:
    """Report each run and the medians; whether the limit holds and no failure is lost without a word."""
    for one in measures:
        whole = f"{one.failures_kept} with assertion and place"
        planted = f", {one.failures_named} of {one.failures} failures named, {whole}" if one.failures else ""
        classes = f", {one.reasons_kept} of {one.reasons} classes of assertion shown"
        said = f", {one.left_out} lines said to be left out{classes}" if one.left_out else ""
        report(f"{one.output.name}: {one.raw:,} -> {one.kept:,} tokens{planted}{said}", one.ratio, "ratio")
    lost = sum(one.failures - one.failures_kept for one in measures if not one.left_out)
    sized = [one for one in measures if one.raw > SIZED_TOKENS]
    failing = [one for one in sized if one.failures]
    median = statistics.median(one.ratio for one in sized)
    report(f"median share kept, {len(sized)} runs over {SIZED_TOKENS:,} tokens", median, "ratio", LIMIT)
    if failing:
        report(f"of these with failures, {len(failing)} runs", statistics.median(one.ratio for one in failing), "ratio", LIMIT)
    small = [one for one in measures if one.raw <= SIZED_TOKENS]
    if small:
        report(f"shorter runs, {len(small)}: median tokens kept", statistics.median(one.kept for one in small), "tokens")
    report("largest share of any run", max(one.ratio for one in measures), "ratio", 1.0)
    report("failures of all runs", sum(one.failures for one in measures), "failures")
    report("of these named", sum(one.failures_named for one in measures), "failures")
    report("without assertion or place, where the budget could not hold them and the answer says so", _said(measures), "failures")
    report("failures lost without a word", lost, "failures")
    most = [one for one in measures if one.failures and one.left_out]
    if most:
        share = sum(one.reasons_kept for one in most) / sum(one.reasons for one in most)
        report(f"classes of assertion shown in {len(most)} runs with more failures than the budget holds", share, "ratio")
    return median <= LIMIT and lost == 0 and all(one.ratio <= 1 for one in measures)


def _said(measures: Sequence[Measure]) -> int:
    return sum(one.failures - one.failures_kept for one in measures if one.left_out)


def note(line: str) -> None:
    """Say more with `-v`."""
    if "-v" in sys.argv:
        sys.stderr.write(f"{line}\n")


def main() -> int:
    """Run the suites and report; 0 also where none could be run, with the reasons on stderr."""
    counter = O200kCounter(lambda: resources.files("penstock.configs").joinpath("vocab/o200k_base.bin.gz").read_bytes())
    passed_over: list[str] = []
    measures = [measure(output, counter) for output in _suites.outputs(passed_over)]
    for line in passed_over:
        sys.stderr.write(f"passed over: {line}\n")
    report("suites passed over", len(passed_over), "suites")
    return int(bool(measures) and not report_runs(measures))


if __name__ == "__main__":
    sys.exit(main())
