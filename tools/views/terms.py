"""Words of code and prose for ranking: whole identifiers and their camelCase and snake_case parts, lower case. Pure."""

import re
from typing import Final

_WORD: Final = re.compile(r"[^\W_][\w]*", re.UNICODE)
_PART: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
MAX_WORD: Final = 64
STOP: Final = frozenset(
    (  # noqa: SIM905 -- one word a line would hide the module
        "a an and are as at be by can do does for from has have how i if in is it its not of on or so that the then there "
        "this to was we what when where which who why will with you self return def class function const let var import "
        "true false null none"
    ).split()
)


def terms_of(text: str) -> list[str]:
    """Return the terms of `text` in order, with repeats."""
    out: list[str] = []
    for word in _WORD.findall(text):
        if len(word) > MAX_WORD:
            continue
        whole = word.lower()
        if whole not in STOP:
            out.append(whole)
        parts = _PART.findall(word)
        if len(parts) > 1:
            out += [part.lower() for part in parts if len(part) > 1 and part.lower() not in STOP]
    return out
