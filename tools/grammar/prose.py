"""Pure: headings of Markdown, reStructuredText and plain text."""

import re
from collections.abc import Sequence
from typing import Final

from .definition import Outline
from .sections import MAX_ENTRIES, SectionStart, nest
from .spans import LineMap, clip

_ATX: Final = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_BLOCK: Final = re.compile(r"^ {0,3}(?:[|>]|[-*+][ \t]|\d{1,9}[.)][ \t])")
"""What begins a block of its own: a line above it is no part of its text."""
_RULE: Final = re.compile(r"^[ \t]*(?:([-*_=])(?:[ \t]*\1)*[ \t]*)?\r?$")
"""A line that is blank or a rule."""
_MAX_TITLE_LINES: Final = 5
_FENCE: Final = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_UNDERLINE: Final = re.compile(r"^([=\-~^\"'`#*+.:_<>!$%&,;?@\\/|])\1{2,}\s*$")
_NUMBERED: Final = re.compile(
    r"^(?:(?:\d+\.)+\d*|\d+\.|[IVX]+\.|(?:chapter|part|section|appendix)\s+\w+)[ \t]+\S.{0,90}$", re.IGNORECASE
)
_CAPITALS: Final = re.compile(r"^[A-Z0-9][A-Z0-9 ,.:()/&'-]{3,80}$")
_MAX_PARAGRAPHS: Final = 60


def markdown_outline(data: bytes) -> Outline:
    """Outline by ATX and setext headings; fenced code, HTML comments and front matter are no headings."""
    lines = LineMap(data)
    starts: list[SectionStart] = []
    fence = ""
    is_comment = False
    at = _front_matter_end(lines)
    paragraph: list[str] = []  # lines that an underline would make a heading of
    for number in range(at + 1, lines.count + 1):
        text = lines.line(number)[:2000].decode("utf-8", "replace")
        if not fence and (is_comment or text.lstrip().startswith("<!--")):
            is_comment = "-->" not in text
            paragraph.clear()
            continue
        start: SectionStart | None = None
        mark = _FENCE.match(text)
        if mark is not None and (not fence or (mark.group(1).startswith(fence) and not text.strip(" `~"))):
            fence = "" if fence else mark.group(1)
        elif not fence:
            start = _markdown_heading(number, text, paragraph)
            if start is not None:
                starts.append(start)
        is_words = not fence and mark is None and start is None and _RULE.match(text) is None
        if not is_words or _BLOCK.match(text):
            paragraph.clear()
        if is_words and len(paragraph) < _MAX_TITLE_LINES:
            paragraph.append(text)
        if len(starts) >= MAX_ENTRIES:
            break
    return Outline("markdown", lines.count, nest(starts, lines))


def _markdown_heading(number: int, text: str, paragraph: Sequence[str]) -> SectionStart | None:
    atx = _ATX.match(text)
    if atx is not None:
        title = clip((atx.group(2) or "").strip(), 120)
        return SectionStart(number, len(atx.group(1)), "heading", title, f"{atx.group(1)} {title}")
    stripped = text.strip()
    if (
        paragraph
        and stripped
        and set(stripped) in ({"="}, {"-"})
        and len(stripped) >= 2
        and len(paragraph) < _MAX_TITLE_LINES
        and not paragraph[0].startswith((" " * 4, "|", ">", "-", "*"))
    ):
        title = clip(" ".join(line.strip() for line in paragraph), 120)
        level = 1 if stripped[0] == "=" else 2
        return SectionStart(number - len(paragraph), level, "heading", title, f"{'#' * level} {title}")
    return None


def _front_matter_end(lines: LineMap) -> int:
    if lines.line(1).strip() not in {b"---", b"+++"}:
        return 0
    mark = lines.line(1).strip()
    for number in range(2, min(lines.count, 200) + 1):
        if lines.line(number).strip() == mark:
            return number
    return 0


def rst_outline(data: bytes) -> Outline:
    """Outline by underlined titles; levels in order of first use, as docutils has it."""
    lines = LineMap(data)
    starts: list[SectionStart] = []
    levels: list[str] = []
    for number in range(2, lines.count + 1):
        under = lines.line(number)[:400].decode("utf-8", "replace")
        title = lines.line(number - 1)[:400].decode("utf-8", "replace").rstrip()
        if not _UNDERLINE.match(under) or not title.strip() or _UNDERLINE.match(title) or len(under.rstrip()) < len(title) - 2:
            continue
        over = lines.line(number - 2)[:400].decode("utf-8", "replace").rstrip() if number > 2 else ""
        style = under[0] + (under[0] if over == under.rstrip() else "")
        if style not in levels:
            levels.append(style)
        level = levels.index(style) + 1
        name = clip(title.strip(), 120)
        starts.append(SectionStart(number - 1, level, "heading", name, f"{'#' * level} {name}"))
        if len(starts) >= MAX_ENTRIES:
            break
    return Outline("rst", lines.count, nest(starts, lines))


def text_outline(data: bytes) -> Outline:
    """Outline plain text by lines that look like headings, else by the first lines of paragraphs; labelled a guess."""
    underlined = rst_outline(data)
    lines = LineMap(data)
    if underlined.definitions:
        return Outline("text", lines.count, underlined.definitions, fallback="plain text; underlined lines as headings")
    starts: list[SectionStart] = []
    paragraphs: list[SectionStart] = []
    is_blank_before = True
    for number in range(1, lines.count + 1):
        text = lines.line(number)[:400].decode("utf-8", "replace").rstrip()
        if text and is_blank_before:
            first = clip(" ".join(text.split()), 80)
            if _NUMBERED.match(text) or _CAPITALS.match(text):
                starts.append(SectionStart(number, 1, "heading", first, first))
            elif not text[0].isspace():
                paragraphs.append(SectionStart(number, 1, "paragraph", first, first))
        is_blank_before = not text
    if len(starts) >= 2:
        return Outline(
            "text", lines.count, nest(starts[:MAX_ENTRIES], lines), fallback="plain text; lines that look like headings"
        )
    step = max(1, -(-len(paragraphs) // _MAX_PARAGRAPHS))
    return Outline("text", lines.count, nest(paragraphs[::step], lines), fallback="plain text; first lines of paragraphs")
