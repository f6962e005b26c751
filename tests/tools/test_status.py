from tests.tools.conftest import Caller


def test_savings_are_net_of_the_servers_own_cost(call: Caller) -> None:
    status = call("status")
    assert "savings: net -" in status.text, "before anything was saved the server has only cost"
    raw = call("read", path="src/big.py", view="outline").parts[0]
    account = call.engine.savings.savings()
    assert account.left_out == raw["raw_tokens"] - raw["tokens"]
    assert account.net == account.left_out - account.overhead


def test_exact_text_saves_nothing(call: Caller) -> None:
    call("read", path="src/big.py", view="full")
    call("read", path="src/big.py", lines="1-10")
    assert call.engine.savings.savings().left_out == 0


def test_a_restore_counts_as_cost(call: Caller) -> None:
    handle = call("read", path="src/big.py", view="outline").parts[0]["handle"]
    before = call.engine.savings.savings().net
    call("restore", handle=handle)
    assert call.engine.savings.savings().net < before


def test_full_detail_says_why_things_left(call: Caller) -> None:
    call("read", path="notes.md")
    call("evict", targets="notes.md")
    text = call("status", detail="full").text
    assert "left: notes.md evicted (explicit)" in text
    assert "ledger accounts:" in text
    assert "levels seen: NORMAL" in text


def test_the_ledger_is_the_sum_of_what_is_held(call: Caller) -> None:
    for name in ("notes.md", "src/app.py", "src/big.py"):
        call("read", path=name)
        call("read", path=name, view="outline")
    ledger = call.engine.ledger.statistics()
    assert ledger.used_bytes == sum(ledger.accounts.values())
    assert call.engine.session.total_cached_bytes() == ledger.accounts["content"] + ledger.accounts["outputs"]


def test_full_detail_has_the_search_entropies(call: Caller) -> None:
    call("search", query="app")
    text = call("status", detail="full").text
    assert "search entropies: 1 of 1,280 sessions, 0 calibrated after 12 searches; 1 observations, last 128 kept" in text
