"""The contract of a spool, for every implementation; and what only some promise."""

import hashlib
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from penstock.cache.errors import CorruptPayload, StoreUnavailable
from penstock.cache.handles import Place
from penstock.cache.ledger import Ledger
from penstock.cache.spool import SPOOL, HandleTaken, MemorySpool, SpoolStore
from penstock.cache.spool_fallback import FallbackSpool
from penstock.cache.spool_file import FILE_NAME
from penstock.cache.spool_sqlite import SqliteSpool
from tests.cache.spooled import handle_for

DAY = 86400.0
Make = Callable[[], SpoolStore]


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["memory", "sqlite", "fallback"])
def spool(request: pytest.FixtureRequest, tmp_path: Path, time: Time) -> Iterator[SpoolStore]:
    """Every implementation."""
    memory = MemorySpool(Ledger(1 << 30), expiry_s=DAY, clock=time)
    disk = SqliteSpool(tmp_path / "spool", expiry_s=DAY, clock=time)
    store = {"memory": memory, "sqlite": disk, "fallback": FallbackSpool(disk, memory)}[request.param]
    yield store
    store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.mark.parametrize("data", [b"", b"text\n" * 1000, bytes(range(256)) * 100, b"\0" * 1_000_000], ids=len)
def test_what_was_put_is_got(spool: SpoolStore, data: bytes) -> None:
    handle = handle_for(data)
    stored = spool.put(handle, data)
    assert spool.get(handle.sha256) == data
    assert stored.residency.place is Place.SPOOLED
    assert stored.size_bytes == len(data)
    assert stored.expires_s == 1000.0 + DAY
    assert spool.statistics().items == 1


def test_what_was_not_put_is_none(spool: SpoolStore) -> None:
    assert spool.get("0" * 64) is None
    assert spool.find("h0") == []
    assert not spool.pin("h0", is_pinned=True)


def test_handles_are_found_by_prefix_with_what_is_known_of_them(spool: SpoolStore) -> None:
    stored = spool.put(handle_for(b"one", source="path \udcff·", tokens=7), b"one")
    for prefix in (stored.id, stored.id[:5]):
        assert [replace(found, residency=stored.residency) for found in spool.find(prefix)] == [stored]
    assert spool.find(stored.id + "0") == []


def test_prefixes_return_at_most_the_limit(spool: SpoolStore) -> None:
    for number in range(5):
        spool.put(handle_for(b"%d" % number, id_=f"haa{number}"), b"%d" % number)
    assert [found.id for found in spool.find("haa", limit=2)] == ["haa0", "haa1"]


def test_an_id_names_one_content_only(spool: SpoolStore) -> None:
    spool.put(handle_for(b"one", id_="haaaa"), b"one")
    with pytest.raises(HandleTaken):
        spool.put(handle_for(b"two", id_="haaaa"), b"two")
    assert spool.find("haaaa")[0].sha256 == handle_for(b"one").sha256


def test_putting_again_renews_the_expiry(spool: SpoolStore, time: Time) -> None:
    handle = handle_for(b"one")
    spool.put(handle, b"one")
    time.now += DAY / 2
    assert spool.put(handle, b"one").expires_s == time.now + DAY
    time.now += DAY * 0.7
    spool.sweep()
    assert spool.get(handle.sha256) == b"one"


def test_what_has_expired_is_swept_and_remembered_as_gone(spool: SpoolStore, time: Time) -> None:
    handle, pinned = handle_for(b"one" * 1000), handle_for(b"pinned")
    spool.put(handle, b"one" * 1000)
    spool.put(pinned, b"pinned")
    assert spool.pin(pinned.id, is_pinned=True)
    time.now += DAY + 1
    spool.sweep()
    assert spool.get(handle.sha256) is None
    assert spool.get(pinned.sha256) == b"pinned"
    assert not spool.pin(handle.id, is_pinned=True)
    assert spool.pin(pinned.id, is_pinned=False)
    spool.sweep()
    assert spool.get(pinned.sha256) is None


def test_threads_may_share_it(spool: SpoolStore) -> None:
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            for step in range(20):
                data = b"%d" % ((seed + step) % 30) * 50
                spool.put(handle_for(data), data)
                assert spool.get(handle_for(data).sha256) == data
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_memory_is_charged_and_bounded() -> None:
    ledger = Ledger(100_000)
    spool = MemorySpool(ledger, max_bytes=10_000)
    data = b"x" * 8000
    spool.put(handle_for(data), data)
    assert ledger.account_bytes(SPOOL) == spool.statistics().used_bytes
    with pytest.raises(StoreUnavailable):
        spool.put(handle_for(b"y" * 8000), b"y" * 8000)
    assert spool.discard(handle_for(data).id) > 8000
    assert spool.discard(handle_for(data).id) == 0
    assert ledger.used_bytes == 0
    full = MemorySpool(ledger)
    with pytest.raises(StoreUnavailable):
        full.put(handle_for(b"z" * 200_000), b"z" * 200_000)


def test_a_restart_finds_everything(folder: Path) -> None:
    spool = SqliteSpool(folder)
    stored = spool.put(handle_for(b"kept" * 100, source="a.py", tokens=9), b"kept" * 100)
    spool.close()
    again = SqliteSpool(folder)
    assert again.get(stored.sha256) == b"kept" * 100
    assert again.find(stored.id[:6]) == [stored]
    again.close()


def test_two_servers_share_one_store(folder: Path) -> None:
    one, other = SqliteSpool(folder), SqliteSpool(folder)
    for number in range(30):
        data = b"%d" % number * 200
        (one, other)[number % 2].put(handle_for(data), data)
        assert (other, one)[number % 2].get(handle_for(data).sha256) == data
    one.close()
    other.close()


def test_files_are_for_the_user_alone(folder: Path) -> None:
    spool = SqliteSpool(folder)
    spool.put(handle_for(b"secret"), b"secret")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert set(modes) == {"spool.db", "spool.db-wal", "spool.db-shm", "spool.lock"}
    assert set(modes.values()) == {0o600}
    spool.close()


def test_a_folder_open_to_others_is_closed(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    spool = SqliteSpool(folder)
    spool.put(handle_for(b"x"), b"x")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    spool.close()


def flip(folder: Path, sha256: str, column: str = "data") -> None:
    """Change one stored value behind the spool's back."""
    connection = apsw.Connection(str(folder / FILE_NAME))
    old = connection.execute(f"SELECT {column} FROM payload WHERE sha256 = ?", (sha256,)).get
    assert isinstance(old, int | bytes)
    new = bytes([old[0] ^ 1]) + old[1:] if isinstance(old, bytes) else old + 1
    connection.execute(f"UPDATE payload SET {column} = ? WHERE sha256 = ?", (new, sha256))
    connection.close()


@pytest.mark.parametrize("data", [b"text " * 1000, bytes(range(256))], ids=["packed", "raw"])
@pytest.mark.parametrize("column", ["data", "size", "codec"])
def test_damaged_rows_are_never_served(folder: Path, data: bytes, column: str) -> None:
    spool = SqliteSpool(folder)
    handle = handle_for(data)
    spool.put(handle, data)
    spool.close()
    flip(folder, handle.sha256, column)
    try:
        found = spool.get(handle.sha256)
    except CorruptPayload:
        assert spool.get(handle.sha256) is None
        assert spool.statistics().corrupt == 1
    else:
        assert found == data
    spool.put(handle, data)
    assert spool.get(handle.sha256) == data
    spool.close()


def test_every_flipped_bit_of_a_blob_is_caught(folder: Path) -> None:
    spool = SqliteSpool(folder)
    data = b"def f(x):\n    return x + 1\n" * 4
    handle = handle_for(data)
    spool.put(handle, data)
    connection = apsw.Connection(str(folder / FILE_NAME))
    blob = connection.execute("SELECT data FROM payload").get
    assert isinstance(blob, bytes)
    caught = 0
    for bit in range(len(blob) * 8):
        damaged = bytearray(blob)
        damaged[bit // 8] ^= 1 << bit % 8
        connection.execute("INSERT OR REPLACE INTO payload VALUES (?, ?, 1, ?)", (handle.sha256, len(data), bytes(damaged)))
        try:
            assert spool.get(handle.sha256) == data  # a padding bit of the compressed stream
        except CorruptPayload:
            caught += 1
    assert caught > len(blob) * 8 * 0.95
    connection.close()
    spool.close()


@pytest.mark.parametrize(
    ("table", "column"),
    [
        *(("payload", name) for name in ("size", "codec", "data")),
        *(("handle", name) for name in ("kind", "source", "tokens", "size", "created", "expires", "pinned")),
    ],
)
def test_a_cell_that_became_broken_text_is_damage_and_no_crash(folder: Path, table: str, column: str) -> None:
    """A flip in a record's header makes a number or a blob a text, and nothing says that it is UTF-8."""
    spool, data = SqliteSpool(folder), b"some text " * 50
    handle = spool.put(handle_for(data), data)
    connection = apsw.Connection(str(folder / FILE_NAME))
    connection.execute(f"UPDATE {table} SET {column} = CAST(x'80c3ff' AS TEXT)")
    assert connection.changes() == 1
    connection.close()
    try:
        assert spool.get(handle.sha256) == data
    except CorruptPayload:
        assert table == "payload"
    for found in spool.find(handle.id):
        assert found.sha256 == handle.sha256
    spool.sweep()
    assert spool.get(spool.put(handle_for(data), data).sha256) == data
    spool.verify()
    spool.close()


def test_verify_finds_what_is_damaged(folder: Path) -> None:
    spool = SqliteSpool(folder)
    for number in range(5):
        data = b"%d" % number * 100
        spool.put(handle_for(data), data)
    assert spool.verify() == 0
    flip(folder, handle_for(b"3" * 100).sha256)
    assert spool.verify() == 1
    assert spool.verify() == 0
    spool.close()


def test_the_size_cap_removes_expired_then_oldest_never_pinned(folder: Path, time: Time) -> None:
    spool = SqliteSpool(folder, max_bytes=1_000_000, expiry_s=DAY, clock=time)
    blobs = [hashlib.shake_128(b"%d" % number).digest(40_000) for number in range(60)]
    pinned = spool.put(handle_for(blobs[0], is_pinned=True), blobs[0])
    for blob in blobs[1:]:
        spool.put(handle_for(blob), blob)
    freed = spool.sweep()
    assert freed > 1_000_000
    assert spool.get(pinned.sha256) == blobs[0]
    left = [number for number, blob in enumerate(blobs) if spool.get(handle_for(blob).sha256) is not None]
    assert left == [0, *range(60 - len(left) + 1, 60)]
    spool.close()
    assert (folder / FILE_NAME).stat().st_size <= 1_000_000
    gone = spool.find(handle_for(blobs[1]).id)
    assert [found.size_bytes for found in gone] == [-1]
    spool.close()


def test_puts_sweep_by_themselves(folder: Path) -> None:
    spool = SqliteSpool(folder, max_bytes=500_000)
    for number in range(200):
        data = hashlib.shake_128(b"%d" % number).digest(20_000)
        spool.put(handle_for(data), data)
    assert spool.statistics().used_bytes < 500_000 + 64 * 22_000
    spool.close()


def test_a_payload_that_would_crowd_out_all_others_is_refused(folder: Path) -> None:
    spool = SqliteSpool(folder, max_bytes=100_000)
    data = hashlib.shake_128(b"big").digest(50_000)
    with pytest.raises(StoreUnavailable):
        spool.put(handle_for(data), data)
    spool.close()


@pytest.mark.parametrize(("max_bytes", "expiry_s"), [(0, 1.0), (1, 0.0)])
def test_limits_are_checked(folder: Path, max_bytes: int, expiry_s: float) -> None:
    with pytest.raises(ValueError, match="must be > 0"):
        SqliteSpool(folder, max_bytes=max_bytes, expiry_s=expiry_s)
