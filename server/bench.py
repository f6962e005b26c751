"""`penstock bench`: what each view, a warm re-read, a search and the filters cost on a folder of the user's own.

Everything goes through the real tools: the server runs as a subprocess as an assistant would start it, with a data folder of
its own that is deleted afterwards, and tokens are counted over whole answers, facts line included. A large folder is
sampled, always the same files for the same folder, and the result says so.
"""

import json
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

import anyio

from ..cache.errors import InvalidArgument
from .bench_sample import Sample, choose_sample
from .demo import stepper

MAX_S: Final = 180.0
"""After this long no further call is begun; what was left out is said."""
VIEWS: Final = ("auto", "outline", "map", "compact", "dense", "focus", "reference")


@dataclass(frozen=True, slots=True)
class BenchLine:
    """One figure, in the form of `make bench`."""

    metric: str
    value: float
    unit: str
    reference: float | None = None

    @property
    def ratio(self) -> float | None:
        """Value against reference, where there is one."""
        return round(self.value / self.reference, 4) if self.reference else None

    def as_json(self) -> dict[str, Any]:
        """Return the line as `make bench` prints it."""
        return {
            "bench": "folder",
            "metric": self.metric,
            "value": round(self.value, 4),
            "unit": self.unit,
            "reference": self.reference,
            "ratio": self.ratio,
        }


@dataclass(frozen=True, slots=True)
class ViewCost:
    """One view of one file."""

    language: str
    view: str
    tokens: int
    """Of the whole answer."""
    raw_tokens: int
    """Of the file."""


@dataclass
class BenchResult:
    """Everything measured, and what a reader must know about it."""

    folder: str
    sample: Sample
    views: list[ViewCost] = field(default_factory=list[ViewCost])
    lines: list[BenchLine] = field(default_factory=list[BenchLine])
    notes: list[str] = field(default_factory=list[str])

    def add(self, metric: str, value: float, unit: str, reference: float | None = None) -> None:
        """Note a figure."""
        self.lines.append(BenchLine(metric, value, unit, reference))

    def all_lines(self) -> list[BenchLine]:
        """Return every figure; those of the views are summed up per language."""
        return [
            BenchLine("files", len(self.sample.files), "files measured", self.sample.total_files),
            *view_lines(self.views),
            *self.lines,
        ]


def view_lines(costs: list[ViewCost]) -> list[BenchLine]:
    """Pure: sum up views per language, and over all languages."""
    groups: dict[tuple[str, str], list[ViewCost]] = {}
    for cost in costs:
        for language in (cost.language, "all"):
            groups.setdefault((language, cost.view), []).append(cost)
    out: list[BenchLine] = []
    for (language, view), group in sorted(groups.items(), key=lambda pair: (pair[0][0] != "all", pair[0][0])):
        shares = [cost.tokens / cost.raw_tokens for cost in group]
        out.append(BenchLine(f"{language}_{view}_median", median(shares), "tokens, ratio to full"))
        total, raw = sum(cost.tokens for cost in group), sum(cost.raw_tokens for cost in group)
        out.append(BenchLine(f"{language}_{view}_total", total, "tokens", raw))
    return out


def run_bench(folder: Path, *, as_json: bool) -> int:
    """Measure `folder`; 0 unless a tool answered with an error.

    Raises:
        InvalidArgument: It is no folder, or holds no text.
    """
    root = folder.resolve()
    if not root.is_dir():
        raise InvalidArgument(f"{folder} is no folder", next_call="name a folder: penstock bench DIR")
    sample = choose_sample(root)
    if not sample.files:
        raise InvalidArgument(f"{folder} holds no text files to measure", next_call="name another folder: penstock bench DIR")
    result = anyio.run(_bench, root, sample)
    if as_json:
        sys.stdout.write("".join(json.dumps(line.as_json()) + "\n" for line in result.all_lines()))
        sys.stderr.write("".join(f"penstock bench: {note}\n" for note in result.notes))
    else:
        from .bench_table import show

        show(result)
    return 1 if any(note.startswith("error") for note in result.notes) else 0


async def _bench(root: Path, sample: Sample) -> BenchResult:
    from mcp import Client, StdioServerParameters

    from .bench_job import Caller, run_job

    result = BenchResult(root.name or str(root), sample)
    if len(sample.files) < sample.total_files:
        result.notes.append(f"sampled {len(sample.files):,} of {sample.total_files:,} text files, the same ones every time")
    arguments = ["-P", "-m", "penstock.server", "serve", "--root", str(root), "--data-dir"]
    with (
        tempfile.TemporaryDirectory(prefix="penstock-bench-") as scratch,
        stepper(len(sample.files) * len(VIEWS) + 40, is_shown=sys.stderr.isatty()) as step,
    ):
        async with Client(StdioServerParameters(command=sys.executable, args=[*arguments, scratch])) as client:
            await run_job(Caller(client, result, step), root, result)
    return result
