"""Bounded use of tree-sitter: parse, query, drop the tree. The only module that imports it.

A parse of n bytes costs about n / 8 MB/s and 25 n bytes of memory, and holds the interpreter lock: that is why callers run
it in a worker process. No recursion here: trees of any depth are read by queries and cursors.
"""

import importlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from .language import Language

if TYPE_CHECKING:
    from tree_sitter import Language as Grammar
    from tree_sitter import Node, Query, Tree

MAX_PARSE_BYTES: Final = 1_000_000
"""Trees take about 25 times the source; 1 MB of source keeps the worker below 64 MB."""
PARSE_TIMEOUT_S: Final = 1.2
"""Several times what 1 MB of ordinary code needs in the slowest grammar; hostile input can take for ever."""
_STUCK_CALLS: Final = 100
"""Times that a parser may report (it does so every 100 steps) without having got further. Measured: at most 18 in 25,000 files of
public projects and 20 in 75,000 mutated ones, whatever the machine; where ambiguity explodes, for ever, at 0.3 ms and 14 KB a
time, which tree-sitter does not give back."""
_BYTES_A_CALL: Final = 8
"""At the end a parser balances its tree without moving: one more report for so many bytes behind it. Measured: 140 or more
in files of projects, 22 in the worst list of single digits."""
_READ_BYTES: Final = 32 * 1024
_NAME_BYTES: Final = 64
"""Predicates of queries read the text of nodes through the parser's callable: as much as a name has, not as a parser likes."""
_MATCH_LIMIT: Final = 4096
MAX_DEPTH: Final = 500
"""Nodes below this depth are not looked at: no code that a person reads is nested so deeply."""
_MAX_BROKEN: Final = 2_000
"""Tokens in one syntax error. Queries are quadratic in a run of anonymous siblings, and such runs stand in errors only."""

Match = tuple[int, "dict[str, list[Node]]"]


class ParseRefused(Exception):
    """The grammar's own outline cannot be had; the text says why, for the label of the fallback."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A tree and the grammar it was made with. Short-lived: never stored."""

    grammar: "Grammar"
    tree: "Tree"
    errors: tuple[tuple[int, int], ...] = ()
    """The outermost stretches that the grammar could not read, as byte offsets."""


def load_grammar(language: Language) -> "Grammar":
    """Import the wheel of `language`.

    Raises:
        ParseRefused: It is not installed or does not fit the installed tree-sitter.
    """
    return _grammar(language.module, language.factory, language.name)


@lru_cache(maxsize=64)
def _grammar(module: str, factory: str, name: str) -> "Grammar":
    # By names instead of the language: hashing that takes as long as the outline of a small file.
    from tree_sitter import Language as Grammar

    try:
        pointer: object = getattr(importlib.import_module(module), factory)()
        return Grammar(pointer)
    except (ImportError, AttributeError, ValueError) as error:
        raise ParseRefused(f"no grammar for {name} is installed") from error


@lru_cache(maxsize=128)
def _query(module: str, factory: str, name: str, source: str) -> "Query":
    from tree_sitter import Query, QueryError

    try:
        return Query(_grammar(module, factory, name), source)
    except QueryError as error:
        raise ParseRefused(f"the installed grammar for {name} is of another version") from error


class _Watch:
    """Ends a parse that takes too long, or that goes on without getting further: its time and memory would explode."""

    def __init__(self, timeout_s: float) -> None:
        self.furthest = 0
        self.is_stuck = False
        self._left = _STUCK_CALLS
        self._end = time.monotonic() + timeout_s

    def is_over(self, offset: int, _has_error: bool) -> bool:
        """Take a report of the parser, which is at `offset`; say whether it is to end."""
        if offset > self.furthest:
            self.furthest = offset
            self._left = _STUCK_CALLS + offset // _BYTES_A_CALL
        else:
            self._left -= 1
            self.is_stuck = self._left < 0
        return self.is_stuck or time.monotonic() > self._end


def parse(language: Language, data: bytes, *, timeout_s: float = PARSE_TIMEOUT_S) -> Parsed:
    """Parse UTF-8 `data` within `timeout_s`.

    Raises:
        ParseRefused: Too large, too slow, too ambiguous, too many errors, or no grammar.
    """
    from tree_sitter import Parser

    if len(data) > MAX_PARSE_BYTES:
        raise ParseRefused(f"larger than {MAX_PARSE_BYTES:,} bytes")
    grammar = load_grammar(language)
    watch = _Watch(timeout_s)
    size = _READ_BYTES

    def read(offset: int, _point: object) -> bytes:
        return data[offset : offset + size]

    try:
        # A callable instead of bytes: only then does the parser report its progress.
        tree = Parser(grammar).parse(read, progress_callback=watch.is_over)
    except ValueError as error:
        if watch.is_stuck:
            line = data.count(b"\n", 0, watch.furthest) + 1
            raise ParseRefused(f"the grammar got stuck at line {line:,}") from error
        raise ParseRefused(f"parsing took longer than {timeout_s:g} s") from error
    size = _NAME_BYTES
    return Parsed(grammar, tree, tuple(_errors(tree)) if tree.root_node.has_error else ())


def _errors(tree: "Tree") -> Iterator[tuple[int, int]]:
    """Yield the outermost syntax errors, going down only where there are any.

    Raises:
        ParseRefused: There is one of very many tokens.
    """
    cursor = tree.walk()
    outer_end = -1
    while (node := cursor.node) is not None:
        if node.type == "ERROR":
            if node.child_count > _MAX_BROKEN:
                raise ParseRefused("the grammar cannot make sense of it")
            if node.start_byte >= outer_end:
                outer_end = node.end_byte
                yield node.start_byte, outer_end
        if node.has_error and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def matches(language: Language, parsed: Parsed, source: str, beside: str = "") -> Sequence[Match]:
    """Run a query over the whole tree, and another one `beside` it in the same walk, which is most of what a query costs.

    Raises:
        ParseRefused: The query does not fit the grammar.
    """
    from tree_sitter import QueryCursor

    query = _query(language.module, language.factory, language.name, source + beside)
    cursor = QueryCursor(query, match_limit=_MATCH_LIMIT)
    cursor.set_max_start_depth(MAX_DEPTH)
    # No progress_callback: with it, py-tree-sitter 0.26.1 dereferences a null pointer. A query is linear in trees without long
    # errors (`_errors`), and the caller's process limit is the last resort.
    found = cursor.matches(parsed.tree.root_node)
    if beside and cursor.did_exceed_match_limit:
        # Together they lose matches that each alone may find.
        return [*matches(language, parsed, source), *matches(language, parsed, beside)]
    return found
