"""Pure: an outline without a grammar, from what lines look like. Always labelled as such.

Definitions are lines that begin like one in some language; each reaches to the next line that is not indented deeper.
Where no line looks like a definition, the unindented lines that have indented ones below them stand for blocks.
"""

import re
from collections.abc import Iterable
from typing import Final

from .definition import Definition, Outline
from .spans import LineMap, clip

MAX_ENTRIES: Final = 5_000
_MAX_BLOCK: Final = 2_000
"""Lines searched for the end of one block: keeps the whole linear."""
_MAX_LINE: Final = 400
_MODIFIERS: Final = (
    r"export|default|public|private|protected|internal|static|final|abstract|async|pub(?:\([^)]*\))?|extern|inline|local|"
    r"override|virtual|sealed|partial|const|unsafe|open|data|case|defn?-?"
)
_KINDS: Final = (
    r"def|defn-|defn|defun|defmacro|defmethod|defmulti|defprotocol|defrecord|deftype|class|function|func|fun|fn|sub|proc|procedure|struct|enum|"
    r"trait|interface|type|module|namespace|package|impl|object|record|protocol|macro|message|service|rpc|resource|data|variable|"
    r"output|provider|subroutine|program|contract|library|modifier|event|schema|input|union|extend|mixin|extension|task|stage|"
    r"let rec|let|val"
)
_FIRST_WORD: Final = re.compile(r"[ \t]*\(?([A-Za-z]+)")
_FIRST_WORDS: Final = frozenset(re.findall(r"[a-z]{2,}", f"{_MODIFIERS}|{_KINDS}|def"))
"""What every line that `_DEFINITION` matches begins with: looking that up is faster than to match."""
_DEFINITION: Final = re.compile(
    rf"^(?P<indent>[ \t]*)\(?(?:(?:{_MODIFIERS})\s+)*(?P<kind>{_KINDS})[ \t]+"
    r"(?P<name>\"[^\"]+\"(?:[ \t]+\"[^\"]+\")?|[\w.:$@?!*'<>-]+)",
    re.IGNORECASE,
)
_GENERIC: Final = frozenset({"class", "struct", "interface", "trait", "record", "type", "enum", "function", "func", "fn", "fun"})
"""Kinds whose names can be followed by type parameters."""
_ASSIGNED: Final = re.compile(r"^(?P<indent>)(?P<name>[\w.$]+)\s*(?:<-|=|:=)\s*(?P<kind>function)\b")
_C_FUNCTION: Final = re.compile(
    r"^(?P<indent>)(?=[A-Za-z_~][^(]*\()"
    r"(?!(?:if|for|while|switch|return|else|do|case|typedef|using|namespace|struct|class|enum|union)\b)"
    r"(?:[A-Za-z_][\w:<>,]*[\s*&]+)*(?P<name>[A-Za-z_~][\w:~]*)\s*\([^;={}]*(?:\)\s*(?:const\s*)?\{.*|\)\s*|,\s*)$"
)
"""A line at the margin that calls or declares something and is no statement: a function whose macros the grammar cannot read."""
_RULES: Final[dict[str, tuple[str, re.Pattern[str]]]] = {
    "make": ("target", re.compile(r"^(?P<indent>)(?P<name>[\w./%$(){} -]+?)\s*::?(?!=)")),
    "docker": ("stage", re.compile(r"^(?P<indent>)FROM\s+(?P<name>\S+(?:\s+AS\s+\S+)?)", re.IGNORECASE)),
    "cmake": (
        "call",
        re.compile(r"^(?P<indent>)(?:function|macro|add_\w+|project|option)\s*\(\s*(?P<name>[^\s)]+)", re.IGNORECASE),
    ),
    "latex": ("section", re.compile(r"^(?P<indent>\s*)\\(?:part|chapter|(?:sub)*section|paragraph)\*?\{(?P<name>[^}]*)")),
    "vue": ("section", re.compile(r"^(?P<indent>)<(?P<name>template|script|style)\b")),
    "svelte": ("section", re.compile(r"^(?P<indent>)<(?P<name>script|style)\b")),
    "less": ("rule", re.compile(r"^(?P<indent>\s*)(?P<name>(?:[.#&@:*\w][^{};]*))\{")),
    "bash": ("function", re.compile(r"^(?P<indent>[ \t]*)(?:function\s+)?(?P<name>[\w:.-]+)\s*\(\s*\)\s*\{?")),
    "batch": ("label", re.compile(r"^(?P<indent>):(?P<name>\w+)")),
    "assembly": ("label", re.compile(r"^(?P<indent>)(?P<name>[A-Za-z_]\w*):")),
    "erlang": ("function", re.compile(r"^(?P<indent>)(?P<name>[a-z]\w*)\(.*->")),
    "c": ("function", _C_FUNCTION),
    "cpp": ("function", _C_FUNCTION),
    "dart": (
        "function",
        re.compile(
            r"^(?P<indent> {0,2})(?!(?:(?:abstract|sealed|base|final)\s+)*(?:class|enum|mixin|extension|return|await|else|if)\b)"
            r"(?:[\w<>?,.]+\s+)+(?P<name>\w+)\s*(?:\((?:[^;]*\{\s*$|[^;=]*\)\s*=>)|=>|\{\s*$)"
        ),
    ),
    "objc": (
        "method",
        re.compile(r"^(?P<indent>)(?:[-+]\s*\([^)]*\)\s*|@(?:interface|implementation|protocol)\s+)(?P<name>\w+)"),
    ),
    "fortran": (
        "function",
        re.compile(r"^(?P<indent>\s*)(?:\w+\s+)*(?:subroutine|function|module|program)\s+(?P<name>\w+)", re.IGNORECASE),
    ),
}
_NOT_NAMES: Final = frozenset(
    {"is", "of", "to", "in", "the", "a", "an", "for", "and", "or", "as", "=", "==", "from", "with", "that"}
)


def guess_outline(language: str | None, data: bytes, why: str) -> Outline:
    """Return the labelled, line-based outline; `why` says why there is no better one."""
    lines = LineMap(data)
    found = _starts(language, lines, range(1, lines.count + 1))
    kind_of_guess = "lines that look like definitions"
    if not found:
        found = _blocks(lines)
        kind_of_guess = "blocks by indentation"
    definitions = _nest(found, lines)
    if len(found) >= MAX_ENTRIES:
        kind_of_guess += f", the first {MAX_ENTRIES:,} up to line {found[-1][0]:,}"
    return Outline(language, lines.count, tuple(definitions), fallback=f"{why}; {kind_of_guess}")


def guess_lines(language: str, lines: LineMap, numbers: Iterable[int]) -> list[Definition]:
    """Return definitions that begin on the given lines (ascending), as far as lines can tell."""
    return _nest(_starts(language, lines, numbers), lines)


_Start = tuple[int, int, str, str, str]  # line, indent, kind, name, text


def _starts(language: str | None, lines: LineMap, numbers: Iterable[int]) -> list[_Start]:
    rule = _RULES.get(language or "")
    found: list[_Start] = []
    for number in numbers:
        raw = lines.line(number)
        if not raw or len(raw) > 8 * _MAX_LINE:
            continue
        text = raw[:_MAX_LINE].decode("utf-8", "replace")
        match = _match(rule, text)
        if match is not None:
            kind, name, indent = match
            found.append((number, indent, kind, name, clip(" ".join(text.split()).rstrip(" {:="), 160)))
            if len(found) >= MAX_ENTRIES:
                break
    return found


def _match(rule: tuple[str, re.Pattern[str]] | None, text: str) -> tuple[str, str, int] | None:
    if rule is not None:
        own = rule[1].match(text)
        if own is not None:
            return rule[0], own["name"].strip(), len(own["indent"].expandtabs(4))
    word = _FIRST_WORD.match(text)
    match = _DEFINITION.match(text) if word is not None and word[1].lower() in _FIRST_WORDS else None
    match = match or _ASSIGNED.match(text)
    if match is None or match["name"] in _NOT_NAMES or match["name"].startswith("-"):
        return None
    kind, name = match["kind"].lower(), match["name"].strip("\"'").rstrip(":")
    if kind in _GENERIC:
        name = name.partition("<")[0] or name
    return kind, name, len(match["indent"].expandtabs(4))


def _blocks(lines: LineMap) -> list[_Start]:
    found: list[_Start] = []
    last: tuple[int, str] | None = None
    for number in range(1, lines.count + 1):
        raw = lines.line(number)[:_MAX_LINE]
        if not raw.strip():
            continue
        if raw[:1] not in {b" ", b"\t"}:
            last = (number, clip(" ".join(raw.decode("utf-8", "replace").split()), 100))
        elif last is not None:
            found.append((last[0], 0, "block", last[1], last[1]))
            last = None
            if len(found) >= MAX_ENTRIES:
                break
    return found


_CLOSERS: Final = (b"}", b")", b"]", b"end", b"{", b"done", b"fi", b"esac", b"|")


def _indent_of(line: bytes) -> int | None:
    """Return twice the indentation of a line, and one more for a line that closes what is open there; None for a blank one."""
    stripped = line[:_MAX_LINE].lstrip()
    if not stripped:
        return None
    indent = len(line[:_MAX_LINE]) - len(stripped)
    if b"\t" in line[:indent]:
        indent = len(line[:indent].expandtabs(4))
    return 2 * indent + stripped.startswith(_CLOSERS)


class _Indents:
    """The indentation of lines, each looked at once and only when asked for: a few guesses need few lines of a file."""

    def __init__(self, lines: LineMap) -> None:
        self._lines = lines
        self._known: dict[int, int | None] = {}

    def __getitem__(self, number: int) -> int | None:
        if number not in self._known:
            self._known[number] = _indent_of(self._lines.line(number))
        return self._known[number]


def _fallen_back(indents: _Indents, number: int, end: int) -> int:
    """Return the last line of the block that `number` opens: after deeper lines, the first one as shallow as it ends it."""
    own = indents[number] or 0
    own -= own % 2
    was_deeper = False
    for at in range(number + 1, min(end, number + _MAX_BLOCK) + 1):
        indent = indents[at]
        if indent is None:
            continue
        if indent > own:
            was_deeper = was_deeper or indent > own + 1
        elif was_deeper or indent % 2:
            return at - 1
    return end


def _nest(found: list[_Start], lines: LineMap) -> list[Definition]:
    """Give each start its end: where the indentation falls back, or the next start that is not indented deeper."""
    indents = _Indents(lines)
    ends = [lines.count] * len(found)
    stack: list[int] = []
    depths: list[tuple[int, str | None]] = []
    for index, (number, indent, _, _, _) in enumerate(found):
        while stack and found[stack[-1]][1] >= indent:
            ends[stack.pop()] = number - 1
        parent = ".".join(found[at][3] for at in stack[-3:]) or None
        depths.append((len(stack), parent))
        stack.append(index)
    out: list[Definition] = []
    for (number, _, kind, name, text), end, (depth, parent) in zip(found, ends, depths, strict=True):
        last = _fallen_back(indents, number, end)
        while last > number and indents[last] is None:
            last -= 1
        out.append(Definition(kind, clip(name, 120), number, last, text, "", depth, parent))
    return out
