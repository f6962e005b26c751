"""Which names are ignored where git cannot be asked: nested `.gitignore` and `.ignore` files, by pathspec.

As git does it: the deepest file that has a matching pattern decides, inside a file the last one, and what lies below an ignored
folder cannot be brought back. `.ignore` outranks `.gitignore` beside it. Patterns that could make a regular expression explode
are left out, which shows more files, never fewer.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
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
_GROUP_NAME: Final = re.compile(r"\(\?P<\w+>")
_FOLDER_GROUP: Final = "ps_d"
"""pathspec's name for the slash after a folder that matches."""
_ANY_FOLDER: Final = f"(?P<{_FOLDER_GROUP}>/)"
"""What pathspec makes of `*/`: a slash anywhere, where git means every folder."""
_MAX_PATTERNS: Final = 2000
_MAX_PATTERN_CHARS: Final = 512
_MAX_STARS: Final = 3
"""Backtracking over a 255-character name grows with the power of the stars in one component."""


@dataclass(frozen=True, slots=True)
class IgnoreLevel:
    """The patterns of one folder."""

    start: int
    """Length of the folder's path with its slash."""
    patterns: tuple[str, ...]
    spec: "GitIgnoreSpec" = field(repr=False)
    any_of: re.Pattern[str] = field(repr=False)
    """Matches what any pattern matches: most paths match none, which one search tells three times faster than `spec`."""

    def verdict(self, path: str) -> bool | None:
        """Whether the last pattern that matches ignores `path`; None if none matches."""
        below = path[self.start :]
        if not self.any_of.search(below):
            return None
        for pattern in reversed(self.spec.patterns):
            regex = None if pattern.include is None else pattern.regex
            if regex is not None and regex.pattern == _ANY_FOLDER and below.endswith("/"):
                return pattern.include
            found = None if regex is None else regex.match(below)
            # What only a folder above it matches was judged there: "!logs" says nothing of "logs/a".
            if found and (_FOLDER_GROUP not in found.re.groupindex or found.end(_FOLDER_GROUP) in (-1, len(below))):
                return pattern.include
        return None


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules in force in one folder. Immutable; `below` adds those of a folder further down."""

    levels: tuple[IgnoreLevel, ...] = ()
    """Shallowest first."""

    def below(self, folder: str, patterns: Iterable[str]) -> "IgnoreRules":
        """Add the patterns of an ignore file in `folder`, a path relative to where the walk's paths begin, empty at the top."""
        start = len(folder) + 1 if folder else 0
        added = _usable(patterns)
        if not added:
            return self
        if self.levels and self.levels[-1].start == start:  # the same folder: one match instead of two, the later still wins
            before = self.levels[-1].patterns
            return IgnoreRules((*self.levels[:-1], _level(start, (*before, *added))))
        return IgnoreRules((*self.levels, _level(start, added)))

    def ignores(self, rel: str, *, is_dir: bool) -> bool:
        """Whether a path is ignored by itself; the caller does not descend into ignored folders."""
        path = f"{rel}/" if is_dir else rel
        for level in reversed(self.levels):
            verdict = level.verdict(path)
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


def _usable(patterns: Iterable[str]) -> tuple[str, ...]:
    kept = [line for line in patterns if line.strip() and not line.startswith("#") and not _is_costly(line)]
    return tuple(kept[:_MAX_PATTERNS])


def _level(start: int, patterns: tuple[str, ...]) -> IgnoreLevel:
    from pathspec import GitIgnoreSpec  # 70 ms: only where git cannot be asked

    try:
        spec = GitIgnoreSpec.from_lines(patterns)
    except ValueError:
        spec = GitIgnoreSpec.from_lines(_valid(patterns))
    sources = [pattern.regex.pattern for pattern in spec.patterns if pattern.regex is not None]
    # Group names may be used once in an expression; here no group is asked for.
    joined = "|".join(f"(?:{_GROUP_NAME.sub('(', str(source))})" for source in sources)
    return IgnoreLevel(start, patterns, spec, re.compile(joined or "(?!)"))


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
