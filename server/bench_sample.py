"""Which files `penstock bench` measures: the same ones for the same folder, spread over languages and over the tree."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..cache.workspace.names import printable

MAX_LANGUAGES: Final = 8
PER_LANGUAGE: Final = 12
MIN_BYTES: Final = 1_000
"""Smaller files are shown whole by any view; only the facts line would be measured."""
MAX_BYTES: Final = 400_000
MB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class SampledFile:
    """One file to measure."""

    path: str
    language: str


@dataclass(frozen=True, slots=True)
class Sample:
    """The files, and how many there were to choose from."""

    files: tuple[SampledFile, ...]
    total_files: int


def plan_sample(sizes: Sequence[tuple[str, str, int]]) -> list[SampledFile]:
    """Pure: choose from (path, language, bytes) the largest languages, and of each files at even distances."""
    by_language: dict[str, list[str]] = {}
    weight: dict[str, int] = {}
    for path, language, size in sorted(sizes):
        by_language.setdefault(language, []).append(path)
        weight[language] = weight.get(language, 0) + size
    largest = sorted(weight, key=lambda language: (-weight[language], language))[:MAX_LANGUAGES]
    return [SampledFile(path, language) for language in largest for path in _spread(by_language[language], PER_LANGUAGE)]


def _spread(paths: Sequence[str], most: int) -> list[str]:
    if len(paths) <= most:
        return list(paths)
    return [paths[at * len(paths) // most] for at in range(most)]


def choose_sample(root: Path) -> Sample:
    """Walk the workspace as the server would and choose; binary files and files with secrets are passed over."""
    from ..cache.deadline import UNBOUNDED, Deadline
    from ..cache.ledger import Ledger
    from ..cache.workspace.files import Workspace
    from ..cache.workspace.text import is_binary
    from ..tools.languages import language_of

    workspace = Workspace([root], ledger=Ledger(64 * MB))
    walked = workspace.walk("", deadline=Deadline(UNBOUNDED))
    sizes: list[tuple[str, str, int]] = []
    for file in walked.files:
        language = language_of(file.rel)
        if language is not None and MIN_BYTES <= file.stat.size <= MAX_BYTES and printable(file.rel) == file.rel:
            sizes.append((file.rel, language, file.stat.size))
    chosen: list[SampledFile] = []
    for each in plan_sample(sizes):
        with open(root / each.path, "rb") as opened:
            head = opened.read(8192)
        if not is_binary(head) and not workspace.secrets.denies_content(each.path, head[:4096]):
            chosen.append(each)
    return Sample(tuple(chosen), len(sizes))
