"""Answers on their way to the client are in the ledger until they are written."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.cache.errors import Busy
from penstock.cache.ledger import Ledger
from penstock.server.unsent import ACCOUNT, FORGET_S, UnsentAnswers
from tests.pipe import PipeClient


def answer_to(request_id: object) -> str:
    """Return a message as the SDK writes it."""
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "result": {}}, separators=(",", ":")) + "\n"


@pytest.mark.parametrize("request_id", [7, "seven", -3])
def test_an_answer_is_charged_until_it_is_written(request_id: object) -> None:
    ledger, unsent = Ledger(1_000_000), UnsentAnswers()
    unsent.hold(str(request_id), "x" * 1000, ledger)
    assert ledger.account_bytes(ACCOUNT) >= 3000
    unsent.written(answer_to("another"))
    unsent.written('{"jsonrpc":"2.0","method":"notifications/progress","params":{"id":7}}\n')
    assert (unsent.statistics(), repr(unsent)) == (1, "<UnsentAnswers 1 waiting>")
    unsent.written(answer_to(request_id))
    unsent.written(answer_to(request_id))
    assert (unsent.statistics(), ledger.used_bytes) == (0, 0)


def test_an_id_used_twice_is_charged_once() -> None:
    ledger, unsent = Ledger(1_000_000), UnsentAnswers()
    unsent.hold("1", "x" * 1000, ledger)
    unsent.hold("1", "x" * 2000, ledger)
    unsent.drop("1")
    assert ledger.used_bytes == 0


def test_answers_that_nobody_reads_lead_to_refusals() -> None:
    ledger, unsent = Ledger(100_000), UnsentAnswers()
    unsent.hold("0", "x" * 20_000, ledger)
    with pytest.raises(Busy):
        unsent.hold("1", "x", ledger)
    unsent.written(answer_to(0))
    unsent.hold("1", "x", ledger)


def test_an_answer_that_never_left_is_forgotten() -> None:
    now = [0.0]
    ledger, unsent = Ledger(1_000_000), UnsentAnswers(clock=lambda: now[0])
    unsent.hold("0", "x" * 1000, ledger)
    now[0] = FORGET_S + 1
    unsent.hold("1", "", ledger)
    assert unsent.statistics() == 1


def test_a_real_server_holds_nothing_once_its_answers_are_read(root: Path, tmp_path: Path) -> None:
    with PipeClient(root, tmp_path / "data") as client:
        for _ in range(20):
            client.start("tools/call", {"name": "read", "arguments": {"path": "."}})
        client.text("read", path=".")

        def held() -> int:
            status = client.call("status")["_meta"]["penstock/status"]
            return status["ledger"]["accounts"].get(ACCOUNT, 0)

        assert _comes(lambda: held() == 0)


def _comes(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if condition():
            return True
    return False
