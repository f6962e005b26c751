"""Words that say the same, deny, or say nothing: the tables behind `canonical` and `contradiction`. Pure."""

import re
from typing import Final

NOT: Final = "\0not"
"""No text holds a NUL behind its quotes, so no quoted word can pass for a mark."""
AT_MOST: Final = "\0<="
AT_LEAST: Final = "\0>="


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _by_word(forms: dict[str, str]) -> dict[str, str]:
    return {word: form for form, words in forms.items() for word in words.split()}


DROPPED: Final = _words("the is are currently")
"""Carry no value. Other tenses, articles ("a" is also a name) and pronouns do."""
DROPPED_FIRST: Final = _words("the it we currently")
"""Carry none at the beginning."""
STATES: Final = _words(
    "enabled disabled supported unsupported required included excluded allowed located limited capped deprecated"
)
"""Participles before which "is" may be missing; before others it tells who does from who is done to."""

ANTONYMS: Final = _by_word(
    {
        "enabled": "disabled",
        "on": "off",
        "true": "false",
        "allowed": "disallowed",
        "valid": "invalid",
        "supported": "unsupported",
        "safe": "unsafe",
        "used": "unused",
        "required": "optional",
        "active": "inactive",
        "available": "unavailable",
        "compatible": "incompatible",
        "possible": "impossible",
        "tested": "untested",
        "mutable": "immutable",
        "secure": "insecure",
    }
)
"""Word -> what it denies, exactly: states only, because "does not enable" is not "disables"."""

VARIANTS: Final = _by_word(
    {
        "true": "yes",
        "use": "uses",
        "database": "db",
        "configuration": "config",
        "repository": "repo",
        "directory": "dir folder",
        "parameter": "param",
        "located": "lives",
        "color": "colour",
        "behavior": "behaviour",
        "license": "licence",
        AT_MOST: "max maximum <=",
        AT_LEAST: "min minimum >=",
    }
)
"""Spelling -> the one form of it, where it stands for a thing and not as its name."""

NAMES: Final = _by_word(
    {
        "postgresql": "postgresql postgres",
        "javascript": "javascript js",
        "typescript": "typescript ts",
        **{name: name for name in ("github", "sqlite", "mysql", "mongodb", "graphql", "openapi")},
    }
)
"""Products that are written in several ways."""

NAMING: Final = _words(
    "named called name branch table column folder directory dir file user host database db schema key field variable package"
    " module class function command label tag topic queue bucket region team role"
)
"""What follows them is a name, taken as it is written."""

LOOSE_NEGATIONS: Final = _words(
    "no never none neither nor without"
    " nicht kein keine keinen keiner keinem keines nie niemals ohne"
    " pas jamais sans aucun aucune nunca sin ningún ninguna não sem non senza niet geen nooit zonder"
    " inte aldrig utan ikke aldri bez не нет без никогда нельзя"
)
"""Deny in any of several languages; which one of them it was may matter, so they make no two texts the same."""

LOOSE_ANTONYMS: Final = _by_word(
    {"enable": "disable disables", "allow": "deny denied denies forbid forbidden", "include": "excluded exclude excludes"}
)

LOOSE_VARIANTS: Final = _by_word(
    {
        "enable": "enabled enables",
        "allow": "allowed allows",
        "include": "included includes",
        "require": "required requires",
        "support": "supported supports",
        "use": "used using",
        "live": "located",
        "test": "tested",
    }
)
"""Forms of a verb: they speak of the same thing, at another time or from another side."""

PHRASES: Final = (
    (re.compile(r"\b(?:at most|up to|no more than|not more than|capped at|limited to)\b", re.IGNORECASE), " <= "),
    (re.compile(r"\b(?:at least|no less than|not less than|no fewer than)\b", re.IGNORECASE), " >= "),
    (re.compile(r"(?<=\s)=(?=\s)"), " is "),
    (re.compile(r"\b(?:is|are) set to\b|\bequals\b|\bequal to\b", re.IGNORECASE), " is "),
    (re.compile(r"\b(?:no longer|not any more|not anymore)\b", re.IGNORECASE), " not "),
    (re.compile(r"\b(?:does|do) not\b", re.IGNORECASE), " do-not "),
    (re.compile(r"\bper cent\b", re.IGNORECASE), "percent"),
    (re.compile(r"(?:\bno\.|№)\s*(?=\d)", re.IGNORECASE), " number "),
)

FILLERS: Final = _words(
    "a an of be been being it its this that our i use with via by through in on at for to from run do does has have as per and"
    " or so only just also all each every because was were will can must should may might which when then than live now there"
)
"""Hold a sentence together: that they differ makes no contradiction, that they agree makes no common frame."""
