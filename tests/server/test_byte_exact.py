"""`read` full and lines give back every byte of every text file of the standard library and of five installed packages."""

import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.cache.deadline import Deadline
from penstock.cache.workspace.text import is_binary
from penstock.server.config import load_config
from penstock.server.engine import Engine
from penstock.tools.answer import Answer
from penstock.tools.call import AnswerLimit, Call

PACKAGES = ("pydantic", "hypothesis", "rich", "pygments", "anyio")
UNLIMITED = AnswerLimit(chars=1 << 40, bytes=1 << 40, tokens=1 << 40)
PATHS = sysconfig.get_paths()


def text_files(root: Path) -> Iterator[str]:
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or not path.is_file() or "site-packages" in path.relative_to(root).parts or path.suffix == ".pyc":
            continue
        with path.open("rb") as file:
            if not is_binary(file.read(8192)):
                yield path.relative_to(root).as_posix()


@pytest.mark.parametrize(
    "root", [Path(PATHS["stdlib"]), *(Path(PATHS["purelib"]) / name for name in PACKAGES)], ids=lambda root: root.name
)
def test_full_and_lines_are_byte_exact(root: Path, tmp_path: Path) -> None:
    config = load_config(flags={"data_dir": tmp_path, "workspace.allow_secrets": ["*"]}, env={}, home=tmp_path)
    engine = Engine(config, root)
    read = engine.tool("read")
    checked = 0
    try:
        for name in text_files(root):
            data = (root / name).read_bytes()
            call = Call(deadline=Deadline(60.0), limit=UNLIMITED)
            answer = read(call, path=name, view="full")
            body = body_of(answer)
            encoding = encoding_named(answer.text.split("\n", 1)[0])
            assert body.encode(encoding) == data, name
            total = len(data.split(b"\n")) if encoding == "utf-8" else 0
            if total > 2:
                middle = total // 2
                answer = read(call, path=name, lines=f"{middle}-")
                assert (
                    body_of(answer).encode()
                    == b"".join(line + b"\n" for line in data.split(b"\n")[middle - 1 : -1]) + (data.split(b"\n")[-1])
                ), name
            checked += 1
    finally:
        engine.close()
    assert checked > 5


def encoding_named(facts: str) -> str:
    """Return the encoding that the facts line names; none named is UTF-8."""
    return next(
        (name for name in ("latin-1", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be") if f"· {name}" in facts), "utf-8"
    )


def body_of(answer: Answer) -> str:
    """Return the first part's body by its offsets."""
    part: dict[str, Any] = dict(answer.parts[0])
    start, end = part["body"]
    return answer.text[start:end]
