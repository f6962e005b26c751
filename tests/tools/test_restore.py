import pytest

from penstock.cache.errors import InvalidArgument, UnknownHandle
from penstock.tools.call import AnswerLimit
from tests.tools.conftest import Caller

OUTPUT = "".join(f"{i:05d} step {i % 7} of the build {'failed: disk full' if i == 1234 else 'done'}\n" for i in range(3000))


def handle_of(call: Caller) -> str:
    return call("compress", source=OUTPUT, budget=200).parts[0]["handle"]


def test_pages_of_a_payload_add_up_to_its_bytes(call: Caller) -> None:
    handle, text, arguments = handle_of(call), "", {}
    call.limit = AnswerLimit(chars=20_000, bytes=20_000, tokens=9000)
    for _ in range(40):
        answer = call("restore", handle=handle, **arguments)
        text += "".join(call.bodies(answer))
        tail = answer.text.rsplit("\n", 1)[1]
        if not tail.startswith("next lines="):
            break
        arguments = {"lines": tail.split()[1].removeprefix("lines=")}
    assert text == OUTPUT


def test_lines_and_queries_bring_parts_back(call: Caller) -> None:
    handle = handle_of(call)
    assert call.bodies(call("restore", handle=handle, lines="1235")) == [OUTPUT.splitlines(keepends=True)[1234]]
    found = call("restore", handle=handle, query="disk full", budget=300)
    assert "01234 step" in found.text
    assert "lossy" in found.text.split("\n", 1)[0]


def test_a_budget_bounds_a_page(call: Caller) -> None:
    answer = call("restore", handle=handle_of(call), budget=500)
    assert answer.parts[0]["tokens"] <= 500
    assert "next lines=" in answer.text


def test_a_handle_may_be_shortened_but_not_guessed(call: Caller) -> None:
    handle = handle_of(call)
    assert call("restore", handle=handle[:8], lines="1").parts[0]["handle"] == handle
    with pytest.raises(UnknownHandle):
        call("restore", handle="h00")
    with pytest.raises(UnknownHandle, match="receipt"):
        call("restore", handle="r12-7f3a")


def test_lines_past_the_end_say_how_many_there_are(call: Caller) -> None:
    with pytest.raises(InvalidArgument, match="3,000 lines"):
        call("restore", handle=handle_of(call), lines="9000-")
