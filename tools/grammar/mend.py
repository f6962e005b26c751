"""Pure: definitions in the stretches that a grammar could not read, from what their lines look like.

One unknown construct can cost a grammar the rest of a file. What stands in such a stretch is guessed line by line and added to
what the grammar found; the outline says how many entries are guesses.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from .definition import CONTAINER_KINDS, Definition
from .language import Language
from .lineguess import guess_lines
from .spans import LineMap

_QUOTES: Final = (b"*", b"/*", b'"', b"'", b"<!--")
"""What lines of comments and strings begin with, beside the language's own mark."""

_MIN_GUESSES: Final = 20
_MAX_COMPARED: Final = 1_000_000
"""Every guess is compared with every definition: this many pairs cost about 0.1 s."""
_ARGUMENTS: Final = re.compile(rb"<.*>")
_STATEMENTS: Final = frozenset(
    {"if", "for", "while", "switch", "return", "throw", "const", "let", "var", "new", "await", "else", "do"}
)
"""What a grammar that has lost its way takes for names of methods."""
_TYPES: Final = frozenset({"class", "struct", "union", "enum"})
_VARIABLES: Final = frozenset({"let", "val", "variable", "data", "input", "event", "task", "output", "schema", "library"})


def mend(
    language: Language, definitions: list[Definition], errors: Sequence[tuple[int, int]], lines: LineMap
) -> tuple[list[Definition], int]:
    """Add guessed definitions for the `errors` (byte offsets); also return how many were added."""
    numbers = list(_numbers(language, errors, lines))
    if not numbers:
        return definitions, 0
    definitions = [one for one in definitions if one.name not in _STATEMENTS]
    taken = {one.start_line for one in definitions}
    guessed = [
        one
        for one in guess_lines(language.name, lines, numbers)
        if one.start_line not in taken and _is_believable(one, lines.line(one.start_line))
    ]
    guessed = guessed[: max(_MIN_GUESSES, _MAX_COMPARED // (1 + len(definitions)))]
    known = _Spans(definitions)
    functions = _Spans([one for one in definitions if one.kind not in CONTAINER_KINDS])
    guessed = [_ended(one, known, lines) for one in guessed if not functions.around(one)]
    if not guessed:
        return definitions, 0
    placed = [_placed(one, known.around(one)) for one in guessed]
    for one in placed:
        if one.kind in CONTAINER_KINDS:
            definitions = [_adopted(each, one) for each in definitions]
    return sorted([*definitions, *placed], key=lambda one: one.start_line), len(guessed)


def _numbers(language: Language, errors: Sequence[tuple[int, int]], lines: LineMap) -> Iterator[int]:
    """Yield the lines of the errors, ascending, each once, without comments and continued strings."""
    last = 0
    for start, end in errors:
        first = max(last + 1, lines.line_of(start))
        last = max(last, lines.last_line_of(start, end))
        for number in range(first, last + 1):
            text = lines.line(number).lstrip()
            if text and not text.startswith(_QUOTES) and not (language.mark and text.startswith(language.mark.encode())):
                yield number


def _is_believable(one: Definition, text: bytes) -> bool:
    """Pass over variables inside something, types that are only declared, and variables of a structure's type."""
    if one.kind in _VARIABLES:
        return _margin(text) == 0
    if one.kind not in _TYPES or b"{" in text:
        return not (one.kind in _TYPES and b"=" in _ARGUMENTS.sub(b"", text))
    return not text.rstrip().endswith((b";", b","))


class _Spans:
    """Definitions by where they begin (they come ascending): what holds a line, and what begins after one."""

    def __init__(self, definitions: Sequence[Definition]) -> None:
        self._definitions = definitions
        self._starts = [one.start_line for one in definitions]
        self._reach = list(accumulate((one.end_line for one in definitions), max))
        """The last line of all definitions so far."""

    def around(self, one: Definition) -> list[Definition]:
        """Return those that begin before `one` and hold it."""
        before = bisect_left(self._starts, one.start_line)
        if not before or self._reach[before - 1] < one.end_line:
            return []
        return [each for each in self._definitions[:before] if one.end_line <= each.end_line]

    def within(self, one: Definition) -> Sequence[Definition]:
        """Return those that begin inside `one`, behind its first line."""
        first = bisect_right(self._starts, one.start_line)
        return self._definitions[first : bisect_right(self._starts, one.end_line, first)]


def _ended(one: Definition, known: _Spans, lines: LineMap) -> Definition:
    """End a guess where its braces close, if on its line, else before the next thing found at its margin or left of it."""
    text = lines.line(one.start_line)
    if text.count(b"{") == text.count(b"}") > 0:
        return one._replace(end_line=one.start_line)
    margin = _margin(text)
    for each in known.within(one):
        if _margin(lines.line(each.start_line)) <= margin:
            return one._replace(end_line=each.start_line - 1)
    return one


def _margin(line: bytes) -> int:
    return len(line) - len(line.lstrip())


def _adopted(each: Definition, around: Definition) -> Definition:
    """Put what the grammar found inside a guess below it."""
    if not (around.start_line < each.start_line and each.end_line <= around.end_line and each.depth >= around.depth):
        return each
    below = (each.parent or "").removeprefix(around.parent or "").strip(".")
    parent = f"{around.qualified_name}.{below}" if below else around.qualified_name
    return each._replace(depth=each.depth + 1, parent=parent)


def _placed(one: Definition, around: Sequence[Definition]) -> Definition:
    """Give a guess the innermost parent that the grammar found around it."""
    if not around:
        return one
    inner = max(around, key=lambda each: each.depth)
    parent = f"{inner.qualified_name}.{one.parent}" if one.parent else inner.qualified_name
    return one._replace(depth=inner.depth + 1 + one.depth, parent=parent)
