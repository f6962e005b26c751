"""Values that describe the structure of one file. Lines are 1-based and inclusive, so `lines=start-end` takes them verbatim.

Plain values: they cross a process boundary by pickling. Definitions and imports are named tuples, as thousands of them are made
for one file: a frozen dataclass takes three times as long to make and to pickle.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

MEMBER_KINDS: Final = frozenset({"field", "constant", "variable", "enumerator", "property", "macro"})
"""Kinds that are parts of another definition or single statements: cheap to leave out, never a chunk of their own."""
CONTAINER_KINDS: Final = frozenset(
    {"class", "struct", "interface", "trait", "impl", "enum", "module", "namespace", "object", "extension", "record", "union"}
)
"""Kinds whose contents are definitions of their own."""


class Definition(NamedTuple):
    """One thing that a file defines: a function, a class, a heading, a key."""

    kind: str
    name: str
    start_line: int
    end_line: int
    signature: str
    """What stands before the body, on one line, whitespace collapsed; cut with `…` when very long."""
    doc: str = ""
    """First line of its documentation, if any."""
    depth: int = 0
    parent: str | None = None
    """Qualified name of the enclosing definition: `Outer.inner`."""
    is_public: bool = True
    calls: tuple[str, ...] = ()
    """Names called inside, innermost definition only, in order of first appearance; bounded."""

    @property
    def qualified_name(self) -> str:
        """Name with the names of what encloses it: `Outer.inner.name`."""
        return f"{self.parent}.{self.name}" if self.parent else self.name


class Import(NamedTuple):
    """One import statement."""

    module: str
    """What is imported from, as written."""
    names: tuple[str, ...]
    """Identifiers that the statement mentions beside the module."""
    start_line: int
    end_line: int
    text: str
    """The statement on one line."""


@dataclass(frozen=True, slots=True)
class Outline:
    """The structure of one file."""

    language: str | None
    total_lines: int
    definitions: tuple[Definition, ...] = ()
    imports: tuple[Import, ...] = ()
    exports: tuple[str, ...] = ()
    """Names that the file itself lists as exported (`__all__`, `export { … }`)."""
    fallback: str | None = None
    """Why this is not the grammar's own outline; None when it is."""
    is_derived: bool = False
    """Whether entries are computed (templates, inferred types) rather than quoted from the text."""
    notes: tuple[str, ...] = field(default_factory=tuple)
    """Facts that a reader must know: `12 of 300 entries`, `grammar met 3 errors`."""
