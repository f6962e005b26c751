"""The k-th system call of a whole server fails, for every k until a run is clean.

Opening, reading, writing, renaming and looking up, in Python's own modules; what happens below SQLite is in
`test_spool_faults`. Whatever fails: a typed error or degraded service, no wrong byte, nothing acknowledged is lost.
"""

import builtins
import contextlib
import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.cache.deadline import Deadline
from penstock.cache.epoch import ClientEvent
from penstock.cache.errors import PenstockError
from penstock.cache.handles import HandleKind
from penstock.cache.receipts import Representation
from tests.cache.process import Server, SwitchDisk

CALLS = ("open", "read", "pread", "write", "fsync", "replace", "rename", "mkdir", "unlink", "stat", "fstat", "lseek", "listdir")
MAX_CALLS = 400
FILES = {"spool.db", "spool.db-wal", "spool.db-shm", "spool.lock", "epoch", "receipts"}
FULL = Representation("full")


class Fuse:
    """Makes the k-th call fail while it is armed."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.k = self.calls = 0

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **options: Any) -> Any:
            if self.k:
                self.calls += 1
                if self.calls == self.k:
                    raise OSError(self.code, os.strerror(self.code))
            return call(*arguments, **options)

        return guarded


def work(server: Server, truth: dict[str, bytes]) -> dict[str, bytes]:
    """Read, keep, evict, restore and revoke; return what was acknowledged, by handle. Only typed errors may come out."""
    kept: dict[str, bytes] = {}
    for name, data in truth.items():
        for _ in range(2):
            try:
                content, _ = server.read(name, "", FULL)
            except PenstockError:
                continue
            assert content.data == data, "other bytes than the file's"
            receipt = server.receipts.mint(name, content.sha256, FULL, tokens=10, is_lossy=False)
            if receipt is not None:  # an epoch that cannot be read counts as moved: then it proves nothing
                server.receipts.redeem(receipt.id, path=name, sha256=content.sha256, representation=FULL)
        try:
            handle = server.payloads.keep(data, kind=HandleKind.FILE_VIEW, source=name, tokens=10)
            kept[handle.id] = data
        except PenstockError:
            pass
        server.evictor.evict([name])
        for handle_id in kept:
            with contextlib.suppress(PenstockError):
                assert server.payloads.load(handle_id).data == kept[handle_id]
        try:
            assert server.receipts._epoch  # pyright: ignore[reportPrivateUsage]
            server.receipts._epoch.bump(ClientEvent.COMPACT)  # pyright: ignore[reportPrivateUsage]
        except OSError:
            pass  # `penstock hook` says so
    return kept


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EMFILE, errno.EACCES], ids=errno.errorcode.get)
def test_any_failing_system_call_of_a_server_is_a_typed_error(tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fuse = Fuse(code)
    for name in CALLS:
        monkeypatch.setattr(os, name, fuse.wrap(getattr(os, name)))
    monkeypatch.setattr(io, "open", fuse.wrap(io.open))
    monkeypatch.setattr(builtins, "open", fuse.wrap(builtins.open))
    root = tmp_path / "root"
    root.mkdir()
    truth = {f"f{number}.txt": b"line %d\n" % number * 200 for number in range(2)}
    for name, data in truth.items():
        (root / name).write_bytes(data)
    for k in range(1, MAX_CALLS):
        data_dir = tmp_path / str(k)
        server = Server(root, data_dir, SwitchDisk(), lambda: 1000.0)
        fuse.calls, fuse.k = 0, k
        kept = work(server, truth)
        fuse.k = 0
        server.spool.close()
        server.workspace.close()
        again = Server(root, data_dir, SwitchDisk(), lambda: 1000.0)
        for handle_id, data in kept.items():
            assert again.payloads.load(handle_id).data == data, "an acknowledged item is lost"
        assert {path.name for path in data_dir.iterdir()} <= FILES, "a partial file"
        assert again.content.fetch("f0.txt", deadline=Deadline(60)).data == truth["f0.txt"]
        again.spool.close()
        again.workspace.close()
        if fuse.calls < k:
            assert k > 20, "the fuse was never in the way"
            return
    raise AssertionError(f"still failing at call {MAX_CALLS}")
