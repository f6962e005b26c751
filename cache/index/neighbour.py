"""A file and those that it is tied to. Values; nothing heavy is imported here."""

from collections.abc import Sequence
from dataclasses import dataclass

from .chunk import Import


@dataclass(frozen=True, slots=True)
class FileOutline:
    """What a file imports and defines, as whoever asks has read it."""

    path: str
    imports: Sequence[Import] = ()
    names: Sequence[str] = ()
    """Of its definitions."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A file that is tied to another."""

    path: str
    names: tuple[str, ...] = ()
    """What of the other file it calls."""


@dataclass(frozen=True, slots=True)
class Ties:
    """The files tied to one in one way."""

    files: tuple[Neighbour, ...] = ()
    """The most telling ones first."""
    more: int = 0
    """How many others there are, by the index."""
    is_capped: bool = False
    """There may be still more: not every file that speaks of this one was looked at."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The files tied to one."""

    imports: Ties = Ties()
    imported_by: Ties = Ties()
    called_by: Ties = Ties()
    is_whole: bool = True
    """False if some of the workspace was not indexed when that was last looked at."""
