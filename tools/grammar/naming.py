"""Pure: the name that a node gives, where the grammar wraps it, and the kind where the keyword tells more than the node."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from .spans import MAX_NAME, clip

if TYPE_CHECKING:
    from tree_sitter import Node

_MAX_WRAPPING: Final = 40
_UNNAMED_FIELDS: Final = frozenset({"reference_declarator", "parenthesized_declarator", "attributed_declarator"})
_ATTRIBUTE: Final = re.compile(r"""\b(?:id|src|type|href)\s*=\s*["']?([^"'\s>]+)""")
_TAG: Final = re.compile(r"<[/!]?([\w-]*)[^>]*>")
_GENERICS: Final = re.compile(r"<.*", re.DOTALL)
_ARGUMENTS: Final = re.compile(r"[({\s:].*", re.DOTALL)
_CLASS_WORD: Final = re.compile(r"\b(class|interface|enum|struct|extension|actor|object)\b")


def declared_name(node: "Node") -> "tuple[Node, bool]":
    """Follow a C declarator to the name; also say whether it declares a function."""
    is_function = False
    for _ in range(_MAX_WRAPPING):
        if node.type == "operator_cast":
            return node, True
        inner = node.child_by_field_name("declarator")
        if inner is None and node.type in _UNNAMED_FIELDS:
            children = node.named_children
            inner = next((child for child in children if "declarator" in child.type or "identifier" in child.type), None)
        if node.type == "function_declarator":
            # A parenthesised declarator inside is a pointer to a function.
            is_function = inner is None or inner.type != "parenthesized_declarator"
        if inner is None:
            break
        node = inner
    return node, is_function


def name_of(language: str, kind: str, node: "Node", data: bytes) -> str:
    """Return the name as the outline shows it."""
    text = data[node.start_byte : min(node.end_byte, node.start_byte + 400)].decode("utf-8", "replace")
    rule = _NAME_RULES.get(language)
    if rule is None and text.isidentifier() and len(text) <= MAX_NAME:
        return text  # nearly all names, and one is made for every definition
    text = " ".join(text.split())
    if rule is not None:
        text = rule(kind, text)
    if language != "haskell":  # where a name may end with an apostrophe
        text = text.strip("\"'`")
    return clip(text or kind, MAX_NAME)


def _html_name(kind: str, text: str) -> str:
    found = _ATTRIBUTE.search(text)
    if found is not None:
        return found.group(1)
    tag = _TAG.match(text)
    return tag.group(1) if tag else kind


def _cpp_name(_kind: str, text: str) -> str:
    return text.split("(", 1)[0].strip() if text.startswith("operator ") else text


_NAME_RULES: Final[dict[str, Callable[[str, str], str]]] = {
    "julia": lambda kind, text: _ARGUMENTS.sub("", text),
    "rust": lambda kind, text: _GENERICS.sub("", text) if kind == "impl" else text,
    "html": _html_name,
    "php": lambda kind, text: text.lstrip("$"),
    "ruby": lambda kind, text: text.lstrip(":"),
    "go": lambda kind, text: text.lstrip("*").partition("[")[0].rsplit(".", 1)[-1] if kind == "field" else text,
    "python": lambda kind, text: text.split("[", 1)[0] if kind == "type" else text,
    "cpp": _cpp_name,
}


def refined_kind(language: str, kind: str, signature: str) -> str:
    """Return the kind that the keyword tells, for grammars with one node type for several kinds."""
    if kind == "class" and language in {"kotlin", "swift"}:
        words = _CLASS_WORD.findall(signature)
        special = next((word for word in words if word != "class"), None)
        return "class" if special in {None, "actor"} else str(special)
    return kind
