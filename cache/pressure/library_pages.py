"""Letting go of the pages of libraries: read-only code that the kernel reads back from its file when it runs again.

numpy, tiktoken and SQLite map some 30 MB, much of which a read or a search touches once. In an emergency those pages are worth
more to others. Only mappings that nobody can write to and that hold no page of this process's own (no relocation, no
breakpoint) are touched, so nothing is lost whatever runs meanwhile: madvise(2), MADV_DONTNEED on a private file mapping.
Linux only.
"""

import ctypes
import mmap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

_LIBRARY: Final = ".so"
_DONTNEED: Final[int | None] = getattr(mmap, "MADV_DONTNEED", None)


def clean_mappings(smaps: str) -> Iterator[tuple[int, int]]:
    """Yield (address, bytes) of the library mappings of smaps(5) that are read-only and hold no page of the process's own."""
    start = end = 0
    is_library = False
    for line in smaps.splitlines():
        name, _, rest = line.partition(" ")
        if not name.endswith(":"):
            start, end = (int(address, 16) for address in name.split("-"))
            words = rest.split(None, 4)
            file = words[4].rpartition("/")[2] if len(words) == 5 else ""
            # A library stays mapped where it is for as long as the process lives; of other files nobody knows that.
            is_library = words[0] in ("r-xp", "r--p") and (file.endswith(_LIBRARY) or _LIBRARY + "." in file)
        elif is_library and name == "Anonymous:":
            if rest.split()[0] == "0":
                yield start, end - start
            is_library = False


def find_madvise(load: Callable[[None], ctypes.CDLL] = ctypes.CDLL) -> Callable[[int, int], object] | None:
    """Return madvise(address, length, MADV_DONTNEED), or None where there is none."""
    try:
        madvise = load(None).madvise
    except (AttributeError, OSError, TypeError):  # TypeError: Windows takes no None
        return None
    if _DONTNEED is None:
        return None
    madvise.argtypes, madvise.restype = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int], ctypes.c_int
    return lambda address, length: madvise(address, length, _DONTNEED)


def release_library_pages(smaps: Path = Path("/proc/self/smaps"), advise: Callable[[int, int], object] | None = None) -> int:
    """Let go of the pages of libraries and return how many bytes of them were mapped; 0 where that cannot be done."""
    advise = advise or find_madvise()
    if advise is None:
        return 0
    try:
        text = smaps.read_text("utf-8", "surrogateescape")
    except OSError:  # not Linux, or no /proc
        return 0
    released = 0
    for address, length in clean_mappings(text):
        advise(address, length)
        released += length
    return released
