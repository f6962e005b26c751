"""Blocks that several files share (licence headers, boilerplate, copies), stored once.

A block is a paragraph of at least `MIN_BLOCK_BYTES`. The first file that holds it keeps it as its own; when a second one
comes, the block moves into the table and both refer to it. Ropes count their references, so a block leaves with its last
user. Not thread-safe: the session cache's lock guards it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MIN_BLOCK_BYTES: Final = 256
"""Below this the bookkeeping of a shared block costs more than the bytes it saves."""
MAX_BLOCKS: Final = 64
"""Candidates looked at per file; what follows is kept as the file's own."""
MAX_SPLIT_BYTES: Final = 512 * 1024
"""Larger files are kept in one piece: tables and logs repeat little, and splitting them costs time."""
SIGHT_BYTES: Final = 120
"""Memory for remembering that a block was seen once."""
BLOCK_OVERHEAD_BYTES: Final = 200


Owner = tuple[int, int]
"""Identity of the file that holds a block."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """A file cut into pieces that join to it again; `candidates` are the indices of those that may be shared."""

    parts: Sequence[bytes]
    candidates: Sequence[int] = ()

    @property
    def overhead_bytes(self) -> int:
        """What packing these pieces may cost at most beyond their own bytes.

        Moving a block into the table costs its bookkeeping and saves more: the second copy, and the fingerprint of the first.
        """
        return len(self.candidates) * SIGHT_BYTES


@dataclass(frozen=True, slots=True)
class Rope:
    """A file's bytes as its own runs and references to shared blocks."""

    parts: tuple[bytes, ...]
    shared: tuple[bytes, ...] = ()
    """Those of `parts` that live in the table."""
    sights: tuple[bytes, ...] = ()
    """Fingerprints under which this file's own blocks are known."""

    @property
    def size_bytes(self) -> int:
        """Length of the whole."""
        return sum(map(len, self.parts))

    @property
    def private_bytes(self) -> int:
        """Bytes that leave memory with this rope, its fingerprints included."""
        return self.size_bytes - sum(map(len, self.shared)) + SIGHT_BYTES * len(self.sights)

    def materialise(self) -> bytes:
        """Return the whole."""
        return self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)


def split_blocks(data: bytes) -> Pieces:
    """Cut `data` behind blank lines into candidates and what lies between them. Pure."""
    if not MIN_BLOCK_BYTES <= len(data) <= MAX_SPLIT_BYTES:
        return Pieces((data,))
    parts: list[bytes] = []
    candidates: list[int] = []
    own_from = at = 0
    while at < len(data) and len(candidates) < MAX_BLOCKS:
        blank = data.find(b"\n\n", at)
        end = len(data) if blank < 0 else blank + 2
        if end - at >= MIN_BLOCK_BYTES:
            if at > own_from:
                parts.append(data[own_from:at])
            candidates.append(len(parts))
            parts.append(data[at:end])
            own_from = end
        at = end
    if own_from < len(data):
        parts.append(data[own_from:])
    return Pieces(tuple(parts), tuple(candidates))


@dataclass(frozen=True, slots=True)
class BlockStatistics:
    """The table at one moment."""

    blocks: int
    shared_bytes: int
    """Bytes held by the table, bookkeeping included."""
    saved_bytes: int
    """Bytes that the files would take up on top if each kept its own copy."""
    sights: int


class BlockTable:
    """The shared blocks, and who was first to hold a block that nobody shares yet."""

    def __init__(self) -> None:
        self._references: dict[bytes, int] = {}
        self._interned: dict[bytes, bytes] = {}
        self._first_owner: dict[bytes, Owner] = {}
        self._shared_bytes = 0

    def __repr__(self) -> str:
        return f"<BlockTable {len(self._references)} blocks, {self._shared_bytes} bytes>"

    @property
    def shared_bytes(self) -> int:
        """Bytes held by the table, bookkeeping included."""
        return self._shared_bytes

    def pack(self, pieces: Pieces, owner: Owner) -> tuple[Rope, frozenset[Owner]]:
        """Return the rope for a new file, and the other owners that should `adopt`: they hold a copy of a block."""
        sights: list[bytes] = []
        others: set[Owner] = set()
        candidates = {index: pieces.parts[index] for index in pieces.candidates}
        shared = {index for index, piece in candidates.items() if self._is_shared(piece, owner, sights, others)}
        return self._rope(pieces, shared, tuple(sights)), frozenset(others)

    def adopt(self, rope: Rope) -> Rope:
        """Return `rope` with every block that the table holds by now as a reference; it never weighs more."""
        pieces = split_blocks(rope.materialise())
        shared = {index for index in pieces.candidates if pieces.parts[index] in self._references}
        known = {_fingerprint_of(pieces.parts[index]) for index in shared}
        sights = tuple(sight for sight in rope.sights if sight not in known)
        adopted = self._rope(pieces, shared, sights)
        self.release(Rope(rope.parts, rope.shared, tuple(sight for sight in rope.sights if sight in known)))
        return adopted

    def simplify(self, rope: Rope) -> Rope:
        """Return `rope` without fingerprints, and owning the blocks that nobody else refers to."""
        alone = tuple(block for block in rope.shared if self._references[block] == 1)
        self.release(Rope(rope.parts, alone, rope.sights))
        return Rope(rope.parts, tuple(block for block in rope.shared if block in self._references))

    def _is_shared(self, piece: bytes, owner: Owner, sights: list[bytes], others: set[Owner]) -> bool:
        if piece in self._references:
            return True
        fingerprint = _fingerprint_of(piece)
        first = self._first_owner.setdefault(fingerprint, owner)
        if first != owner:
            others.add(first)
            self._references[piece] = 0
            self._interned[piece] = piece
            self._shared_bytes += len(piece) + BLOCK_OVERHEAD_BYTES
            return True
        if fingerprint not in sights:
            sights.append(fingerprint)
        return False

    def _rope(self, pieces: Pieces, shared: set[int], sights: tuple[bytes, ...]) -> Rope:
        parts: list[bytes] = []
        own: list[bytes] = []
        blocks: list[bytes] = []
        for index, piece in enumerate(pieces.parts):
            if index not in shared:
                own.append(piece)
                continue
            block = self._interned[piece]
            self._references[block] += 1
            parts += [b"".join(own), block] if own else [block]
            own = []
            blocks.append(block)
        if own or not parts:
            parts.append(own[0] if len(own) == 1 else b"".join(own))
        return Rope(tuple(parts), tuple(blocks), sights)

    def release(self, rope: Rope) -> None:
        """Take back the references and fingerprints of a rope that is no longer kept."""
        for block in rope.shared:
            self._references[block] -= 1
            if not self._references[block]:
                del self._references[block], self._interned[block]
                self._shared_bytes -= len(block) + BLOCK_OVERHEAD_BYTES
        for fingerprint in rope.sights:
            self._first_owner.pop(fingerprint, None)

    def statistics(self) -> BlockStatistics:
        """Return the table at this moment."""
        saved = sum(len(block) * (n - 1) - BLOCK_OVERHEAD_BYTES for block, n in self._references.items())
        return BlockStatistics(len(self._references), self._shared_bytes, max(0, saved), len(self._first_owner))


def _fingerprint_of(piece: bytes) -> bytes:
    """As good as the bytes themselves: whoever is told that a copy exists may count on it."""
    return hashlib.sha256(piece).digest()[:16]
