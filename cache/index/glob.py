"""Path globs. Pure.

A folder or a file names itself and all below it; `*` and `?` stay within a name, `**` crosses folders, `{a,b}` is either; a
pattern without a slash matches a name at any depth. Parts are matched by fnmatch, whose expressions do not backtrack, and
`**` by following every place it may end at: no pattern is slow on any path.
"""

import re
from collections.abc import Callable, Sequence
from fnmatch import translate
from itertools import product
from typing import Final

from ..errors import InvalidArgument

_MAX_CHARS: Final = 1_000
_MAX_ALTERNATIVES: Final = 64
_BRACES: Final = re.compile(r"\{([^{}]*)\}")

_Part = Callable[[str], object]


def path_filter(pattern: str) -> Callable[[str], bool] | None:
    """Return what says whether a path matches; None if every path does.

    Raises:
        InvalidArgument: The pattern is too long or has too many alternatives.
    """
    if len(pattern) > _MAX_CHARS:
        raise InvalidArgument(
            f"path has {len(pattern):,} characters", next_call='name a folder or a glob, e.g. path="src/**/*.py"'
        )
    pattern = pattern.strip().replace("\\", "/").removeprefix("./").rstrip("/")
    if pattern in ("", ".", "**", "**/*", "*"):
        return None
    alternatives = [_compiled(one) for one in _expanded(pattern)]
    return lambda path: any(_matches(parts, path.split("/")) for parts in alternatives)


def _expanded(pattern: str) -> list[str]:
    pieces = _BRACES.split(pattern)
    choices = [piece.split(",") if position % 2 else [piece] for position, piece in enumerate(pieces)]
    count = 1
    for choice in choices:
        count *= len(choice)
    if count > _MAX_ALTERNATIVES:
        raise InvalidArgument(f"path has {count:,} alternatives", next_call="search with fewer {…} in path")
    return ["".join(chosen) for chosen in product(*choices)]


def _compiled(pattern: str) -> list[_Part | None]:
    if "/" not in pattern and any(character in pattern for character in "*?["):
        pattern = "**/" + pattern
    parts: list[_Part | None] = []
    for part in pattern.split("/"):
        if part != "**":
            parts.append(re.compile(translate(part)).match)
        elif not parts or parts[-1] is not None:
            parts.append(None)
    return parts


def _matches(parts: Sequence[_Part | None], names: Sequence[str]) -> bool:
    """Whether the parts match the names or a folder above them; None stands for `**`."""
    places = _past_stars({0}, parts)
    for name in names:
        following: set[int] = set()
        for place in places:
            part = parts[place]
            if part is None:
                following.add(place)
            elif part(name):
                following.add(place + 1)
        if not following:
            return False
        places = _past_stars(following, parts)
        if len(parts) in places:
            return True
    return False


def _past_stars(places: set[int], parts: Sequence[_Part | None]) -> set[int]:
    """Add the places behind every `**`, which may match nothing."""
    return places | {place + 1 for place in places if place < len(parts) and parts[place] is None}
