"""The mixed calls of a soak run, and the checks on every answer: nothing stale, nothing lost, no error but a typed refusal."""

import hashlib
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from string import ascii_lowercase
from types import MethodType
from typing import Any

from tests.pipe import PipeClient, bodies_of, parts_of
from tests.soak.workspace import BULK_LINE, BULK_MB, WORDS, Corpus

REFUSALS = {"under_pressure", "no_room", "busy"}
HANDLE = re.compile(r"\bh[0-9a-f]{12,64}\b")
SEARCHED = re.compile(r" · searched ([\d,]+) of (?:≥ )?([\d,]+) files( · (?:still indexing|partial))?( · as of \d+ s ago)?")
HOT_FILES = 300
KEPT_HANDLES = 2000
BULK_ROWS = (BULK_MB << 20) // BULK_LINE
SEARCHES = 3
"""An assistant rarely searches once: it follows a query with the next."""
SMALL_BYTES = 6000
"""Originals this short come back from one `restore` whole, whatever the client shows."""


@dataclass
class Tally:
    """What a run saw."""

    calls: Counter[str] = field(default_factory=Counter[str])
    refusals: Counter[str] = field(default_factory=Counter[str])
    errors: list[str] = field(default_factory=list[str])
    stale: list[str] = field(default_factory=list[str])
    lost: list[str] = field(default_factory=list[str])
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    """Seconds waited, by kind of call."""
    restored: int = 0
    edits: int = 0
    found_edits: int = 0
    """Edits that a search right after them found."""
    labelled_edits: Counter[str] = field(default_factory=Counter[str])
    """Edits that it did not find, by what its answer said of itself: `partial`, or that it is `older` than the edit."""


class Workload:
    """Draws calls from a seed and checks what comes back. One at a time, but for bursts of large reads."""

    def __init__(self, client: PipeClient, corpus: Corpus, *, seed: int = 5) -> None:
        self.client = client
        self.corpus = corpus
        self.random = random.Random(seed)
        self.tally = Tally()
        self.handles: dict[str, bytes] = {}
        self._hot = self.random.sample(corpus.names, min(HOT_FILES, len(corpus.names)))
        self._receipts: dict[str, str] = {}
        self._steps: dict[MethodType, float] = {
            self.read_auto: 22,
            self.read_full: 16,
            self.read_lines: 10,
            self.read_bulk: 6,
            self.read_outline: 6,
            self.read_several: 2,
            self.read_again: 5,
            self.edit_then_read: 5,
            self.edit_then_search: 0.5,
            self.search: 0.5,
            self.recall: 2,
            self.compress_text: 5,
            self.compress_file: 4,
            self.evict: 5,
            self.restore: 6,
            self.remember: 2,
            self.session: 1,
            self.status: 1.8,
        }

    def mix(self) -> str:
        """Say what share of the steps is what; a search step is three calls."""
        total = sum(self._steps.values())
        return ", ".join(f"{step.__name__} {weight / total:.1%}" for step, weight in self._steps.items())

    def step(self) -> None:
        """Make one call, or a few that belong together."""
        (chosen,) = self.random.choices(list(self._steps), weights=list(self._steps.values()))
        chosen()

    def pick(self) -> str:
        """Return a file: mostly one of the hot set."""
        return self.random.choice(self._hot if self.random.random() < 0.7 else self.corpus.names)

    def read_auto(self) -> None:
        name = self.pick()
        self._read(name, self._call("read", path=name))

    def read_full(self) -> None:
        name = self.pick()
        self._read(name, self._call("read", path=name, view="full"))

    def read_outline(self) -> None:
        name = self.pick()
        self._read(name, self._call("read", path=name, view="outline"))

    def read_lines(self) -> None:
        name = self.pick()
        first = self.random.randrange((self.corpus.root / name).read_bytes().count(b"\n")) + 1
        self._read(name, self._call("read", path=name, view="lines", lines=f"{first}-{first + 30}"))

    def read_several(self) -> None:
        names = [self.pick() for _ in range(5)]
        result = self._call("read", path=names, view="outline")
        if result is not None:
            for part in parts_of(result):
                self._check_part(part, "", (self.corpus.root / part["path"]).read_bytes())

    def read_bulk(self) -> None:
        """Read a window of a file that is too large to be read whole; its bytes are where the row number says."""
        if not self.corpus.bulk:
            return self.read_lines()
        name, first = self.random.choice(self.corpus.bulk), self.random.randrange(1, BULK_ROWS - 40)
        result = self._call("read", kind="read_bulk", path=name, lines=f"{first}-{first + 30}")
        if result is None:
            return None
        for part, body in zip(parts_of(result), bodies_of(result), strict=True):
            start, end = part["lines"]
            with (self.corpus.root / name).open("rb") as file:
                file.seek((start - 1) * BULK_LINE)
                wanted = file.read((end - start + 1) * BULK_LINE).decode()
            if start != first or body.rstrip("\n") != wanted.rstrip("\n"):
                self.tally.stale.append(f"{name} {part['lines']}: not the file's rows")
        return None

    def read_again(self) -> None:
        """Read with the receipt of an earlier delivery: a stub or a diff is right only if it names the bytes of now."""
        name = self.random.choice(list(self._receipts)) if self._receipts else self.pick()
        self._read(name, self._call("read", path=name, have=self._receipts.pop(name, None)))

    def edit(self, name: str, mark: bytes) -> None:
        """Change the file, half of the time without changing its size."""
        path = self.corpus.root / name
        data = path.read_bytes()
        # Half a character would make the file Latin-1, as the product reads it and says.
        if self.random.random() < 0.5 and len(data) > 2 * len(mark) and data[-len(mark) :].isascii():
            path.write_bytes(data[: -len(mark)] + mark)
        else:
            path.write_bytes(data + mark)
        self.tally.edits += 1

    def edit_then_read(self) -> None:
        """Change the file, then read: the answer must show the new bytes."""
        name = self.pick()
        self.edit(name, b"# %08x\n" % self.random.getrandbits(32))
        self._read(name, self._call("read", path=name, view="full"))

    def edit_then_search(self) -> None:
        """Change a file, then search for what was put in: it is found, or the answer says that not all was searched."""
        # Letters alone are one token, which no other file holds: a search that does not show the file has not seen the edit.
        name, mark = self.pick(), "zq" + "".join(self.random.choices(ascii_lowercase, k=12))
        self.edit(name, f"# {mark}\n".encode())
        result = self._call("search", kind="edit_then_search", query=mark, k=5, timeout_s=180)
        if result is None:
            return
        text = result["content"][0]["text"]
        if any(line.startswith(f"{name}:") for line in text.splitlines()):
            self.tally.found_edits += 1
        elif label := _caveat(text):
            self.tally.labelled_edits[label] += 1
        else:
            self.tally.stale.append(f"search for {mark} in {name}: {text.splitlines()[0][:200]}")

    def search(self) -> None:
        for _ in range(SEARCHES):
            self._call("search", query=" ".join(self.random.choices(WORDS, k=3)), k=5, timeout_s=180)

    def recall(self) -> None:
        scope = self.random.choice(["session", "memory"])
        self._call("search", kind=f"search {scope}", query=" ".join(self.random.choices(WORDS, k=2)), scope=scope)

    def remember(self) -> None:
        topic = " ".join(self.random.choices(WORDS, k=2))
        if self.random.random() < 0.5:
            self._call("memory", action="remember", topic=topic, fact=f"{self.random.choice(WORDS)} {self.random.randrange(50)}")
        else:
            self._call("memory", action=self.random.choice(["recall", "list"]), query=topic)

    def session(self) -> None:
        self._call("session", action=self.random.choice(["list", "summary", "save"]))

    def compress_text(self) -> None:
        lines = [f"{self.random.choice(WORDS)} {self.random.getrandbits(40)} passed in {number} ms" for number in range(120)]
        text = "\n".join(lines)
        result = self._call("compress", source=text, budget=300)
        self._keep(result, text.encode())

    def compress_file(self) -> None:
        name = self.pick()
        data = (self.corpus.root / name).read_bytes()
        result = self._call("compress", source=name, budget=300)
        if len(data) <= SMALL_BYTES:
            self._keep(result, data)

    def evict(self) -> None:
        targets = [self.pick() for _ in range(self.random.randrange(1, 6))]
        kind = self.random.random()
        if kind < 0.75:
            self._call("evict", targets=targets)
        elif kind < 0.8:
            self._call("evict", to_tokens=self.random.randrange(100_000, 1_000_000))
        else:
            self._call("evict", pin=targets[:1], unpin=targets[1:] or None)

    def restore(self) -> None:
        if not self.handles:
            return self.compress_text()
        return self._restore(self.random.choice(list(self.handles)))

    def status(self) -> None:
        self._call("status", detail=self.random.choice(["short", "full"]))

    def climb(self) -> None:
        """Read large files one after the other, so that the ledger fills step by step."""
        for name in self.random.sample(self.corpus.large, len(self.corpus.large)):
            self._read(name, self._call("read", path=name, view="lines", lines="1-20"))

    def burst(self) -> None:
        """Read large files at once, so that the ledger fills faster than anything is evicted."""
        names = self.random.sample(self.corpus.large, len(self.corpus.large))
        started = [
            (
                name,
                self.client.start("tools/call", {"name": "read", "arguments": {"path": name, "view": "lines", "lines": "1-20"}}),
            )
            for name in names
        ]
        for name, request in started:
            self.tally.calls["burst"] += 1
            self._read(name, self._judged("read", self.client.wait(request, 180)))

    def restore_all(self) -> None:
        """Bring back everything that was promised."""
        for handle in list(self.handles):
            self._restore(handle)

    def _call(self, tool: str, *, kind: str = "", timeout_s: float = 60, **arguments: Any) -> dict[str, Any] | None:
        kind = kind or tool
        self.tally.calls[kind] += 1
        sent = {name: value for name, value in arguments.items() if value is not None}
        start = time.perf_counter()
        answer = self.client.request("tools/call", {"name": tool, "arguments": sent}, timeout_s)
        self.tally.seconds[kind] = self.tally.seconds.get(kind, 0.0) + time.perf_counter() - start
        return self._judged(tool, answer)

    def _judged(self, tool: str, answer: dict[str, Any]) -> dict[str, Any] | None:
        """Return the result, or None after counting a refusal or an error."""
        result = answer.get("result")
        if result is None:
            self.tally.errors.append(f"{tool}: {str(answer)[:300]}")
            return None
        if result.get("isError"):
            text = str(result["content"][0]["text"])
            code = text.removeprefix("error ").partition(":")[0]
            if code in REFUSALS:
                self.tally.refusals[code] += 1
            else:
                self.tally.errors.append(f"{tool}: {text[:300]}")
            return None
        return result

    def _read(self, name: str, result: dict[str, Any] | None) -> None:
        """Compare what was delivered with the file as it is now: nobody else writes to it."""
        if result is None:
            return
        data = (self.corpus.root / name).read_bytes()
        for part, body in zip(parts_of(result), bodies_of(result), strict=True):
            self._check_part(part, body, data)
            if part.get("receipt"):
                self._receipts[name] = part["receipt"]
                if len(self._receipts) > HOT_FILES:
                    del self._receipts[next(iter(self._receipts))]

    def _check_part(self, part: dict[str, Any], body: str, data: bytes) -> None:
        if part.get("sha256") and part["sha256"] != hashlib.sha256(data).hexdigest():
            self.tally.stale.append(f"{part['path']} {part['view']}: sha256 of other bytes")
        elif part["view"] in ("full", "lines") and not part.get("lossy") and not _is_part_of(body, part, data):
            self.tally.stale.append(f"{part['path']} {part['view']} {part.get('lines')}: not the file's text")

    def _keep(self, result: dict[str, Any] | None, original: bytes) -> None:
        """Remember the handle that stands for `original`."""
        if result is None:
            return
        found = [part.get("handle") for part in parts_of(result)] + HANDLE.findall(result["content"][0]["text"])
        handle = next((name for name in found if name), None)
        if handle is None:
            return
        self.handles[handle] = original
        if len(self.handles) > KEPT_HANDLES:
            self._restore(next(iter(self.handles)))

    def _restore(self, handle: str) -> None:
        """Restore, compare bytes, forget."""
        original = self.handles[handle]
        result = self._call("restore", handle=handle, budget=20_000)
        if result is None:
            if self.tally.errors and self.tally.errors[-1].startswith("restore"):
                self.tally.lost.append(f"{handle}: {self.tally.errors[-1]}")
                del self.handles[handle]
            return
        del self.handles[handle]
        self.tally.restored += 1
        restored = "".join(bodies_of(result)).encode()
        if restored.rstrip(b"\n") != original.rstrip(b"\n"):
            self.tally.lost.append(f"{handle}: {len(restored)} bytes came back of {len(original)}")


def _caveat(text: str) -> str:
    """Return what a search that found nothing says of itself: not all was searched, or not as of now; empty for neither.

    A head line that does not say how much was searched says neither.
    """
    found = SEARCHED.search(text.splitlines()[0])
    if found is None:
        return ""
    if found[3] or found[1] != found[2]:
        return "partial"
    return "older" if found[4] else ""


def _is_part_of(body: str, part: dict[str, Any], data: bytes) -> bool:
    """Whether the body is verbatim what the file holds in the lines it names."""
    text = data.decode("utf-8", "surrogateescape")
    lines = part.get("lines")
    if not lines:
        return body.rstrip("\n") in text
    first, last = lines
    wanted = "\n".join(text.split("\n")[first - 1 : last])
    return body.rstrip("\n") == wanted.rstrip("\n")
