"""JSON with comments and trailing commas, parsed into a tree of spans. Pure: text in, tree out.

Knows where every value, key and comma stands, so that an edit can touch just those characters. A tree is only made of a
text that is well formed throughout: strict JSON, or JSONC as VS Code and Zed write it (comments, trailing commas).
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from .refusal import EditRefused

MAX_DEPTH: Final = 200
"""Far above any configuration file, far below Python's recursion limit."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_TOKEN: Final = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<comment>//[^\r\n]*|/\*[\s\S]*?\*/)
    |(?P<string>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")
    |(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    |(?P<word>true|false|null)(?![A-Za-z0-9_])
    |(?P<mark>[{}\[\],:])""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A lexical element; space and comments are dropped before parsing."""

    kind: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place in the text."""

    kind: Literal["object", "array", "scalar"]
    start: int
    end: int
    children: tuple["Child", ...] = ()
    text: str = ""
    """The source of a scalar."""


@dataclass(frozen=True, slots=True)
class Child:
    """A member of an object, or an item of an array (which has an empty key that starts where the value does)."""

    key: str
    start: int
    """Where the key starts; for an item, the value."""
    node: Node
    comma: int | None
    """Where the comma behind the value stands, if there is one."""


def parse(text: str) -> Node:
    """Parse a whole document.

    Raises:
        EditRefused: Not well formed, or nested deeper than `MAX_DEPTH`; says where.
    """
    parser = _Parser(text)
    node = parser.value(0)
    parser.expect_end()
    return node


def loads(text: str) -> Json:
    """The document's value as Python objects; of equal keys the last counts."""
    return value_of(parse(text))


def value_of(node: Node) -> Json:
    """The Python value of a node."""
    if node.kind == "object":
        return {child.key: value_of(child.node) for child in node.children}
    if node.kind == "array":
        return [value_of(child.node) for child in node.children]
    return cast("Json", json.loads(node.text))


def pairs_of(node: Node) -> object:
    """A value for comparing documents: keeps the order of members, equal keys, and numbers as they are written."""
    if node.kind == "object":
        return ("object", tuple((child.key, pairs_of(child.node)) for child in node.children))
    if node.kind == "array":
        return ("array", tuple(pairs_of(child.node) for child in node.children))
    return json.loads(node.text) if node.text.startswith('"') else ("literal", node.text)


def member(node: Node, key: str) -> Child | None:
    """The member of this name.

    Raises:
        EditRefused: The object has the key more than once: which one counts depends on the reader.
    """
    found = [child for child in node.children if child.key == key] if node.kind == "object" else []
    if len(found) > 1:
        raise EditRefused(f"The key {key!r} stands more than once in one object", next_call="remove all but one by hand")
    return found[0] if found else None


def find(root: Node, path: Sequence[str]) -> Node | None:
    """The value at a path of keys; None where a key is missing.

    Raises:
        EditRefused: Something on the path is not an object, or a key is ambiguous.
    """
    node = root
    for key in path:
        if node.kind != "object":
            raise EditRefused(f"The value around {key!r} is not an object", next_call="correct the file by hand")
        child = member(node, key)
        if child is None:
            return None
        node = child.node
    return node


def comments_end(text: str, at: int) -> int:
    """The end of the comments that start on the same line behind `at`; `at` itself when there is none."""
    end = at
    while True:
        match = re.compile(r"[ \t]*(?://[^\r\n]*|/\*[^\r\n]*?\*/)").match(text, end)
        if match is None:
            return end
        end = match.end()


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _significant(text)
        self._next: Token | None = next(self._tokens, None)
        self._end = 0

    def value(self, depth: int) -> Node:
        """Parse one value."""
        if depth > MAX_DEPTH:
            raise self._fault("nested too deep")
        token = self._take()
        if token.text in {"{", "["}:
            return self._container(token, depth)
        if token.kind == "mark":
            raise self._fault(f"unexpected {token.text!r}", token.start)
        return Node("scalar", token.start, token.end, text=token.text)

    def expect_end(self) -> None:
        """Refuse anything behind the document's value."""
        if self._next is not None:
            raise self._fault("text after the end", self._next.start)

    def _container(self, opening: Token, depth: int) -> Node:
        is_object = opening.text == "{"
        closing = "}" if is_object else "]"
        children: list[Child] = []
        while not self._at(closing):
            if children and children[-1].comma is None:
                raise self._fault("a comma is missing", self._next.start if self._next else None)
            children.append(self._child(depth, is_object=is_object))
        return Node("object" if is_object else "array", opening.start, self._take().end, tuple(children))

    def _child(self, depth: int, *, is_object: bool) -> Child:
        key, start = "", -1
        if is_object:
            token = self._take()
            if token.kind != "string":
                raise self._fault("a key must be a string", token.start)
            key, start = cast("str", json.loads(token.text)), token.start
            if self._take().text != ":":
                raise self._fault("a colon is missing", token.end)
        node = self.value(depth + 1)
        comma = self._take().start if self._at(",") else None
        return Child(key, start if is_object else node.start, node, comma)

    def _at(self, mark: str) -> bool:
        return self._next is not None and self._next.kind == "mark" and self._next.text == mark

    def _take(self) -> Token:
        token = self._next
        if token is None:
            raise self._fault("the text ends too early", len(self._text))
        self._end = token.end
        self._next = next(self._tokens, None)
        return token

    def _fault(self, what: str, at: int | None = None) -> EditRefused:
        return _fault(self._text, what, self._end if at is None else at)


def _significant(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _fault(text, "this is not JSON", at)
        at = match.end()
        kind = str(match.lastgroup)
        if kind not in {"space", "comment"}:
            yield Token(kind, match.start(), at, match.group())


def _fault(text: str, what: str, at: int) -> EditRefused:
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return EditRefused(f"Not valid JSON: {what} at line {line}, column {column}", next_call="correct the file by hand")
