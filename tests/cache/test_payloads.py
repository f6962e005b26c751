"""Handles out, exact bytes back: from memory, the spool, or the file."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from penstock.cache.content import ContentAccessor
from penstock.cache.deadline import Deadline
from penstock.cache.errors import CorruptPayload, HandleExpired, StoreUnavailable, UnknownHandle
from penstock.cache.handles import Handle, HandleKind, HandleTable, Residency, handle_id
from penstock.cache.ledger import Ledger
from penstock.cache.payloads import PayloadOrigin, PayloadStore
from penstock.cache.session import SessionCache
from penstock.cache.spool import HandleTaken, MemorySpool, SpoolStatistics
from penstock.cache.workspace.files import Workspace

DAY = 86400.0


@dataclass
class Parts:
    """A payload store with everything around it."""

    root: Path
    now: list[float]
    ledger: Ledger
    session: SessionCache
    content: ContentAccessor
    spool: MemorySpool
    payloads: PayloadStore

    def fetch(self, path: str) -> bytes:
        return self.content.fetch(path, deadline=Deadline(9)).data


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    ledger = Ledger(1 << 22)
    workspace = Workspace([tmp_path], ledger=ledger)
    session = SessionCache(ledger)
    now = [0.0]
    spool = MemorySpool(ledger, expiry_s=DAY, clock=lambda: now[0])
    payloads = PayloadStore(HandleTable(), spool, session=session, workspace=workspace)
    yield Parts(tmp_path, now, ledger, session, ContentAccessor(workspace, session), spool, payloads)
    workspace.close()


def keep(parts: Parts, data: bytes, *, source: str = "make test", durable: bool = True) -> Handle:
    kind = HandleKind.FILE_VIEW if source.endswith(".py") else HandleKind.TOOL_RESULT
    return parts.payloads.keep(data, kind=kind, source=source, tokens=5, durable=durable)


def test_what_was_kept_is_loaded(parts: Parts) -> None:
    handle = keep(parts, b"output")
    assert handle.id == handle_id(hashlib.sha256(b"output").hexdigest())
    for name in (handle.id, handle.id[:6], f"  {handle.id.upper()} "):
        payload = parts.payloads.load(name)
        assert (payload.data, payload.origin, payload.handle.source) == (b"output", PayloadOrigin.SPOOL, "make test")
    assert parts.payloads.statistics().loads[PayloadOrigin.SPOOL] == 3


def test_the_same_content_has_one_handle(parts: Parts) -> None:
    assert keep(parts, b"same", source="one").id == keep(parts, b"same", source="two").id


def test_memory_is_asked_first(parts: Parts) -> None:
    (parts.root / "a.py").write_bytes(b"x = 1\n")
    handle = keep(parts, parts.fetch("a.py"), source="a.py")
    assert parts.payloads.load(handle.id).origin is PayloadOrigin.MEMORY


def test_an_earlier_version_is_loaded_after_an_edit(parts: Parts) -> None:
    (parts.root / "a.py").write_bytes(b"x = 1\n")
    handle = keep(parts, parts.fetch("a.py"), source="a.py")
    (parts.root / "a.py").write_bytes(b"x = 2\n")
    parts.fetch("a.py")
    assert parts.payloads.load(handle.id).data == b"x = 1\n"
    parts.session.clear()
    assert parts.payloads.load(handle.id).origin is PayloadOrigin.SPOOL
    assert parts.payloads.version(handle.sha256) == b"x = 1\n"


def test_the_file_serves_as_long_as_its_hash_matches(parts: Parts) -> None:
    (parts.root / "a.py").write_bytes(b"x = 1\n")
    handle = keep(parts, parts.fetch("a.py"), source="a.py", durable=False)
    parts.session.clear()
    assert parts.payloads.load(handle.id).origin is PayloadOrigin.FILE
    (parts.root / "a.py").write_bytes(b"x = 2\n")
    with pytest.raises(HandleExpired) as caught:
        parts.payloads.load(handle.id)
    assert "a.py" in caught.value.next_call
    (parts.root / "a.py").unlink()
    with pytest.raises(HandleExpired):
        parts.payloads.load(handle.id)
    assert parts.payloads.statistics().missed == 2


def test_after_expiry_it_says_expired(parts: Parts) -> None:
    handle = keep(parts, b"output")
    parts.now[0] = DAY + 1
    parts.spool.sweep()
    with pytest.raises(HandleExpired) as caught:
        parts.payloads.load(handle.id)
    assert "run the command again" in caught.value.next_call


def test_another_process_resolves_through_the_spool(parts: Parts) -> None:
    handle = keep(parts, b"output")
    other = PayloadStore(HandleTable(), parts.spool)
    assert other.load(handle.id[:5]).data == b"output"
    assert other.resolve(handle.id).tokens == 5


@pytest.mark.parametrize("name", ["", "h", "h12", "hxyz1", "r1-7f3a", "../../etc", "h" + "0" * 65, "h'; DROP TABLE payload"])
def test_what_is_no_handle_is_unknown(parts: Parts, name: str) -> None:
    with pytest.raises(UnknownHandle):
        parts.payloads.load(name)


def test_an_unknown_handle_names_the_next_call(parts: Parts) -> None:
    with pytest.raises(UnknownHandle) as caught:
        parts.payloads.load("h0123456789ab")
    assert caught.value.next_call


def test_an_ambiguous_prefix_is_refused_with_the_candidates(parts: Parts) -> None:
    for id_ in ("haaaa1", "haaaa2"):
        parts.payloads.handles.insert(Handle(id_, HandleKind.TOOL_RESULT, Residency.collapsed(), 1, sha256=id_))
    with pytest.raises(UnknownHandle) as caught:
        parts.payloads.resolve("haaaa")
    assert "haaaa1" in caught.value.why
    assert parts.payloads.resolve("haaaa1").id == "haaaa1"


def test_a_taken_id_grows(parts: Parts) -> None:
    sha256 = hashlib.sha256(b"output").hexdigest()
    parts.payloads.handles.insert(Handle(handle_id(sha256), HandleKind.TOOL_RESULT, Residency.collapsed(), 1, sha256="another"))
    assert keep(parts, b"output").id == handle_id(sha256, 16)


class Stubborn(MemorySpool):
    """Has other content under every id; or cannot be used."""

    mode = "taken"

    def put(self, handle: Handle, data: bytes) -> Handle:
        if self.mode == "taken":
            raise HandleTaken(handle.id)
        raise StoreUnavailable("full")

    def get(self, sha256: str) -> bytes | None:
        if self.mode == "corrupt":
            raise CorruptPayload("damaged", why="hash")
        raise StoreUnavailable("unreadable", why="disk")

    def find(self, prefix: str, *, limit: int = 3) -> list[Handle]:
        raise StoreUnavailable("unreadable", why="disk")

    def statistics(self) -> SpoolStatistics:
        return super().statistics()


@pytest.fixture
def stubborn(parts: Parts) -> Stubborn:
    return Stubborn(parts.ledger)


@pytest.mark.parametrize("mode", ["taken", "broken"])
def test_what_cannot_be_kept_has_no_handle(parts: Parts, stubborn: Stubborn, mode: str) -> None:
    stubborn.mode = mode
    store = PayloadStore(HandleTable(), stubborn)
    with pytest.raises(StoreUnavailable):
        store.keep(b"x", kind=HandleKind.TOOL_RESULT, source="", tokens=1)
    assert len(store.handles) == 0


def test_damage_is_said_unless_the_file_still_has_it(parts: Parts, stubborn: Stubborn) -> None:
    (parts.root / "a.py").write_bytes(b"x = 1\n")
    stubborn.mode = "corrupt"
    store = PayloadStore(parts.payloads.handles, stubborn, workspace=parts.payloads._workspace)  # pyright: ignore[reportPrivateUsage]
    handle = keep(parts, b"x = 1\n", source="a.py")
    assert store.load(handle.id).origin is PayloadOrigin.FILE
    (parts.root / "a.py").write_bytes(b"x = 2\n")
    with pytest.raises(CorruptPayload) as caught:
        store.load(handle.id)
    assert caught.value.next_call
    assert store.version(handle.sha256) is None


def test_an_unreadable_spool_is_said_and_is_not_an_expiry(parts: Parts, stubborn: Stubborn) -> None:
    stubborn.mode = "broken"
    store = PayloadStore(parts.payloads.handles, stubborn)
    handle = keep(parts, b"output")
    for name in (handle.id, "h0123456789ab"):
        with pytest.raises(StoreUnavailable) as caught:
            store.load(name)
        assert caught.value.why == "unreadable: disk"
        assert caught.value.next_call
    assert not store.is_kept(handle.sha256)
    assert store.version(handle.sha256) is None


def test_is_kept_knows_the_spool(parts: Parts) -> None:
    handle = keep(parts, b"output")
    assert parts.payloads.is_kept(handle.sha256)
    assert not parts.payloads.is_kept("0" * 64)


def test_a_residency_can_be_given(parts: Parts) -> None:
    handle = parts.payloads.keep(b"x", kind=HandleKind.FILE_VIEW, source="a.py", tokens=1, residency=Residency.collapsed())
    assert parts.payloads.handles.residency_for_source("a.py") == Residency.collapsed()
    assert handle.expires_s == DAY
