"""Documentation, signatures and lines next to a definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.tools.grammar.docs import doc_above, doc_inside
from penstock.tools.grammar.spans import LineMap, clip, one_line


@pytest.mark.parametrize(
    ("above", "mark", "doc"),
    [
        ("// One.\n// Two.\n", "//", "One."),
        ("/**\n * First line.\n * @param x y\n */\n", "//", "First line."),
        ("/*\n   Plain block.\n*/\n", "//", "Plain block."),
        ("/// <summary>Sums.</summary>\n", "//", "Sums."),
        ("# ------\n# Title\n# ------\n", "#", "Title"),
        ("#[derive(Debug)]\n", "//", ""),
        ("/// Doc.\n#[derive(Debug)]\n", "//", "Doc."),
        ('@doc "Computes."\n@spec f() :: int\n', "#", "Computes."),
        ('"""\n    f(x)\n\nText.\n"""\n', "#", "Text."),
        ('"""\n    f(x)\n"""\n', "#", "f(x)"),
        ('  """\n  def other, do: 1\n  @doc ~S"""\n  Computes.\n\n  More.\n  """\n  @spec f() :: int\n', "#", "Computes."),
        ('text = """\nno doc\n"""\n', "#", ""),
        ('"""One line."""\n', "#", "One line."),
        ("-- | Haddock.\n", "--", "Haddock."),
        ("{- Block\n   more -}\n", "--", "Block"),
        ("// noqa\n// eslint-disable\n", "//", ""),
        ("code();\n", "//", ""),
        ("// far\n\n", "//", ""),
        ("not open */\n", "//", ""),
        ("=begin\nRuby text.\n=end\n", "#", "Ruby text."),
    ],
)
def test_the_first_telling_line_of_the_comment_above(above: str, mark: str, doc: str) -> None:
    lines = LineMap((above + "target\n").encode())
    assert doc_above(lines, above.count("\n") + 1, mark) == doc


@pytest.mark.parametrize(
    ("body", "doc"),
    [
        ('"""One."""\n', "One."),
        ("'''\n    Two.\n    More.\n    '''\n", "Two."),
        ('r"Three."\n', "Three."),
        ('"""\\\nFour.\n"""\n', "Four."),
        ("pass\n", ""),
    ],
)
def test_the_first_line_of_a_docstring(body: str, doc: str) -> None:
    assert doc_inside(LineMap(body.encode()), 0) == doc


def test_a_signature_is_one_line_without_comments_or_the_opening_of_the_body() -> None:
    source = b"def f(\n    a,  # first\n    b='# no',\n) -> int:\n"
    assert one_line(source, 0, len(source), mark="#") == "def f(a, b='# no') -> int"
    assert one_line(b"x" * 300, 0, 300, limit=10) == "xxxxxxxxx…"


@given(st.text(), st.integers(1, 20))
def test_clipped_text_is_never_longer_than_the_limit(text: str, limit: int) -> None:
    assert len(clip(text, limit)) <= limit


@given(st.binary(max_size=80))
def test_line_numbers_agree_with_counting_newlines(data: bytes) -> None:
    lines = LineMap(data)
    assert lines.count == data.count(b"\n") + (bool(data) and not data.endswith(b"\n"))
    for offset in range(len(data)):
        assert lines.line_of(offset) == data.count(b"\n", 0, offset) + 1
        assert lines.start_of(lines.line_of(offset)) <= offset
    assert lines.line(0) == lines.line(lines.count + 2) == b""
