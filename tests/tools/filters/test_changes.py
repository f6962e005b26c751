"""What changed since the earlier output of the same command."""

from penstock.tools.filters.changes import Earlier
from penstock.tools.filters.engine import compress_text
from penstock.tools.filters.filter import Focus
from tests.tools.filters.conftest import check_whole, rough


def output(*failures: int) -> str:
    passed = "".join(f"tests/test_a.py::test_{i} PASSED [ {i % 100}%]\n" for i in range(300))
    failed = "".join(f"FAILED tests/test_a.py::test_{'abcdefghij'[i]}x - assert {i}\n" for i in failures)
    return f"{passed}{failed}=== {len(failures)} failed, 300 passed in {len(failures)}.5s ===\n"


def test_new_failures_go_first_and_gone_ones_are_quoted() -> None:
    result = compress_text(output(1, 2, 5), Focus(300), rough, earlier=Earlier("h0ld", output(1, 2, 3, 4)))
    check_whole(result)
    assert result.derived[0] == "against h0ld, the output before: 1 telling lines new, 2 gone, 2 as before"
    assert result.derived[1].startswith("gone: “FAILED tests/test_a.py::test_dx")
    assert "test_fx - assert 5" in result.text


def test_the_same_output_is_said_to_be_the_same() -> None:
    result = compress_text(output(1), Focus(150), rough, earlier=Earlier("h0ld", output(1)))
    assert result.derived[0] == "the same, byte for byte, as h0ld"
    assert "test_bx - assert 1" in result.text


def test_timings_are_no_change() -> None:
    result = compress_text(output(1), Focus(150), rough, earlier=Earlier("h0ld", output(1).replace("1.5s", "9.7s")))
    assert "0 telling lines new, 0 gone" in result.derived[0]
