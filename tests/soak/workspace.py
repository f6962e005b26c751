"""A workspace of any size, made from a seed: source files, logs, data, and a few large files."""

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


@dataclass(frozen=True)
class WorkspacePlan:
    """What the workspace holds."""

    files: int
    total_mb: int
    large_files: int = 32
    large_kb: int = 1200
    seed: int = 11


@dataclass(frozen=True)
class Corpus:
    """The built workspace: names by kind, relative to the root."""

    root: Path
    names: list[str]
    large: list[str]


def build_workspace(root: Path, plan: WorkspacePlan) -> Corpus:
    """Write the workspace unless this plan's is already there, and return what it holds."""
    marker = root.with_name(root.name + ".plan.json")
    names = [name_of(number, plan) for number in range(plan.files)]
    large = [f"large/{number:03}.log" for number in range(plan.large_files)]
    if marker.exists() and json.loads(marker.read_text()) == asdict(plan):
        return Corpus(root, names, large)
    generator = random.Random(plan.seed)
    pools = {kind: _pool(kind, generator) for kind in set(KINDS)}
    average = max(200, (plan.total_mb << 20) // max(1, plan.files))
    folder = Path()
    for number, name in enumerate(names):
        path = root / name
        if path.parent != folder:
            folder = path.parent
            folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_content(number, pools[path.suffix], generator, average))
    (root / "large").mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(large):
        (root / name).write_bytes(_content(number, pools[".log"], generator, plan.large_kb << 10))
    marker.write_text(json.dumps(asdict(plan)))
    return Corpus(root, names, large)


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
