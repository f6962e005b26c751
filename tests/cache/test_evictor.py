"""Evictions: spooled before dropped, pins honoured, explained; pressure and the ledger get their bytes."""

from dataclasses import dataclass, field

import pytest

from penstock.cache.entry import RemovalCause
from penstock.cache.errors import StoreUnavailable, UnknownHandle
from penstock.cache.evicted import Outcome
from penstock.cache.evictor import Evictor
from penstock.cache.handles import Handle, HandleKind, HandleTable, Place
from penstock.cache.ledger import Ledger
from penstock.cache.payloads import PayloadStore
from penstock.cache.receipts import ReceiptBook, Representation
from penstock.cache.session import SessionCache
from penstock.cache.spool import MemorySpool
from penstock.cache.tokens import TokenCount
from tests.cache.files import source


class Counter:
    """One token a byte."""

    def count(self, text: str) -> TokenCount:
        return TokenCount(len(text))


class Spool(MemorySpool):
    """A spool with its own memory, that can be made to refuse."""

    is_broken = False
    survives = True

    @property
    def is_durable(self) -> bool:
        return self.survives

    def put(self, handle: Handle, data: bytes) -> Handle:
        if self.is_broken:
            raise StoreUnavailable("full")
        return super().put(handle, data)


@dataclass
class Parts:
    budget: int = 1 << 20
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.budget)
        self.session = SessionCache(self.ledger, counter=Counter())
        self.spool = Spool(Ledger(1 << 30), max_bytes=1 << 29)
        self.payloads = PayloadStore(HandleTable(), self.spool, session=self.session)
        self.receipts = ReceiptBook()
        self.evictor = Evictor(self.session, self.payloads, self.ledger, receipts=self.receipts, counter=Counter())
        self.ledger.add_reclaimer(self.evictor.reclaim)

    def store(self, rel: str, data: bytes, *, reads: int = 1) -> None:
        for _ in range(reads):
            self.session.store(source(rel, data))


@pytest.fixture
def parts() -> Parts:
    return Parts()


def test_an_evicted_file_is_restorable(parts: Parts) -> None:
    parts.store("a.py", b"x = 1\n")
    used = parts.ledger.used_bytes
    (item,) = parts.evictor.evict(["a.py"]).items
    assert (item.name, item.outcome, item.bytes_freed, item.refetch_tokens) == ("a.py", Outcome.EVICTED, used, 6)
    assert item.kept_in == "memory"
    assert parts.session.find("a.py") is None
    assert parts.payloads.load(item.handle_id).data == b"x = 1\n"
    assert parts.ledger.used_bytes == 0


def test_a_dry_run_says_the_same_and_does_nothing(parts: Parts) -> None:
    parts.store("a.py", b"x = 1\n")
    receipt = parts.receipts.mint("a.py", "ab" * 32, Representation("full"), tokens=6, is_lossy=False)
    assert receipt is not None
    used = parts.ledger.used_bytes
    planned = parts.evictor.evict(["a.py"], dry_run=True)
    assert parts.ledger.used_bytes == used
    assert parts.spool.statistics().items == 0
    assert planned.is_dry_run
    done = parts.evictor.evict(["a.py"])
    assert planned.bytes_freed == done.bytes_freed == used
    assert planned.refetch_tokens == done.refetch_tokens == 6
    assert planned.receipts == done.receipts == (receipt.id,)
    assert [item.handle_id for item in planned.items] == [item.handle_id for item in done.items]
    assert parts.receipts.live() == []


def test_a_folder_takes_what_is_under_it(parts: Parts) -> None:
    for rel in ("src/a.py", "src/b/c.py", "srcs.py"):
        parts.store(rel, rel.encode())
    assert {item.name for item in parts.evictor.evict(["src/"]).items} == {"src/a.py", "src/b/c.py"}
    assert parts.session.find("srcs.py") is not None
    assert len(parts.evictor.evict(["."]).items) == 1


def test_what_is_not_cached_is_said(parts: Parts) -> None:
    items = parts.evictor.evict(["nowhere.py", "h0123456789ab", "r9-0000"]).items
    assert [item.outcome for item in items] == [Outcome.NOT_CACHED] * 3


def test_pins_survive_everything(parts: Parts) -> None:
    parts.store("a.py", b"pinned")
    assert parts.evictor.pin("a.py")
    assert not parts.evictor.pin("nowhere.py")
    (item,) = parts.evictor.evict(["a.py"]).items
    assert (item.outcome, item.bytes_freed) == (Outcome.PINNED, 0)
    parts.evictor.clear()
    parts.evictor.evict_to_budget(0)
    parts.evictor.reclaim(1 << 20)
    assert parts.session.find("a.py") is not None
    assert parts.evictor.unpin("a.py")
    assert not parts.evictor.unpin("a.py")
    assert parts.evictor.clear() > 0


def test_what_the_spool_refuses_is_kept_if_asked_for_by_name(parts: Parts) -> None:
    parts.store("a.py", b"text")
    parts.spool.is_broken = True
    (item,) = parts.evictor.evict(["a.py"]).items
    assert (item.outcome, item.bytes_freed) == (Outcome.SPOOL_FAILED, 0)
    assert parts.session.find("a.py") is not None
    assert parts.evictor.statistics().spool_refusals == 1


def test_what_a_handle_stands_for_is_kept_if_the_spool_refuses(parts: Parts) -> None:
    parts.store("promised.py", b"promised")
    parts.store("free.py", b"free")
    parts.payloads.keep(b"promised", kind=HandleKind.FILE_VIEW, source="promised.py", tokens=1, durable=False)
    parts.spool.is_broken = True
    parts.evictor.reclaim(1 << 20)
    assert parts.session.find("promised.py") is not None
    assert parts.session.find("free.py") is None
    parts.evictor.evict_to_budget(0)
    assert parts.session.find("promised.py") is not None
    parts.spool.is_broken = False
    parts.evictor.evict_to_budget(0)
    assert parts.session.find("promised.py") is None
    assert parts.payloads.load(parts.payloads.handles.all()[0].id).data == b"promised"


def test_a_handle_is_evicted_from_memory_and_stays_restorable(parts: Parts) -> None:
    parts.store("a.py", b"text")
    handle = parts.payloads.keep(b"text", kind=HandleKind.FILE_VIEW, source="a.py", tokens=1)
    (item,) = parts.evictor.evict([handle.id]).items
    assert (item.name, item.outcome) == (handle.id, Outcome.EVICTED)
    assert parts.session.find("a.py") is None
    other = parts.payloads.keep(b"output", kind=HandleKind.TOOL_RESULT, source="make", tokens=9)
    (planned,) = parts.evictor.evict([other.id], dry_run=True).items
    (item,) = parts.evictor.evict([other.id]).items
    assert planned.outcome is Outcome.PLANNED
    assert (item.outcome, item.refetch_tokens) == (Outcome.EVICTED, 9)
    moved = parts.payloads.handles.get(other.id)
    assert moved is not None
    assert moved.residency.place is Place.SPOOLED


def test_a_handle_that_is_nowhere_else_is_kept(parts: Parts) -> None:
    handle = parts.payloads.keep(b"lost", kind=HandleKind.TOOL_RESULT, source="make", tokens=9, durable=False)
    assert parts.evictor.evict([handle.id]).items[0].outcome is Outcome.SPOOL_FAILED


def test_receipts_are_revoked_by_name(parts: Parts) -> None:
    receipt = parts.receipts.mint("a.py", "ab" * 32, Representation("full"), tokens=6, is_lossy=False)
    assert receipt is not None
    assert parts.evictor.evict([receipt.id], dry_run=True).items[0].outcome is Outcome.PLANNED
    assert parts.evictor.evict([receipt.id]).receipts == (receipt.id,)
    assert parts.evictor.evict([receipt.id]).items[0].outcome is Outcome.NOT_CACHED


def test_a_path_that_is_not_cached_still_loses_its_receipts(parts: Parts) -> None:
    receipt = parts.receipts.mint("a.py", "ab" * 32, Representation("full"), tokens=6, is_lossy=False)
    assert receipt is not None
    (item,) = parts.evictor.evict(["a.py"]).items
    assert (item.outcome, item.receipts) == (Outcome.NOT_CACHED, (receipt.id,))


def test_a_token_target_takes_the_coldest_first(parts: Parts) -> None:
    parts.store("hot.py", b"h" * 100, reads=2)
    for number in range(4):
        parts.store(f"cold{number}.py", b"c" * 100 + b"%d" % number)
    report = parts.evictor.evict_to_tokens(250, dry_run=True)
    assert [item.name for item in report.items] == ["cold0.py", "cold1.py", "cold2.py"]
    assert parts.session.total_cached_tokens() == 504
    assert report.plan.invalidates_prefix_at == 0
    assert [op.label for op in report.plan.ops] == ["collapse"]
    parts.evictor.evict_to_tokens(250)
    assert parts.session.total_cached_tokens() == 201
    assert parts.session.find("hot.py") is not None


def test_pressure_evicts_down_to_the_target_and_no_further(parts: Parts) -> None:
    for number in range(20):
        parts.store(f"f{number}", bytes([number]) * 4000)
    used = parts.ledger.used_bytes
    target = used // 2
    freed = parts.evictor.evict_to_budget(target)
    assert parts.ledger.used_bytes == used - freed
    assert target - 6000 < parts.ledger.used_bytes <= target
    assert parts.evictor.evict_to_budget(target) == 0
    assert parts.session.statistics().removals[RemovalCause.PRESSURE] == 10
    assert all(item.kept_in == "memory" for item in parts.evictor.statistics().recent)


def test_under_pressure_nothing_is_copied_to_memory_while_the_disk_refuses(parts: Parts) -> None:
    parts.store("a.py", b"text")
    parts.spool.survives = False
    assert parts.evictor.evict_to_budget(0) > 0
    assert parts.spool.statistics().items == 0
    assert parts.evictor.statistics().recent[-1].kept_in == "file"


def test_a_hard_link_is_evicted_by_any_of_its_names(parts: Parts) -> None:
    parts.session.store(source("a.py", b"same", ino=7))
    parts.session.store(source("b.py", b"same", ino=7))
    assert parts.evictor.evict(["a.py"]).items[0].outcome is Outcome.EVICTED
    assert parts.session.find("b.py") is None


def test_probationary_eviction_leaves_protected_entries(parts: Parts) -> None:
    parts.store("once.py", b"once")
    parts.store("twice.py", b"twice", reads=2)
    assert parts.evictor.evict_probationary(0) > 0
    assert parts.session.find("once.py") is None
    assert parts.session.find("twice.py") is not None


def test_trimming_frees_outputs_and_shared_blocks(parts: Parts) -> None:
    block = b"the same paragraph in both files, long enough to be shared " * 10 + b"\n\n"
    parts.store("a", block + b"a")
    parts.store("b", block + b"b")
    entry = parts.session.find("a")
    assert entry is not None
    assert parts.session.set_compressed(entry.key, "map", "outline", sha256=entry.sha256)
    assert parts.evictor.trim_outputs() > 0
    parts.evictor.evict(["b"])
    assert parts.evictor.trim_shared_blocks() > 0
    assert parts.evictor.clear() > 0
    assert parts.ledger.used_bytes == 0


def test_the_ledger_gets_room_from_the_coldest() -> None:
    parts = Parts(budget=200_000)
    for number in range(100):
        parts.store(f"f{number}", bytes([number]) * 4000)
    assert parts.session.find("f99") is not None
    assert parts.session.find("f0") is None
    assert parts.session.statistics().not_kept == 0
    with parts.ledger.borrow("buffer", 150_000):
        assert parts.session.find("f99") is not None
    assert parts.session.statistics().removals[RemovalCause.WEIGHT] > 50
    assert parts.spool.statistics().items == 0, "nobody was promised anything"


def test_a_pinned_payload_outlives_its_expiry(parts: Parts) -> None:
    handle = parts.payloads.keep(b"text", kind=HandleKind.TOOL_RESULT, source="s", tokens=1)
    assert parts.evictor.pin_handle(handle.id, is_pinned=True)
    assert parts.spool.find(handle.id)[0].is_pinned
    with pytest.raises(UnknownHandle):
        parts.evictor.pin_handle("h0123456789ab", is_pinned=True)
    other = parts.payloads.keep(b"volatile", kind=HandleKind.TOOL_RESULT, source="s", tokens=1, durable=False)
    assert not parts.evictor.pin_handle(other.id, is_pinned=True)


def test_an_entry_that_was_read_while_it_was_spooled_stays() -> None:
    parts = Parts()
    parts.store("a.py", b"text")

    class Racing(Spool):
        def put(self, handle: Handle, data: bytes) -> Handle:
            parts.store("a.py", b"text")
            return super().put(handle, data)

    payloads = PayloadStore(HandleTable(), Racing(Ledger(1 << 20)), session=parts.session)
    evictor = Evictor(parts.session, payloads, parts.ledger)
    (item,) = evictor.evict(["a.py"]).items
    assert (item.outcome, item.bytes_freed) == (Outcome.IN_USE, 0)
    assert parts.session.find("a.py") is not None
    assert evictor.evict(["r1-0000"]).items[0].outcome is Outcome.NOT_CACHED


def test_what_was_replaced_between_plan_and_eviction_stays(parts: Parts) -> None:
    parts.store("a.py", b"old")
    (victim,) = parts.session.victims(1)
    parts.store("a.py", b"new")
    assert parts.evictor._evict_one(victim, RemovalCause.PRESSURE).outcome is Outcome.IN_USE  # pyright: ignore[reportPrivateUsage]
    assert parts.session.find("a.py") is not None
    assert repr(parts.evictor) == "<Evictor 0 evicted, 0 bytes>"


def test_what_is_in_the_spool_already_leaves_for_room_without_writing(parts: Parts) -> None:
    parts.store("a.py", b"text")
    handle = parts.payloads.keep(b"text", kind=HandleKind.FILE_VIEW, source="a.py", tokens=1)
    parts.spool.is_broken = True
    assert parts.evictor.reclaim(1) > 0
    assert parts.evictor.statistics().recent[-1].handle_id == handle.id


def test_under_pressure_a_refusing_spool_costs_the_file_only_its_copy(parts: Parts) -> None:
    parts.store("a.py", b"text")
    parts.spool.is_broken = True
    assert parts.evictor.evict_to_budget(0) > 0
    assert parts.evictor.statistics().recent[-1].kept_in == "file"


def test_a_charge_during_an_eviction_does_not_evict_again(parts: Parts) -> None:
    parts.store("a.py", b"text")

    class Charging(Spool):
        def put(self, handle: Handle, data: bytes) -> Handle:
            assert parts.evictor.reclaim(1 << 20) == 0
            return super().put(handle, data)

    parts.payloads = PayloadStore(HandleTable(), Charging(Ledger(1 << 20)), session=parts.session)
    parts.evictor = Evictor(parts.session, parts.payloads, parts.ledger)
    assert parts.evictor.evict_to_budget(0) > 0


def test_what_cannot_leave_is_passed_over_for_what_can(parts: Parts) -> None:
    parts.store("promised.py", b"p" * 2000)
    parts.store("free.py", b"f" * 2000)
    parts.payloads.keep(b"p" * 2000, kind=HandleKind.FILE_VIEW, source="promised.py", tokens=1, durable=False)
    parts.spool.is_broken = True
    assert parts.evictor.reclaim(1000) > 2000
    assert parts.session.find("promised.py") is not None
    assert parts.session.find("free.py") is None


def test_a_token_target_counts_what_nobody_has_counted() -> None:
    parts = Parts()
    session = SessionCache(parts.ledger)
    evictor = Evictor(session, parts.payloads, parts.ledger, counter=Counter())
    for number in range(3):
        session.store(source(f"f{number}", bytes([65 + number]) * 100))
    assert len(evictor.evict_to_tokens(150).items) == 2
    assert session.total_cached_tokens() == 100
