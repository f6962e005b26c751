"""The one place that gives out handles and brings their content back.

`keep` makes content restorable before its handle is shown; `load` looks in memory, then in the spool, then in the file the
content came from, and returns bytes only if they have the hash that the handle stands for.
"""

import hashlib
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, NoReturn

from .content import FileSource
from .deadline import UNBOUNDED, Deadline
from .errors import CorruptPayload, HandleExpired, PenstockError, StoreUnavailable, UnknownHandle
from .handles import HANDLE_DIGITS, Handle, HandleKind, HandleTable, Residency, handle_id
from .session import SessionCache
from .spool import HandleTaken, SpoolStore

MIN_PREFIX: Final = 4
"""Digits that an abbreviated handle must have."""
_HANDLE: Final = re.compile(rf"h[0-9a-f]{{{MIN_PREFIX},64}}")


class PayloadOrigin(Enum):
    """Where a payload was found."""

    MEMORY = "memory"
    SPOOL = "spool"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Payload:
    """Content brought back: exactly the bytes that were kept."""

    handle: Handle
    data: bytes = field(repr=False)
    origin: PayloadOrigin


@dataclass(frozen=True, slots=True)
class PayloadStatistics:
    """What was kept and loaded so far."""

    kept: int
    kept_bytes: int
    loads: dict[PayloadOrigin, int]
    missed: int


class PayloadStore:
    """Keeps and loads content by handle. Thread-safe."""

    def __init__(
        self,
        handles: HandleTable,
        spool: SpoolStore,
        *,
        session: SessionCache | None = None,
        workspace: FileSource | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.handles: Final = handles
        self.spool: Final = spool
        self._session = session
        self._workspace = workspace
        self._clock = clock
        self._lock = threading.Lock()
        self._kept = self._kept_bytes = self._missed = 0
        self._loads = dict.fromkeys(PayloadOrigin, 0)

    def __repr__(self) -> str:
        return f"<PayloadStore {self.handles!r} {self.spool!r}>"

    def keep(
        self,
        data: bytes,
        *,
        kind: HandleKind,
        source: str,
        tokens: int,
        durable: bool = True,
        residency: Residency | None = None,
    ) -> Handle:
        """Make `data` restorable and return its handle; content that is kept already keeps its handle.

        `durable` False spools nothing: the content lives as long as the session cache or its file has it. `residency` is where
        the content counts as being (default: in the spool).

        Raises:
            StoreUnavailable: It could not be kept anywhere; show it whole instead.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        handle = Handle(
            id=handle_id(sha256),
            kind=kind,
            residency=residency or Residency.resident(),
            tokens=tokens,
            source=source,
            sha256=sha256,
            size_bytes=len(data),
        )
        if durable:
            handle = self._spool(handle, data, residency)
        self.handles.insert(handle)
        with self._lock:
            self._kept += 1
            self._kept_bytes += len(data)
        return handle

    def resolve(self, name: str) -> Handle:
        """Return the handle called `name`, a full id or an unambiguous prefix of one, from the table or the spool.

        Raises:
            UnknownHandle: There is none, or several.
            StoreUnavailable: The spool cannot be searched now, and it is not in memory.
        """
        name = name.strip().lower()
        if not _HANDLE.fullmatch(name):
            raise UnknownHandle(
                f"{name[:80]!r} is not a handle",
                why="a handle is h and hexadecimal digits, as printed in an answer",
                next_call="copy the handle from the answer, or read the path again",
            )
        exact = self.handles.get(name)
        if exact is not None:
            return exact
        found = {handle.id: handle for handle in self.handles.matching(name)}
        outage: StoreUnavailable | None = None
        try:
            found = {handle.id: handle for handle in self.spool.find(name)} | found
        except StoreUnavailable as error:
            outage = error
        if name in found:
            return found[name]
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            raise UnknownHandle(
                f"{name} stands for several handles",
                why="it is the beginning of " + ", ".join(sorted(found)[:3]),
                next_call="repeat the call with the whole handle",
            )
        if outage is not None:
            raise _unreachable(name, outage) from outage
        raise UnknownHandle(
            f"no handle {name} is known here",
            why="it was never given out in this workspace, or it was forgotten long after its expiry",
            next_call="read the path or run the command again",
        )

    def load(self, handle_id: str, *, deadline: Deadline | None = None) -> Payload:
        """Return the content of a handle (or unambiguous prefix), exactly as it was kept.

        Raises:
            UnknownHandle, StoreUnavailable: As `resolve`.
            HandleExpired: It was known, and its content is gone.
            CorruptPayload: The stored bytes were damaged, and there is no other copy.
        """
        handle = self.resolve(handle_id)
        damage: CorruptPayload | StoreUnavailable | None = None
        data, origin = self._in_memory(handle.sha256), PayloadOrigin.MEMORY
        if data is None:
            origin = PayloadOrigin.SPOOL
            try:
                data = self.spool.get(handle.sha256)
            except (CorruptPayload, StoreUnavailable) as error:
                damage = error
        if data is None:
            data, origin = self._in_file(handle, deadline), PayloadOrigin.FILE
        if data is None:
            self._raise_gone(handle, damage)
        with self._lock:
            self._loads[origin] += 1
        return Payload(handle, data, origin)

    def version(self, sha256: str) -> bytes | None:
        """Return the bytes with this hash from memory or the spool, or None: the base of a diff."""
        data = self._in_memory(sha256)
        if data is not None:
            return data
        try:
            return self.spool.get(sha256)
        except (CorruptPayload, StoreUnavailable):
            return None

    def promised(self, sha256: str) -> Handle | None:
        """Return the handle that was given out for this content and has not expired, if this process knows one."""
        for digits in HANDLE_DIGITS:
            handle = self.handles.get(handle_id(sha256, digits))
            if handle is not None and handle.sha256 == sha256:
                return handle if not handle.expires_s or handle.expires_s > self._clock() else None
        return None

    def is_kept(self, sha256: str) -> bool:
        """Whether the spool holds this content: dropping it elsewhere loses nothing."""
        try:
            return any(handle.sha256 == sha256 and handle.size_bytes >= 0 for handle in self.spool.find(handle_id(sha256)))
        except StoreUnavailable:
            known = self.handles.get(handle_id(sha256))  # the disk cannot be asked: what it acknowledged counts
            return known is not None and known.sha256 == sha256 and known.residency.ref.startswith("spool:")

    def statistics(self) -> PayloadStatistics:
        """Return the counts so far."""
        with self._lock:
            return PayloadStatistics(self._kept, self._kept_bytes, dict(self._loads), self._missed)

    def _spool(self, handle: Handle, data: bytes, residency: Residency | None) -> Handle:
        """Spool under the shortest id that no other content has."""
        for digits in HANDLE_DIGITS:
            candidate = replace(handle, id=handle_id(handle.sha256, digits))
            known = self.handles.get(candidate.id)
            if known is not None and known.sha256 != handle.sha256:
                continue
            try:
                stored = self.spool.put(candidate, data)
            except HandleTaken:
                continue
            return stored if residency is None else replace(stored, residency=residency)
        raise StoreUnavailable("every id for this content is taken")

    def _in_memory(self, sha256: str) -> bytes | None:
        return self._session.version(sha256) if self._session is not None else None

    def _in_file(self, handle: Handle, deadline: Deadline | None) -> bytes | None:
        """Return the file's bytes if it still, or again, has the content that the handle stands for."""
        if self._workspace is None or handle.kind is not HandleKind.FILE_VIEW or not handle.source:
            return None
        try:
            source = self._workspace.read(handle.source, deadline=deadline or Deadline(UNBOUNDED))
        except PenstockError:
            return None
        return source.data if source.sha256 == handle.sha256 else None

    def _raise_gone(self, handle: Handle, damage: CorruptPayload | StoreUnavailable | None) -> NoReturn:
        with self._lock:
            self._missed += 1
        is_file = handle.kind is HandleKind.FILE_VIEW and bool(handle.source)
        next_call = f"read path={handle.source} for what the file holds now" if is_file else "run the command again"
        if isinstance(damage, StoreUnavailable):
            raise _unreachable(handle.id, damage) from damage
        if damage is not None:
            raise CorruptPayload(damage.what, why=damage.why, next_call=next_call) from damage
        raise HandleExpired(
            f"the content of {handle.id} is gone",
            why="its expiry has passed, or the spool's size cap removed it as one of the oldest",
            next_call=next_call,
        )


def _unreachable(name: str, outage: StoreUnavailable) -> StoreUnavailable:
    return StoreUnavailable(
        f"{name} cannot be brought back now",
        why=f"{outage.what}: {outage.why}" if outage.why else outage.what,
        next_call="call status for the state of the spool; then restore again, or read the path anew",
    )
