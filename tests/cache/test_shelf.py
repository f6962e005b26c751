"""The ledger is the sum of the entries, after every operation and with many threads."""

import threading
from collections.abc import Callable
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.cache.entry import RemovalCause
from tests.cache.files import source
from tests.cache.sessions import assert_exact, make_session

operations = st.lists(
    st.tuples(
        st.sampled_from(
            ["store", "store", "store", "get", "output", "remove", "reclaim", "clear", "trim", "blocks", "pin", "unpin"]
        ),
        st.integers(0, 5),
        st.integers(0, 3),
        st.integers(1, 4),
    ),
    max_size=40,
)


@given(operations)
@settings(max_examples=150)
def test_the_ledger_is_the_sum_of_the_entries_after_every_operation(steps: list[tuple[str, int, int, int]]) -> None:
    ledger, session = make_session(60_000, max_pinned_ratio=0.5)
    block = b"shared paragraph " * 20 + b"\n\n"
    for name, number, content, ino in steps:
        data = block * content + b"%d %d" % (number, content)
        file = source(f"f{number}", data, ino=number * 10 + ino % 2)
        operation: dict[str, Callable[[], object]] = {
            "store": partial(session.store, file),
            "get": partial(session.get, file.key),
            "output": partial(session.set_compressed, file.key, f"v{content}", "o" * 100 * ino, sha256=file.sha256),
            "remove": partial(session.remove, file.key, RemovalCause.EXPLICIT),
            "reclaim": partial(session.reclaim, 2000 * ino),
            "clear": session.clear,
            "trim": session.trim_compressed_outputs,
            "blocks": session.trim_shared_blocks,
            "pin": partial(session.pin, file.key),
            "unpin": partial(session.unpin, file.key),
        }
        operation[name]()
        assert_exact(ledger, session)
        found = session.find(f"f{number}")
        assert found is None or session.version(found.sha256) == found.data


def test_many_threads_leave_an_exact_ledger() -> None:
    ledger, session = make_session(200_000)

    def work(seed: int) -> None:
        for step in range(200):
            number = (seed * 7 + step * 13) % 40
            data = b"%d" % (number + step // 50) * 700
            entry = session.store(source(f"f{number}", data))
            assert entry.data == data
            session.set_compressed(entry.key, "v", "x" * 300, sha256=entry.sha256)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_exact(ledger, session)
    session.clear()
    assert ledger.used_bytes == 0
