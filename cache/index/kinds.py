"""What a path says about a file: source, test, documentation or other, and its part in ranking. Pure."""

import re
from enum import Enum
from typing import Final

from .values import Prefer


class FileKind(Enum):
    """What a file is for, by its path alone."""

    SOURCE = "source"
    TEST = "test"
    DOCS = "docs"
    EXAMPLE = "example"
    DATA = "data"
    """Configuration, translations, fixtures, styles, everything else."""


_SOURCE: Final = frozenset(
    [
        "py",
        "pyi",
        "pyx",
        "pxd",
        "js",
        "mjs",
        "cjs",
        "jsx",
        "ts",
        "mts",
        "cts",
        "tsx",
        "vue",
        "svelte",
        "astro",
        "rs",
        "go",
        "java",
        "kt",
        "kts",
        "scala",
        "sc",
        "groovy",
        "clj",
        "cljs",
        "c",
        "h",
        "cc",
        "cpp",
        "cxx",
        "hh",
        "hpp",
        "hxx",
        "ipp",
        "inl",
        "m",
        "mm",
        "cu",
        "cs",
        "fs",
        "vb",
        "swift",
        "dart",
        "rb",
        "rake",
        "php",
        "pl",
        "pm",
        "lua",
        "tcl",
        "r",
        "jl",
        "ex",
        "exs",
        "erl",
        "hrl",
        "hs",
        "ml",
        "mli",
        "nim",
        "zig",
        "v",
        "sv",
        "vhd",
        "d",
        "pas",
        "asm",
        "s",
        "sh",
        "bash",
        "zsh",
        "fish",
        "ps1",
        "bat",
        "sql",
        "proto",
        "thrift",
        "graphql",
        "gql",
        "el",
        "lisp",
        "scm",
        "rkt",
        "sol",
        "cr",
        "elm",
        "purs",
        "coffee",
    ]
)
_DOCS: Final = frozenset(
    [
        "md",
        "markdown",
        "mdx",
        "rst",
        "adoc",
        "asciidoc",
        "txt",
        "tex",
        "texi",
        "org",
        "wiki",
        "pod",
        "man",
        "1",
        "3",
        "5",
        "7",
        "8",
    ]
)
_TEST_PATH: Final = re.compile(
    r"(^|/)(tests?|testing|testdata|test[-_]?(data|suite|utils?|helpers?|resources?|fixtures?)|__tests__|__mocks__|specs?|e2e|fixtures?"
    r"|(unit|integration|functional|regression|runtime)[-_]?tests?|mocks?|snapshots?|testcases?)(/|$)"
    r"|(^|/)(test_[^/]*|conftest\.py|[^/]*_(test|tests|spec)\.[a-z]+|[^/]*\.(test|tests|spec|e2e)\.[a-z]+)$"
    r"|(^|/)[^/]*(Test|Tests|TestCase|Spec|IT)\.(java|kt|cs|scala|swift|groovy|php)$",
)
_DOCS_PATH: Final = re.compile(r"(^|/)(docs?|documentation|doc[-_]src|manual|man|guides?|website|site|wiki)(/|$)")
_EXAMPLE_PATH: Final = re.compile(r"(^|/)(examples?|samples?|demos?|tutorials?|benchmarks?|bench|playground|sandbox)(/|$)")
_VENDOR_PATH: Final = re.compile(r"(^|/)(vendor|vendored|_vendor|third[-_]?party|deps|dist|node_modules|external|bundled)(/|$)")

_PRIORS: Final[dict[Prefer, dict[FileKind, float]]] = {
    Prefer.SOURCE: {FileKind.SOURCE: 1.0, FileKind.TEST: 0.5, FileKind.DOCS: 0.5, FileKind.EXAMPLE: 0.5, FileKind.DATA: 0.6},
    Prefer.TESTS: {FileKind.SOURCE: 0.5, FileKind.TEST: 1.0, FileKind.DOCS: 0.5, FileKind.EXAMPLE: 0.5, FileKind.DATA: 0.5},
    Prefer.DOCS: {FileKind.SOURCE: 0.5, FileKind.TEST: 0.4, FileKind.DOCS: 1.0, FileKind.EXAMPLE: 0.7, FileKind.DATA: 0.5},
    Prefer.ANY: dict.fromkeys(FileKind, 1.0),
}
VENDORED: Final = 0.5
"""Copied-in code is rarely what is meant, whatever the caller prefers."""


def extension_of(path: str) -> str:
    """Return the lower-case extension without its dot."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name[1:] else ""


def kind_of(path: str) -> FileKind:
    """Say what a file is for."""
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


def prior_of(path: str, prefer: Prefer) -> float:
    """Return the factor on a file's score."""
    factor = _PRIORS[prefer][kind_of(path)]
    return factor * VENDORED if prefer is not Prefer.ANY and _VENDOR_PATH.search(path) else factor
