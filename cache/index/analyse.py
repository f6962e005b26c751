"""One file's bytes -> what the index keeps of it. Runs in the worker: it calls the parser.

Pure but for the function that reads the structure, which is named by the caller ("package.module:function").
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from ..workspace.text import decode
from .chunk import Definition, FileStatus, Import, Span, Symbol, spans_of, status_of
from .tokenise import Tokeniser, expand_word, words_of

Call = tuple[str, int, int]
"""(name, first line, last line of the definition that calls it)."""
Structure = tuple[Sequence[Definition], Sequence[Call], Sequence[Import]]
StructureFunction = Callable[[str, bytes], Structure]
_NOTHING: Final[Structure] = ((), (), ())
_MAX_IMPORTS: Final = 200
_MAX_MODULE_CHARS: Final = 200
_MAX_NAMES: Final = 64


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
    calls: tuple[str, ...] = ()
    """Tokens that are the whole name of something called here."""


@dataclass(frozen=True, slots=True)
class FileAnalysis:
    """What the index keeps of one file."""

    status: FileStatus
    lines: int
    chunks: tuple[AnalysedChunk, ...]
    imports: tuple[Import, ...] = ()


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
        found = _NOTHING
        if self._definitions is not None:
            if is_parsed:
                found = self._definitions(path, data)
            else:
                status = FileStatus.UNPARSED
        chunks: list[AnalysedChunk] = []
        definitions, calls, imports = found
        callers = _callers(calls)
        for span in spans_of(lines, definitions):
            terms = self._tokeniser.count("\n".join(lines[span.start - 1 : span.end]))
            called = _called(callers, span, terms)
            chunks.append(AnalysedChunk(span.start, span.end, span.symbols, sum(terms.values()), dict(terms), called))
        return FileAnalysis(status, len(lines), tuple(chunks), _bounded(imports))


def _callers(calls: Sequence[Call]) -> dict[tuple[int, int], set[str]]:
    """Return the tokens of the names called, by the lines of the definition that calls them."""
    tokens: dict[str, str] = {}
    found: dict[tuple[int, int], set[str]] = {}
    for name, first, last in calls:
        token = tokens.get(name)
        if token is None:
            token = tokens[name] = next((one for word in words_of(name)[-1:] for one in expand_word(word)), "")
        if token:
            found.setdefault((first, last), set()).add(token)
    return found


def _called(callers: Mapping[tuple[int, int], set[str]], span: Span, terms: Mapping[str, int]) -> tuple[str, ...]:
    """Return what the definitions of a chunk call and what stands in it: a long definition has several chunks."""
    named = [names for (first, last), names in callers.items() if first <= span.end and last >= span.start]
    return tuple(sorted(name for name in set[str]().union(*named) if name in terms))


def _bounded(imports: Sequence[Import]) -> tuple[Import, ...]:
    return tuple(
        (" ".join(module[:_MAX_MODULE_CHARS].split()), tuple(names[:_MAX_NAMES])) for module, names in imports[:_MAX_IMPORTS]
    )


def load_function(dotted: str) -> StructureFunction:
    """Import "package.module:function"."""
    module, _, name = dotted.partition(":")
    return cast("StructureFunction", getattr(importlib.import_module(module), name))


_analysers: Final[dict[str, Analyser]] = {}
"""The worker child's own memo, by structure function; empty in the server."""


def analyse_file(definitions: str, path: str, data: bytes, is_parsed: bool) -> FileAnalysis:
    """Analyse one file; the entry point for `Worker.call`."""
    analyser = _analysers.get(definitions)
    if analyser is None:
        analyser = _analysers[definitions] = Analyser(definitions)
    return analyser.analyse(path, data, is_parsed=is_parsed)
