"""The one answer format: a line of facts, the body, a last line of continuations and the receipt.

The text is for the model. `parts` says the same for machines and travels in `_meta["penstock/parts"]`; its `body` offsets
are in characters (code points) of the final text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

SEPARATOR: Final = " · "
PARTS_KEY: Final = "penstock/parts"

JsonValue = None | bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"]


@dataclass(frozen=True, slots=True)
class Part:
    """One delivered thing: a file view, a compressed output, a restored payload."""

    path: str
    view: str
    """The view delivered; `unchanged` for a stub, `diff` for a delta."""
    body: str
    """The delivered text, verbatim as it stands in the answer."""
    facts: str = ""
    """The facts line above this part's body (needed when an answer has several parts)."""
    tail: str = ""
    """The line below this part's body: continuation and receipt."""
    lines: tuple[int, int] | None = None
    """First and last line covered, 1-based, of `of_lines`."""
    of_lines: int | None = None
    sha256: str = ""
    is_lossy: bool = False
    receipt: str = ""
    handle: str = ""
    tokens: int = 0
    raw_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool returns: the text block and what machines are told about it."""

    text: str
    parts: Sequence[Mapping[str, JsonValue]] = field(default_factory=tuple)
    is_error: bool = False
    frame: str | None = None
    """The text without its bodies, whose tokens the parts give; None: the parts do not say what the text costs."""
    meta: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    """Further `_meta` entries, for machines only."""


def facts_line(*facts: str) -> str:
    """Join the non-empty facts; the result is one line whatever the facts hold."""
    return " ".join(SEPARATOR.join(fact for fact in facts if fact).splitlines())


def clean_text(text: str) -> str:
    r"""Make `text` encodable: lone surrogates become `\udcxx` escapes. The single exit point calls this."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text


def compose(parts: Sequence[Part], *, head: str = "", foot: str = "") -> Answer:
    """Lay parts out one after the other, each as facts, body, tail, and compute the offsets of their bodies.

    `head` is a line above everything and `foot` a line below it; both are optional.
    """
    pieces: list[str] = []
    frame: list[str] = []
    length = 0

    def add(text: str) -> None:
        nonlocal length
        pieces.append(text)
        length += len(text)

    def add_line(line: str) -> None:
        if line:
            if pieces and not pieces[-1].endswith("\n"):
                add("\n")
            add(clean_text(line))
            add("\n")
            frame.append(pieces[-2] + "\n")

    machine: list[Mapping[str, JsonValue]] = []
    add_line(head)
    for part in parts:
        add_line(part.facts)
        body = clean_text(part.body)
        start = length
        if pieces and not pieces[-1].endswith("\n"):
            add("\n")
            start = length
        add(body)
        machine.append(_part_value(part, start, length))
        add_line(part.tail)
    add_line(foot)
    text = "".join(pieces)
    # The closing newline of our own last line carries nothing; a body's own newline is never touched.
    if (foot or (parts and parts[-1].tail) or not parts) and text.endswith("\n"):
        text = text[:-1]
    return Answer(text, tuple(machine), frame="".join(frame))


def _part_value(part: Part, start: int, end: int) -> Mapping[str, JsonValue]:
    value: dict[str, JsonValue] = {"path": clean_text(part.path), "view": part.view, "body": [start, end]}
    if part.lines is not None:
        value["lines"] = list(part.lines)
    if part.of_lines is not None:
        value["of"] = part.of_lines
    value["sha256"] = part.sha256
    value["lossy"] = part.is_lossy
    if part.receipt:
        value["receipt"] = part.receipt
    if part.handle:
        value["handle"] = part.handle
    value["tokens"] = part.tokens
    value["raw_tokens"] = part.raw_tokens
    return value
