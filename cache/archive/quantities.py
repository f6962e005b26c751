"""Numbers with their units, in base units, so that 30 s, 0.5 min and 30,000 ms are the same value. Pure."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

_SECONDS: Final = {
    "1/1000000000": "ns nanosecond",
    "1/1000000": "us µs microsecond",
    "1/1000": "ms msec millisecond",
    "1": "s sec second",
    "60": "min minute",
    "3600": "h hr hour",
    "86400": "d day",
    "604800": "week",
}
_BYTES: Final = {
    "1": "b byte",
    "1000": "kb",
    "1024": "kib",
    "1000000": "mb",
    "1048576": "mib",
    "1000000000": "gb",
    "1073741824": "gib",
    "1000000000000": "tb",
    "1099511627776": "tib",
}
_HERTZ: Final = {"1": "hz", "1000": "khz", "1000000": "mhz", "1000000000": "ghz"}
_RATIO: Final = {"1/100": "% percent"}

_UNITS: Final = {
    name: (dimension, Fraction(size))
    for dimension, sizes in {"time": _SECONDS, "bytes": _BYTES, "rate": _HERTZ, "ratio": _RATIO}.items()
    for size, names in sizes.items()
    for name in names.split()
}
_MULTIPLES: Final = {"k": 1_000, "K": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_MULTIPLE_WORDS: Final = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_NUMBER_WORDS: Final = {
    **{"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10},
    **{"eleven": 11, "twelve": 12, "dozen": 12, "fifteen": 15, "sixteen": 16, "twenty": 20, "thirty": 30, "forty": 40},
    **{"fifty": 50, "sixty": 60, "ninety": 90, "hundred": 100, "thousand": 1_000},
}
_BITS: Final = re.compile(r"[kKMGT]?b")
_NUMBER: Final = re.compile(
    r"(?P<sign>-?)(?P<digits>[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?|(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)(?P<unit>[a-zA-Zµ%]*)"
)
_EITHER: Final = re.compile(r"[1-9]\d{0,2}\.\d{3}")
"""One thousand in half of Europe, one in the other countries."""
_HEX: Final = re.compile(r"0[xX][0-9a-fA-F]{1,16}")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value in the base unit of its dimension: seconds, bytes, hertz, a ratio, or a bare count ("")."""

    dimension: str
    value: Fraction


def parse_quantity(token: str, following: str = "") -> tuple[Quantity, bool] | None:
    """Read a number from `token`, its unit from its end or from the `following` token; tell whether that was used up.

    Versions (3.11.2), dates and identifiers with digits are no quantities; nor is a decimal without a unit, because 3.1 and 3.10
    may be versions. "b" and "Mb" are bits, "5m" is minutes, millions or metres, 007 is no 7 and 1.000 may be a thousand: none
    is guessed.
    """
    if _HEX.fullmatch(token):
        return Quantity("", Fraction(int(token, 16))), False
    match = _NUMBER.fullmatch(token)
    if match and not _EITHER.fullmatch(match["digits"]):
        value = Fraction(match["digits"].replace(",", "")) * (-1 if match["sign"] == "-" else 1)
        if match["unit"]:
            quantity = _with_unit(value, match["unit"])
            return (quantity, False) if quantity else None
    elif token.lower() in _NUMBER_WORDS:
        value = Fraction(_NUMBER_WORDS[token.lower()])
    else:
        return None
    if following.lower() in _MULTIPLE_WORDS:
        return Quantity("", value * _MULTIPLE_WORDS[following.lower()]), True
    quantity = _with_unit(value, following) if following else None
    if quantity is not None and quantity.dimension:
        return quantity, True
    return None if "." in token else (Quantity("", value), False)


def _with_unit(value: Fraction, unit: str) -> Quantity | None:
    if _BITS.fullmatch(unit):
        return None
    for name in (unit.lower(), unit.lower().removesuffix("s")):
        if name in _UNITS:
            dimension, size = _UNITS[name]
            return Quantity(dimension, value * size)
    return Quantity("", value * _MULTIPLES[unit]) if unit in _MULTIPLES else None
