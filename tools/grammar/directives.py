"""Pure: comments that are more than words, because the language, its build, its runtime or a test reads them.

Taking one of these out would change what a program does or whether it builds, though its syntax tree stays the same.
"""

import re
from collections.abc import Mapping
from typing import Final

_ANYWHERE: Final = re.compile(
    rb"^(?:#!|#\s*(?:-\*-|.{0,20}coding[:=]|type:|(?:mypy|pyright|cython|distutils):|%%"
    rb"|frozen_string_literal|encoding:|warn_indent|shareable_constant|typed:)"
    rb"|//\s*(?:go:|\+build|export |line |#|@ts-|@deno|@flow|@jsx|eslint-|prettier-ignore|biome-|tslint:|jshint|language=)"
    rb"|//[#@]\s*source|//\s*sourceMappingURL|///\s*<|//!|///(?!/)"
    rb"|/\*\*?[\s*]*(?:!|eslint|@ts-|global |jshint|jslint|istanbul|c8 |v8 |[#@]__|@license|@preserve|@cc_on|webpack"
    rb"|@vite|@flow|@jsx|@jest-|@vitest-|@ngInject|@nocollapse)"
    rb"|/\*[!#@]|<!--\s*(?:\[if|<!\[endif|#|/?ko\b)|--!|\{-#)"
)
"""What a comment begins with that is kept in any language."""
_BY_LANGUAGE: Final[Mapping[str, re.Pattern[bytes]]] = {
    "c": re.compile(rb"fall(?:s|ing)?[ _-]?thr(?:ough|u)", re.IGNORECASE),
    "java": re.compile(rb"@deprecated\b|^//(?:DEPS|JAVA|JAVAC_OPTIONS|RUNTIME_OPTIONS|SOURCES|FILES|REPOS|GAV|/usr/)"),
    "php": re.compile(
        rb"^/\*\*.*@(?:\\?[A-Z]\w*[\\(\s*]|(?:test|dataProvider|depends|group|covers|uses|before|after|beforeClass|afterClass|"
        rb"expectedException|runInSeparateProcess|requires|backupGlobals|small|medium|large|ticket)\b)",
        re.DOTALL,
    ),
    "scala": re.compile(rb"^//>\s*using\b"),
    "swift": re.compile(rb"^//\s*swift-tools-version"),
}
"""What is looked for in comments of one language: compilers that ask for a remark, annotations that reflection reads."""
_C_FAMILY: Final = frozenset({"cpp", "kotlin", "groovy"})
_DOC_SLASHES: Final = frozenset({"rust", "zig", "javascript", "typescript", "tsx"})
"""Languages in which `///` and `//!` are read."""
_GO_PREAMBLE: Final = re.compile(rb'^(?:import)?[ \t]+"C"', re.MULTILINE)
_GO_EXAMPLE: Final = re.compile(rb"^[ \t]*//[ \t]*(?:unordered )?output:", re.MULTILINE | re.IGNORECASE)
_SCRIPT_METADATA: Final = re.compile(rb"^# /// \w[\w-]*[ \t]*\r?\n(?:#(?: (?!///)[^\n]*)?\r?\n)+# ///[ \t]*\r?$", re.MULTILINE)
"""PEP 723: dependencies of a script, in comments."""
_MAX_LOOKED_AT: Final = 4_000


def is_directive(language: str, comment: bytes) -> bool:
    """Say whether something other than a reader reads this comment."""
    if language == "rust" and comment.startswith((b"/**", b"/*!")) and not comment.startswith(b"/***"):
        return True  # a doc comment is an attribute
    own = _BY_LANGUAGE.get("c" if language in _C_FAMILY else language)
    if own is not None and own.search(comment, 0, _MAX_LOOKED_AT) is not None:
        return True
    if language not in _DOC_SLASHES and comment.startswith((b"///", b"//!")):
        return False
    if language != "haskell" and comment.startswith(b"--"):
        return comment.startswith(b"--!")
    return _ANYWHERE.match(comment) is not None


def directive_blocks(language: str, data: bytes) -> list[tuple[int, int]]:
    """Return stretches of comments that are read as a whole, as offsets, ascending."""
    if language != "python" or b"# ///" not in data:
        return []
    return [found.span() for found in _SCRIPT_METADATA.finditer(data)]


def why_all_count(language: str, data: bytes) -> str:
    """Say why every comment of a file must stay, or return an empty string."""
    if language == "go" and _GO_PREAMBLE.search(data):
        return 'comments before import "C" are code'
    if language == "go" and _GO_EXAMPLE.search(data):
        return "comments hold the output that examples are checked against"
    return ""
