"""Filters as tables: rules that rank lines by how they begin, and words that give errors away anywhere in a line.

Pure. One pass matches every line against the rules' union; only lines that match are looked at again. Words are searched
with `str.find` over the lower-cased text, which is an order of magnitude faster than a regular expression per line.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress, pairwise
from typing import Final

from .filter import MUST, Document, Rank, Scores, lines_ranked, places_of

_FOLLOW_LINES: Final = 60
"""Lines after a hit that may belong to it; longer blocks are not one error."""
_NO_DIGITS: Final = {ord(digit): None for digit in "0123456789"}
_DIGITS: Final = re.compile(r"[0-9]+")
_ANY_DIGITS: Final = re.compile(r"\{\d+,?\d*\}|\[(?:[A-Za-z]-[A-Za-z]|_)*[01]-9(?:a-f)?\]")
"""In an expression: repetitions, and classes of all digits or of all but zero."""
_FOLDED: Final = bytes(
    Rank.AGAIN if rank in (Rank.EVIDENCE, Rank.LOCATION) else rank if rank >= MUST or rank == Rank.REPEAT else Rank.NOISE
    for rank in range(256)
)
"""What the ranks of a report become that tells what an earlier one told."""
_IS_OPEN: Final = bytes([1]).ljust(256, b"\0")
_KEY_CHARS: Final = 100
_RECORD_TEXT: Final = re.compile(r"\"(?:rendered|message|msg|@message|error|Output)\"\s*:\s*\"((?:[^\"\\]|\\.){1,200})")
_QUOTED: Final = re.compile(r"(?<=['\"`])[^'\"`]{8,}(?=['\"`])")
"""A value in a message: what two failures have in common is the message around it."""

WORDS: Final = (
    "error",
    "fail",
    "fatal",
    "panic",
    "exception",
    "traceback",
    "warn",
    "critical",
    "emerg",
    "cannot ",
    "can't ",
    "could not",
    "unable to",
    "denied",
    "refused",
    "not found",
    "no such file",
    "timed out",
    "abort",
    "killed",
    "segmentation",
    "core dumped",
    "undefined ",
    "conflict",
    "non-zero",
    "no rule to",
    "backoff",
    "rejected",
    "insufficient",
    "deprecat",
)
_WORDS_AS_BYTES: Final = tuple(word.encode() for word in WORDS)
_ERROR: Final = re.compile(
    r"""\b(?:ERROR|FATAL|FAILED|FAILURE|FAIL|CRITICAL|PANIC|EMERG|SEVERE|ERR)\b
    | \b[A-Za-z_.]*(?:Error|Exception|Panic|Failure)\b(?=[:\[( ]|$)
    | (?<![-\w.])(?i:error|fatal|panic|critical)(?:\[[^\]]*\])?\s?[:!=]
    | \blevel=(?:error|fatal|crit\w*|panic)\b | "(?:level|severity|lvl)"\s*:\s*"(?i:error|fatal|critical|panic|alert|emergency)"
    | (?i:\b(?:failed|cannot|could\ not|can't|unable\ to|permission\ denied|access\ denied|refused|no\ such\ file|timed\ out
        |command\ not\ found|not\ found|aborted|aborting|killed|segmentation\ fault|core\ dumped|undefined\ reference|CONFLICT
        |unresolved|non-zero|no\ rule\ to\ make|oomkilled|(?:crashloop|imagepull)backoff|rejected|insufficient|undefined\ name
        |traceback\ \(most))\b""",
    re.VERBOSE,
)
_WARNING: Final = re.compile(
    r"""\bWARN(?:ING)?\b | (?<![-\w.])(?i:warn|warning)s?(?:\[[^\]]*\])?\s?: | \w+Warning\b | \blevel=warn(?:ing)?\b
    | "(?:level|severity|lvl)"\s*:\s*"(?i:warn|warning)" | (?i:\bdeprecated\b) | ^\s*(?i:warning)\b""",
    re.VERBOSE,
)
_NOTHING: Final = re.compile(
    r"""\b(?:0|no|No|zero|without)\s+(?:\w+\s+)?(?:errors?|failures?|failed|warnings?|issues|problems|exceptions?)\b
    | \b(?:errors?|failures?|failed|warnings?)\s*[:=]\s*(?:0\b|\[\]|none|null|nil|false)""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Lines that begin like `pattern` have `rank`."""

    rank: Rank
    pattern: str
    """Regular expression, matched at the beginning of the plain line."""
    key: str = ""
    """Regular expression whose first group names the class: the first line of a class has `rank`, the others are REPEAT."""
    follow: str = ""
    """Lines directly below that match this belong to the hit and have `follow_rank`."""
    follow_rank: Rank = Rank.DETAIL
    then: Rank | None = None
    """The rank of unmatched lines from here on."""
    fails: bool = False
    """Whether such a line says that the command failed."""
    belongs: bool = False
    """Whether the line belongs to the hit above it, and repeats what that repeats."""


class Rules:
    """A table of rules; where several match, the first wins."""

    def __init__(
        self, *rules: Rule, default: Rank = Rank.PLAIN, words: bool = True, block: str = "", evidence_below: int = 0
    ) -> None:
        """`block` begins one failure's report; a report whose evidence is that of an earlier one keeps its evidence alone.

        `evidence_below` lines below the beginning of a block are searched for a message, whatever it looks like.
        """
        self.rules: Final = rules
        self._block = block
        self._evidence_below = evidence_below
        self.default: Final = default
        self.words: Final = words

    # Compiled on first use: the table holds some 600 expressions, of which one output needs a few.
    @cached_property
    def _any(self) -> re.Pattern[str]:
        """One group a rule; rules have no groups of their own, so that `lastindex` names the rule."""
        return re.compile("|".join(f"({rule.pattern})" for rule in self.rules) or r"(?!)")

    @cached_property
    def _keys(self) -> Sequence[re.Pattern[str] | None]:
        return tuple(re.compile(rule.key) if rule.key else None for rule in self.rules)

    @cached_property
    def _follows(self) -> Sequence[re.Pattern[str] | None]:
        return tuple(re.compile(rule.follow) if rule.follow else None for rule in self.rules)

    def __call__(self, document: Document) -> Scores:
        """Rank the lines of `document`."""
        return self.rank(document, words=self.words)

    def rank(self, document: Document, *, words: bool) -> Scores:
        """Rank the lines of `document`, with or without looking for words of error in those that no rule knows."""
        lines = document.ruled
        hits = self._hits(document)
        present = [self.rules[hit - 1] for hit in sorted(set(hits)) if hit]
        scores = Scores(self._ranks(hits, present), is_failed=any(rule.fails for rule in present))
        active = {self.rules.index(rule) + 1 for rule in present if rule.key or rule.follow or rule.belongs}
        self._apply(places_of(hits, active), lines, hits, scores)
        if words:
            rank_words(document, scores, hits)
        if self._block:
            self._fold(re.compile(self._block), lines, scores)
        return scores

    def _hits(self, document: Document) -> bytearray:
        """Return for each line the number of the rule that it matches, from 1; 0 for none."""
        match = self._any.match
        if self._tells_digits:
            exactly = {line: (found.lastindex or 0) if (found := match(line)) else 0 for line in dict.fromkeys(document.ruled)}
            return bytearray(map(exactly.__getitem__, document.ruled))
        return document.told(lambda line: (found.lastindex or 0) if (found := match(line)) else 0)

    @cached_property
    def _tells_digits(self) -> bool:
        """Whether a rule names a digit but zero, so that lines equal but for their digits may match different rules."""
        return any(re.search("[1-9]", _ANY_DIGITS.sub("", rule.pattern)) for rule in self.rules)

    def _ranks(self, hits: bytearray, present: Sequence[Rule]) -> bytearray:
        """Return the rank of every line by its rule, or by the last rule above it that says what comes then."""
        ranks = [int(rule.rank) for rule in self.rules]
        table = bytes([self.default, *ranks]).ljust(256, b"\0")
        turns = {self.rules.index(rule) + 1: int(rule.then) for rule in present if rule.then is not None}
        ranked = bytearray()
        at = 0
        for number in places_of(hits, turns):
            if turns[hits[number]] == table[0]:
                continue
            ranked += hits[at : number + 1].translate(table)
            table = bytes([turns[hits[number]]]) + table[1:]
            at = number + 1
        return ranked + hits[at:].translate(table)

    def _apply(self, found: Sequence[int], lines: Sequence[str], hits: bytearray, scores: Scores) -> None:
        """Rank the hits `found` by their classes, and what follows them."""
        parts = [(rule, rule.rank, key, follow) for rule, key, follow in zip(self.rules, self._keys, self._follows, strict=True)]
        total = len(lines)
        is_first = True
        for number in found:
            rule, rank, key, follow = parts[hits[number] - 1]
            if key is not None and (told := key.search(lines[number])):
                is_first = scores.classify(number, rank, told[told.lastindex or 0])
            else:
                is_first = is_first or not rule.belongs
                scores.ranks[number] = rank if is_first or rank < Rank.REPEAT else Rank.REPEAT
            if follow is not None and number + 1 < total and not hits[number + 1]:
                below = rule.follow_rank if is_first else min(rule.follow_rank, Rank.PLAIN)
                _follow(number + 1, follow, below, lines, hits, scores)

    def _fold(self, block: re.Pattern[str], lines: Sequence[str], scores: Scores) -> None:
        """Take context off the blocks that report what an earlier block reported, and set them after those that report anew."""
        ranks = scores.ranks
        heads = sorted([*lines_ranked(ranks, Rank.FAILURE), *lines_ranked(ranks, Rank.REPEAT)])
        starts = [number for number in heads if block.match(lines[number])]
        for start, end in pairwise([*starts, len(lines)]):
            for number in range(start + 1, min(end, start + 1 + self._evidence_below)):
                if lines[number].strip():
                    scores.lift(number, Rank.EVIDENCE)
        evidence = list(lines_ranked(ranks, Rank.EVIDENCE))
        seen: set[tuple[str, ...]] = set()
        for start, end in pairwise([*starts, len(lines)]):
            told = [
                class_of(_QUOTED.sub("", lines[n])) for n in evidence[bisect_right(evidence, start) : bisect_left(evidence, end)]
            ]
            if not told:
                continue
            scores.classes.setdefault(told[0], []).append(start)
            if tuple(told) in seen:
                ranks[start + 1 : end] = ranks[start + 1 : end].translate(_FOLDED)
            seen.add(tuple(told))


def _follow(begin: int, follow: re.Pattern[str], rank: Rank, lines: Sequence[str], hits: bytearray, scores: Scores) -> None:
    """Give `rank` to the lines from `begin` on that match `follow` and no rule."""
    end = begin
    last = min(len(lines), begin + _FOLLOW_LINES)
    while end < last and not hits[end] and follow.match(lines[end]):
        end += 1
    scores.ranks[begin:end] = bytes([rank]) * (end - begin)
    # Followers are ruled; that they are must not make them stop another's following.
    hits[begin:end] = b"\xff" * (end - begin)


def rank_words(document: Document, scores: Scores, ruled: bytearray | None = None) -> None:
    """Raise the lines that no rule has ranked and that speak of errors or warnings, by class."""
    keys = document.keys
    kinds = list(dict.fromkeys(compress(keys, ruled.translate(_IS_OPEN)) if ruled is not None else keys))
    # Upper and lower case of what is not ASCII make no word of error; bytes are searched at one speed whatever they hold.
    speaking = [kinds[found] for found in lines_with(b"\n".join(kinds).lower(), _WORDS_AS_BYTES)]
    ranked = {key: (rank, class_of(line)) for key in speaking if (rank := signal_of(line := document.kinds[key]))}
    if not ranked:
        return
    for number, key in enumerate(keys):
        if key in ranked and (ruled is None or not ruled[number]):
            scores.classify(number, *ranked[key])


def signal_of(line: str) -> Rank | None:
    """Return ERROR or WARNING for a line that reports one, None for others."""
    if _NOTHING.search(line):
        return None
    if _ERROR.search(line):
        return Rank.ERROR
    return Rank.WARNING if _WARNING.search(line) else None


def class_of(line: str) -> str:
    """Return what lines reporting the same thing have in common: the text, of a record its message, without numbers."""
    if line.startswith('{"') and (found := _RECORD_TEXT.search(line)):
        line = found[1]
    # str.translate is fast for ASCII alone.
    bare = line.translate(_NO_DIGITS) if line.isascii() else _DIGITS.sub("", line)
    return bare.strip()[:_KEY_CHARS]


def lines_with(lower: bytes, words: Sequence[bytes]) -> list[int]:
    r"""Return the numbers of the lines of `lower` (split at `\n`) that contain any of `words`, ascending."""
    starts: set[int] = set()
    for word in words:
        at = lower.find(word)
        while at >= 0:
            starts.add(lower.rfind(b"\n", 0, at) + 1)
            end = lower.find(b"\n", at)
            at = lower.find(word, end) if end >= 0 else -1
    numbers: list[int] = []
    number = last = 0
    for start in sorted(starts):
        number += lower.count(b"\n", last, start)
        last = start
        numbers.append(number)
    return numbers


def blank_lines(document: Document) -> Iterator[int]:
    """Yield the lines that hold nothing but blanks."""
    return iter(places_of(document.told(lambda line: not line or line.isspace()), (True,)))
