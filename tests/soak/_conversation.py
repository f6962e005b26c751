"""A working day on a public project: a bug hunt in click, played over stdio, ended, and gone on from by a second server.

The source distribution comes from the package index through pip, once, into a folder outside the repository
(`penstock-bench` in the user's cache folder). One line of it is broken as a developer might break it; its own
tests fail, are read, and pass once the line is mended. What is asked for afterwards are 25 facts and 25 passages of the project's
own text that the conversation met: each by some of its words.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tarfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from penstock.server.vocabulary import vocabulary
from tests.pipe import PipeClient, restored_sha256

PROJECT = "click==8.2.1"
BROKEN, MENDED = 'help.find("\\n")', 'help.find("\\n\\n")'
HANDLE = re.compile(r"\bh[0-9a-f]{12,64}\b")
DEFINITION = re.compile(r"^( *)def ([a-z]\w{5,})\((?P<arguments>[^()]*)\)", re.MULTILINE)
WORD = re.compile(r"[A-Za-z]{4,}")
MODULES = ("utils", "core", "formatting", "decorators", "types", "termui", "testing", "parser", "exceptions", "shell_completion")
RESUME_TOKENS = 1_500
WANTED = 25


class Ending:
    """How the first server ends."""

    KILL = "SIGKILL"
    TERM = "SIGTERM"
    EOF = "end of input"


ENDINGS = (Ending.KILL, Ending.TERM, Ending.EOF)


@dataclass
class Asked:
    """What the conversation met and is asked for later: (question, what the answer must hold)."""

    passages: list[tuple[str, str]] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    """What the resume text must hold."""


@dataclass(frozen=True)
class Outcome:
    """What was measured."""

    calls: int
    resume_tokens: int
    is_summary_whole: bool
    handles: int
    restored: int
    """Handles whose whole content came back with the hash they are named by."""
    passages: int
    facts: int
    exit_s: float


def fetch() -> Path:
    """Return the unpacked source distribution."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "penstock-bench" / "conversation"
    name = PROJECT.replace("==", "-")
    if not (cache / name).is_dir():
        python = cache / "venv" / "bin" / "python"
        _run([sys.executable, "-m", "venv", str(cache / "venv")])
        options = ["-q", "--no-deps", "--no-binary", ":all:", "-d", str(cache)]
        _run([str(python), "-m", "pip", "download", *options, PROJECT])
        with tarfile.open(cache / f"{name}.tar.gz") as archive:
            archive.extractall(cache / "part", filter="data")
        (cache / "part" / name).rename(cache / name)
        (cache / "part").rmdir()
    return cache / name


def make_repository(source: Path, root: Path) -> None:
    """Copy the project, commit it, and break a line."""
    shutil.copytree(source, root)
    git = ["git", "-C", str(root), "-c", "user.name=Developer", "-c", "user.email=developer@example.org"]
    _run([*git, "init", "-q", "-b", "main"])
    _run([*git, "add", "-A"])
    _run([*git, "commit", "-q", "-m", "Import click 8.2.1"])
    replace(root, MENDED, BROKEN)


def play(client: PipeClient, root: Path) -> tuple[int, Asked]:
    """Hunt the bug; return how many tool calls it took and what to ask for later."""
    day = _Day(client, root)
    day.look_around()
    day.see_the_failure()
    day.read_modules()
    day.mend()
    day.call("session", action="save", id="short-help", note="todo: add a changelog entry for the short help")
    return day.calls, day.asked


def end(client: PipeClient, ending: str) -> float:
    """End the server and return the seconds it took."""
    import time

    start = time.monotonic()
    if ending == Ending.EOF:
        assert client.process.stdin is not None
        client.process.stdin.close()
    else:
        client.signal(signal.Signals[ending])
    client.process.wait(10)
    return time.monotonic() - start


def go_on(client: PipeClient, asked: Asked, calls: int, exit_s: float) -> Outcome:
    """Resume in a second server and measure what is still there."""
    answer = client.request("prompts/get", {"name": "resume", "arguments": {}})
    text: str = answer["result"]["messages"][0]["content"]["text"]
    handles = sorted(set(HANDLE.findall(text)))
    restored = sum(restored_sha256(client, handle).startswith(handle[1:]) for handle in handles)
    found = re.search(r'session\(action="restore", id="([a-z0-9-]+)"\)', text)
    assert found is not None, text
    client.text("session", action="restore", id=found[1])
    return Outcome(
        calls,
        vocabulary().count(text).tokens,
        all(expected in text for expected in asked.expected),
        len(handles),
        restored,
        sum(_is_found(client, "session", *one) for one in asked.passages),
        sum(_is_found(client, "memory", *one) for one in asked.facts),
        exit_s,
    )


def converse(folder: Path, ending: str) -> Outcome:
    """Play the whole day in `folder` and return what was measured."""
    root = folder / "click"
    make_repository(fetch(), root)
    with PipeClient(root, folder / "data") as first:
        calls, asked = play(first, root)
        exit_s = end(first, ending)
    with PipeClient(root, folder / "data") as second:
        return go_on(second, asked, calls, exit_s)


def replace(root: Path, old: str, new: str) -> None:
    path = root / "src/click/utils.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def run_tests(root: Path, *tests: str) -> str:
    """Run the project's own tests and return what they print."""
    env = {**os.environ, "PYTHONPATH": str(root / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    options = ["-p", "no:cacheprovider", "-o", "filterwarnings=", "-v", *(tests or ("tests",))]
    command = [sys.executable, "-m", "pytest", *options]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False, timeout=240)
    return done.stdout


class _Day:
    """Makes the calls and counts them."""

    def __init__(self, client: PipeClient, root: Path) -> None:
        self.client = client
        self.root = root
        self.calls = 0
        self.asked = Asked()
        self.rng = random.Random(8)
        texts = [path.read_text(errors="replace") for path in sorted(root.rglob("*")) if path.suffix in (".py", ".rst", ".md")]
        self.frequency = Counter(word for text in texts for word in set(WORD.findall(text.lower())))

    def call(self, tool: str, **arguments: object) -> str:
        self.calls += 1
        return self.client.text(tool, **arguments)

    def note(self, note: str, *, is_kept: bool = True) -> None:
        self.call("session", action="save", note=note)
        if is_kept:
            self.asked.expected.append(note.partition(": ")[2])

    def look_around(self) -> None:
        self.note("goal: find out why the short help of commands loses its second line")
        self.call("read", path=".")
        self.call("read", path="README.md")
        self.call("read", path="src/click", view="map")
        for query in ("short help of a command", "make_default_short_help", "format_commands help text", "truncate help"):
            self.call("search", query=query)
        self.calls += 1
        missing = self.client.call("read", path="src/click/help.py")
        assert missing["isError"]
        self.asked.expected.append("src/click/help.py")

    def see_the_failure(self) -> None:
        output = run_tests(self.root)
        assert "test_make_default_short_help" in output
        short = self.call("compress", source=output, budget=800)
        assert "test_make_default_short_help" in short
        self.note("failure: test_make_default_short_help fails, the text ends at the first line")
        for name in ("tests/test_utils.py", "tests/test_commands.py"):
            self.call("read", path=name, query="short help")
            self.call("read", path=name, view="outline")

    def read_modules(self) -> None:
        for name in MODULES:
            path = f"src/click/{name}.py"
            lines = (self.root / path).read_text().splitlines()
            self.call("read", path=path, view="outline")
            self.call("read", path=path, query="short help text", budget=600)
            self.call("search", query=f"{name} help paragraph", path="src/**")
            for first in self._places(len(lines), 3):
                self.call("read", path=path, view="lines", lines=f"{first}-{first + 60}")
                self._ask_for_passage(lines[first - 1 : first + 60])
            for _ in range(3):
                self._remember(path)
            if name in ("decorators", "parser"):
                self.note(f"note: {name} only passes the help text on")

    def mend(self) -> None:
        self.note("decision: the first paragraph ends at an empty line, so look for two line ends")
        receipt = self.call("read", path="src/click/utils.py", view="lines", lines="59-105")
        replace(self.root, BROKEN, MENDED)
        assert MENDED in self.call("read", path="src/click/utils.py", view="lines", lines="59-105")
        have = re.search(r"receipt (r\d+-[0-9a-f]{4})", receipt)
        if have is not None:
            self.call("read", path="src/click/utils.py", have=have[1])
        output = run_tests(self.root, "tests/test_utils.py", "tests/test_commands.py")
        assert "FAILED tests/test_commands" not in output
        handle = HANDLE.search(self.call("compress", source=output, budget=300))
        if handle is not None:
            self.call("restore", handle=handle[0], query="test_make_default_short_help")
        self.call("evict", targets=["src/click/core.py", "src/click/types.py"])
        self.call("memory", action="recall", query="short help")
        self.call("status")

    def _places(self, lines: int, count: int) -> list[int]:
        return sorted(self.rng.randrange(1, max(2, lines - 60)) for _ in range(count))

    def _ask_for_passage(self, lines: list[str]) -> None:
        """Take a sentence of what was read; ask with three of its four rarest words, in another order."""
        if len(self.asked.passages) >= WANTED:
            return
        whole = [line.strip() for line in lines if len(WORD.findall(line)) >= 5 and not line.strip().startswith("def ")]
        if not whole:
            return
        line = self.rng.choice(whole)
        rarest = sorted(set(WORD.findall(line.lower())), key=lambda word: (self.frequency[word], word))[:4]
        self.rng.shuffle(rarest)
        self.asked.passages.append((" ".join(rarest[:3]), line))

    def _remember(self, path: str) -> None:
        """Record the arguments of one of the module's functions, with the line as evidence."""
        text = (self.root / path).read_text()
        seen = {topic for topic, _ in self.asked.facts}
        known = [match for match in DEFINITION.finditer(text) if f"arguments of {match[2]}" not in seen]
        if not known:
            return
        match = self.rng.choice(known)
        arguments = " ".join(match["arguments"].split())[:200] or "none"
        line = text.count("\n", 0, match.start()) + 1
        fact = f"{match[2]} takes: {arguments}"
        self.call("memory", action="remember", topic=f"{path} {match[2]}", fact=fact, evidence=f"{path}:{line}")
        if len(self.asked.facts) < WANTED:
            self.asked.facts.append((f"arguments of {match[2]}", fact))


def _is_found(client: PipeClient, scope: str, question: str, answer: str) -> bool:
    text = client.text("search", query=question, scope=scope, k=5, budget=4_000)
    return " ".join(answer.split()) in " ".join(text.split())


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=240)
