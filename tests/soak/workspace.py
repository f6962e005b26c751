"""A workspace of any size, made from a seed: sources, logs, data, a few large files, and bulk files of many megabytes."""

import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path

FILES_PER_FOLDER = 400
KINDS = (".py", ".py", ".py", ".ts", ".go", ".md", ".json", ".log")
WORDS = (
    *("cache", "page", "token", "index", "budget", "session", "handle", "receipt", "spool", "ledger", "guard", "probe"),
    *("level", "evict", "restore", "merge", "parse", "render", "stream", "socket", "buffer", "worker", "queue", "commit"),
    *("branch", "config", "schema", "query", "cursor", "window", "filter"),
)
BULK_MB = 16
"""Size of a bulk file: more than one read takes, so that only windows of it are ever in memory."""
BULK_LINE = 64
"""Bytes of every line of a bulk file: what a window must hold is read back with one seek."""


@dataclass(frozen=True)
class WorkspacePlan:
    """What the workspace holds."""

    files: int
    total_mb: int
    """Of the source files together."""
    large_files: int = 32
    large_kb: int = 1200
    seed: int = 11
    bulk_mb: int = 0
    """Of the bulk files together."""


@dataclass(frozen=True)
class Corpus:
    """The built workspace: names by kind, relative to the root."""

    root: Path
    names: list[str]
    large: list[str]
    bulk: list[str]

    def measure(self) -> tuple[int, int]:
        """Return how many files there are on disk, and their bytes."""
        sizes = [path.lstat().st_size for path in self.root.rglob("*") if path.is_file()]
        return len(sizes), sum(sizes)


def build_workspace(root: Path, plan: WorkspacePlan) -> Corpus:
    """Write the workspace unless this plan's is already there, and return what it holds."""
    marker = root.with_name(root.name + ".plan.json")
    corpus = Corpus(
        root,
        [name_of(number, plan) for number in range(plan.files)],
        [f"large/{number:03}.log" for number in range(plan.large_files)],
        [f"bulk/{number:04}.csv" for number in range(-(-plan.bulk_mb // BULK_MB))],
    )
    if marker.exists() and json.loads(marker.read_text()) == asdict(plan):
        return corpus
    generator = random.Random(plan.seed)
    pools = {kind: _pool(kind, generator) for kind in sorted(set(KINDS))}
    average = max(200, (plan.total_mb << 20) // max(1, plan.files))
    folder = Path()
    for number, name in enumerate(corpus.names):
        path = root / name
        if path.parent != folder:
            folder = path.parent
            folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_content(number, pools[path.suffix], generator, average))
    (root / "large").mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(corpus.large):
        (root / name).write_bytes(_content(number, pools[".log"], generator, plan.large_kb << 10))
    _write_bulk(corpus)
    marker.write_text(json.dumps(asdict(plan)))
    return corpus


def name_of(number: int, plan: WorkspacePlan) -> str:
    """Return the path of the file of this number."""
    kind = KINDS[(number * 7 + plan.seed) % len(KINDS)]
    return f"part{number // FILES_PER_FOLDER:05}/{WORDS[number % len(WORDS)]}_{number:06}{kind}"


def _pool(kind: str, generator: random.Random) -> list[bytes]:
    """Return lines of the kind to draw from."""
    return [_line(kind, generator).encode() for _ in range(4000)]


def _line(kind: str, generator: random.Random) -> str:
    one, two, three = generator.choices(WORDS, k=3)
    number = generator.randrange(10_000)
    if kind == ".py":
        return generator.choice(
            [
                f"def {one}_{two}_{number}({three}: int) -> int:\n    return {three} + {number}\n",
                f"    # the {one} of a {two}\n",
                f"{one}_{number} = {two!r}\n",
            ]
        )
    if kind in (".ts", ".go"):
        return f"func {one}{two.title()}{number}({three} int) int {{ return {three} + {number} }}\n"
    if kind == ".json":
        return f'{{"{one}": "{two}", "{three}": {number}}}\n'
    if kind == ".md":
        return f"The {one} {two} keeps the {three}, see {number}. Größe: {number} Bytes.\n"
    return f"2026-11-21T08:{number % 60:02}:00Z {generator.choice(['INFO', 'WARN', 'ERROR'])} {one}.{two} {three}={number}\n"


def _content(number: int, pool: list[bytes], generator: random.Random, average: int) -> bytes:
    """Return one file's bytes: a line of its own, then lines of the pool up to a size around the average."""
    size = int(average * generator.uniform(0.3, 1.7))
    parts = [f"# file {number} {generator.getrandbits(64):016x}\n".encode()]
    length = 0
    while length < size:
        start = generator.randrange(len(pool) - 64)
        run = b"".join(pool[start : start + 64])
        parts.append(run if length + len(run) <= size else run[: run.find(b"\n", size - length) + 1])
        length += max(1, len(parts[-1]))
    return b"".join(parts)


def _write_bulk(corpus: Corpus) -> None:
    """Write the bulk files: the same block of lines again and again, in each file after a head of its own."""
    if not corpus.bulk:
        return
    (corpus.root / "bulk").mkdir(parents=True, exist_ok=True)
    rows = (BULK_MB << 20) // BULK_LINE - 1
    block = b"".join(
        f"{row:08},{WORDS[row % len(WORDS)]},{row * 7919 % 1_000_003:07}".encode().ljust(BULK_LINE - 1) + b"\n"
        for row in range(rows)
    )
    for number, name in enumerate(corpus.bulk):
        with (corpus.root / name).open("wb") as file:
            file.write(f"bulk {number}".encode().ljust(BULK_LINE - 1) + b"\n")
            file.write(block)
