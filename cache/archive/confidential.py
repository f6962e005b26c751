"""Texts that are not stored because they hold a secret. Pure.

Files are judged by `workspace.secrets` when they are opened; this rule is for what reaches the archive as text: answers, error
messages, notes, facts. It looks for key material and for tokens whose form is unmistakable, anywhere in the text. It never
edits: what trips it is left out whole.
"""

import re
from typing import Final

_KEY: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"\s*(?:\\n|\d+[:\t ]*)?\s*(?:[A-Za-z0-9-]+: ?[^\n]*\s+)*[A-Za-z0-9+/=]{16}"
    r"|openssh-key-v1|PuTTY-User-Key-File-\d|AGE-SECRET-KEY-1[0-9A-Z]{50}"
)
_TOKEN: Final = re.compile(
    r"\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40,}|glpat-[\w-]{20,}|xox[abeoprs]-[\w-]{20,}"
    r"|sk-(?:ant-|proj-|live-)?[A-Za-z0-9_-]{32,}|sk_live_[A-Za-z0-9]{20,}|AIza[\w-]{35}|npm_[A-Za-z0-9]{36}|pypi-AgE[\w-]{50,}"
    r"|eyJ[\w-]{16,}\.eyJ[\w-]{16,}\.[\w-]{16,})"
)
_TOKEN_MARKS: Final = (
    *("AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "sk-", "sk_live_", "AIza", "npm_"),
    *("pypi-AgE", "eyJ"),
)
"""One of them is in every text that `_TOKEN` is found in; looking for them first takes a third of the time."""
_ASSIGNED: Final = re.compile(
    r"\b(?:pass(?:word|wd|phrase)?|secret|api[_ -]?key|access[_ -]?key|auth[_ -]?token|private[_ -]?key|credential)s?"
    r"(?:\s+(?:for|of)\s+[\w.@-]+)?\s*(?:is|are|was|=|:|->)\s*(?=[\"'`]?(?P<value>[^\s\"'`]{6,}))",
    re.IGNORECASE,
)
_URL_PASSWORD: Final = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@]+:(?P<value>[^\s/:@]{4,})@")
_PLACEHOLDER: Final = re.compile(r"[<$%{*]|\.\.\.|x{4}|example|password|changeme|secret", re.IGNORECASE)


def holds_secret(text: str) -> bool:
    """Whether `text` holds a private key or an access token."""
    has_key = ("KEY" in text or "key" in text or "Key" in text) and _KEY.search(text) is not None
    return has_key or (any(mark in text for mark in _TOKEN_MARKS) and _TOKEN.search(text) is not None)


def tells_secret(text: str) -> bool:
    """Whether a sentence gives away a secret: as `holds_secret`, or a password said or assigned, or one inside a URL."""
    if holds_secret(text):
        return True
    return any(
        not _PLACEHOLDER.search(match["value"]) and _mixes(match["value"])
        for pattern in (_ASSIGNED, _URL_PASSWORD)
        for match in pattern.finditer(text)
    )


def _mixes(value: str) -> bool:
    """A password has a digit or a sign between its letters; `password: str` and `password is required` have not."""
    return any(not char.isalpha() for char in value.rstrip(".,;:!?)"))
