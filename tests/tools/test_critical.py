"""Under critical pressure: nothing new is cached, heavy work says what to do instead, plain reads keep working."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.cache.borrowing import ACCOUNT
from penstock.cache.errors import UnderPressure
from penstock.cache.pressure.levels import PressureLevel
from penstock.server.config import load_config
from penstock.server.engine import Engine
from tests.tools.conftest import Caller

LARGE = "".join(f"def function_{number}(value):\n    return value + {number}\n\n\n" for number in range(30_000))


@pytest.fixture
def critical(root: Path, tmp_path: Path) -> Iterator[Caller]:
    """A real engine that is allowed less memory than it occupies: RSS makes the level, the ledger is empty."""
    (root / "large.py").write_text(LARGE)
    caller = Caller(root, tmp_path / "unused")
    caller.engine.close()
    config = load_config(flags={"data_dir": tmp_path / "data"}, env={"PENSTOCK_MEMORY_RSS_MB": "64"}, home=tmp_path)
    caller.engine = Engine(config, root)
    caller.engine.gauge.measure_baseline(0)
    caller.engine.guard.sample()
    yield caller
    caller.engine.close()


def test_plain_reads_keep_working_and_are_not_cached(critical: Caller) -> None:
    assert critical.engine.guard.level is PressureLevel.CRITICAL
    for arguments in ({"view": "full"}, {"lines": "5-9"}, {}):
        answer = critical("read", path="large.py", **arguments)
        assert not answer.is_error
        assert critical.bodies(answer)[0].rstrip("\n") in LARGE
    assert critical("read", path="notes.md").parts[0]["view"] == "full"
    assert critical.engine.session.residents() == []
    assert critical("read", path="notes.md", view="outline").parts[0]["view"] == "outline", "small work is always let through"
    assert critical.engine.ledger.account_bytes("outputs") == 0


def test_a_computed_view_of_a_large_file_is_refused_with_what_to_do_instead(critical: Caller) -> None:
    for view, more in (("outline", {}), ("dense", {}), ("focus", {"query": "function"}), ("map", {})):
        with pytest.raises(UnderPressure) as refused:
            critical("read", path="large.py", view=view, **more)
        assert 'read path="large.py" lines=' in str(refused.value)


def test_compressing_a_large_source_is_refused_whatever_names_it(critical: Caller) -> None:
    handle = critical("read", path="notes.md", view="outline").parts[0]["handle"]
    assert not critical("compress", source=handle).is_error
    with pytest.raises(UnderPressure, match="lines"):
        critical("compress", source="large.py")
    with pytest.raises(UnderPressure):
        critical("compress", source="passed in 3 ms\n" * 100_000)
    assert critical.engine.guard.statistics().refusals == 2


def test_many_new_files_are_not_indexed_now_and_the_answer_says_so(critical: Caller) -> None:
    assert not critical("search", query="greet").is_error, "a handful of files is no heavy work"
    for number in range(300):
        (critical.root / f"more_{number}.py").write_text(f"def more_{number}():\n    return {number}\n")
    answer = critical("search", query="more_7")
    assert "of 30" in answer.text.splitlines()[0]
    assert "partial" in answer.text.splitlines()[0]


def test_the_text_of_a_running_call_is_in_the_ledger_and_gone_afterwards(call: Caller) -> None:
    (call.root / "large.py").write_text(LARGE)
    before = call.engine.ledger.statistics().peak_bytes
    call("read", path="large.py", lines="1-5")
    found = call.engine.ledger.statistics()
    assert found.peak_bytes - before > 2 * len(LARGE)
    assert found.accounts[ACCOUNT] == 0


def test_status_says_what_rss_is_made_of(call: Caller) -> None:
    call("read", path="notes.md")
    call("search", query="greet")
    text = call("status", detail="full").text
    assert "MB at start-up + search modules" in text
    assert "machine allows:" in text
    assert "workers:" in text
    assert f"{ACCOUNT} 0 B" in text
    assert "guard: looks every" in text
