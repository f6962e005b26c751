"""What the table says about one language."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

DOC_ABOVE: Final = "above"
DOC_INSIDE: Final = "inside"


class Visibility(Enum):
    """How a language says that a definition is public."""

    ALWAYS = "everything is public"
    UNDERSCORE = "names with a leading underscore are private"
    EXPORT = "what is exported; everything at the top when nothing is"
    CAPITAL = "names that begin with a capital"
    PUB = "what is marked `pub`, and what a trait demands"
    PUBLIC = "what is marked `public` or `protected`, and what an interface demands"
    UNLESS_PRIVATE = "everything that is not marked `private`"
    UNLESS_STATIC = "everything that is not marked `static`"
    UNLESS_LOCAL = "everything that is not marked `local`"
    DEFP = "everything but `defp` and `defmacrop`"
    HEADER = "what the module header lists; everything when it lists nothing"


@dataclass(frozen=True, slots=True)
class Language:
    """One language: where its grammar is, how files are recognised, and which nodes matter.

    `patterns` is a tree-sitter query. Captures: `@name` the name, `@body` where the signature ends, `@import` with
    `@source` (and perhaps `@require`, the name of a function that must be `require`), `@wrapper` or `@export` around an
    `@inner` node that it belongs to, `@attached` for decorators that stand before their definition as siblings,
    `@section` for `private:` and the like, `@listed` for names that the file lists as exported. Any other capture is a
    definition, and its name is the kind.
    """

    name: str
    module: str
    """Import name of the grammar wheel."""
    extensions: tuple[str, ...]
    patterns: str
    calls: str = ""
    """Query for called names, captured as `@callee`."""
    visibility: Visibility = Visibility.ALWAYS
    docs: str = DOC_ABOVE
    mark: str = "//"
    """What begins a comment that ends with the line; empty where there is none."""
    comments: tuple[str, ...] = ("comment",)
    """Node types of comments."""
    factory: str = "language"
    """Function of the wheel that returns the grammar."""
    names: tuple[str, ...] = ()
    """Whole file names."""
    shebangs: tuple[str, ...] = ()
    """Interpreter names."""
    only_with: tuple[tuple[tuple[bytes, ...], str], ...] = ()
    """Patterns that can match only in text that holds one of the words: elsewhere their predicates cost time for nothing."""

    def patterns_for(self, data: bytes) -> str:
        """Return the query that finds all there is in `data`; few different ones a language, so that each is compiled once."""
        needed = (patterns for words, patterns in self.only_with if any(word in data for word in words))
        return self.patterns + "".join(needed)
