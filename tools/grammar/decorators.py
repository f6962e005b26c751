"""Pure: decorators, annotations and attributes before a definition, `@app.route("/")`, `[Fact]`, `#[derive(Debug)]`."""

import re
from collections.abc import Mapping
from typing import Final

MAX_DECORATOR: Final = 48
"""Characters of one decorator in a signature: most are shorter; lists of options must not hide the name behind them."""
MAX_DECORATORS: Final = 96
"""Characters of all of them; what is beyond is shown as `…`."""
_AT: Final = re.compile(r"@(?!interface\b)[\w.:]+")
_HASH: Final = re.compile(r"#(?=\[)")
_BEGINS: Final[Mapping[str, re.Pattern[str]]] = {
    **dict.fromkeys(("python", "javascript", "typescript", "tsx", "java", "kotlin", "scala", "swift"), _AT),
    **dict.fromkeys(("rust", "php"), _HASH),
    "csharp": re.compile(r"(?=\[\w)"),
}
_TELLS_NOTHING: Final = re.compile(
    r"#!?\[(?:inline|allow|expect|must_use|doc|cfg_attr|cold|track_caller|rustfmt|clippy|doc_cfg|automatically_derived|stable|unstable)\b"
)
"""Attributes for compilers and linters: many in Rust, and none that a caller must know."""
_NEXT: Final = re.compile(r"""[()\[\]{}]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""")
_OPENS: Final = frozenset("([{")


def has_decorators(language: str) -> bool:
    """Say whether definitions of this language can have any."""
    return language in _BEGINS


def split_decorators(language: str, text: str) -> tuple[str, str]:
    """Split the text of a signature on one line into its decorators, shortened, and the rest, which is never empty."""
    begins = _BEGINS[language]
    shown: list[str] = []
    at = 0
    while (found := begins.match(text, at)) is not None:
        end = found.end()
        if text[end : end + 1] in {"(", "["}:
            end = _closed(text, end)
        if end < 0 or not text[end:].strip():
            break
        one = text[at:end]
        if _TELLS_NOTHING.match(one) is None:
            shown.append(one if len(one) <= MAX_DECORATOR else f"{one[: MAX_DECORATOR - 2].rstrip()}…{one[-1]}")
        at = end
        while text[at] == " ":
            at += 1
    return _joined(shown), text[at:]


def _joined(shown: list[str]) -> str:
    """Join as many as have room."""
    text = ""
    for one in shown:
        if len(text) + len(one) > MAX_DECORATORS:
            return f"{text} …".strip()
        text = f"{text} {one}".strip()
    return text


def _closed(text: str, at: int) -> int:
    """Return the offset behind the bracket that closes the one at `at`, or -1; brackets in strings do not count."""
    depth = 0
    for found in _NEXT.finditer(text, at):
        if len(found.group()) == 1:
            depth += 1 if found.group() in _OPENS else -1
            if depth == 0:
                return found.end()
    return -1
