"""Mixed calls over stdio, the ledger far smaller than the corpus: no error, never above budget, all levels seen, all restored."""

import argparse
import json
import os
import random
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.pipe import PipeClient, parts_of

LEVELS = ["NORMAL", "SOFT", "MEDIUM", "HARD", "CRITICAL"]
IN_FLIGHT = 8
BIG = 4
"""Large files that are now and then read at the same time: together they need more than the whole budget."""


@dataclass
class Outcome:
    """What a run saw."""

    calls: int = 0
    errors: list[str] = field(default_factory=list[str])
    refusals: Counter[str] = field(default_factory=Counter[str])
    stale: list[str] = field(default_factory=list[str])
    lost: list[str] = field(default_factory=list[str])
    restored: int = 0
    levels: set[str] = field(default_factory=set[str])
    peak_bytes: int = 0
    budget_bytes: int = 0
    peak_rss_bytes: int = 0
    peak_parts: str = ""
    """What the largest RSS seen was made of."""
    seconds: float = 0.0


def sources() -> Iterator[str]:
    """Yield the text of the standard library's modules, in a fixed order, for ever."""
    paths = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    texts = [path.read_text("utf-8", "replace") for path in paths]
    while True:
        yield from texts


def make_corpus(root: Path, megabytes: int, rng: random.Random, *, big_bytes: int) -> list[str]:
    """Write `BIG` files of `big_bytes`, then about `megabytes` of source text, most of it in small files."""
    names: list[str] = []
    for at in range(BIG):
        body = "".join(f"{at} {line:07d} a line of a large generated file\n" for line in range(big_bytes // 41))
        names.append(f"big_{at}.txt")
        (root / names[-1]).write_text(body, encoding="utf-8")
    written, text = 0, sources()
    while written < megabytes << 20:
        pieces = rng.choice((1, 1, 1, 2, 4, 8))
        body = "".join(f"# copy {len(names)}\n{next(text)}" for _ in range(pieces))
        name = f"pkg_{len(names) % 40:02d}/module_{len(names):05d}.py"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(body, encoding="utf-8")
        written += len(body)
        names.append(name)
    return names


def next_call(rng: random.Random, names: list[str], handles: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """Return one call as an assistant might make it."""
    name = rng.choice(names[: len(names) // 4] if rng.random() < 0.5 else names)
    kind = rng.random()
    if kind < 0.30:
        return "read", {"path": name}
    if kind < 0.55:
        return "read", {"path": name, "view": "full"}
    if kind < 0.70:
        start = rng.randint(1, 3)
        return "read", {"path": name, "lines": f"{start}-{start + 80}"}
    if kind < 0.76:
        return "read", {"path": [rng.choice(names) for _ in range(5)], "view": "outline"}
    if kind < 0.84:
        words = rng.sample(["class", "parser", "socket", "error", "thread", "encode", "path", "queue", "date", "test"], 2)
        return "search", {"query": " ".join(words)}
    if kind < 0.89:
        return "compress", {"source": name, "budget": 500}
    if kind < 0.93 and handles:
        return "restore", {"handle": rng.choice(list(handles)), "lines": "1-40"}
    if kind < 0.97:
        return "evict", {"targets": name}
    return "status", {"detail": "full"}


class Run:
    """One server and the checks on what it answers."""

    def __init__(self, root: Path, data: Path, names: list[str], *, ledger_mb: int, seed: int) -> None:
        self.root = root
        self.names = names
        self.rng = random.Random(seed)
        self.outcome = Outcome()
        self.handles: dict[str, str] = {}
        self.burst_from = 0.0
        self.client = PipeClient(root, data, client="penstock", options=["--ledger-mb", str(ledger_mb)])

    def go(self, calls: int) -> Outcome:
        """Make `calls` calls, several in flight, and check every answer."""
        start = time.monotonic()
        self.burst_from = calls * 0.7
        pending: list[tuple[int, str, dict[str, Any]]] = []
        while self.outcome.calls < calls or pending:
            while self.outcome.calls < calls and len(pending) < IN_FLIGHT:
                for tool, arguments in self._next_calls():
                    pending.append((self.client.start("tools/call", {"name": tool, "arguments": arguments}), tool, arguments))
                    self.outcome.calls += 1
            request, tool, arguments = pending.pop(0)
            self._check(tool, arguments, self.client.wait(request, 120.0))
        self._look(self.client.call("status", detail="full"))
        self._restore_all()
        self.outcome.seconds = time.monotonic() - start
        assert self.client.close() == 0
        self.outcome.errors += [line for line in self.client.errors if line.startswith("Traceback")]
        return self.outcome

    def _next_calls(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the next call, or a burst on the large files, whose buffers meet in the ledger."""
        if self.outcome.calls > self.burst_from and self.rng.random() < 0.03:
            return [("read", {"path": name, "lines": "1-50"}) for name in self.names[:BIG]]
        return [next_call(self.rng, self.names[BIG:], self.handles)]

    def _check(self, tool: str, arguments: dict[str, Any], answer: dict[str, Any]) -> None:
        if "result" not in answer:
            self.outcome.errors.append(f"{tool} {arguments}: {answer}")
            return
        result = answer["result"]
        text = result["content"][0]["text"]
        if result.get("isError"):
            if text.startswith(("error no_room", "error under_pressure", "error busy")):
                self.outcome.refusals[text.split(":")[0]] += 1
            else:
                self.outcome.errors.append(f"{tool} {arguments}: {text[:300]}")
            return
        if tool == "status":
            self._look(result)
        for part in result.get("_meta", {}).get("penstock/parts", []):
            self._check_part(tool, part, text)

    def _check_part(self, tool: str, part: dict[str, Any], text: str) -> None:
        body = text[part["body"][0] : part["body"][1]]
        if tool == "read" and part["view"] in ("full", "lines"):
            first, last = part["lines"]
            lines = (self.root / part["path"]).read_text("utf-8").split("\n")
            wanted = "\n".join(lines[first - 1 : last])
            if body.rstrip("\n") != wanted.rstrip("\n"):
                self.outcome.stale.append(part["path"])
        if part.get("handle"):
            self.handles[part["handle"]] = part["path"]

    def _look(self, result: dict[str, Any]) -> None:
        assert not result.get("isError"), result["content"][0]["text"]
        status = result["_meta"]["penstock/status"]
        self.outcome.levels |= set(status["pressure"]["seen"])
        self.outcome.peak_bytes = max(self.outcome.peak_bytes, status["ledger"]["peak_bytes"])
        self.outcome.budget_bytes = status["ledger"]["budget_bytes"]
        rss, memory = self.client.rss_bytes(), status["memory"]
        if rss > self.outcome.peak_rss_bytes:
            parts = {"baseline": memory["baseline_bytes"], "mapped files": memory["file_bytes"] or 0}
            parts |= {f"ledger {name}": held for name, held in status["ledger"]["accounts"].items()}
            self.outcome.peak_rss_bytes = rss
            self.outcome.peak_parts = ", ".join(f"{name} {held / 2**20:.0f}" for name, held in parts.items() if held >> 20)
        self.handles.update(status["evicted"])

    def _restore_all(self) -> None:
        """Bring back everything that was ever evicted or left out, and compare the bytes."""
        for handle, name in self.handles.items():
            result = self.client.call("restore", handle=handle)
            if result.get("isError"):
                self.outcome.lost.append(f"{handle} {name}: {result['content'][0]['text'][:200]}")
                continue
            text = result["content"][0]["text"]
            body = "".join(text[part["body"][0] : part["body"][1]] for part in parts_of(result))
            path = self.root / name
            if path.is_file() and body != path.read_text("utf-8"):
                self.outcome.lost.append(f"{handle} {name}: other bytes")
            self.outcome.restored += 1


def run(*, megabytes: int, calls: int, ledger_mb: int, seed: int = 11) -> Outcome:
    """Make a corpus in a temporary folder and run on it."""
    with tempfile.TemporaryDirectory(prefix="penstock-soak-") as folder:
        root = Path(folder) / "root"
        root.mkdir()
        names = make_corpus(root, megabytes, random.Random(seed), big_bytes=int(ledger_mb * 2**20 * 0.24))
        return Run(root, Path(folder) / "data", names, ledger_mb=ledger_mb, seed=seed).go(calls)


def main() -> int:
    """Run at full size and print JSON lines; 1 if anything was wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--ledger-mb", type=int, default=32)
    options = parser.parse_args()
    outcome = run(megabytes=options.megabytes, calls=options.calls, ledger_mb=options.ledger_mb)
    rows: list[tuple[str, float, str, float | None]] = [
        ("calls", outcome.calls, "calls", None),
        ("errors", len(outcome.errors), "calls", 0),
        ("typed refusals", sum(outcome.refusals.values()), "calls", None),
        ("stale answers", len(outcome.stale), "answers", 0),
        ("items restored", outcome.restored, "items", None),
        ("items lost", len(outcome.lost), "items", 0),
        ("levels seen", len(outcome.levels), "levels", len(LEVELS)),
        ("ledger peak", round(outcome.peak_bytes / 2**20, 2), "MB", options.ledger_mb),
        ("peak RSS", round(outcome.peak_rss_bytes / 2**20, 1), f"MB ({outcome.peak_parts})", None),
        ("load average", round(os.getloadavg()[0], 1), "", None),
        ("time", round(outcome.seconds, 1), "s", None),
    ]
    for metric, value, unit, reference in rows:
        row = {"bench": "mixed_calls", "metric": metric, "value": value, "unit": unit, "reference": reference}
        sys.stdout.write(json.dumps(row) + "\n")
    for problem in [*outcome.errors, *outcome.stale, *outcome.lost][:20]:
        sys.stderr.write(problem + "\n")
    is_bad = outcome.errors or outcome.stale or outcome.lost or outcome.peak_bytes > outcome.budget_bytes
    return int(bool(is_bad) or outcome.levels != set(LEVELS))


if __name__ == "__main__":
    sys.exit(main())
