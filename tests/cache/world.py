"""A small world to test the cache in: a real folder, a server on it, two clients with their contexts, and what they may expect.

Every step checks what the design promises: served bytes are those on disk, stubs and diffs only for text that the client still
sees, every handle brings its exact bytes back, and the ledger is the sum of what is held.
"""

import hashlib
import os
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from penstock.cache.content import Content
from penstock.cache.deadline import Deadline
from penstock.cache.delta import apply_unified, unified
from penstock.cache.epoch import ClientEvent, EpochFile
from penstock.cache.errors import BinaryFile, HandleExpired, NotARegularFile, PathNotFound, StoreUnavailable, UnknownHandle
from penstock.cache.handles import HandleKind
from penstock.cache.receipts import Proof, Representation
from penstock.cache.shelf import CONTENT, OUTPUTS
from penstock.cache.spool import SPOOL
from tests.cache.process import DAY, LEDGER_BYTES, Client, Given, Server, SwitchDisk, body_of

NAMES: Final = tuple(f"d{number % 3}/f{number}.txt" for number in range(40))
SPARE: Final = b"# A header that many files have in common, word for word.\n" * 8 + b"\n"
FULL: Final = Representation("full")
HEAD: Final = Representation("lines", ((1, 5),))


STEPS: Final[Mapping[str, int]] = {
    "read": 400,
    "read a lossy view": 80,
    "compress": 40,
    "restore": 100,
    "edit a line": 100,
    "edit in place": 20,
    "edit with same size and mtime": 40,
    "rename over": 30,
    "delete": 10,
    "replace by link": 10,
    "evict": 20,
    "pin or unpin": 15,
    "pressure": 6,
    "compaction": 8,
    "restart": 5,
    "disk fills": 2,
    "days pass": 1,
}
"""How often, of about nine hundred steps. Either client reads, and either one's context is compacted."""


class World:
    """Folder, server, clients. `step` does something at random; every operation may also be called by name."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.root, self.data = folder / "root", folder / "data"
        self.random = random.Random(seed)
        self.now = 1_000_000.0
        self.disk = SwitchDisk()
        self.clients = (Client(), Client())
        self.given: dict[str, Given] = {}
        self.counts: dict[str, int] = {}
        for name in NAMES:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_bytes(self.text())
        self.server = self.start()

    def start(self) -> Server:
        return Server(self.root, self.data, self.disk, lambda: self.now)

    def close(self) -> None:
        self.disk.is_full = False
        self.server.spool.close()
        self.server.workspace.close()

    # What happens in the folder.

    def text(self, size: int | None = None) -> bytes:
        """Return lines of text, of exactly `size` bytes if given, at times with the header that others have."""
        rng = self.random
        length = rng.choice((0, 40, 400, 2000, 4000, 8000)) if size is None else size
        head = SPARE if rng.random() < 0.4 else b""
        body = b"".join(b"line %d %06x\n" % (at, rng.randrange(1 << 24)) for at in range(length // 14 + 2))
        return (head + body)[:length]

    def path(self, name: str) -> Path:
        return self.root / name

    def write(self, name: str, data: bytes) -> None:
        """Write in place; a loop of links is replaced by a file."""
        try:
            self.path(name).write_bytes(data)
        except OSError:
            self.delete(name)
            self.path(name).write_bytes(data)

    def is_file(self, name: str) -> bool:
        try:
            return self.path(name).is_file()
        except OSError:  # a loop of links
            return False

    def edit_in_place(self, name: str) -> None:
        self.write(name, self.text())

    def edit_a_line(self, name: str) -> None:
        if not self.is_file(name):
            return
        lines = self.path(name).read_bytes().splitlines(keepends=True) or [b""]
        lines[self.random.randrange(len(lines))] = b"edited %06x\n" % self.random.randrange(1 << 24)
        self.path(name).write_bytes(b"".join(lines))

    def edit_unseen(self, name: str) -> None:
        """Same size, same mtime."""
        if not self.is_file(name):
            return
        stat = self.path(name).stat()
        self.path(name).write_bytes(self.text(stat.st_size))
        os.utime(self.path(name), ns=(stat.st_atime_ns, stat.st_mtime_ns))

    def rename_over(self, name: str) -> None:
        """As editors save; at times with the times of the old file."""
        stat = self.path(name).stat() if self.is_file(name) else None
        fresh = self.path(name + ".tmp")
        fresh.write_bytes(self.text(stat.st_size if stat and self.random.random() < 0.5 else None))
        if stat:
            os.utime(fresh, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        fresh.replace(self.path(name))

    def delete(self, name: str) -> None:
        self.path(name).unlink(missing_ok=True)

    def replace_by_link(self, name: str) -> None:
        target = self.random.choice(NAMES)
        if target == name:
            return
        self.delete(name)
        if self.random.random() < 0.5 and self.is_file(target):
            os.link(self.path(target).resolve(), self.path(name))
        else:
            self.path(name).symlink_to(f"../{target}")

    # What the clients do.

    def read(self, who: int, name: str, asked: Representation, *, quotes: bool) -> None:
        """Read with or without a receipt, and check the answer against the disk and against what the client sees."""
        client, have = self.clients[who], ""
        if quotes:
            own = [receipt for receipt, path, _ in client.receipts if path == name]
            everything = [receipt for receipt, _, _ in client.receipts]
            have = self.random.choice(own or everything or [""])
        truth = self.path(name).read_bytes() if self.is_file(name) else None
        try:
            content, proof = self.server.read(name, have, asked)
        except (PathNotFound, NotARegularFile, BinaryFile):
            assert truth is None, f"{name} was not found, but is there"
            return
        assert content.data == truth, f"stale bytes of {name}"
        if proof is not None and proof.is_unchanged:
            assert (content.rel, asked, body_of(content.data, asked)) in client.visible, f"false stub for {name}"
            self.count("stubs")
            return
        if proof is not None and proof.representation.is_whole and asked.is_whole and self.diff(client, content, proof):
            return
        self.deliver(client, content, asked)

    def diff(self, client: Client, content: Content, proof: Proof) -> bool:
        """Send a diff if the base is still here; the client must see the base."""
        old = self.server.payloads.version(proof.sha256)
        if old is None:
            return False
        assert hashlib.sha256(old).hexdigest() == proof.sha256
        delta = unified(old, content.data)
        if delta is None or len(delta) > len(content.data):
            return False
        assert (content.rel, FULL, old) in client.visible, "a diff against what the client does not see"
        assert apply_unified(old, delta) == content.data
        self.count("diffs")
        self.deliver(client, content, FULL)
        return True

    def deliver(self, client: Client, content: Content, asked: Representation) -> None:
        client.visible.add((content.rel, asked, body_of(content.data, asked)))
        receipt = self.server.receipts.mint(content.rel, content.sha256, asked, tokens=10, is_lossy=False)
        assert receipt is not None
        client.receipts.append((receipt.id, content.rel, asked))
        del client.receipts[:-12]
        self.server.receipts.add_delivered(len(content.data) // 4)
        self.count("contents")

    def lossy(self, name: str) -> None:
        """Deliver a view that leaves something out; its handle must be good before it is seen."""
        try:
            content = self.server.content.fetch(name, deadline=Deadline(60))
        except (PathNotFound, NotARegularFile):
            return
        session, key, sha256 = self.server.session, content.key, content.sha256
        view = session.get_compressed(key, "view", sha256=sha256)
        expected = f"{sha256} {len(content.data)}"
        assert view in (None, expected), "a view of other content"
        session.set_compressed(key, "view", expected, sha256=sha256)
        self.keep(content.data, HandleKind.FILE_VIEW, content.rel)

    def compress(self) -> None:
        """Keep the output of a command."""
        self.keep(self.text(), HandleKind.TOOL_RESULT, "make")

    def keep(self, data: bytes, kind: HandleKind, source: str) -> None:
        """Make something restorable; while it cannot be, nothing is left out of what is shown."""
        try:
            handle = self.server.payloads.keep(data, kind=kind, source=source, tokens=1)
        except StoreUnavailable:
            assert self.disk.is_full
            return
        self.given[handle.id] = Given(handle.id, data, handle.expires_s)

    def restore(self, given: Given) -> None:
        """Load a handle, whole or abbreviated."""
        name = given.id if self.random.random() < 0.8 else given.id[:9]
        try:
            payload = self.server.payloads.load(name)
        except (HandleExpired, UnknownHandle, StoreUnavailable):
            assert given.may_be_lost or self.now > given.expires_s, f"lost: {given.id}"
            return
        self.count("restored")
        assert payload.data == given.data, "restored something else"

    def compact(self, who: int) -> None:
        """The client's context shrinks: the texts go, quotes of receipts may stay; its hook reports it."""
        self.clients[who].visible.clear()
        if self.random.random() < 0.3:
            self.clients[who].receipts.clear()
        EpochFile(self.data / "epoch").bump(ClientEvent.COMPACT)

    # What happens to the server.

    def evict(self, name: str) -> None:
        self.server.evictor.evict([name], dry_run=self.random.random() < 0.2)

    def pressure(self, kind: int) -> None:
        evictor, used = self.server.evictor, self.server.ledger.used_bytes
        if kind == 0:
            evictor.trim_outputs()
        elif kind == 1:
            evictor.evict_probationary(used // 2)
        elif kind == 2:
            evictor.evict_to_budget(used // 3)
        elif kind == 3:
            evictor.trim_shared_blocks()
        else:
            evictor.clear()

    def pin(self, name: str) -> None:
        if self.random.random() < 0.5:
            self.server.evictor.pin(name)
        else:
            self.server.evictor.unpin(name)

    def restart(self, *, kill: bool) -> None:
        """Start anew: after `close`, or with what a dead process leaves behind."""
        old = self.server
        if not kill:
            old.spool.close()
        for given in self.given.values():
            given.may_be_lost |= bool(old.memory.find(given.id))
        self.count_removals()
        old.disk_spool.close()
        old.workspace.close()
        self.server = self.start()

    def disk_fills(self) -> None:
        self.disk.is_full = True

    def days_pass(self) -> None:
        self.now += self.random.choice((0.5, 1.0, 8.0)) * DAY
        if not self.disk.is_full:
            self.server.spool.sweep()
        self.given = {id_: given for id_, given in self.given.items() if given.expires_s > self.now}

    # Steps.

    def step(self) -> None:
        """Do one thing at random, and check."""
        self.server.receipts.tick_call()
        names = NAMES[:6] if self.random.random() < 0.5 else NAMES
        kind = self.random.choices(tuple(STEPS), tuple(STEPS.values()))[0]
        self.operations[kind](self.random.choice(names))
        self.count(f"steps: {kind}")
        if self.disk.is_full and self.random.random() < 0.05:
            self.disk.is_full = False
        self.check()

    @property
    def operations(self) -> Mapping[str, Callable[[str], None]]:
        """What a step may be, by the names of `STEPS`."""
        rng = self.random
        return {
            "read": lambda name: self.read(rng.randrange(2), name, rng.choice((FULL, FULL, HEAD)), quotes=rng.random() < 0.7),
            "read a lossy view": self.lossy,
            "compress": lambda _: self.compress(),
            "restore": lambda _: self.restore(rng.choice(list(self.given.values()))) if self.given else None,
            "edit a line": self.edit_a_line,
            "edit in place": self.edit_in_place,
            "edit with same size and mtime": self.edit_unseen,
            "rename over": self.rename_over,
            "delete": self.delete,
            "replace by link": self.replace_by_link,
            "evict": self.evict,
            "pin or unpin": self.pin,
            "pressure": lambda _: self.pressure(rng.randrange(5)),
            "compaction": lambda _: self.compact(rng.randrange(2)),
            "restart": lambda _: self.restart(kill=rng.random() < 0.5),
            "disk fills": lambda _: self.disk_fills(),
            "days pass": lambda _: self.days_pass(),
        }

    def check(self) -> None:
        """Check the ledger to the byte."""
        server = self.server
        residents, statistics = server.session.residents(), server.session.statistics()
        used = server.ledger.account_bytes
        assert used(CONTENT) == statistics.content_bytes
        assert used(OUTPUTS) == statistics.output_bytes == sum(each.output_bytes for each in residents)
        assert sum(each.weight for each in residents) + statistics.shared_bytes == used(CONTENT) + used(OUTPUTS)
        assert used(SPOOL) == server.memory.statistics().used_bytes
        assert server.ledger.used_bytes <= LEDGER_BYTES
        assert server.ledger.used_bytes == used(CONTENT) + used(OUTPUTS) + used(SPOOL), "something was borrowed and not returned"

    def check_all_handles(self) -> None:
        """Load every handle that was given out."""
        self.disk.is_full = False
        for given in list(self.given.values()):
            self.restore(given)

    def count(self, what: str, by: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + by

    def count_removals(self) -> None:
        for cause, number in self.server.session.statistics().removals.items():
            self.count(f"left: {cause.value}", number)

    def summary(self) -> dict[str, int]:
        """Return how often things happened: a run in which nothing happens proves nothing."""
        self.count_removals()
        return {**self.counts, "handles": len(self.given)}
