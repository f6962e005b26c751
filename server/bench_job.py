"""The measurements of `penstock bench`, call by call."""

import re
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import anyio

from .bench import MAX_S, VIEWS, BenchResult, ViewCost
from .vocabulary import vocabulary

if TYPE_CHECKING:
    from mcp import Client

MAX_BUILD_S: Final = 120.0
MAX_OUTPUT: Final = 400_000
MB: Final = 1e6
WHOLE: Final = 20_000
"""Budget in tokens for views that are to be shown whole."""
REREADS: Final = 12
QUERIES: Final = 12
COMMANDS: Final = (
    ("git_log", ("log", "--stat", "-n", "60")),
    ("git_status", ("status",)),
    ("git_diff", ("diff", "HEAD~10", "HEAD")),
)
_WORD: Final = re.compile(r"[A-Za-z]{3,}")


class Caller:
    """Calls tools of the server under test within the time allowed."""

    def __init__(
        self, client: "Client", result: BenchResult, step: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._result = result
        self._step = step
        self._clock = clock
        self._end = clock() + MAX_S
        self._counter = vocabulary()

    @property
    def is_over(self) -> bool:
        """Whether the time for further calls has run out."""
        return self._clock() >= self._end

    def tokens(self, text: str) -> int:
        """Count o200k tokens."""
        return self._counter.count(text).tokens

    async def call(self, tool: str, **arguments: Any) -> tuple[str, list[dict[str, Any]], float]:
        """Call a tool; return its text, its parts and the milliseconds it took."""
        start = self._clock()
        answer = await self._client.call_tool(tool, arguments)
        elapsed_ms = (self._clock() - start) * 1000
        text = answer.content[0].text  # pyright: ignore[reportAttributeAccessIssue] -- our tools answer one text block
        self._step(f"{tool} {next(iter(arguments.values()), '')}"[:60])
        if answer.is_error:
            self._result.notes.append(f"error from {tool}: {text.splitlines()[0][:120] if text else 'no text'}")
            return "", [], elapsed_ms
        meta: dict[str, Any] = dict(answer.meta or {})
        return text, meta.get("penstock/parts", []), elapsed_ms


async def run_job(caller: Caller, root: Path, result: BenchResult) -> None:
    """Measure everything; figures and what a reader must know go to `result`."""
    await _index(caller, result)
    await _searches(caller, result)
    await _views(caller, result)
    await _rereads(caller, result)
    await _filters(caller, root, result)
    if caller.is_over:
        result.notes.append(f"stopped after {MAX_S:.0f} s; figures are over what was measured until then")


def is_partial(answer: str) -> bool:
    """Pure: whether the first line of a search's answer says that not everything was searched yet."""
    return "still indexing" in answer.split("\n", 1)[0]


async def _index(caller: Caller, result: BenchResult) -> None:
    """Time the first search, which builds the index, and what the processes take meanwhile."""
    query = _query(result.sample.files[0].path)
    start = time.monotonic()
    with _PeakMemory() as memory:
        text, _, _ = await caller.call("search", query=query)
        while is_partial(text) and time.monotonic() - start < MAX_BUILD_S:
            await anyio.sleep(0.1)
            text, _, _ = await caller.call("search", query=query)
    result.add("index_build", time.monotonic() - start, "s until everything was searched")
    result.add("index_build_memory", memory.peak_bytes / MB, "MB RSS of server and workers at the peak")
    if is_partial(text):
        result.notes.append(f"the index was not complete after {MAX_BUILD_S:.0f} s")
    status, _, _ = await caller.call("status", detail="full")
    for name, pattern in (("index_mapped", r"([\d.]+) MB mapped"), ("index_held", r"([\d.]+) MB held")):
        found = re.search(pattern, status)
        if found:
            result.add(name, float(found.group(1)), "MB")


async def _searches(caller: Caller, result: BenchResult) -> None:
    times: list[float] = []
    tokens: list[int] = []
    files = result.sample.files
    for each in files[:: max(1, len(files) // QUERIES)]:
        if caller.is_over:
            break
        text, _, elapsed_ms = await caller.call("search", query=_query(each.path))
        times.append(elapsed_ms)
        tokens.append(caller.tokens(text))
    if times:
        result.add("search_median", median(times), "ms")
        result.add("search_slowest", max(times), "ms")
        result.add("search_tokens_median", median(tokens), "tokens an answer")


async def _views(caller: Caller, result: BenchResult) -> None:
    times: list[float] = []
    for each in result.sample.files:
        for view in VIEWS:
            if caller.is_over:
                return
            arguments: dict[str, Any] = {"view": view}
            if view == "focus":
                arguments["query"] = _query(each.path)
            if view in {"outline", "map", "compact"}:
                arguments["budget"] = WHOLE
            text, parts, elapsed_ms = await caller.call("read", path=each.path, **arguments)
            if not parts or text.rsplit("\n", 1)[-1].startswith("next lines="):
                continue  # one page of several: its cost is not that of the view
            times.append(elapsed_ms)
            raw = int(parts[0].get("raw_tokens") or 0)
            if raw:
                result.views.append(ViewCost(each.language, view, caller.tokens(text), raw))
    if times:
        result.add("view_median", median(times), "ms")


async def _rereads(caller: Caller, result: BenchResult) -> None:
    """Read again with the receipt of the read before."""
    sent = raw = 0
    times: list[float] = []
    files = result.sample.files
    for each in files[:: max(1, len(files) // REREADS)]:
        if caller.is_over:
            break
        _, parts, _ = await caller.call("read", path=each.path, view="full")
        receipt = parts[0].get("receipt") if parts else None
        if receipt:
            text, again, elapsed_ms = await caller.call("read", path=each.path, have=receipt)
            times.append(elapsed_ms)
            sent += caller.tokens(text)
            raw += int(again[0].get("raw_tokens") or 0) if again else 0
    if times and raw:
        result.add("warm_reread", median(times), "ms")
        result.add("warm_reread_tokens", sent, "tokens", raw)


async def _filters(caller: Caller, root: Path, result: BenchResult) -> None:
    for name, words in COMMANDS:
        if caller.is_over:
            return
        try:
            with anyio.fail_after(20):
                command = ["git", "-C", str(root), *words]
                done = await anyio.run_process(command, check=False, stdin=subprocess.DEVNULL)
        except (TimeoutError, OSError):
            result.notes.append(f"{name.replace('_', ' ')} did not answer")
            continue
        output = done.stdout.decode("utf-8", "replace")[:MAX_OUTPUT]
        if done.returncode or not output.strip():
            result.notes.append(f"{name.replace('_', ' ')}: nothing to measure")
            continue
        text, _, _ = await caller.call("compress", source=output)
        if text:
            result.add(name, caller.tokens(text), "tokens", caller.tokens(output))


def _query(path: str) -> str:
    """Ask for what a path is named after."""
    return " ".join(_WORD.findall(path.rsplit(".", 1)[0])[-3:]) or "main"


class _PeakMemory:
    """Watches the resident memory of this process's children while it is open."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "_PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join(timeout=5)

    def _watch(self) -> None:
        import psutil

        own = psutil.Process()
        while True:
            total = 0
            for child in own.children(recursive=True):
                try:
                    total += int(child.memory_info().rss)
                except psutil.Error:
                    continue
            self.peak_bytes = max(self.peak_bytes, total)
            if self._done.wait(0.1):
                return
