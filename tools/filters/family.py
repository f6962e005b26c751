"""One family of outputs: its name, how it is recognised, and how its lines are ranked."""

from collections.abc import Callable
from dataclasses import dataclass

from .filter import Document, Scores

Scorer = Callable[[Document], Scores]


@dataclass(frozen=True, slots=True)
class Sign:
    """A piece of evidence in the content: `literal` must occur, and `pattern`, if given, must be found in a line that has it."""

    literal: str
    pattern: str = ""
    weight: int = 10
    """Ten is proof enough alone; more than that lets a family win over others found in the same text."""
    lines: int = 1
    """In how many lines of the sample it must be found."""


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of output, as `kind=` names it."""

    name: str
    score: Scorer
    aim: float = 1.0
    """Share of the original that a default answer has, what must survive not counted."""
    commands: tuple[str, ...] = ()
    """Commands that usually write it: the first words of a command line."""
    signs: tuple[Sign, ...] = ()
    shape: str = ""
    """Regular expression that most lines match."""
    share: float = 0.6
    """Part of the lines (blank ones not counted) that must have the shape."""
    probe: Callable[[Document], bool] | None = None
    """Decides by a look at the whole document, where neither signs nor a shape can."""
    aliases: tuple[str, ...] = ()
    is_part: bool = True
    """Whether such output turns up inside another's: compilers in builds, traces in logs."""
