"""A server on a folder and its clients, as `tests.cache.world` sees them: what a restart loses, what an assistant sees."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import apsw

from penstock.cache.content import Content, ContentAccessor
from penstock.cache.deadline import Deadline
from penstock.cache.epoch import EpochFile
from penstock.cache.evictor import Evictor
from penstock.cache.handles import HandleTable
from penstock.cache.ledger import Ledger
from penstock.cache.payloads import PayloadStore
from penstock.cache.receipts import Proof, ReceiptBook, Representation
from penstock.cache.session import SessionCache
from penstock.cache.spool import MemorySpool
from penstock.cache.spool_disk import RealDisk
from penstock.cache.spool_fallback import FallbackSpool
from penstock.cache.spool_sqlite import SqliteSpool
from penstock.cache.workspace.files import Workspace

LEDGER_BYTES: Final = 64 * 1024
DAY: Final = 86400.0


class SwitchDisk(RealDisk):
    """A disk that can be full for a while: SQLite may not add a page to its file."""

    def __init__(self) -> None:
        super().__init__()
        self._connection: apsw.Connection | None = None
        self._is_full = False

    @property
    def is_full(self) -> bool:
        return self._is_full

    @is_full.setter
    def is_full(self, value: bool) -> None:
        self._is_full = value
        try:
            self._limit()
        except apsw.Error:
            return  # closed

    def connect(self, path: Path) -> apsw.Connection:
        self._connection = super().connect(path)
        self._limit()
        return self._connection

    def _limit(self) -> None:
        if self._connection is not None:
            self._connection.pragma("max_page_count", 1 if self._is_full else 1 << 30)


class Server:
    """One process: everything that a restart loses."""

    def __init__(self, root: Path, data: Path, disk: SwitchDisk, clock: Callable[[], float]) -> None:
        self.ledger = Ledger(LEDGER_BYTES)
        self.workspace = Workspace([root], ledger=self.ledger)
        self.session = SessionCache(self.ledger)
        self.content = ContentAccessor(self.workspace, self.session)
        self.memory = MemorySpool(self.ledger, max_bytes=LEDGER_BYTES // 4, clock=clock)
        self.disk_spool = SqliteSpool(data, disk=disk, clock=clock, expiry_s=7 * DAY)
        self.spool = FallbackSpool(self.disk_spool, self.memory, retry_s=0.0)
        self.payloads = PayloadStore(
            HandleTable(max_handles=50), self.spool, session=self.session, workspace=self.workspace, clock=clock
        )
        self.receipts = ReceiptBook(epoch=EpochFile(data / "epoch"))
        self.evictor = Evictor(self.session, self.payloads, self.ledger, receipts=self.receipts)
        self.ledger.add_reclaimer(self.evictor.reclaim)

    def read(self, path: str, have: str, asked: Representation) -> tuple[Content, Proof | None]:
        """Fetch and decide as the read tool does."""
        content = self.content.fetch(path, deadline=Deadline(60))
        proof = self.receipts.redeem(have, path=content.rel, sha256=content.sha256, representation=asked)
        return content, proof


@dataclass
class Client:
    """What one assistant sees, and the receipts it can still quote, with or without the text."""

    visible: set[tuple[str, Representation, bytes]] = field(default_factory=set[tuple[str, Representation, bytes]])
    """Everything in the context, earlier versions of a file too."""
    receipts: list[tuple[str, str, Representation]] = field(default_factory=list[tuple[str, str, Representation]])


@dataclass
class Given:
    """A handle that was given out, and what it must bring back."""

    id: str
    data: bytes
    expires_s: float
    may_be_lost: bool = False


def body_of(data: bytes, representation: Representation) -> bytes:
    """Return the bytes that a representation shows."""
    return data if representation.is_whole else b"".join(data.splitlines(keepends=True)[:5])
