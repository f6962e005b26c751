"""Stack traces: Python, Java and Kotlin, JavaScript, Go, Rust, Ruby, PHP, C# and the tools for C. Pure.

What must survive of a trace is the exception with its message and the place in the caller's own code nearest to it; frames of
libraries and of the runtime, and frames repeated by recursion, go first.
"""

import re
from collections.abc import Sequence
from typing import Final

from .filter import Document, Rank, Scores, places_of
from .rules import class_of, rank_words

FOREIGN_FRAME: Final = (
    r"\s+(?:at |File \"|from |\d+: |#\d+ |❯ ).*(?:node_modules/|\(?node:|internal/process|java\.base/|org\.junit\."
    r"|junit\.framework"
    r"|org\.apache\.maven\.|sun\.reflect|jdk\.internal|org\.gradle\.|site-packages/|dist-packages/|/lib/python\d"
    r"|/rustc/|/usr/(?:local/)?(?:lib|go)/"
    r"|<internal:|/gems/|System\.|Microsoft\.|<anonymous>\)$|libc\.so|libc_start)"
)
"""A frame in code that is not the caller's own."""
_START: Final = r"\s*(?:Traceback \(most recent call last\)|goroutine \d+ \[|stack backtrace:|During handling of|The above exc)"
_FRAME: Final = (
    r"\s+at |\s*File \"|\s+from \S+:\d+|\s*#\d+ |\s+\d+: \S|\t\S+:\d+|\S+\(.*\)$|==\d+==\s+(?:at|by) |\s+\S.* called at "
)
_HEAD: Final = r"""(?x:
    (?:Exception\ in\ thread\ "[^"]*"\ |Caused\ by:\ |Suppressed:\ |Uncaught\ |Unhandled\ exception\.\ |\[?\w*\]?\s?)?
      [A-Za-z_$][\w.$]*(?:Error|Exception|Exit|Interrupt|Throwable|Failure|Fault|Iteration|Detected)(?:\ \[\w+\])?(?:[:(\ ]|$)
    | panic:\ | fatal\ error:\ | \[signal\ | thread\ '.*panicked\ at
    | \S+:\d+:in\ .*\(\w+(?:::\w+)*\)$ | (?:PHP\ )?(?:Fatal|Parse|Uncaught)\ \w*\ ?error
    | ==\d+==\s?(?:ERROR:|Invalid|Conditional|Process\ terminating|ERROR\ SUMMARY|Use\ of|Syscall) | SUMMARY:\ \w+Sanitizer
    | .*\sat\s\S+\sline\s\d+\.?$ | Segmentation\ fault | Aborted)"""
_ANY: Final = re.compile(rf"(\s*$)|({_START})|({_FRAME})|({_HEAD})")
_BLANK_LINE, _START_LINE, _FRAME_LINE, _HEAD_LINE, _SOURCE_LINE = range(1, 6)
_FOREIGN: Final = re.compile(FOREIGN_FRAME)
_PYTHON_FRAME: Final = re.compile(r"\s*File \"[^\"]+\", line \d+")
_BACK: Final = 400
"""Lines above a Python exception in which its nearest frame is looked for."""


def score_trace(document: Document, *, words: bool = True) -> Scores:
    """Rank an output that is mostly a stack trace, with or without looking for words of error between the frames."""
    plain = document.ruled
    scores = Scores(bytearray([Rank.CONTEXT]) * len(plain))
    kinds = _kinds_of(document)
    _rank_frames(document, kinds, scores)
    for number in places_of(kinds, (_BLANK_LINE, _HEAD_LINE)):
        line = plain[number]
        if kinds[number] == _BLANK_LINE:
            scores.ranks[number] = Rank.NOISE
            continue
        scores.is_failed = True
        if scores.classify(number, Rank.EVIDENCE, class_of(line)):
            _rank_place(number, plain, kinds, scores)
        if line.startswith("thread '") and number + 1 < len(plain):
            scores.lift(number + 1, Rank.EVIDENCE)
    if words:
        rank_words(document, scores, kinds)
    return scores


def _kinds_of(document: Document) -> bytearray:
    """Return for each line what it is in a trace."""
    plain, match = document.ruled, _ANY.match
    kinds = document.told(lambda line: (found.lastindex or 0) if (found := match(line)) else 0)
    for number in places_of(kinds, (_FRAME_LINE,)) if 'File "' in document.text else ():
        # The source line that Python shows below each frame.
        below = plain[number + 1 : number + 2]
        if below and below[0].startswith("    ") and kinds[number + 1] != _FRAME_LINE and _PYTHON_FRAME.match(plain[number]):
            kinds[number + 1] = _SOURCE_LINE
    return kinds


def _rank_frames(document: Document, kinds: bytearray, scores: Scores) -> None:
    plain, keys = document.ruled, document.keys
    is_foreign: dict[bytes, bool] = {}
    seen: set[str] = set()
    for number in places_of(kinds, (_START_LINE, _FRAME_LINE, _SOURCE_LINE)):
        if kinds[number] == _FRAME_LINE:
            key = keys[number]
            if key not in is_foreign:
                is_foreign[key] = _FOREIGN.match(plain[number]) is not None
            frame = "" if is_foreign[key] else plain[number].strip()
            scores.ranks[number] = Rank.DETAIL if frame and frame not in seen else Rank.NOISE
            seen.add(frame)
        elif kinds[number] == _SOURCE_LINE:
            scores.ranks[number] = scores.ranks[number - 1]
        else:
            scores.ranks[number] = Rank.DETAIL


def _rank_place(head: int, plain: Sequence[str], kinds: bytearray, scores: Scores) -> None:
    """Raise the frame nearest to the exception at `head`: above it in Python, below it elsewhere."""
    above = range(head - 1, max(-1, head - _BACK), -1)
    below = range(head + 1, min(len(plain), head + _BACK))
    is_python = any(_PYTHON_FRAME.match(line) for line in plain[max(0, head - 4) : head])
    for number in above if is_python else below:
        if kinds[number] == _FRAME_LINE and not _FOREIGN.match(plain[number]):
            scores.lift(number, Rank.LOCATION)
            # Python shows the source below a frame, Go the place below a function.
            is_go = plain[number][:1] != "\t" and plain[number + 1 : number + 2] and plain[number + 1].startswith("\t")
            if is_go or _SOURCE_LINE in kinds[number + 1 : number + 2]:
                scores.lift(number + 1, Rank.LOCATION)
            return
