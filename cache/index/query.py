"""A query -> weighted tokens, identifiers, phrases and paths. Pure.

Measured on 577 commits and issues of 14 repositories in eight languages: a token's weight grows with the logarithm of how
often it is said; lines after the first say less than the first; words that say what is to be done ("fix", "add") say little
of where.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ..errors import InvalidArgument
from .tokenise import expand_word

MAX_QUERY_CHARS: Final = 32_768
"""A question is a sentence, an issue with its traceback some pages; more is data that belongs into a file."""
MAX_TERMS: Final = 256
LATER_LINES: Final = 0.6
TASK_WORD: Final = 0.5

TASK_WORDS: Final = frozenset(
    {
        *("fix", "fixes", "fixed", "fixing", "add", "adds", "added", "adding", "remove", "removes", "removed", "removing"),
        *("update", "updates", "updated", "updating", "use", "uses", "used", "using", "make", "makes", "made", "making"),
        *("support", "supports", "supported", "supporting", "allow", "allows", "allowed", "allowing"),
        *("change", "changes", "changed", "changing", "improve", "improves", "improved", "implement", "implements"),
        *("implemented", "ensure", "ensures", "avoid", "avoids", "prevent", "prevents", "refactor", "refactored"),
        *("refactoring", "feat", "chore", "perf", "issue", "issues", "bug", "bugs", "properly", "correctly", "new"),
    }
)

_WORD: Final = re.compile(r"\w+")
_CASED: Final = re.compile(r"[a-z0-9][A-Z]|[^_]_+[^_]")
_IDENTIFIER: Final = re.compile(r"[^\W\d]\w*(?:(?:\.|::|->|#)[^\W\d]\w*)*(?:\(\))?")
_PHRASE: Final = re.compile(r'"([^"\n]{3,200})"')
_PATH: Final = re.compile(r"[\w.-]+(?:/[\w.-]+)+|[\w-]+(?:\.\w+)+")
_MAX_PATHS: Final = 8
_MAX_PHRASED_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Query:
    """A query as the index takes it."""

    text: str
    tokens: tuple[str, ...]
    """Every token, repeats included: what BM25Okapi would be asked."""
    weights: Mapping[str, float]
    """Token -> weight in ranking, in order of appearance."""
    identifiers: frozenset[str]
    """Tokens that are written as code: mixed case, underscores, a call, backticks."""
    name: str = ""
    """The last name of the query if the whole query is one identifier, as it is spelled."""
    phrases: tuple[str, ...] = ()
    """Quoted texts of several words."""
    paths: tuple[str, ...] = ()
    """What looks like a path or a dotted module."""


def parse_query(text: str) -> Query:
    """Take a query apart.

    Raises:
        InvalidArgument: It is too long, or holds no token.
    """
    if len(text) > MAX_QUERY_CHARS:
        raise InvalidArgument(
            f"query has {len(text):,} characters, the limit is {MAX_QUERY_CHARS:,}",
            why="a query is words to look for",
            next_call="name the few words or identifiers that matter; compress(source=…) takes long texts",
        )
    tokens: list[str] = []
    weights: dict[str, float] = {}
    identifiers: set[str] = set()
    for number, line in enumerate(text.strip().split("\n")):
        place = 1.0 if number == 0 else LATER_LINES
        for match in _WORD.finditer(line):
            is_identifier = _is_identifier(line, match)
            expanded = expand_word(match.group())
            if is_identifier and expanded:
                identifiers.add(expanded[0])
            for token in expanded:
                if token not in weights and len(weights) >= MAX_TERMS:
                    continue
                tokens.append(token)
                is_task = token in TASK_WORDS and not is_identifier
                weights[token] = weights.get(token, 0.0) + place * (TASK_WORD if is_task else 1.0)
    if not weights:
        raise InvalidArgument(
            "there is nothing to search for in this query",
            why="it holds no word but stop words, single letters and punctuation",
            next_call='name an identifier or a few words, e.g. search(query="parse config file")',
        )
    damped = {token: 1 + math.log(weight) if weight > 1 else weight for token, weight in weights.items()}
    return Query(text, tuple(tokens), damped, frozenset(identifiers), _name_of(text), _phrases_of(text), _paths_of(text))


def _is_identifier(line: str, match: re.Match[str]) -> bool:
    is_called = line.startswith("()", match.end())
    is_quoted = line[match.start() - 1 : match.start()] == "`"
    return is_called or is_quoted or _CASED.search(match.group()) is not None


def _name_of(text: str) -> str:
    bare = text.strip().strip("`\"'").removesuffix("()")
    if not _IDENTIFIER.fullmatch(bare):
        return ""
    return re.split(r"\.|::|->|#", bare)[-1]


def _phrases_of(text: str) -> tuple[str, ...]:
    if len(text) > _MAX_PHRASED_CHARS or "\n" in text.strip():
        return ()  # a text that quotes something is not a search for that phrase
    return tuple(phrase for phrase in _PHRASE.findall(text) if len(_WORD.findall(phrase)) > 1)


def _paths_of(text: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for match in _PATH.finditer(text):
        path = match.group().strip("./")
        if len(path) > 3:
            found[path] = None
            if "/" not in path:
                # sphinx.ext.autodoc may be sphinx/ext/autodoc.py, and parser.parse may be parser/parse.c.
                found[path.replace(".", "/")] = None
    return tuple(found)[:_MAX_PATHS]


def names_path(mention: str, path: str) -> bool:
    """Whether `mention` is the end of `path`, with or without its extension."""
    bare = path[: -len(path.rpartition("/")[2])] + path.rpartition("/")[2].partition(".")[0]
    return any(one == mention or one.endswith("/" + mention) for one in (path, bare))
