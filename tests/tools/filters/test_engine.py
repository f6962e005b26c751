"""Properties that hold for every text, whatever wrote it."""

from typing import Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from penstock.tools.filters.engine import compress_text
from penstock.tools.filters.families import kind_names
from penstock.tools.filters.filter import Focus, Rank
from penstock.tools.filters.planner import FLOOR_TOKENS
from tests.tools.filters.conftest import Count, check_whole, rough

LINES: Final = st.one_of(
    st.text(max_size=60),
    st.text(st.characters(codec="utf-8"), max_size=400),
    st.sampled_from(
        [
            "",
            "FAILED tests/test_a.py::test_x - assert 1 == 2",
            "E   AssertionError: no",
            "=== 1 failed, 3 passed in 0.1s ===",
            "src/a.c:3:4: error: expected ';'",
            '  File "a.py", line 3, in f',
            "Traceback (most recent call last):",
            "ValueError: bad",
            "… 12 lines (3-14) …",
            "diff --git a/x b/x",
            "@@ -1,3 +1,4 @@",
            "+added",
            "-removed",
            '{"a": [1, 2, 3]}',
            "2026-01-01T00:00:00Z INFO started",
            "2026-01-01T00:00:01Z ERROR failed to connect",
            "a,b,c,d",
            "x" * 900,
            "progress 1%\rprogress 50%\rprogress 100%" * 9,
            "\x1b[31merror\x1b[0m: red",
            "İstanbul ERROR",
        ]
    ),
)
TEXTS: Final = st.tuples(st.lists(LINES, max_size=120), st.sampled_from(["", "\n", "\r\n"])).map(
    lambda drawn: "\n".join(drawn[0]) + drawn[1]
)
FOCUSES: Final = st.builds(
    Focus,
    st.integers(1, 3000),
    query=st.sampled_from(["", "error", "connect failed", "x"]),
    exit_code=st.sampled_from([None, 0, 1]),
    is_default=st.booleans(),
)


@settings(max_examples=350, deadline=None)
@given(TEXTS, FOCUSES, st.sampled_from([None, *kind_names()]))
@example("error\n" * 40, Focus(1), None)
@example("\u2028\x0b\x0c\n" * 60, Focus(40), None)
def test_any_text_is_kept_or_counted(text: str, focus: Focus, kind: str | None) -> None:
    result = compress_text(text, focus, rough, kind=kind)
    check_whole(result)
    assert len(result.text) <= len(text)
    assert rough(result.text) <= max(focus.budget, FLOOR_TOKENS) or not result.is_lossy
    assert result.is_lossy or result.text == text
    assert compress_text(text, focus, rough, kind=kind) == result
    again = compress_text(result.text, focus, rough, kind=kind)
    assert again.text == result.text


def test_a_failing_command_s_unexplained_output_keeps_its_end() -> None:
    text = "".join(f"step {i} went on as planned\n" for i in range(500))
    kept = compress_text(text, Focus(400, exit_code=1), rough).text
    assert all(f"step {i} went" in kept for i in range(485, 500))


def test_query_matches_survive_with_the_lines_around_them() -> None:
    text = "".join(f"entry {i} about {'penstocks' if i == 321 else 'nothing'}\n" for i in range(900))
    result = compress_text(text, Focus(200, query="about penstocks"), rough)
    assert "entry 321 about penstocks" in result.text
    assert "entry 320 about" in result.text


def test_what_does_not_fit_is_counted_by_rank() -> None:
    text = "".join(f"FAILED tests/test_a.py::test_{i} - assert {i}\n" for i in range(300)) + "=== 300 failed in 1.0s ===\n"
    result = compress_text(text, Focus(300), rough)
    kept = result.text.count("FAILED tests")
    assert result.left_out[Rank.FAILURE] == 300 - kept
    assert "300 failed in 1.0s" in result.text


def test_repeated_errors_are_named_with_their_number(count: Count) -> None:
    text = "".join(f"2026-01-01T00:00:{i % 60:02d}Z ERROR cannot open file {i}\n" for i in range(400))
    result = compress_text(text, Focus(300), count)
    assert any("×400" in fact for fact in result.derived)
    assert result.text.startswith("derived · ")


def test_compressing_a_result_again_changes_nothing(count: Count) -> None:
    text = "".join(f"test_{i} PASSED [ {i % 100}%]\n" for i in range(400)) + "=== 400 passed in 2.0s ===\n"
    once = compress_text(text, Focus(2500, is_default=True), count)
    assert once.is_lossy
    assert compress_text(once.text, Focus(2500, is_default=True), count).text == once.text


def test_a_family_found_inside_another_adds_its_errors() -> None:
    text = (
        "".join(f"[ {i}%] Building C object CMakeFiles/t{i}.dir/t{i}.c.o\n" for i in range(90))
        + "/src/a.c:3:7: error: expected ';' before 'x'\n    3 |   int y x\n"
        + "make[1]: *** [CMakeFiles/Makefile2:100: all] Error 2\nmake: *** [Makefile:136: all] Error 2\n"
    )
    result = compress_text(text, Focus(200), rough)
    assert result.kind == "make"
    assert "error: expected ';'" in result.text
    assert "make: *** " in result.text


def test_a_failed_command_that_says_nothing_known_keeps_what_stands_out(count: Count) -> None:
    alike = [f"Schritt {i} abgeschlossen" for i in range(900)]
    text = "\n".join([*alike, "haupt.c:12:5: Fehler: »zebra« nicht deklariert", *alike])
    assert "»zebra« nicht deklariert" in compress_text(text, Focus(300, exit_code=1), count).text
