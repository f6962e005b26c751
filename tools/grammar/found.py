"""Matches of a language's query, sorted by what they are for. Pure apart from the nodes it reads."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from .language import Language
from .naming import declared_name, name_of
from .parsing import Match

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_DEFINITIONS: Final = 20_000
SECTION: Final = "section"
"""Kind of the marks that change the visibility of what follows them."""
_SPACES: Final = re.compile(rb"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
"""What may stand between a decorator and what it decorates."""
_PARTS: Final = frozenset({"name", "body", "source", "inner", "require"})
"""Captures that belong to another one of the same match."""
_ASIDE: Final = frozenset({"callee", "import", "wrapper", "export", "attached", "listed"})
"""Captures that are no definitions. All others are, each named by its kind."""
_BY_START: Final = itemgetter(0, 1)
_MAX_WRAPPERS: Final = 4
_MAX_NESTING: Final = 200
_MAX_HEAD: Final = 2_000
_MISREAD: Final = re.compile(
    rb"(?:template\s*<[^{;]*>\s*)?(namespace|struct|class|union|enum)\s+(?:class\s+|[A-Z_]{3,}\s+)?([\w:]+)\s*(?:final\s*)?(?::[^({;]*)?(?:[{;].*)?$",
    re.DOTALL,
)
"""The head of a namespace or type that a grammar reads as a function or a variable, because of a macro above it."""
_MACROS: Final = re.compile(
    rb"(?:\w{0,60}(?:BEGIN|END|DECLS|NAMESPACE)\w{0,60}(?:\([^)\n]*\))?[ \t]*\r?\n\s*|/\*.*?\*/\s*|//[^\n]*\s+)+", re.DOTALL
)
"""Macros on lines of their own, as `BEGIN_NAMESPACE`, which a grammar takes for words of the declaration below."""


@dataclass(slots=True)
class Found:
    """One definition on its way: offsets instead of lines."""

    start: int
    end: int
    kind: str
    name: str
    head_start: int
    """Where the signature begins: behind decorators that are siblings."""
    body: int | None
    is_name_only: bool = False
    """The node is the name alone: the signature is the whole line."""
    is_exported: bool = False


@dataclass(slots=True)
class Gathered:
    """Everything that one query found."""

    definitions: "list[tuple[int, int, str, Node, Node | None, Node | None]]" = field(default_factory=list)
    """Start, pattern, kind, node, name, body."""
    imports: "dict[int, tuple[Node, Node | None]]" = field(default_factory=dict)
    around: "dict[int, tuple[Node, bool]]" = field(default_factory=dict)
    """Inner node -> the node around it, and whether that exports it."""
    held: dict[int, int] = field(default_factory=dict)
    """How many inner nodes a wrapper has."""
    attached: dict[int, int] = field(default_factory=dict)
    """Where a definition begins -> where the decorator before it begins."""
    listed: set[str] = field(default_factory=set)
    callees: "list[Node]" = field(default_factory=list)


def gather(matches: Sequence[Match], data: bytes) -> Gathered:
    """Sort the captures of all matches by their names."""
    out = Gathered()
    definitions = out.definitions
    for pattern, nodes in matches:
        for capture, captured in nodes.items():
            if capture in _PARTS or capture[0] == "_":
                continue
            node = captured[0]
            if capture in _ASIDE:
                _take_aside(out, capture, captured, nodes, data)
            else:
                name, body = nodes.get("name"), nodes.get("body")
                named, held = (name[0] if name else None), (body[0] if body else None)
                definitions.append((node.start_byte, pattern, capture, node, named, held))
    return out


def _take_aside(out: Gathered, capture: str, captured: "list[Node]", nodes: "dict[str, list[Node]]", data: bytes) -> None:
    """Keep what is no definition itself."""
    node = captured[0]
    if capture == "callee":
        out.callees += captured
    elif capture == "import":
        if "require" in nodes and not _is_require(nodes["require"][0], data):
            return
        source = nodes.get("source", (None,))[0]
        if source is not None or node.id not in out.imports:
            out.imports[node.id] = (node, source)
    elif capture in {"wrapper", "export"}:
        inner = nodes["inner"][0].id
        out.held[node.id] = out.held.get(node.id, 0) + (inner not in out.around)
        out.around[inner] = (node, capture == "export")
    elif capture == "attached":
        spaces = _SPACES.match(data, node.end_byte)
        out.attached[spaces.end() if spaces else node.end_byte] = node.start_byte
    else:
        out.listed.add(data[node.start_byte : node.end_byte].decode("utf-8", "replace"))


def _is_require(node: "Node", data: bytes) -> bool:
    """Say whether a call imports; asking here takes a third of the time of a predicate in the query."""
    return data[node.start_byte : node.end_byte] == b"require"


def resolve(language: Language, gathered: Gathered, data: bytes) -> list[Found]:
    """Name the definitions, widen them by wrappers and decorators, drop second matches of one name."""
    seen: set[int] = set()
    found: list[Found] = []
    around, attached = gathered.around, gathered.attached
    is_cpp = language.name == "cpp"
    for start, _, kind, node, name, body in sorted(gathered.definitions, key=_BY_START):
        identity = node.id if name is None else name.id
        if identity in seen:
            continue
        seen.add(identity)
        one = _named(language, kind, start, node, name, body, data)
        if is_cpp and _is_macro(one.kind, one.name):
            continue
        found.append(_widened(one, node, gathered) if one.start in attached or node.id in around else one)
        if len(found) >= MAX_DEFINITIONS:
            break
    return found


def _named(
    language: Language, kind: str, start: int, node: "Node", name: "Node | None", body: "Node | None", data: bytes
) -> Found:
    end = node.end_byte
    if language.name == "scala":
        end = _last_word(language, node)
    while end > start + 1 and data[end - 1] in b"\r\n":  # preprocessor lines hold their newline
        end -= 1
    body_start = None if body is None else body.start_byte
    if name is None:
        if kind == SECTION:
            text = data[start:end].decode("utf-8", "replace").strip(" :")
        else:
            text = "Companion" if language.name == "kotlin" and kind == "object" else kind
        return Found(start, end, kind, text, start, body_start)
    if language.name in {"c", "cpp"}:
        inner, is_function = declared_name(name)
        if is_function and kind in {"variable", "field"}:
            kind = "function"
        text = name_of(language.name, kind, inner, data)
        start, kind, text = _unmacroed(data, node, name, body, kind, text)
    else:
        text = name_of(language.name, kind, name, data)
    return Found(start, end, kind, text, start, body_start, name.id == node.id)


def _unmacroed(data: bytes, node: "Node", name: "Node", body: "Node | None", kind: str, text: str) -> tuple[int, str, str]:
    """Return where a C definition begins behind macros like `BEGIN_NAMESPACE`, and the kind and name that they hid."""
    start = node.start_byte
    end = body.start_byte if body is not None else min(node.end_byte, start + _MAX_HEAD)
    if kind in {"function", "variable"}:
        hidden = _MACROS.match(data, start, end)
        told = _MISREAD.match(data, hidden.end() if hidden else start, end)
        if told is not None:
            return told.start(), told.group(1).decode(), told.group(2).decode("utf-8", "replace")
    macros = _MACROS.match(data, start, name.start_byte)
    return (macros.end() if macros else start), kind, text


def _is_macro(kind: str, name: str) -> bool:
    """Say whether a variable is none: a macro that opens or closes a namespace, without a semicolon."""
    return kind == "variable" and name.isupper() and any(word in name for word in ("BEGIN", "END", "NAMESPACE", "DECLS"))


def _last_word(language: Language, node: "Node") -> int:
    """Return where a definition ends without the comments behind it, which a grammar that reads indentation counts in."""
    end = node.end_byte
    for _ in range(_MAX_NESTING):
        inner = next((child for child in reversed(node.children) if child.type not in language.comments), None)
        if inner is None or inner.end_byte == inner.start_byte:
            return end
        node, end = inner, inner.end_byte
    return end


def _widened(one: Found, node: "Node", gathered: Gathered) -> Found:
    inner = node
    for _ in range(_MAX_WRAPPERS):
        around = gathered.around.get(inner.id)
        if around is None:
            break
        inner = around[0]
        one.is_exported |= around[1]
        if gathered.held[inner.id] == 1:  # `const a = 1, b = 2` belongs to neither of the two
            one.start = one.head_start = min(one.start, inner.start_byte)
            one.end = max(one.end, inner.end_byte)
    while one.start in gathered.attached:
        one.start = gathered.attached[one.start]
    return one
