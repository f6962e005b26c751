r"""Typed paths: what is refused before the file system is asked, and which root a path belongs to. Pure.

A path is relative to the first root, or absolute under any root in the root's typed or real spelling. Comparison is by whole
components, so `/w/project2` is not under `/w/project`. Nothing here decides confinement: that is done while opening.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final
from urllib.parse import unquote, urlsplit

from ..errors import InvalidPath, OutsideWorkspace
from .names import printable

MAX_PATH_BYTES: Final = 4096
"""PATH_MAX of Linux; no system call takes more."""
_CONTROL: Final = re.compile("[\x01-\x1f\x7f]")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
# Reserved device names, with the superscript digits that Windows folds into 1, 2, 3 (cap-std advisory).
_RESERVED: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?:\s*[.:].*)?", re.IGNORECASE
)


class Flavour(Enum):
    """Whose rules a path follows."""

    POSIX = "posix"
    FOLDING = "folding"
    """POSIX separators on volumes that ignore case (macOS): roots compare without case; opening decides."""
    WINDOWS = "windows"


@dataclass(frozen=True, slots=True)
class RootPath:
    """One root as the user spelled it (made absolute) and as the file system resolves it."""

    typed: str
    real: str


@dataclass(frozen=True, slots=True)
class PathRequest:
    """A path that may be tried: which root, and the components below it."""

    root: int
    parts: tuple[str, ...]
    """Components below the root, without empty ones and `.`; `..` is kept, since a component before it may be a link."""
    shown: str
    """The path as error messages may show it."""
    doubt: str = ""
    """Why the path is invalid rather than missing, should nothing have this name."""


def outside_workspace() -> OutsideWorkspace:
    """Return the one error for every path that leads out, whatever is or is not there."""
    return OutsideWorkspace(
        "the path leads outside the workspace",
        why="only files under the configured roots can be opened, and links are followed only inside them",
        next_call='give a path below the root; read path="." lists it',
    )


def parse_path(path: str, roots: Sequence[RootPath], flavour: Flavour = Flavour.POSIX) -> PathRequest:
    """Turn a typed path into a request.

    Raises:
        InvalidPath: No file can have this path: empty, NUL, too long, not encodable, a URI with a host, a Windows device name.
        OutsideWorkspace: The path leads out of every root by its spelling alone.
    """
    shown = printable(path[:200] + ("…" if len(path) > 200 else ""))
    text = _from_uri(path, shown) if path[:5].lower() == "file:" else path
    _check_characters(text, shown)
    if flavour is Flavour.WINDOWS:
        text = _checked_windows(text, shown)
    root, parts = _place(text, roots, flavour)
    return PathRequest(root, parts, shown, _doubt(text))


def display_of(parts: Sequence[str], root: RootPath, index: int) -> str:
    """Return how answers name a path: relative under the first root, absolute under another; the first root itself is `.`."""
    below = "/".join(parts)
    if index == 0:
        return below or "."
    base = root.typed.rstrip("/")
    return f"{base}/{below}" if below else base or "/"


def collapse(parts: Sequence[str]) -> tuple[str, ...]:
    """Remove `..` with the component before it, as if no component were a link."""
    kept: list[str] = []
    for part in parts:
        if part == "..":
            if kept:
                kept.pop()
        else:
            kept.append(part)
    return tuple(kept)


def enter_root(target: str, roots: Sequence[RootPath], flavour: Flavour = Flavour.POSIX) -> tuple[int, tuple[str, ...]] | None:
    """Find the root that an absolute path lies under, by whole components; the components below it, or None."""
    wanted = _parts(target)
    for index, root in enumerate(roots):
        for spelling in (root.typed, root.real):
            prefix = _parts(spelling)
            if _folded(wanted[: len(prefix)], flavour) == _folded(prefix, flavour):
                return index, wanted[len(prefix) :]
    return None


def _place(text: str, roots: Sequence[RootPath], flavour: Flavour) -> tuple[int, tuple[str, ...]]:
    is_absolute = text.startswith("/") or (flavour is Flavour.WINDOWS and text[1:2] == ":")
    if not is_absolute:
        found: tuple[int, tuple[str, ...]] | None = (0, _parts(text))
    else:
        found = enter_root(text, roots, flavour)
        if found is None or _leaves(found[1]):
            found = enter_root("/" + "/".join(collapse(_parts(text))), roots, flavour)
    if found is None or _leaves(found[1]):
        raise outside_workspace()
    return found


def _leaves(parts: Sequence[str]) -> bool:
    depth = 0
    for part in parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return True
    return False


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split("/") if part not in ("", "."))


def _folded(parts: Sequence[str], flavour: Flavour) -> list[str]:
    return list(parts) if flavour is Flavour.POSIX else [part.casefold() for part in parts]


def _check_characters(text: str, shown: str) -> None:
    if not text:
        raise InvalidPath("the path is empty", next_call='read path="." lists the root')
    if "\0" in text:
        raise InvalidPath("the path holds a NUL", why="no file name can", next_call="remove it")
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError:
        raise InvalidPath(
            f"{shown} cannot be a file name here", why="it does not encode", next_call=r"type undecodable bytes as \xNN"
        ) from None
    if len(encoded) > MAX_PATH_BYTES:
        raise InvalidPath(
            f"the path has {len(encoded):,} bytes", why=f"no path has more than {MAX_PATH_BYTES:,}", next_call="shorten it"
        )


def _doubt(text: str) -> str:
    if _CONTROL.search(text):
        return "it holds control characters"
    if text.startswith("~"):
        return "`~` is not expanded here"
    if "%00" in text:
        return "it holds an encoded NUL"
    if _SCHEME.match(text):
        return "it is a URI, not a path"
    return ""


def _from_uri(path: str, shown: str) -> str:
    uri = urlsplit(path)
    text = unquote(uri.path, errors="surrogateescape")
    if uri.netloc or not text.startswith("/") or "\0" in text:
        raise InvalidPath(f"{shown} is not a local file", why="a file: URI may not name a host", next_call="give a plain path")
    return text


def _checked_windows(text: str, shown: str) -> str:
    slashed = text.replace("\\", "/")
    has_drive = re.match(r"[A-Za-z]:/", slashed) is not None
    below = slashed[2:] if has_drive else slashed
    if below.startswith("/") and not has_drive:
        why = "UNC, device and root-relative paths are not taken"
    elif ":" in below:
        why = "a colon names a stream or a drive"
    elif any(_RESERVED.fullmatch(part) or part != part.rstrip(". ") for part in below.split("/") if part not in (".", "..")):
        why = "it is a reserved device name, or ends in a dot or space"
    else:
        return slashed
    raise InvalidPath(f"{shown} is not a plain file path", why=why, next_call="give a path relative to the root")
