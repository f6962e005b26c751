"""What an id means: a session, a name, or a snapshot. Inside a caller's transaction."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..errors import InvalidArgument, UnknownHandle
from .entries import Entry
from .entry_rows import read_entries
from .events import SESSION_ID_PATTERN
from .session_rows import NameRow, SessionRow, find_name, find_session, lineage, list_sessions, session_of
from .snapshot_rows import SnapshotRow, find_snapshot, load_snapshot

if TYPE_CHECKING:
    from apsw import Connection

SNAPSHOT_ID: Final = re.compile(r"snap-(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Target:
    """A session, and the snapshot of it that was asked for; without one the session as it is now."""

    session: SessionRow
    snapshot: SnapshotRow | None
    name: NameRow | None = None

    @property
    def label(self) -> str:
        """How the target is called in answers."""
        if self.name is not None:
            return f"{self.name.name} ({self.session.id}, {self.snapshot.label if self.snapshot else 'now'})"
        return f"{self.snapshot.label} of {self.session.id}" if self.snapshot else self.session.id


def find_target(con: "Connection", wanted: str) -> Target:
    """Return what `wanted` means: a snapshot id, a session id, or a name, in this order.

    Raises:
        InvalidArgument: `wanted` cannot be any of them.
        UnknownHandle: There is nothing of this name.
    """
    match = SNAPSHOT_ID.fullmatch(wanted)
    if match:
        snapshot = find_snapshot(con, int(match[1]))
        owner = session_of(con, snapshot.session) if snapshot else None
        if snapshot is not None and owner is not None:
            return Target(owner, snapshot)
        raise _unknown(con, wanted)
    check_name(wanted)
    session = find_session(con, wanted)
    if session is not None:
        return Target(session, None)
    name = find_name(con, wanted)
    if name is not None:
        owner = session_of(con, name.session)
        snapshot = find_snapshot(con, name.snapshot)
        if owner is not None:
            return Target(owner, snapshot, name)
    raise _unknown(con, wanted)


def entries_of(con: "Connection", target: Target) -> Mapping[str, Entry]:
    """Return the exact entry set of a target.

    Raises:
        CorruptPayload: The snapshot is damaged.
    """
    return load_snapshot(con, target.snapshot) if target.snapshot else read_entries(con, target.session.rid)


def check_name(name: str) -> str:
    """Return `name` if it can name a session.

    Raises:
        InvalidArgument: It cannot.
    """
    if not SESSION_ID_PATTERN.fullmatch(name):
        raise InvalidArgument(
            f"{name[:80]!r} is no session id or name", why="they have 1 to 64 of a-z, 0-9 and -", next_call="session action=list"
        )
    return name


def check_free(con: "Connection", name: str, session: SessionRow) -> None:
    """Return if `session` may give itself this name: it is free, or its own, or that of a session it was restored from.

    Raises:
        InvalidArgument: The name belongs to another session.
    """
    if SNAPSHOT_ID.fullmatch(check_name(name)):
        raise InvalidArgument(f"{name} is the form of a snapshot's id", next_call="choose another name")
    holder = find_name(con, name)
    owner = find_session(con, name)
    ours = {row.rid for row in lineage(con, session.id)}
    taken = (holder is not None and holder.session not in ours) or (owner is not None and owner.rid not in ours)
    if taken:
        raise InvalidArgument(
            f"{name} belongs to another session",
            why="two sessions never share a name",
            next_call=f"session action=save id={name[:60]}-2, or restore {name} first to go on from it",
        )


def _unknown(con: "Connection", wanted: str) -> UnknownHandle:
    names = [name for row in list_sessions(con)[:20] for name in (row.names or (row.id,))]
    known = f"known: {', '.join(names[:8])}" if names else "no session is stored here yet"
    return UnknownHandle(f"no session, name or snapshot {wanted}", why=known, next_call="session action=list")
