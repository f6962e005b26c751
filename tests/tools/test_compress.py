"""`compress`: what it is given, what it keeps, and that the original comes back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from penstock.cache.errors import InvalidArgument, PathNotFound, UnknownHandle
from penstock.tools.call import AnswerLimit
from tests.tools.conftest import Caller, Served

FIXTURES = Path(__file__).parents[1] / "fixtures" / "filters"


def fixture(name: str) -> str:
    return (FIXTURES / f"{name}.txt").read_bytes().decode()


def facts(answer: Served) -> list[str]:
    return answer.text.split("\n", 1)[0].split(" · ")


def part(answer: Served) -> Mapping[str, Any]:
    assert len(answer.parts) == 1
    return answer.parts[0]


def test_text_is_shortened_and_its_original_restored(call: Caller) -> None:
    original = fixture("pytest/failing_verbose")
    answer = call("compress", source=original)
    assert facts(answer)[:2] == ["pytest output", "compress"]
    assert "lossy" in facts(answer)
    assert part(answer)["tokens"] < part(answer)["raw_tokens"] / 4
    assert "FAILED tests/test_cart.py::test_load - KeyError: 'quantity'" in answer.text
    handle = part(answer)["handle"]
    assert facts(answer)[-1] == f"original: restore {handle}"
    assert "".join(call.bodies(call("restore", handle=handle, budget=20_000))) == original


def test_small_input_comes_back_as_it_is(call: Caller) -> None:
    answer = call("compress", source="one line of text, not a path\nand another\n")
    assert call.bodies(answer) == ["one line of text, not a path\nand another\n"]
    assert part(answer)["lossy"] is False
    assert "handle" not in part(answer)


def test_a_budget_that_holds_the_text_gets_the_text(call: Caller) -> None:
    original = fixture("pytest/failing_verbose")
    assert call.bodies(call("compress", source=original, budget=9000)) == [original]


def test_the_budget_is_kept(call: Caller) -> None:
    for budget in (100, 400, 1500):
        assert part(call("compress", source=fixture("pytest/xdist"), budget=budget))["tokens"] <= budget


def test_a_file_is_read_through_the_workspace(call: Caller) -> None:
    (call.root / "build.log").write_text(fixture("make/warnings"))
    answer = call("compress", source="build.log", budget=300)
    assert facts(answer)[0] == "build.log"
    assert "make output" in facts(answer)
    assert "".join(call.bodies(call("restore", handle=part(answer)["handle"], budget=20_000))) == fixture("make/warnings")


def test_a_handle_is_compressed_again_at_another_budget(call: Caller) -> None:
    first = call("compress", source=fixture("go_test/failing_verbose"), budget=200)
    again = call("compress", source=part(first)["handle"], budget=400)
    assert part(again)["handle"] == part(first)["handle"]
    assert part(again)["raw_tokens"] == part(first)["raw_tokens"]


def test_a_directory_gives_its_logs(call: Caller) -> None:
    logs = call.root / "logs"
    logs.mkdir()
    (logs / "a.log").write_text(fixture("log/app"))
    (logs / "b.log").write_text(fixture("nginx/error_log"))
    (logs / "code.py").write_text("x = 1\n")
    answer = call("compress", source="logs", budget=800)
    assert [entry["path"] for entry in answer.parts] == ["logs/a.log", "logs/b.log"]
    assert "planted: deadlock detected" in answer.text
    assert "planted: SSL_do_handshake() failed" in answer.text
    assert all(entry["handle"] for entry in answer.parts)


def test_what_quiet_logs_do_not_need_goes_to_the_loud_one(call: Caller) -> None:
    logs = call.root / "logs"
    logs.mkdir()
    for i in range(9):
        (logs / f"quiet{i}.log").write_text(f"service {i} started\nservice {i} ready\n")
    (logs / "loud.log").write_text(fixture("pytest/failing_verbose"))
    answer = call("compress", source="logs", budget=1000)
    assert [entry["path"] for entry in answer.parts] == ["logs/loud.log", *(f"logs/quiet{i}.log" for i in range(9))]
    assert sum(entry["tokens"] for entry in answer.parts) <= 1000
    assert answer.parts[0]["tokens"] > 700


def test_a_directory_without_logs_names_the_call_to_make(call: Caller) -> None:
    with pytest.raises(InvalidArgument) as caught:
        call("compress", source="src")
    assert "read" in caught.value.next_call


def test_an_explicit_kind_wins_over_the_content(call: Caller) -> None:
    answer = call("compress", source=fixture("pytest/failing_verbose"), kind="log", budget=300)
    assert facts(answer)[0] == "log output"


def test_an_unknown_kind_is_refused_with_the_known_ones(call: Caller) -> None:
    with pytest.raises(InvalidArgument) as caught:
        call("compress", source="text", kind="no-such-kind")
    assert "pytest" in caught.value.why


def test_a_mistyped_path_is_not_taken_for_text(call: Caller) -> None:
    with pytest.raises(PathNotFound):
        call("compress", source="logs/bulid.log")


def test_an_unknown_handle_is_refused(call: Caller) -> None:
    with pytest.raises(UnknownHandle):
        call("compress", source="h0123456789ab")


def test_nothing_is_refused(call: Caller) -> None:
    with pytest.raises(InvalidArgument):
        call("compress", source="  \n")


def test_text_with_marks_is_taken_and_flagged(call: Caller) -> None:
    shortened = call.bodies(call("compress", source=fixture("pytest/failing_verbose"), budget=300))[0]
    answer = call("compress", source=shortened)
    assert call.bodies(answer) == [shortened]
    assert any("marks of an earlier omission" in fact for fact in facts(answer))


def test_the_query_s_matches_stay(call: Caller) -> None:
    source = "".join(f"line {i} says {'penstock' if i == 555 else 'nothing'}\n" for i in range(2000))
    assert "line 555 says penstock" in call("compress", source=source, query="penstock", budget=100).text


def test_an_answer_fits_what_the_client_shows(call: Caller) -> None:
    call.limit = AnswerLimit(chars=3000, bytes=3000, tokens=20_000)
    answer = call("compress", source=fixture("json/pretty"), budget=20_000)
    assert len(answer.text) <= 3000
    assert part(answer)["lossy"] is True


def test_lone_surrogates_do_not_break_the_answer(call: Caller) -> None:
    answer = call("compress", source="bad \ud800 text\n" * 400, budget=100)
    answer.text.encode("utf-8")
    assert "\\ud800" in answer.text


def test_the_same_call_gives_the_same_bytes(call: Caller) -> None:
    source = fixture("cargo_test/failing")
    assert call("compress", source=source).text == call("compress", source=source).text


def test_a_repeated_output_says_what_changed(call: Caller) -> None:
    first = fixture("pytest/failing_verbose")
    before = call("compress", source=first, budget=600)
    gone = "FAILED tests/test_cart.py::test_load - KeyError: 'quantity'\n"
    second = first.replace(gone, "FAILED tests/test_cart.py::test_brand - planted: quite new\n")
    after = call("compress", source=second, budget=600)
    assert f"against {part(before)['handle']}, the output before: 1 telling lines new, 1 gone" in after.text
    assert "gone: “FAILED tests/test_cart.py::test_load" in after.text
    assert "planted: quite new" in after.text


def test_a_changed_file_is_compared_with_what_was_compressed_of_it_before(call: Caller) -> None:
    log = call.root / "app.log"
    log.write_text(fixture("log/app"))
    call("compress", source="app.log", budget=400)
    log.write_text(fixture("log/app") + "2026-03-01T11:00:00.000Z ERROR [db] planted: disk is full\n")
    answer = call("compress", source="app.log", budget=400)
    assert "1 telling lines new, 0 gone" in answer.text
    assert "planted: disk is full" in answer.text


def test_of_a_file_too_large_to_read_both_ends_are_compressed(call: Caller) -> None:
    lines = [f"2026-03-01T10:00:00.000Z INFO entry {i} of a very long log\n" for i in range(300_000)]
    lines[-3] = "2026-03-01T10:00:00.000Z ERROR planted near the end\n"
    (call.root / "huge.log").write_text("".join(lines))
    answer = call("compress", source="huge.log", budget=400)
    assert "ERROR planted near the end" in answer.text
    assert "of 300,000 lines" in answer.text
    assert "only both ends looked at" in facts(answer)[-1]
    gaps = [line for line in call.bodies(answer)[0].split("\n") if line.startswith("… ")]
    kept = [line for line in call.bodies(answer)[0].split("\n")[1:] if line and not line.startswith("… ")]
    assert sum(int(gap.split()[1].replace(",", "")) for gap in gaps) + len(kept) == 300_000
