"""Words that say the same, deny, or say nothing: the tables behind `contradiction`. Pure."""

import re
from typing import Final

NOT: Final = "NOT"
AT_MOST: Final = "AT-MOST"
AT_LEAST: Final = "AT-LEAST"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _by_word(forms: dict[str, str]) -> dict[str, str]:
    return {word: form for form, words in forms.items() for word in words.split()}


DROPPED: Final = _words("a an the is are be been being am of it its this that we our i currently now there")
"""Carry no value. `was` and `were` are not among them: they speak of another time."""

NEGATIONS: Final = _words("not no never cannot without neither nor none isnt dont doesnt cant wont")

ANTONYMS: Final = _by_word(
    {
        "enable": "disabled disable",
        "on": "off",
        "true": "false",
        "allow": "denied deny forbidden forbid disallowed",
        "include": "excluded exclude",
        "valid": "invalid",
        "support": "unsupported",
        "safe": "unsafe",
        "use": "unused",
        "require": "optional",
        "active": "inactive",
        "available": "unavailable",
        "compatible": "incompatible",
        "possible": "impossible",
        "test": "untested",
        "mutable": "immutable",
        "secure": "insecure",
    }
)
"""Word -> what it denies."""

VARIANTS: Final = _by_word(
    {
        "enable": "enabled",
        "allow": "allowed",
        "include": "included",
        "require": "required",
        "support": "supported",
        "use": "uses using used",
        "true": "yes",
        "postgresql": "postgresql postgres",
        "javascript": "javascript js",
        "typescript": "typescript ts",
        "database": "db",
        "configuration": "config",
        "repository": "repo",
        "directory": "dir folder",
        "parameter": "param",
        "live": "lives located",
        "color": "colour",
        "behavior": "behaviour",
        "license": "licence",
        AT_MOST: "max maximum <=",
        AT_LEAST: "min minimum >=",
        **{name: name for name in ("github", "sqlite", "mysql", "mongodb", "graphql", "openapi")},
    }
)
"""Spelling -> the one form of it; names that are written in several cases stand for themselves."""

PHRASES: Final = (
    (re.compile(r"\b(?:at most|up to|no more than|not more than|capped at|limited to)\b", re.IGNORECASE), " <= "),
    (re.compile(r"\b(?:at least|no less than|not less than|no fewer than)\b", re.IGNORECASE), " >= "),
    (re.compile(r"\b(?:is|are) set to\b|\bequals\b|\bequal to\b", re.IGNORECASE), " is "),
    (re.compile(r"\b(?:no longer|not any more|not anymore)\b", re.IGNORECASE), " not "),
)

FILLERS: Final = _words(
    "use with via by through in on at for to from run do does has have as per and or so only just also all each every because"
    " was were will can must should may might which when then than live"
)
"""Hold a sentence together: that they differ makes no contradiction, that they agree makes no common frame."""
