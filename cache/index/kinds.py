"""What a path says about a file: source, test, documentation or other, and its part in ranking. Pure.

The kind is stored with the file, so a search needs no path to know it.
"""

import re
from enum import IntEnum
from typing import Final

from .values import Prefer

KINDS_VERSION: Final = 1


class FileKind(IntEnum):
    """What a file is for, by its path alone; the numbers are stored."""

    SOURCE = 0
    TEST = 1
    DOCS = 2
    EXAMPLE = 3
    DATA = 4
    """Configuration, translations, styles, everything else."""
    VENDORED = 5
    """Copied-in or built code, which is rarely what is meant."""


_SOURCE_TEXT: Final = """
py pyi pyx pxd js mjs cjs jsx ts mts cts tsx vue svelte astro rs go java kt kts scala sc groovy clj cljs c h cc cpp cxx
hh hpp hxx ipp inl m mm cu cs fs vb swift dart rb rake php pl pm lua tcl r jl ex exs erl hrl hs ml mli nim zig v sv vhd
d pas asm s sh bash zsh fish ps1 bat sql proto thrift graphql gql el lisp scm rkt sol cr elm purs coffee
"""
_SOURCE: Final = frozenset(_SOURCE_TEXT.split())
_DOCS_TEXT: Final = "md markdown mdx rst adoc asciidoc txt tex texi org wiki pod man 1 3 5 7 8"
_DOCS: Final = frozenset(_DOCS_TEXT.split())
_TEST_PATH: Final = re.compile(
    r"(^|/)(tests?|testing|testdata|test[-_]?(data|suite|utils?|helpers?|resources?|fixtures?)|__tests__|__mocks__|specs?|e2e"
    r"|fixtures?|(unit|integration|functional|regression|runtime)[-_]?tests?|mocks?|snapshots?|testcases?)(/|$)"
    r"|(^|/)(test_[^/]*|conftest\.py|[^/]*_(test|tests|spec)\.[a-z]+|[^/]*\.(test|tests|spec|e2e)\.[a-z]+)$"
    r"|(^|/)[^/]*(Test|Tests|TestCase|Spec|IT)\.(java|kt|cs|scala|swift|groovy|php)$",
)
_DOCS_PATH: Final = re.compile(r"(^|/)(docs?|documentation|doc[-_]src|manual|man|guides?|website|site|wiki)(/|$)")
_EXAMPLE_PATH: Final = re.compile(r"(^|/)(examples?|samples?|demos?|tutorials?|benchmarks?|bench|playground|sandbox)(/|$)")
_VENDOR_PATH: Final = re.compile(r"(^|/)(vendor|vendored|_vendor|third[-_]?party|deps|dist|node_modules|external|bundled)(/|$)")

PRIORS: Final[dict[Prefer, tuple[float, ...]]] = {
    Prefer.SOURCE: (1.0, 0.3, 0.3, 0.3, 0.4, 0.3),
    Prefer.TESTS: (0.4, 1.0, 0.3, 0.4, 0.4, 0.2),
    Prefer.DOCS: (0.4, 0.3, 1.0, 0.6, 0.4, 0.2),
    Prefer.ANY: (1.0,) * len(FileKind),
}
"""Factor on a file's score by kind, in the order of `FileKind`. Between .2 and .4 nothing changed on the tuning sets."""


def extension_of(path: str) -> str:
    """Return the lower-case extension without its dot."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name[1:] else ""


def kind_of(path: str) -> FileKind:
    """Say what a file is for."""
    if _VENDOR_PATH.search(path):
        return FileKind.VENDORED
    if _TEST_PATH.search(path):
        return FileKind.TEST
    extension = extension_of(path)
    if extension in _DOCS:
        return FileKind.DOCS
    if _EXAMPLE_PATH.search(path):
        return FileKind.EXAMPLE
    if extension in _SOURCE:
        return FileKind.DOCS if _DOCS_PATH.search(path) else FileKind.SOURCE
    return FileKind.DATA
