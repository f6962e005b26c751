"""Text laid out for providers' prompt caches. Pure: no clock, no I/O; the token counter is an argument.

Providers keep the state of a byte-exact prefix: what does not change comes first, in one fixed order, and a breakpoint
marks where a cached prefix may end. Anthropic takes at most 4 breakpoints and caches no prefix below 1,024 tokens
(prompt caching documentation). The layout follows seed 002, with real token counts; every function is linear in its
text, counting apart.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from .tokens import TokenCounter

MAX_BREAKPOINTS: Final = 4
MIN_BREAKPOINT_TOKENS: Final = 1024

_RULE_OR_HEADING: Final = re.compile(r"\s*(?:---|===|##|//)")
_IMPORT: Final = re.compile(r"(?:import|use|from|using|require|extern crate|pub use)\b|#include\b|package\b")
_TYPE: Final = re.compile(
    r"(?:(?:export|default|pub(?:\([^)]*\))?|public|private|protected|internal|abstract|final|sealed|static|data|declare)\s+)*"
    r"(?:struct|enum|trait|type|interface|class|union|protocol|record)\b"
)
_LEADING: Final = re.compile(r"(?:#(?!include\b)|//|/\*|\*|@|--)")
_CLOSING: Final = re.compile(r"[)\]}]")


@dataclass(frozen=True, slots=True)
class CacheBlock:
    """A piece of an answer or prompt, and whether it is the same from call to call."""

    id: str
    content: str
    is_stable: bool
    priority: int
    """Lower comes first among blocks that are equally stable."""
    tokens: int


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """A place where a cached prefix may end."""

    offset: int
    """Characters of the rendered text before the breakpoint."""
    tokens: int
    """Tokens before the breakpoint, as the sum over the pieces between natural boundaries."""
    block: str
    """Id of the block that ends or is cut here."""


@dataclass(frozen=True, slots=True)
class AlignedText:
    """Rendered blocks with their breakpoints."""

    text: str
    breakpoints: tuple[Breakpoint, ...]
    stable_tokens: int
    variable_tokens: int

    @property
    def efficiency(self) -> float:
        """Share of the tokens that are stable, 0 to 1; 0 for nothing at all."""
        return _ratio(self.stable_tokens, self.stable_tokens + self.variable_tokens)


@dataclass(frozen=True, slots=True)
class Delta:
    r"""What changed between two texts, in whole lines ended by "\n".

    The first `common_prefix_lines` and the last `common_suffix_lines` lines are in both texts and never overlap in
    either, so that prefix + `changed_content` + suffix is the current text, byte for byte.
    """

    common_prefix_lines: int
    common_suffix_lines: int
    removed_lines: int
    added_lines: int
    changed_content: str
    cached_prefix_tokens: int
    total_delta_tokens: int

    @property
    def savings_ratio(self) -> float:
        """Prefix tokens served from the provider's cache over prefix and changed tokens; 0 for two empty texts.

        The common suffix counts on neither side: behind a change nothing is cached, and it is not sent.
        """
        return _ratio(self.cached_prefix_tokens, self.cached_prefix_tokens + self.total_delta_tokens)


@dataclass(frozen=True, slots=True)
class ReorderedCode:
    """Code in cache order: for showing only. It is a type of its own, so that it cannot pass as a file's text."""

    text: str
    source_lines: tuple[int, ...]
    """The 1-based source line of each line of `text`."""


def stable_block(block_id: str, content: str, counter: TokenCounter, *, priority: int = 0) -> CacheBlock:
    """Make a block that is the same from call to call."""
    return CacheBlock(block_id, content, is_stable=True, priority=priority, tokens=counter.count(content).tokens)


def variable_block(block_id: str, content: str, counter: TokenCounter, *, priority: int = 0) -> CacheBlock:
    """Make a block that may differ from call to call."""
    return CacheBlock(block_id, content, is_stable=False, priority=priority, tokens=counter.count(content).tokens)


def order_blocks(blocks: Iterable[CacheBlock]) -> tuple[CacheBlock, ...]:
    """Stable blocks first, then by priority, then by id: the order of arrival never shows in the bytes.

    Raises:
        ValueError: Two blocks have the same id, which would leave their order to chance.
    """
    ordered = sorted(blocks, key=lambda block: (not block.is_stable, block.priority, block.id))
    ids = [block.id for block in ordered]
    if len(set(ids)) != len(ids):
        raise ValueError(
            f"block ids must be distinct, got {sorted(block_id for block_id in set(ids) if ids.count(block_id) > 1)}"
        )
    return tuple(ordered)


def align(blocks: Iterable[CacheBlock], counter: TokenCounter) -> AlignedText:
    """Render the blocks in cache order, a line end between two where the first has none, and place the breakpoints.

    Raises:
        ValueError: Two blocks have the same id.
    """
    ordered = order_blocks(blocks)
    pieces = [_ended(block.content) if place + 1 < len(ordered) else block.content for place, block in enumerate(ordered)]
    stable = [(block.id, piece) for block, piece in zip(ordered, pieces, strict=True) if block.is_stable]
    return AlignedText(
        "".join(pieces),
        plan_breakpoints(stable, counter),
        sum(block.tokens for block in ordered if block.is_stable),
        sum(block.tokens for block in ordered if not block.is_stable),
    )


def plan_breakpoints(pieces: Sequence[tuple[str, str]], counter: TokenCounter) -> tuple[Breakpoint, ...]:
    """Place at most 4 breakpoints in a stable text, given as (block id, text) pieces in their order.

    The last natural boundary, almost always the end, comes first: it makes the longest prefix. The others share the
    rest evenly. Before the first and between two lie at least 1,024 tokens.
    """
    candidates = _boundaries(pieces, counter)
    if not candidates or candidates[-1].tokens < MIN_BREAKPOINT_TOKENS:
        return ()
    last = candidates[-1]
    wanted = min(MAX_BREAKPOINTS, last.tokens // MIN_BREAKPOINT_TOKENS)
    chosen: list[Breakpoint] = []
    at_least = MIN_BREAKPOINT_TOKENS
    for place in range(1, wanted):
        target = last.tokens * place // wanted
        fitting = [one for one in candidates if at_least <= one.tokens <= last.tokens - MIN_BREAKPOINT_TOKENS]
        if not fitting:
            break
        nearest = min(fitting, key=lambda one: abs(one.tokens - target))
        chosen.append(nearest)
        at_least = nearest.tokens + MIN_BREAKPOINT_TOKENS
    return (*chosen, last)


def compute_delta(previous: str, current: str, counter: TokenCounter) -> Delta:
    """Compare two texts from both ends; the suffix stops where the prefix ended, in the shorter text."""
    old, new = _lines(previous), _lines(current)
    shorter = min(len(old), len(new))
    prefix = 0
    while prefix < shorter and old[prefix] == new[prefix]:
        prefix += 1
    suffix = 0
    while suffix < shorter - prefix and old[-1 - suffix] == new[-1 - suffix]:
        suffix += 1
    changed = "".join(new[prefix : len(new) - suffix])
    return Delta(
        common_prefix_lines=prefix,
        common_suffix_lines=suffix,
        removed_lines=len(old) - prefix - suffix,
        added_lines=len(new) - prefix - suffix,
        changed_content=changed,
        cached_prefix_tokens=counter.count("".join(new[:prefix])).tokens,
        total_delta_tokens=counter.count(changed).tokens,
    )


def cache_order_code(content: str) -> ReorderedCode:
    """Imports, then type definitions, then the rest, each in source order: what changes least comes first.

    Whole top-level statements move, with their comments and decorators and everything indented below; lines are never
    added, dropped or changed.
    """
    lines = content.split("\n")
    groups: dict[int, list[int]] = {0: [], 1: [], 2: []}
    for start, end in _statements(lines):
        groups[_rank(lines[start:end])].extend(range(start, end))
    order = [*groups[0], *groups[1], *groups[2]]
    return ReorderedCode("\n".join(lines[place] for place in order), tuple(place + 1 for place in order))


def _boundaries(pieces: Sequence[tuple[str, str]], counter: TokenCounter) -> list[Breakpoint]:
    """Every place between two lines where a reader would cut, with the tokens up to it."""
    found: list[Breakpoint] = []
    offset = tokens = 0
    for block_id, text in pieces:
        lines = _lines(text)
        start = 0
        for place, line in enumerate(lines):
            is_end = place + 1 == len(lines)
            if is_end or _is_natural(line, lines[place + 1]):
                piece = "".join(lines[start : place + 1])
                start = place + 1
                offset += len(piece)
                tokens += counter.count(piece).tokens
                found.append(Breakpoint(offset, tokens, block_id))
    return found


def _is_natural(line: str, following: str) -> bool:
    """A cut fits below a blank line or a rule, and above a heading; never between two blank lines."""
    if not following.strip():
        return False
    return not line.strip() or bool(_RULE_OR_HEADING.match(following))


def _statements(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Ranges of lines that stay together: a top-level line, what leads it, what is indented or closes below it."""
    starts: list[int] = []
    is_led = False
    for place, line in enumerate(lines):
        if place and (not line.strip() or line[0].isspace() or _CLOSING.match(line)):
            continue
        if not (is_led and place):
            starts.append(place)
        is_led = bool(_LEADING.match(line))
    return list(zip(starts, [*starts[1:], len(lines)], strict=True))


def _rank(statement: Sequence[str]) -> int:
    first = next((line for line in statement if line.strip() and not _LEADING.match(line)), "")
    if _IMPORT.match(first):
        return 0
    return 1 if _TYPE.match(first) else 2


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+\Z", text)


def _ended(content: str) -> str:
    return content if not content or content.endswith("\n") else content + "\n"


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
