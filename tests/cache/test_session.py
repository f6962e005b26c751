"""The session cache: segments, removal causes, outputs, versions, pins, and the ledger to the byte."""

import pytest

from penstock.cache.entry import ENTRY_OVERHEAD_BYTES, RemovalCause, Segment, SessionLimits
from penstock.cache.ledger import Ledger
from penstock.cache.session import SessionCache
from penstock.cache.shelf import OUTPUTS
from penstock.cache.tokens import TokenCount
from tests.cache.files import source
from tests.cache.sessions import assert_exact, make_session


def test_what_was_stored_is_returned() -> None:
    _, session = make_session()
    stored = session.store(source("a", b"text"))
    assert stored.is_kept
    found = session.get(stored.key)
    assert found is not None
    assert (found.data, found.rel, found.sha256) == (b"text", "a", stored.sha256)


def test_a_second_read_promotes() -> None:
    _, session = make_session()
    assert session.store(source("a", b"text")).segment is Segment.PROBATIONARY
    assert session.store(source("a", b"text")).segment is Segment.PROTECTED
    statistics = session.statistics()
    assert (statistics.hits, statistics.misses, statistics.protected_entries) == (1, 1, 1)


def test_a_protected_entry_outlives_probationary_ones() -> None:
    ledger, session = make_session(100_000)
    session.store(source("twice", b"t" * 5000))
    session.store(source("twice", b"t" * 5000))
    for number in range(50):
        session.store(source(f"once{number}", bytes([number]) * 5000))
    assert session.find("twice") is not None
    assert session.find("once0") is None
    assert session.statistics().removals[RemovalCause.WEIGHT] > 30
    assert_exact(ledger, session)


def test_the_coldest_protected_entry_is_demoted() -> None:
    _, session = make_session(100_000, protected_ratio=0.2)
    for name in ("a", "b", "c", "d"):
        for _ in range(2):
            session.store(source(name, name.encode() * 6000))
    segments = {each.rel: each.segment for each in session.residents()}
    assert segments == {
        "a": Segment.PROBATIONARY,
        "b": Segment.PROBATIONARY,
        "c": Segment.PROTECTED,
        "d": Segment.PROTECTED,
    }


def test_an_entry_over_a_tenth_of_the_budget_is_served_but_not_kept() -> None:
    ledger, session = make_session(100_000)
    entry = session.store(source("big", b"b" * 10_000))
    assert not entry.is_kept
    assert entry.data == b"b" * 10_000
    assert session.find("big") is None
    assert ledger.used_bytes == 0


def test_a_changing_file_is_not_kept() -> None:
    _, session = make_session()
    assert not session.store(source("a", b"half", is_changing=True)).is_kept
    assert session.statistics().not_kept == 1


def test_full_of_pins_it_still_serves() -> None:
    ledger, session = make_session(50_000, max_pinned_ratio=1.0)
    for number in range(8):
        entry = session.store(source(f"p{number}", bytes([number]) * 2900))
        assert session.pin(entry.key)
    ledger.charge("other", ledger.free_bytes)
    assert not session.store(source("new", b"n" * 2900)).is_kept
    assert session.statistics().entries == 8


def test_new_content_replaces_and_keeps_two_versions() -> None:
    ledger, session = make_session()
    hashes = [session.store(source("a", text)).sha256 for text in (b"one", b"two", b"three", b"four")]
    assert session.version(hashes[3]) == b"four"
    assert session.version(hashes[2]) == b"three"
    assert session.version(hashes[1]) == b"two"
    assert session.version(hashes[0]) is None
    assert session.statistics().removals[RemovalCause.REPLACED] == 3
    assert_exact(ledger, session)


def test_an_atomic_rename_replaces_the_entry_at_the_path() -> None:
    ledger, session = make_session()
    old = session.store(source("a", b"old", ino=1))
    new = session.store(source("a", b"new", ino=2))
    assert session.peek(old.key) is None
    found = session.find("a")
    assert found is not None
    assert found.key == new.key
    assert session.version(old.sha256) == b"old"
    assert session.statistics().entries == 1
    assert_exact(ledger, session)


def test_hard_links_share_one_entry() -> None:
    _, session = make_session()
    session.store(source("a", b"same", ino=7))
    session.store(source("b", b"same", ino=7))
    assert session.statistics().entries == 1
    assert session.find("a") is not None
    assert session.find("b") is not None


def test_an_inode_that_passed_to_another_file_brings_nothing_along() -> None:
    _, session = make_session()
    entry = session.store(source("gone", b"gone", ino=7))
    assert session.pin(entry.key)
    found = session.store(source("other", b"other", ino=7))
    assert not found.is_pinned
    assert found.reads == 1
    assert session.version(entry.sha256) is None
    assert session.statistics().removals[RemovalCause.EXPIRED] == 1


def test_a_pin_survives_a_replacement_and_every_eviction() -> None:
    _, session = make_session()
    entry = session.store(source("a", b"one", ino=1))
    assert session.pin(entry.key)
    replaced = session.store(source("a", b"two", ino=2))
    assert replaced.is_pinned
    session.clear()
    session.reclaim(1 << 30)
    assert session.find("a") is not None
    assert session.unpin(replaced.key)
    session.clear()
    assert session.find("a") is None


def test_pins_are_limited() -> None:
    _, session = make_session(100_000, max_pinned_ratio=0.1)
    first = session.store(source("a", b"a" * 5000))
    second = session.store(source("b", b"b" * 5000))
    assert session.pin(first.key)
    assert session.pin(first.key)
    assert not session.pin(second.key)
    assert not session.pin(source("c", b"").key)
    assert not session.unpin(second.key)


def test_an_output_is_only_for_the_content_it_was_computed_from() -> None:
    ledger, session = make_session()
    old = session.store(source("a", b"old"))
    assert session.set_compressed(old.key, "map", "old map", sha256=old.sha256)
    assert session.get_compressed(old.key, "map", sha256=old.sha256) == "old map"
    new = session.store(source("a", b"new"))
    assert session.get_compressed(new.key, "map", sha256=new.sha256) is None
    assert session.get_compressed(new.key, "map", sha256=old.sha256) is None
    assert not session.set_compressed(new.key, "map", "late", sha256=old.sha256)
    assert_exact(ledger, session)


def test_outputs_are_replaced_and_trimmed() -> None:
    ledger, session = make_session()
    entry = session.store(source("a", b"text"))
    for text in ("one", "three", "\udcff"):
        assert session.set_compressed(entry.key, "map", text, sha256=entry.sha256)
    assert session.get_compressed(entry.key, "map", sha256=entry.sha256) == "\udcff"
    assert_exact(ledger, session)
    before = ledger.used_bytes
    assert session.trim_compressed_outputs() == before - ledger.used_bytes > 0
    assert session.get_compressed(entry.key, "map", sha256=entry.sha256) is None
    assert ledger.account_bytes(OUTPUTS) == 0
    assert session.find("a") is not None


def test_an_output_without_entry_or_room_is_not_kept() -> None:
    ledger, session = make_session(100_000)
    entry = session.store(source("a", b"text"))
    assert not session.set_compressed(entry.key, "map", "x" * 20_000, sha256=entry.sha256)
    assert session.pin(entry.key)
    ledger.charge("other", ledger.free_bytes)
    assert not session.set_compressed(entry.key, "map", "small", sha256=entry.sha256)
    assert not session.set_compressed(source("b", b"").key, "map", "x", sha256="")
    ledger.release("other", ledger.account_bytes("other"))
    assert_exact(ledger, session)


def test_tokens_are_counted_once_per_content() -> None:
    class Counter:
        calls = 0

        def count(self, text: str) -> TokenCount:
            self.calls += 1
            return TokenCount(len(text))

    counter = Counter()
    session = SessionCache(Ledger(1 << 20), counter=counter)
    entry = session.store(source("a", b"four"))
    session.store(source("b", b"seven77"))
    session.set_tokens(entry.key, 40, sha256=entry.sha256)
    session.set_tokens(entry.key, 99, sha256="another")
    assert session.total_cached_tokens() == 47
    assert session.total_cached_tokens() == 47
    assert counter.calls == 1
    assert session.get_tokens(entry.key, sha256=entry.sha256) == 40
    assert session.get_tokens(entry.key, sha256="another") is None


def test_a_victim_that_was_read_meanwhile_stays() -> None:
    _, session = make_session()
    entry = session.store(source("a", b"text"))
    (victim,) = session.residents()
    session.get(entry.key)
    assert session.drop(victim, RemovalCause.PRESSURE) == 0
    (victim,) = session.residents()
    assert session.drop(victim, RemovalCause.PRESSURE) > 0


def test_remove_says_what_it_freed() -> None:
    ledger, session = make_session()
    entry = session.store(source("a", b"text"))
    used = ledger.used_bytes
    assert session.remove(entry.key, RemovalCause.EXPLICIT) == used
    assert session.remove(entry.key, RemovalCause.EXPLICIT) == 0
    assert ledger.used_bytes == 0


def test_licence_headers_are_charged_once() -> None:
    ledger, session = make_session()
    header = b"# The same licence header in every file, word for word.\n" * 20 + b"\n"
    for number in range(20):
        session.store(source(f"f{number}", header + b"x = %d\n" % number))
    assert ledger.used_bytes < 20 * ENTRY_OVERHEAD_BYTES + 3 * len(header)
    assert all(each.data.startswith(header) for each in map(session.find, ("f0", "f1", "f19")) if each)
    assert_exact(ledger, session)
    session.trim_shared_blocks()
    assert_exact(ledger, session)
    session.clear()
    assert ledger.used_bytes == 0


@pytest.mark.parametrize("name", ["protected_ratio", "max_entry_ratio", "max_pinned_ratio"])
def test_limits_are_checked(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        SessionLimits(**{name: 1.2})  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="versions"):
        SessionLimits(versions=-1)


def test_the_repr_says_what_is_in_it() -> None:
    _, session = make_session()
    assert repr(session) == "<SessionCache 0 entries, 0 bytes>"


def test_versions_that_find_no_room_are_given_up() -> None:
    """A version no longer shares blocks, so it may weigh more than its entry did."""
    ledger, session = make_session(100_000)
    block = b"a paragraph that two files have in common, long enough to be shared " * 20 + b"\n\n"
    session.store(source("a", block + b"a"))
    old = session.store(source("b", block + b"b"))
    assert session.pin(old.key)
    entry = session.find("a")
    assert entry is not None
    assert session.pin(entry.key)
    new = source("b", b"short")
    ledger.charge("other", ledger.free_bytes - 1500 - len(new.data))
    assert session.store(new).is_kept
    assert session.version(old.sha256) is None
    assert_exact_but_for(ledger, session, "other")


def assert_exact_but_for(ledger: Ledger, session: SessionCache, account: str) -> None:
    ledger.release(account, ledger.account_bytes(account))
    assert_exact(ledger, session)
    assert session.total_cached_bytes() == ledger.used_bytes
