"""Typed access to SQLite values. Pure. A wrong type means a damaged row and raises `ValueError`."""

import json
import zlib
from typing import Final

SqlValue = None | int | float | str | bytes

_MAX_INFLATED_BYTES: Final = 64 * 1024 * 1024


def int_of(value: SqlValue) -> int:
    """Return an integer column."""
    if isinstance(value, int):
        return value
    raise ValueError("a stored integer is damaged")


def float_of(value: SqlValue) -> float:
    """Return a real column."""
    if isinstance(value, int | float):
        return float(value)
    raise ValueError("a stored number is damaged")


def text_of(value: SqlValue) -> str:
    """Return a text column."""
    if isinstance(value, str):
        return value
    raise ValueError("a stored text is damaged")


def optional_text_of(value: SqlValue) -> str | None:
    """Return a text column that may be NULL."""
    return None if value is None else text_of(value)


def optional_float_of(value: SqlValue) -> float | None:
    """Return a real column that may be NULL."""
    return None if value is None else float_of(value)


def strings_of(value: SqlValue) -> tuple[str, ...]:
    """Return a JSON list of strings."""
    loaded: object = json.loads(text_of(value))
    if not isinstance(loaded, list):
        raise ValueError("a stored list is damaged")
    return tuple(str(item) for item in loaded)


def storable(text: str) -> str:
    r"""Return `text` as UTF-8 can hold it: lone surrogates become `\udcxx` escapes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text


def pack_text(text: str) -> bytes:
    """Compress a text for storage."""
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 1)


def unpack_text(value: SqlValue) -> str:
    """Return the text that `pack_text` compressed.

    Raises:
        ValueError: The bytes are damaged, or would inflate beyond 64 MB.
    """
    if not isinstance(value, bytes):
        raise ValueError("a stored text is damaged")
    inflate = zlib.decompressobj()
    try:
        raw = inflate.decompress(value, _MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise ValueError("a stored text is damaged") from error
    if inflate.unconsumed_tail or not inflate.eof:
        raise ValueError("a stored text is damaged")
    return raw.decode("utf-8", "surrogatepass")
