"""What the operating system says about this process's memory.

`MemoryProbe` is the seam; `SystemProbe` reads Linux's files below a root directory and asks psutil elsewhere. One
full sample reads a handful of small kernel files (about 0.2 ms); `rss_bytes` alone costs about 10 µs. USS and PSS are
never read here: smaps_rollup walks the page tables, 33 ms at 1.6 GB.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from .cgroup import find_groups, parse_fields, read_limits, read_text, read_throttles, read_usage
from .limits import EffectiveLimit


@dataclass(frozen=True, slots=True)
class MemorySample:
    """The process and its surroundings at one moment; None stands for "this system does not say"."""

    rss_bytes: int
    available_bytes: int | None = None
    """The least room left under any limit: the machine's MemAvailable, a cgroup's, RLIMIT_DATA's, RLIMIT_AS's."""
    available_source: str = ""
    stall_us: int | None = None
    """PSI `some`: microseconds, since boot or group start, in which a task waited for memory."""
    throttles: int | None = None
    """Times a cgroup of this process hit memory.high or memory.max."""
    file_bytes: int | None = None
    """The part of RSS that is pages of mapped files: libraries and maps of an index. The system takes them back by itself."""
    is_tight: bool = False
    """Whether a limited cgroup is at least nine tenths full of memory that is not file cache."""


class MemoryProbe(Protocol):
    """Measures memory.

    Every method may be called from any thread and may raise OSError; the caller then keeps its last reading.
    """

    def rss_bytes(self) -> int:
        """Return the resident set size in bytes; cheap."""
        ...

    def sample(self) -> MemorySample:
        """Return a full sample."""
        ...

    def effective_limit(self) -> EffectiveLimit:
        """Return the tightest limit on this process now; limits can change while it runs."""
        ...


UNLIMITED_WORD: Final = "unlimited"
RLIMITS: Final = {"Max data size": "RLIMIT_DATA", "Max address space": "RLIMIT_AS"}
TIGHT_SHARE: Final = 0.9


class _Statm(NamedTuple):
    """What /proc/self/statm says, in bytes."""

    address_bytes: int
    rss_bytes: int
    file_bytes: int
    data_bytes: int
    """Data and stack."""


class SystemProbe:
    """The probe for the machine the server runs on. Stateless but for the cgroup directories, found again with each limit."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root: Final = root
        self._proc: Final = root / "proc"
        self._page_bytes: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
        self._has_proc: Final = (self._proc / "self/statm").exists()
        self._groups = find_groups(root) if self._has_proc else []

    def __repr__(self) -> str:
        return f"<SystemProbe {'proc' if self._has_proc else 'psutil'}, {len(self._groups)} cgroups>"

    def rss_bytes(self) -> int:
        """Return the resident set size in bytes.

        Raises:
            OSError: The system does not answer.
        """
        return self._statm().rss_bytes if self._has_proc else _psutil_rss()

    def sample(self) -> MemorySample:
        """Return RSS, the least room left, and the stall and throttle counters.

        Raises:
            OSError: The system does not answer.
        """
        if not self._has_proc:
            return MemorySample(_psutil_rss(), _psutil_memory()[1], "available memory")
        statm = self._statm()
        rooms = self._rooms(statm)
        usages = read_usage(self._groups)
        rooms.update({usage.source: usage.room_bytes for usage in usages})
        source = min(rooms, key=lambda name: rooms[name]) if rooms else ""
        return MemorySample(
            rss_bytes=statm.rss_bytes,
            file_bytes=statm.file_bytes,
            available_bytes=rooms.get(source),
            available_source=source,
            stall_us=self._stall_us(),
            throttles=read_throttles(self._groups) if self._groups else None,
            is_tight=any(usage.working_bytes >= TIGHT_SHARE * usage.limit_bytes for usage in usages),
        )

    def effective_limit(self) -> EffectiveLimit:
        """Return the smallest of the cgroup limits, the rlimits and the machine's memory.

        Raises:
            OSError: The system does not answer.
        """
        if not self._has_proc:
            return EffectiveLimit.smallest_of({"total memory": _psutil_memory()[0]})
        self._groups = find_groups(self._root)  # service managers move processes between groups
        candidates = {name: limit for name, limit in read_limits(self._groups).items() if limit > 0}
        candidates.update(self._rlimits())
        total = parse_fields(read_text(self._proc / "meminfo")).get("MemTotal")
        if total:
            candidates["total memory"] = total * 1024
        if not candidates:
            raise OSError("no memory limit and no total memory could be read")
        return EffectiveLimit.smallest_of(candidates)

    def _statm(self) -> "_Statm":
        words = (read_text(self._proc / "self/statm") or "").split()
        if len(words) < 6 or not all(word.isdigit() for word in words):
            raise OSError(f"statm makes no sense: {len(words)} words")
        address, rss, file, _, _, data = (int(word) * self._page_bytes for word in words[:6])
        return _Statm(address, rss, file, data)

    def _rooms(self, statm: "_Statm") -> dict[str, int]:
        """Return the room under each limit that is not a cgroup's; each counts in its own unit of account."""
        rooms: dict[str, int] = {}
        available = parse_fields(read_text(self._proc / "meminfo")).get("MemAvailable")
        if available is not None:
            rooms["MemAvailable"] = available * 1024
        used = {"RLIMIT_DATA": statm.data_bytes, "RLIMIT_AS": statm.address_bytes}
        for name, limit in self._rlimits().items():
            rooms[name] = max(0, limit - used[name])
        return rooms

    def _rlimits(self) -> dict[str, int]:
        """Return the soft limits on data and address space that are set."""
        limits: dict[str, int] = {}
        for line in (read_text(self._proc / "self/limits") or "").splitlines():
            for title, name in RLIMITS.items():
                if line.startswith(title):
                    soft = line[len(title) :].split()[:1]
                    if soft and soft[0] != UNLIMITED_WORD and soft[0].isdigit() and int(soft[0]) > 0:
                        limits[name] = int(soft[0])
        return limits

    def _stall_us(self) -> int | None:
        """Return PSI's `some` total of the process's own v2 group, else of the machine."""
        own = [group.directory / "memory.pressure" for group in self._groups if group.version == 2 and group.name != "/"]
        for path in (*own[:1], self._proc / "pressure/memory"):
            for line in (read_text(path) or "").splitlines():
                if line.startswith("some "):
                    total = line.rpartition("total=")[2]
                    if total.isdigit():
                        return int(total)
        return None


def _psutil_rss() -> int:
    """Return the resident set size where there is no /proc."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def _psutil_memory() -> tuple[int, int]:
    """Return (total, available) bytes of the machine where there is no /proc."""
    import psutil

    memory = psutil.virtual_memory()
    return int(memory.total), int(memory.available)
