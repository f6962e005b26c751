"""Pure: whether a definition is public, by the rule of its language."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from .language import Visibility

IMPLEMENTS: Final = "implements"
"""The kind of parent that `impl Trait for Type` is: everything in it is as public as the trait."""
_PRIVATE: Final = re.compile(r"\b(?:private|fileprivate)\b")
_PUBLIC: Final = re.compile(r"\b(?:public|protected|internal)\b")
_PUB: Final = re.compile(r"\b(?:pub|export|extern)\b")
_STATIC: Final = re.compile(r"\bstatic\b")
_LOCAL: Final = re.compile(r"^local\b")
_DEFP: Final = re.compile(r"^(?:defp|defmacrop|defguardp)\b")
_DEMANDING: Final = frozenset({"interface", "trait", "enum", IMPLEMENTS})
_NEUTRAL: Final = frozenset({"namespace", "package", "impl"})


class Candidate(NamedTuple):
    """What a rule looks at. A named tuple: one is made for every definition, and they cost a third of a frozen dataclass."""

    name: str
    kind: str
    head: str
    """The signature."""
    parent_kind: str
    is_exported: bool
    section: str
    """The last `private:`-like mark before it in what encloses it."""
    listed: frozenset[str]
    """Names that the file lists as exported."""

    @property
    def before_arguments(self) -> str:
        """The signature up to its first parenthesis."""
        return self.head.split("(", 1)[0]


def is_public_here(rule: Visibility, one: Candidate) -> bool:
    """Say whether the definition is public within what encloses it."""
    return one.section not in {"private", "protected"} and _RULES[rule](one)


def _ecma(one: Candidate) -> bool:
    if one.parent_kind:
        return not one.name.startswith("#") and _PRIVATE.search(one.before_arguments) is None
    return one.is_exported or one.name in one.listed or one.name.startswith(("exports.", "module.exports"))


def _header(one: Candidate) -> bool:
    return not one.listed or one.name in one.listed or bool(one.parent_kind) or one.kind == "instance"


def _pub(one: Candidate) -> bool:
    return _PUB.search(one.head[:40]) is not None or one.parent_kind in _DEMANDING or one.kind in _NEUTRAL


def _public(one: Candidate) -> bool:
    return _PUBLIC.search(one.before_arguments) is not None or one.parent_kind in _DEMANDING or one.kind in _NEUTRAL


_RULES: Final[dict[Visibility, Callable[[Candidate], bool]]] = {
    Visibility.ALWAYS: lambda one: True,
    Visibility.UNDERSCORE: lambda one: not one.name.startswith("_") or (one.name.startswith("__") and one.name.endswith("__")),
    Visibility.EXPORT: _ecma,
    Visibility.CAPITAL: lambda one: one.name[:1].isupper() or one.kind == "package",
    Visibility.PUB: _pub,
    Visibility.PUBLIC: _public,
    Visibility.UNLESS_PRIVATE: lambda one: _PRIVATE.search(one.before_arguments) is None,
    Visibility.UNLESS_STATIC: lambda one: bool(one.parent_kind) or _STATIC.search(one.before_arguments) is None,
    Visibility.UNLESS_LOCAL: lambda one: _LOCAL.search(one.head) is None,
    Visibility.DEFP: lambda one: _DEFP.search(one.head) is None,
    Visibility.HEADER: _header,
}
