"""Memory limits and the pressure p. Pure: numbers in, numbers out.

    p = max(ledger / B, (RSS - retained - baseline) / (L - baseline))

B is the ledger's budget. L is the smaller of "512 MB above the baseline" and "half of the effective limit". The baseline
is what the started, empty server occupies; it is taken off both sides, because no eviction can give it back: counted
in, a server in a small container would start at MEDIUM and could never leave it. Where half of the effective limit is
less than the baseline leaves room for, L is half-way between the baseline and the effective limit instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MB: Final = 1024 * 1024
GROWTH_BYTES: Final = 512 * MB
"""RSS above the baseline that the server allows itself on a large machine."""
EFFECTIVE_SHARE: Final = 0.5
"""Share of the effective limit that one helper process may take; the rest is the client's, the editor's, the build's."""
MIN_GROWTH_BYTES: Final = 48 * MB
"""Less room than this above the baseline cannot hold one large file with its views; the half rule then gives way."""
SCARCE_SHARE: Final = 0.05
"""Less than this share of the effective limit still available counts as CRITICAL (as in Chromium's Linux monitor)."""
STALL_RATIO: Final = 0.15
"""PSI `some` share of time that counts as CRITICAL: the 150 ms in 1 s trigger of the kernel's psi.rst."""
GIVE_BACK_BYTES: Final = 64 * MB
"""More unexplained RSS than this is worth a trim even without pressure: after an explicit eviction the heap keeps its pages."""
WORKER_FLOOR_BYTES: Final = 160 * MB
"""With less than this a child cannot even import its parsers and hold one block of files."""
RETAINED_SHARE: Final = 0.5
"""At most this share of the allowed growth is ever excused as retained by the allocator, so a leak cannot hide."""
RETAINED_CEILING: Final = 0.8
"""Nothing is excused beyond this share of the effective limit."""


@dataclass(frozen=True, slots=True)
class EffectiveLimit:
    """The tightest limit on this process's memory and the file or call that states it."""

    limit_bytes: int
    source: str
    candidates: Mapping[str, int] = field(default_factory=dict[str, int])
    """Every limit found, by source; `limit_bytes` is the smallest."""

    @staticmethod
    def smallest_of(candidates: Mapping[str, int]) -> "EffectiveLimit":
        """Take the smallest candidate.

        Raises:
            ValueError: If there is none.
        """
        if not candidates:
            raise ValueError("candidates must not be empty")
        source = min(candidates, key=lambda name: candidates[name])
        return EffectiveLimit(candidates[source], source, dict(candidates))


@dataclass(frozen=True, slots=True)
class RssLimit:
    """L and the baseline it is counted from, in bytes."""

    baseline_bytes: int
    limit_bytes: int
    reason: str

    @property
    def growth_bytes(self) -> int:
        """Bytes between the baseline and L, always positive."""
        return self.limit_bytes - self.baseline_bytes


def plan_rss_limit(baseline_bytes: int, effective_bytes: int, *, growth_bytes: int = GROWTH_BYTES) -> RssLimit:
    """Choose L for a server that occupies `baseline_bytes` when empty.

    Raises:
        ValueError: If the baseline is negative or another number is not positive.
    """
    if baseline_bytes < 0:
        raise ValueError(f"baseline_bytes must be >= 0, got {baseline_bytes}")
    if effective_bytes <= 0:
        raise ValueError(f"effective_bytes must be > 0, got {effective_bytes}")
    if growth_bytes <= 0:
        raise ValueError(f"growth_bytes must be > 0, got {growth_bytes}")
    wanted = baseline_bytes + growth_bytes
    half = int(effective_bytes * EFFECTIVE_SHARE)
    if wanted <= half:
        return RssLimit(baseline_bytes, wanted, f"{growth_bytes // MB} MB above the start-up baseline")
    if half - baseline_bytes >= min(growth_bytes, MIN_GROWTH_BYTES):
        return RssLimit(baseline_bytes, half, "half of the effective limit")
    room = max(1, (effective_bytes - baseline_bytes) // 2)
    limit = baseline_bytes + min(growth_bytes, room)
    return RssLimit(baseline_bytes, limit, "half-way between the start-up baseline and the effective limit")


def plan_worker_bytes(wanted_bytes: int, limit: RssLimit, effective: EffectiveLimit, children: int) -> int:
    """Choose the memory limit of each of `children` worker processes: together with L they fit the limits that all share.

    An rlimit holds for each process by itself, and children inherit it; it is left out here.

    Raises:
        ValueError: If `wanted_bytes` or `children` is not positive.
    """
    if wanted_bytes <= 0 or children <= 0:
        raise ValueError(f"wanted_bytes and children must be > 0, got {wanted_bytes} and {children}")
    shared = [nbytes for source, nbytes in effective.candidates.items() if not source.startswith("RLIMIT")]
    if not shared:
        return wanted_bytes
    room = (min(shared) - limit.limit_bytes) // children
    return min(wanted_bytes, max(WORKER_FLOOR_BYTES, room))


def retained_cap(limit: RssLimit, effective_bytes: int) -> int:
    """Return how many bytes at most may be excused as retained by the allocator."""
    beyond = int(effective_bytes * RETAINED_CEILING) - limit.limit_bytes
    return max(0, min(int(limit.growth_bytes * RETAINED_SHARE), beyond))


def ratio_of(used_bytes: int, allowed_bytes: int) -> float:
    """Return used / allowed, never negative."""
    return max(0, used_bytes) / allowed_bytes
