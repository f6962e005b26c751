"""From what a language's query found to an outline: nesting, signatures, docs, visibility, calls."""

import re
from dataclasses import dataclass
from typing import Final

from .decorators import has_decorators, split_decorators
from .definition import CONTAINER_KINDS, MEMBER_KINDS, Definition, Import, Outline
from .docs import doc_above, doc_in_module, doc_inside
from .found import MAX_DEFINITIONS, SECTION, Found, Gathered, gather, resolve
from .language import DOC_INSIDE, Language
from .mend import mend
from .naming import refined_kind
from .parsing import MAX_DEPTH, Parsed, matches
from .spans import MAX_SIGNATURE, LineMap, clip, one_line
from .visibility import IMPLEMENTS, Candidate, is_public_here

_MAX_CALLS: Final = 48
"""Names a definition: enough for the hop graph, and bounded for generated code."""
_MERGED: Final = frozenset({"signature", "function", "bind"})
_DECORATES: Final = frozenset("@[#")
_LONG: Final = 4_000
"""Characters of a signature before its decorators are shortened."""
_MAX_MEMBER: Final = 100
_TYPEDEFS: Final = frozenset({"c", "cpp"})
_FREE_FUNCTIONS: Final = frozenset({"module", "namespace"})
"""Containers whose functions are no methods."""
_METHOD_PARENTS: Final = CONTAINER_KINDS - _FREE_FUNCTIONS | {IMPLEMENTS}
_OPEN_KINDS: Final = CONTAINER_KINDS | {"type", "default", "element", "rule", "instance", IMPLEMENTS}
"""Kinds whose contents can be public."""
_FUNCTIONS: Final = frozenset({"function", "method", "constructor", "test"})
_TOLD_BY_SIGNATURE: Final = frozenset({"class", "impl"})
"""Kinds that the words of the signature can refine."""
_WORD: Final = re.compile(r"[^\W\d]\w*")
_DUNDER_ALL: Final = re.compile(rb"^__all__\s*\+?=\s*[\[(]([^\])]*)[\])]", re.MULTILINE)
_LISTED: Final = re.compile(rb"""["']([^"'\n]+)["']""")
_TITLE: Final = re.compile(r"<[^>]*>")
_KEYWORDS: Final = frozenset(
    (  # noqa: SIM905 -- one word a line would hide the module
        "import from as use using require require_relative include static type default const let var package load source "
        "extern crate self super global export alias only open qualified hiding"
    ).split()
)
_NO_CALLS: Final = frozenset(
    (  # noqa: SIM905 -- one word a line would hide the module
        "def defp defmacro defmacrop defmodule defstruct doc moduledoc use alias import require attr_reader attr_writer "
        "attr_accessor"
    ).split()
)


@dataclass(slots=True)
class _Open:
    """An enclosing definition while the sweep is inside it."""

    start: int
    end: int
    index: int
    name: str
    kind: str
    around: str | None
    """Qualified name of what encloses it."""
    is_public: bool
    section: str = ""

    @property
    def qualified(self) -> str:
        """Qualified name; made when something stands inside, as most definitions hold no other."""
        return clip(self.name if self.around is None else f"{self.around}.{self.name}", 400)


def extract(language: Language, parsed: Parsed, data: bytes, *, with_calls: bool = False, spans_only: bool = False) -> Outline:
    """Return the outline of `data`, whose tree is `parsed`.

    With `spans_only` there are no signatures, docs and visibility, and imports only beside calls.

    Raises:
        ParseRefused: The grammar is of another version.
    """
    found = matches(language, parsed, language.patterns_for(data), language.calls if with_calls else "")
    gathered = gather(found, data)
    calls = sorted(
        (node.start_byte, data[node.start_byte : node.end_byte][:80].decode("utf-8", "replace")) for node in gathered.callees
    )
    if language.name == "python":
        gathered.listed |= _dunder_all(data)
    lines = LineMap(data)
    sweep = _Sweep(language, lines, frozenset(gathered.listed), spans_only=spans_only)
    definitions = sweep.run(resolve(language, gathered, data), calls)
    if language.name == "haskell":
        definitions = _merge_clauses(definitions)
    notes: tuple[str, ...] = ()
    if len(definitions) >= MAX_DEFINITIONS:
        notes = (f"only the first {MAX_DEFINITIONS:,} definitions, up to line {definitions[-1].start_line:,}",)
    if parsed.tree.root_node.has_error:
        definitions, guessed = mend(language, definitions, parsed.errors, lines)
        notes = (
            *notes,
            "the grammar met errors" + (f", {guessed:,} entries there guessed from lines" if guessed else ""),
        )
    return Outline(
        language=language.name,
        total_lines=lines.count,
        definitions=tuple(definitions),
        imports=_imports(gathered, lines) if with_calls or not spans_only else (),
        exports=tuple(sorted(gathered.listed)),
        notes=notes,
    )


class _Sweep:
    """One pass from the top that nests by containment; calls go to the innermost definition around them."""

    def __init__(self, language: Language, lines: LineMap, listed: frozenset[str], *, spans_only: bool) -> None:
        self._language = language
        self._spans_only = spans_only
        self._lines = lines
        self._listed = listed
        self._rule = language.visibility
        self._is_decorated = has_decorators(language.name)
        self._has_exports = bool(listed)
        self._stack: list[_Open] = []
        self._definitions: list[Definition] = []
        self._called: dict[int, dict[str, None]] = {}

    def run(self, found: list[Found], calls: list[tuple[int, str]]) -> list[Definition]:
        found.sort(key=lambda one: (one.start, -one.end))
        self._has_exports |= any(one.is_exported for one in found)
        at_call = 0
        for one in found:
            while at_call < len(calls) and calls[at_call][0] < one.start:
                self._note_call(*calls[at_call])
                at_call += 1
            self._leave(one)
            if one.kind == SECTION:
                if self._stack:
                    self._stack[-1].section = one.name
            else:
                self._place(one)
        for offset, name in calls[at_call:]:
            self._note_call(offset, name)
        if not self._called:
            return self._definitions
        return [
            one._replace(calls=tuple(self._called[index])) if index in self._called else one
            for index, one in enumerate(self._definitions)
        ]

    def _leave(self, one: Found) -> None:
        """Close what does not hold `one`; definitions with one and the same span are siblings."""
        stack = self._stack
        while stack and (stack[-1].end < one.end or (stack[-1].start, stack[-1].end) == (one.start, one.end)):
            stack.pop()

    def _note_call(self, offset: int, name: str) -> None:
        stack = self._stack
        while stack and stack[-1].end <= offset:
            stack.pop()
        if stack and name != stack[-1].name and name not in _NO_CALLS:
            names = self._called.setdefault(stack[-1].index, {})
            if len(names) < _MAX_CALLS:
                names[name] = None

    def _place(self, one: Found) -> None:
        stack = self._stack
        parent = stack[-1] if stack else None
        kind = one.kind
        if kind == "property" and parent is not None and parent.kind in _FUNCTIONS:
            return  # a part of a type that is written where it is used, or of an object without a name
        if kind == "function" and parent is not None and parent.kind in _METHOD_PARENTS:
            kind = "method"
        start, end = self._lines.span_of(one.start, one.end)
        is_full = not self._spans_only
        signature = _signature(self._language, one, kind, self._lines) if is_full or kind in _TOLD_BY_SIGNATURE else ""
        if kind == "class":
            kind = refined_kind(self._language.name, kind, signature)
        around = None if parent is None else parent.qualified
        doc, public = "", False
        if is_full:
            bare = signature
            if self._is_decorated and (one.start < one.head_start or signature[:1] in _DECORATES):
                signature, bare = _undecorated(self._language, one, kind, signature, lines=self._lines)
            public = self._is_public(one, kind, bare, parent)
            doc = self._doc(one, kind, start, is_nested=parent is not None)
        self._definitions.append(Definition(kind, one.name, start, end, signature, doc, len(stack), around, public))
        if len(stack) < MAX_DEPTH and kind != "package":
            inside = IMPLEMENTS if kind == "impl" and " for " in signature else kind
            stack.append(_Open(one.start, one.end, len(self._definitions) - 1, one.name, inside, around, public))

    def _is_public(self, one: Found, kind: str, signature: str, parent: _Open | None) -> bool:
        parent_kind = section = ""
        if parent is not None:
            if not parent.is_public or parent.kind not in _OPEN_KINDS:
                return False
            parent_kind, section = parent.kind, parent.section
        is_exported = one.is_exported or not self._has_exports
        return is_public_here(self._rule, Candidate(one.name, kind, signature, parent_kind, is_exported, section, self._listed))

    def _doc(self, one: Found, kind: str, start: int, *, is_nested: bool) -> str:
        if self._language.docs == DOC_INSIDE:
            return doc_inside(self._lines, one.body) if one.body is not None else ""
        if kind == "package" or (is_nested and kind in MEMBER_KINDS):
            return ""
        if kind == "module" and self._language.name == "elixir" and one.body is not None:
            return doc_in_module(self._lines, one.body)
        doc = doc_above(self._lines, start, self._language.mark)
        if not doc and one.start < one.head_start:  # between decorators and the definition
            doc = doc_above(self._lines, self._lines.line_of(one.head_start), self._language.mark)
        return doc


def _signature(language: Language, one: Found, kind: str, lines: LineMap) -> str:
    data = lines.data
    start = one.head_start
    is_whole_line = one.is_name_only or language.name == "html"
    if one.body is not None and one.body > start and not is_whole_line:
        return one_line(data, start, one.body, mark=language.mark)
    if language.name == "html":
        if kind == "heading":
            return clip(f"{one.name} {_TITLE.sub('', one_line(data, one.start, one.end))}".strip(), 120)
        return one_line(data, one.start, data.find(b">", one.start) + 1)
    if one.is_name_only:
        start = lines.start_of(lines.line_of(one.start))
        newline = data.find(b"\n", one.end)
        return one_line(data, start, newline if newline >= 0 else len(data), limit=_MAX_MEMBER)
    if kind in MEMBER_KINDS:  # one line of a long initialiser is enough to know it
        newline = data.find(b"\n", start, one.end)
        if newline >= 0:
            return one_line(data, start, newline, limit=_MAX_MEMBER, tail=" \r") + " …"
        return one_line(data, start, one.end, limit=_MAX_MEMBER)
    if kind == "type" and language.name in _TYPEDEFS:
        return _typedef(data, start, one.end)
    return one_line(data, start, one.end, mark=language.mark)


def _undecorated(language: Language, one: Found, kind: str, signature: str, *, lines: LineMap) -> tuple[str, str]:
    """Return the signature with its decorators, shortened so that they do not hide it, and without them."""
    if one.is_name_only:
        return signature, signature
    end = one.body if one.body is not None and one.body > one.head_start else one.end
    text = one_line(lines.data, one.start, end, limit=_LONG, mark=language.mark)
    decorators, bare = split_decorators(language.name, text)
    if bare == text:
        return signature, signature
    bare = clip(bare, _MAX_MEMBER if kind in MEMBER_KINDS else MAX_SIGNATURE)
    return f"{decorators} {bare}".lstrip(), bare


def _typedef(data: bytes, start: int, end: int) -> str:
    """Return `typedef struct a b` without the body of the structure, which has an entry of its own."""
    opened, closed = data.find(b"{", start, end), data.rfind(b"}", start, end)
    if opened < 0 or closed < opened:
        return one_line(data, start, end, mark="//")
    return f"{one_line(data, start, opened, mark='//')} {one_line(data, closed + 1, end, mark='//')}"


def _dunder_all(data: bytes) -> set[str]:
    """Return the names in `__all__`; read from the text, as a query for it would cost a quarter of all matching."""
    return {name.decode("utf-8", "replace") for listing in _DUNDER_ALL.findall(data) for name in _LISTED.findall(listing) if name}


def _imports(gathered: Gathered, lines: LineMap) -> tuple[Import, ...]:
    data = lines.data
    out: list[Import] = []
    for node, source in sorted(gathered.imports.values(), key=lambda pair: pair[0].start_byte):
        start, end = node.start_byte, node.end_byte
        text = one_line(data, start, end, tail=" ;")
        module = "" if source is None else data[source.start_byte : source.end_byte].decode("utf-8", "replace")
        if source is not None and (not module.isascii() or len(module.split(None, 1)) != 1 or len(module) > MAX_SIGNATURE):
            module = one_line(data, source.start_byte, source.end_byte)
        module = module.strip("\"'<>`")
        names = dict.fromkeys(_WORD.findall(text.replace(module, " ", 1) if module else text))
        for keyword in _KEYWORDS.intersection(names):
            del names[keyword]
        out.append(Import(module or text, tuple(names)[:64], *lines.span_of(start, end), text))
    return tuple(out)


def _merge_clauses(definitions: list[Definition]) -> list[Definition]:
    """Join a type signature and the equations below it: together they define one function."""
    out: list[Definition] = []
    functions = {one.qualified_name for one in definitions if one.kind == "function"}
    around: list[int] = []  # where the last one of each depth is in `out`
    for one in definitions:
        last = out[around[one.depth]] if one.depth < len(around) else None
        del around[one.depth + (last is not None) :]
        if last is not None and last.name == one.name and {last.kind, one.kind} <= _MERGED:
            calls = tuple(dict.fromkeys((*last.calls, *one.calls)))[:_MAX_CALLS]
            out[around[one.depth]] = last._replace(kind="function", end_line=one.end_line, calls=calls)
        else:
            around[one.depth :] = [len(out)]
            out.append(one)
    # What is left of a local name that is bound without arguments is its type alone.
    return [one for one in out if one.kind != "signature" or one.parent not in functions]
