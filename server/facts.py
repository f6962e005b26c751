"""`penstock facts export|import`: the workspace's facts as plain JSON Lines, without a server.

An export to a file is written beside it and renamed, so that no half of one is ever found there.
"""

import contextlib
import json
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from ..cache.archive.fact_lines import MAX_LINE_CHARS, Imported
from ..cache.archive.facts import FactBook
from ..cache.archive.store import ArchiveStore
from ..cache.deadline import Deadline
from ..cache.errors import PathNotFound, StoreUnavailable
from ..cache.workspace.names import printable
from .config import Config
from .stores import store_dir

STANDARD: Final = "-"
"""Stands for standard input or output."""
MAX_REPORTED: Final = 50


def run_export(config: Config, root: Path, *, file: str) -> int:
    """Write every fact of the workspace, ended ones too, to `file` or to standard output.

    Raises:
        StoreUnavailable: The facts cannot be read, or `file` cannot be written.
    """
    with _open_book(config, root) as book:
        lines = [f"{line}\n".encode() for line in book.export_lines()]
    if file == STANDARD:
        sys.stdout.buffer.writelines(lines)
        sys.stdout.buffer.flush()
        return 0
    _write_whole(Path(file), b"".join(lines))
    sys.stderr.write(f"{len(lines):,} facts written to {printable(file)}\n")
    return 0


def run_import(config: Config, root: Path, *, file: str, as_json: bool) -> int:
    """Import the facts in `file`; report what was refused by line, and return 1 if anything was.

    Raises:
        PathNotFound: There is no such file, or it cannot be read.
        StoreUnavailable: The facts cannot be stored.
    """
    with contextlib.ExitStack() as stack:
        try:
            source = sys.stdin.buffer if file == STANDARD else stack.enter_context(Path(file).open("rb"))
        except OSError as error:
            raise PathNotFound(
                f"{printable(file)} cannot be read", why=error.strerror or "", next_call="penstock facts import FILE"
            ) from error
        book = stack.enter_context(_open_book(config, root))
        done = book.import_lines(_lines_of(source))
    sys.stdout.write(json.dumps(_as_json(done), indent=2) + "\n" if as_json else _as_text(done))
    return int(bool(done.refused))


@contextlib.contextmanager
def _open_book(config: Config, root: Path) -> Generator[FactBook]:
    store = ArchiveStore(store_dir(config, root))
    try:
        book = FactBook(store, _no_file)
        book.statistics()  # opens the file
        if store.notice:
            raise StoreUnavailable("the facts cannot be used", why=store.notice, next_call="penstock doctor")
        yield book
        if store.notice:
            raise StoreUnavailable("the facts are not stored", why=store.notice, next_call="penstock doctor")
    finally:
        store.close()


def _lines_of(source: BinaryIO) -> Iterator[str]:
    r"""Yield the lines between "\n", and of a longer one than any fact has only so much that it is refused.

    A byte that is not UTF-8 becomes a replacement character: such a line is JSON only where it stands in a text.
    """
    limit = 4 * MAX_LINE_CHARS
    while line := source.readline(limit):
        rest = line
        while len(rest) == limit and not rest.endswith(b"\n"):
            rest = source.readline(limit)
        yield line.decode("utf-8-sig", "replace").rstrip("\r\n")


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file of the user's own, readable to nobody else, in one step."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
        aside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise StoreUnavailable(
            f"{printable(str(path))} cannot be written", why=error.strerror or "", next_call="penstock facts export FILE"
        ) from error


def _as_json(done: Imported) -> dict[str, object]:
    refused = [{"line": one.number, "why": one.why} for one in done.refused]
    return {"added": done.added, "known": done.known, "ended": done.ended, "refused": refused}


def _as_text(done: Imported) -> str:
    lines = [f"{done.added:,} facts added, {done.known:,} were here, {done.ended:,} ended by a later value"]
    lines += [f"line {one.number} refused: {one.why}" for one in done.refused[:MAX_REPORTED]]
    more = len(done.refused) - MAX_REPORTED
    lines += [f"{more:,} more lines refused"] if more > 0 else []
    return "\n".join(lines) + "\n"


def _no_file(path: str, deadline: Deadline) -> tuple[str, bytes]:
    """Evidence is looked at when a fact is recalled, not when it is carried over."""
    raise PathNotFound(path)
