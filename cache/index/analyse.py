"""One file's bytes -> what the index keeps of it. Runs in the worker: it calls the parser.

Pure but for the definitions function, which is named by the caller ("package.module:function").
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from ..workspace.text import decode
from .chunk import Definition, FileStatus, Symbol, spans_of, status_of
from .tokenise import Tokeniser

DefinitionsFunction = Callable[[str, bytes], Sequence[Definition]]


@dataclass(frozen=True, slots=True)
class AnalysedChunk:
    """One document of the index."""

    start: int
    end: int
    symbols: tuple[Symbol, ...]
    length: int
    """Tokens in the chunk, repeats included: BM25's document length."""
    terms: dict[str, int] = field(repr=False)
    """Token -> how often it occurs."""


@dataclass(frozen=True, slots=True)
class FileAnalysis:
    """What the index keeps of one file."""

    status: FileStatus
    lines: int
    chunks: tuple[AnalysedChunk, ...]


class Analyser:
    """Analyses files with one memo of words. One per process; not thread-safe."""

    def __init__(self, definitions: str) -> None:
        self._definitions = load_function(definitions) if definitions else None
        self._tokeniser = Tokeniser()

    def analyse(self, path: str, data: bytes, *, is_parsed: bool = True) -> FileAnalysis:
        """Chunk and tokenise one file; with `is_parsed` false it is cut by lines and labelled so."""
        status = status_of(path, data)
        if status is not FileStatus.INDEXED:
            return FileAnalysis(status, 0, ())
        lines = decode(data).text.split("\n")
        if lines and not lines[-1]:
            lines.pop()
        found: Sequence[Definition] = ()
        if self._definitions is not None:
            if is_parsed:
                found = self._definitions(path, data)
            else:
                status = FileStatus.UNPARSED
        chunks: list[AnalysedChunk] = []
        for span in spans_of(lines, found):
            terms = self._tokeniser.count("\n".join(lines[span.start - 1 : span.end]))
            chunks.append(AnalysedChunk(span.start, span.end, span.symbols, sum(terms.values()), dict(terms)))
        return FileAnalysis(status, len(lines), tuple(chunks))


def load_function(dotted: str) -> DefinitionsFunction:
    """Import "package.module:function"."""
    module, _, name = dotted.partition(":")
    return cast("DefinitionsFunction", getattr(importlib.import_module(module), name))


_analysers: Final[dict[str, Analyser]] = {}
"""The worker child's own memo, by definitions function; empty in the server."""


def analyse_file(definitions: str, path: str, data: bytes, is_parsed: bool) -> FileAnalysis:
    """Analyse one file; the entry point for `Worker.call`."""
    analyser = _analysers.get(definitions)
    if analyser is None:
        analyser = _analysers[definitions] = Analyser(definitions)
    return analyser.analyse(path, data, is_parsed=is_parsed)
