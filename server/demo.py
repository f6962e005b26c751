"""`penstock demo`: the main job on a real folder, through a real stdio client, under a small memory budget.

Nothing is faked: the server runs as a subprocess as an assistant would start it, the official SDK's client speaks to it, and
every promise is checked against the disk. A broken promise ends the demo with exit code 1.
"""

import json
import random
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio

from .vocabulary import vocabulary

if TYPE_CHECKING:
    from mcp import Client
    from rich.progress import Progress, TaskID

MAX_FILES: Final = 300
LEDGER_SHARE: Final = 0.4
"""The memory budget, as a share of the text that the demo reads: too little on purpose, so that pressure is seen."""
MB: Final = 1 << 20
WALKED_BYTES: Final = 400
"""Room in the budget for each file of the folder: the server has to know them all, the demo reads some."""
INDEXED_BYTES: Final = MB
"""Files up to this size are read for the index, whole."""
INDEXED_SHARE: Final = 2
READ_SHARE: Final = 8
"""Room for the largest file, as read for the index, and as shown, in bytes, text and lines: one that takes most of the budget is
an emergency by itself."""


@dataclass
class ToolRow:
    """What one tool was asked and what it cost."""

    calls: int = 0
    raw_tokens: int = 0
    sent_tokens: int = 0
    times_ms: list[float] = field(default_factory=list[float])


@dataclass
class DemoResult:
    """Everything the demo saw."""

    folder: str
    files: int = 0
    text_mb: float = 0.0
    ledger_mb: int = 0
    tools: dict[str, ToolRow] = field(default_factory=dict[str, ToolRow])
    levels: list[str] = field(default_factory=list[str])
    evictions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    left: int = 0
    came_back: int = 0
    came_back_bytes: int = 0
    ledger_peak_mb: float = 0.0
    net_tokens: int = 0
    broken: list[str] = field(default_factory=list[str])

    def promise(self, holds: bool, what: str) -> None:
        """Note a promise that does not hold."""
        if not holds:
            self.broken.append(what)


def run_demo(folder: Path, *, as_json: bool) -> int:
    """Run the demo on `folder`; 0 if every promise held."""
    root = folder.resolve()
    result = anyio.run(_demo, root, not as_json)
    if as_json:
        sys.stdout.write(json.dumps(_plain(result), indent=2) + "\n")
    else:
        from .demo_table import show

        show(result)
    return 1 if result.broken else 0


def _plain(result: DemoResult) -> dict[str, Any]:
    tools = {
        name: {"calls": row.calls, "raw_tokens": row.raw_tokens, "sent_tokens": row.sent_tokens, "p50_ms": median(row.times_ms)}
        for name, row in result.tools.items()
    }
    return {**{key: value for key, value in vars(result).items() if key != "tools"}, "tools": tools, "ok": not result.broken}


def median(values: list[float]) -> float:
    """Return the median, rounded to 0.1; 0 of nothing."""
    ordered = sorted(values)
    return round(ordered[len(ordered) // 2], 1) if ordered else 0.0


class Driver:
    """Calls tools and keeps the account."""

    def __init__(self, client: "Client", result: DemoResult, step: "Stepper") -> None:
        self._client = client
        self._result = result
        self._step = step
        self._counter = vocabulary()

    async def call(self, tool: str, **arguments: Any) -> tuple[str, list[dict[str, Any]], dict[str, Any]]:
        """Call a tool; return its text, its parts and the rest of `_meta`."""
        start = time.perf_counter()
        answer = await self._client.call_tool(tool, arguments)
        row = self._result.tools.setdefault(tool, ToolRow())
        row.calls += 1
        row.times_ms.append((time.perf_counter() - start) * 1000)
        text = answer.content[0].text  # pyright: ignore[reportAttributeAccessIssue] -- our tools answer one text block
        meta: dict[str, Any] = dict(answer.meta or {})
        parts: list[dict[str, Any]] = meta.get("penstock/parts", [])
        sent = self._counter.count(text).tokens
        row.sent_tokens += sent
        saved = sum(part["raw_tokens"] - part["tokens"] for part in parts if part["lossy"] or part["view"] == "unchanged")
        row.raw_tokens += sent + saved
        if answer.is_error:
            self._result.promise(False, f"{tool} {arguments}: {text}")
        self._step(f"{tool} {next(iter(arguments.values()), '')}")
        return text, parts, meta


class Stepper:
    """Moves the progress bar."""

    def __init__(self, progress: "Progress | None", task: "TaskID | None") -> None:
        self._progress = progress
        self._task = task

    def __call__(self, what: str) -> None:
        """One more call is done."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, advance=1, description=what[:60])


@contextmanager
def stepper(total: int, *, is_shown: bool) -> "Generator[Stepper]":
    """Show progress on stderr, or not."""
    if not is_shown:
        yield Stepper(None, None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Stepper(progress, progress.add_task("starting", total=total))


def choose_files(root: Path) -> tuple[list[str], int]:
    """Return up to `MAX_FILES` text files of the workspace, spread over all of it, and the bytes that a budget needs for all."""
    from ..cache.deadline import UNBOUNDED, Deadline
    from ..cache.ledger import Ledger
    from ..cache.workspace.files import Workspace
    from ..cache.workspace.text import is_binary

    workspace = Workspace([root], ledger=Ledger(64 * MB))
    walked = workspace.walk("", deadline=Deadline(UNBOUNDED))
    names = [file.rel for file in walked.files if 0 < file.stat.size <= 400_000 and file.rel.isprintable()]
    texts: list[str] = []
    for name in names:
        with open(root / name, "rb") as file:
            head = file.read(8192)
        if not is_binary(head) and not workspace.secrets.denies_content(name, head[:4096]):
            texts.append(name)
    step = max(1, -(-len(texts) // MAX_FILES))
    texts = texts[::step]
    indexed = max((file.stat.size for file in walked.files if file.stat.size <= INDEXED_BYTES), default=0)
    shown = max(((root / name).stat().st_size for name in texts), default=0)
    return texts, max(len(walked.files) * WALKED_BYTES, INDEXED_SHARE * indexed, READ_SHARE * shown)


async def _demo(root: Path, is_shown: bool) -> DemoResult:
    from mcp import Client, StdioServerParameters

    from .demo_job import run_job

    result = DemoResult(folder=root.name)
    files, needed = await anyio.to_thread.run_sync(choose_files, root)
    result.files = len(files)
    if not files:
        result.promise(False, f"{root} holds no text files")
        return result
    result.text_mb = sum((root / name).stat().st_size for name in files) / MB
    result.ledger_mb = max(1, round(result.text_mb * LEDGER_SHARE), -(-needed // MB))
    with (
        tempfile.TemporaryDirectory(prefix="penstock-demo-") as scratch,
        stepper(3 * len(files) + 20, is_shown=is_shown) as step,
    ):
        server = StdioServerParameters(
            command=sys.executable,
            args=[
                "-P",  # nothing of the folder is imported, whatever its modules are called
                "-m",
                "penstock.server",
                "serve",
                "--root",
                str(root),
                "--data-dir",
                scratch,
                "--ledger-mb",
                str(result.ledger_mb),
            ],
        )
        async with Client(server) as client:
            await run_job(Driver(client, result, step), client, root, files, result, random.Random(7))
    return result
