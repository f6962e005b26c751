"""Which names are ignored where git cannot be asked: nested `.gitignore` and `.ignore` files, by pathspec.

As git does it: the deepest file that has a matching pattern decides, inside a file the last one, and what lies below an ignored
folder cannot be brought back. `.ignore` outranks `.gitignore` beside it. Patterns that could make a regular expression explode
are left out, which shows more files, never fewer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILES: Final = (".gitignore", ".ignore")
"""In rising precedence."""
VCS_FOLDERS: Final = frozenset({".git", ".hg", ".svn", ".jj", ".bzr", "CVS"})
DEFAULT_PATTERNS: Final = (
    *("node_modules/", "__pycache__/", ".venv/", ".tox/", ".nox/", ".mypy_cache/", ".pytest_cache/", ".ruff_cache/"),
    *(".hypothesis/", ".gradle/", ".terraform/", ".DS_Store"),
)
"""Made by tools, ignored in practically every repository; `!name` in an ignore file brings one back."""
MAX_IGNORE_BYTES: Final = 256 * 1024
_MAX_PATTERNS: Final = 2000
_MAX_PATTERN_CHARS: Final = 512
_MAX_STARS: Final = 3
"""Backtracking over a 255-character name grows with the power of the stars in one component."""


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules in force in one folder. Immutable; `below` adds those of a folder further down."""

    levels: tuple[tuple[int, "GitIgnoreSpec"], ...] = ()
    """(length of the folder's path with its slash, its patterns), shallowest first."""

    def below(self, folder: str, patterns: Iterable[str]) -> "IgnoreRules":
        """Add the patterns of an ignore file in `folder`, a path relative to where the walk's paths begin, empty at the top."""
        spec = _spec(patterns)
        return self if spec is None else IgnoreRules((*self.levels, (len(folder) + 1 if folder else 0, spec)))

    def ignores(self, rel: str, *, is_dir: bool) -> bool:
        """Whether a path is ignored by itself; the caller does not descend into ignored folders."""
        path = f"{rel}/" if is_dir else rel
        for start, spec in reversed(self.levels):
            verdict = spec.check_file(path[start:]).include
            if verdict is not None:
                return verdict
        return False


def parse_ignore(data: bytes) -> list[str]:
    """Split an ignore file into patterns; at most `MAX_IGNORE_BYTES` of it count."""
    lines = data[:MAX_IGNORE_BYTES].decode("utf-8", "surrogateescape").removeprefix("\ufeff").split("\n")
    return [line.removesuffix("\r") for line in lines]


def default_rules() -> IgnoreRules:
    """Return the rules that hold before any ignore file is read."""
    return IgnoreRules().below("", DEFAULT_PATTERNS)


def _spec(patterns: Iterable[str]) -> "GitIgnoreSpec | None":
    from pathspec import GitIgnoreSpec  # 70 ms: only where git cannot be asked

    kept = [line for line in patterns if line.strip() and not line.startswith("#") and not _is_costly(line)][:_MAX_PATTERNS]
    if not kept:
        return None
    try:
        return GitIgnoreSpec.from_lines(kept)
    except ValueError:
        return GitIgnoreSpec.from_lines(_valid(kept))


def _valid(patterns: Sequence[str]) -> list[str]:
    from pathspec import GitIgnoreSpec

    valid: list[str] = []
    for pattern in patterns:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except ValueError:  # git, too, passes over a pattern that it cannot read
            continue
        valid.append(pattern)
    return valid


def _is_costly(pattern: str) -> bool:
    if len(pattern) > _MAX_PATTERN_CHARS:
        return True
    components = pattern.split("/")
    doubles = sum(part == "**" for part in components)
    return doubles > _MAX_STARS or any(part.count("*") > _MAX_STARS for part in components if part != "**")
