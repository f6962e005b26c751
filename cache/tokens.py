"""Token counts in o200k, offline and bounded.

The vocabulary is vendored (`configs/vocab`), packed as a gzip of `u32 n`, n length bytes, and the n tokens' bytes in rank
order; it is built into a `tiktoken.Encoding` on first use (about 0.15 s and 50 MB, measured), never downloaded. Text is cut
where the pre-tokeniser can never span (a newline before a non-blank character), so that no input, however hostile,
reaches the regular expression in pieces above 64 KB. Above `exact_limit` characters the count is an estimate from
windows of the text.
"""

import gzip
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from tiktoken import Encoding

_PIECE_CHARS: Final = 64 * 1024
"""tiktoken 0.14 panics on whitespace runs of about 900,000 characters; 64 KB keeps far from that."""
_WINDOWS: Final = 32
_WINDOW_CHARS: Final = 2048
_CUT: Final = re.compile(r"\n(?=[ \t]*[^\s/])")
_ESTIMATE_ABOVE: Final = 1_000_000

# The pattern and special tokens of o200k_base, from tiktoken's openai_public.py (MIT, see configs/vocab/NOTICE).
O200K_PATTERN: Final = "|".join(
    [
        r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
        r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
        r"""\p{N}{1,3}""",
        r""" ?[^\s\p{L}\p{N}]+[\r\n/]*""",
        r"""\s*[\r\n]+""",
        r"""\s+(?!\S)""",
        r"""\s+""",
    ]
)
O200K_SPECIAL: Final = {"<|endoftext|>": 199999, "<|endofprompt|>": 200018}


@dataclass(frozen=True, slots=True)
class TokenCount:
    """A number of tokens, and whether it was counted or estimated."""

    tokens: int
    is_estimated: bool = False

    def __str__(self) -> str:
        return f"{'~' if self.is_estimated else ''}{self.tokens:,}"


class TokenCounter(Protocol):
    """Counts tokens. Thread-safe, never raises for any string."""

    def count(self, text: str) -> TokenCount:
        """Count `text`: exactly up to about 1 MB, estimated and labelled above."""
        ...


def parse_vocabulary(packed: bytes) -> dict[bytes, int]:
    """Unpack a vendored vocabulary into token bytes -> rank.

    Raises:
        ValueError: The lengths do not add up.
    """
    raw = gzip.decompress(packed)
    n = int.from_bytes(raw[:4], "little")
    lengths = raw[4 : 4 + n]
    if len(raw) != 4 + n + sum(lengths):
        raise ValueError("vocabulary is damaged: lengths do not add up")
    ranks: dict[bytes, int] = {}
    at = 4 + n
    for rank, length in enumerate(lengths):
        ranks[raw[at : at + length]] = rank
        at += length
    return ranks


def split_for_encoding(text: str, piece_chars: int = _PIECE_CHARS) -> Iterator[str]:
    """Cut `text` into pieces of at most about `piece_chars`, at places that no token spans where there are any."""
    at, end = 0, len(text)
    while end - at > piece_chars:
        cut = at + piece_chars
        found = None
        for found in _CUT.finditer(text, at + piece_chars // 2, cut):  # noqa: B007 -- the last match is wanted
            pass
        if found is not None:
            cut = found.start() + 1
        yield text[at:cut]
        at = cut
    yield text[at:]


def sample_windows(text: str) -> list[str]:
    """Return the windows that stand for `text` in an estimate: equally spaced, line-aligned where lines are short."""
    step = len(text) // _WINDOWS
    windows: list[str] = []
    for i in range(_WINDOWS):
        start = i * step
        newline = text.find("\n", start, start + _WINDOW_CHARS // 4)
        start = newline + 1 if newline >= 0 else start
        windows.append(text[start : start + _WINDOW_CHARS])
    return windows


class O200kCounter:
    """Counts o200k tokens; loads the vocabulary lazily, once, from any thread."""

    def __init__(self, load: Callable[[], bytes], *, exact_limit: int = _ESTIMATE_ABOVE) -> None:
        self._load = load
        self._exact_limit = exact_limit
        self._lock = threading.Lock()
        self._encoding: Encoding | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether the vocabulary is in memory."""
        return self._encoding is not None

    def count(self, text: str) -> TokenCount:
        """Count `text`: exactly up to `exact_limit` characters, estimated and labelled above."""
        if not text:
            return TokenCount(0)
        encode = self._encode
        if len(text) <= _PIECE_CHARS:
            return TokenCount(encode(text))
        if len(text) <= self._exact_limit:
            return TokenCount(sum(encode(piece) for piece in split_for_encoding(text)))
        windows = sample_windows(text)
        sampled = sum(len(window) for window in windows)
        tokens = sum(encode(window) for window in windows)
        return TokenCount(max(1, round(tokens * len(text) / sampled)), is_estimated=True)

    def _encode(self, piece: str) -> int:
        encoding = self._encoding or self.load()
        return len(encoding.encode_ordinary(piece))

    def load(self) -> "Encoding":
        """Build the encoding now if it is not there yet; used to warm up off the first answer's path."""
        with self._lock:
            if self._encoding is None:
                from tiktoken import Encoding  # heavy: lazy by design

                encoding = Encoding(
                    "o200k_base",
                    pat_str=O200K_PATTERN,
                    mergeable_ranks=parse_vocabulary(self._load()),
                    special_tokens=O200K_SPECIAL,
                )
                # The Rust core holds its own copy; dropping ours saves 32 MB and only pickling would need it.
                encoding._mergeable_ranks = {}  # pyright: ignore[reportPrivateUsage]
                self._encoding = encoding
            return self._encoding
