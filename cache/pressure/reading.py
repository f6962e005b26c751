"""One reading of the pressure: p, what drives it, and the numbers behind it. Values only."""

from dataclasses import dataclass
from enum import Enum

from .levels import PressureLevel, level_of
from .limits import RssLimit, ratio_of


class Driver(Enum):
    """What made p as high as it is."""

    LEDGER = "ledger"
    RSS = "RSS"
    SCARCE = "little memory available"
    STALL = "memory stalls"
    THROTTLE = "cgroup limit hit"


@dataclass(frozen=True, slots=True)
class PressureReading:
    """p and everything it was computed from, at one moment."""

    p: float
    driver: Driver
    ledger_bytes: int
    budget_bytes: int
    rss_bytes: int
    retained_bytes: int
    limit: RssLimit
    file_bytes: int | None = None
    """The part of RSS that is pages of mapped files, as of the last full sample."""
    detail: str = ""
    """The source of an alarm: which limit has little room left."""

    @property
    def level(self) -> PressureLevel:
        """The level that p alone stands for."""
        return level_of(self.p)

    @property
    def ledger_ratio(self) -> float:
        """Charged bytes / budget."""
        return ratio_of(self.ledger_bytes, self.budget_bytes)

    @property
    def growth_bytes(self) -> int:
        """RSS above the baseline, without what the allocator is known to retain."""
        return max(0, self.rss_bytes - self.retained_bytes - self.limit.baseline_bytes)

    @property
    def unexplained_bytes(self) -> int:
        """RSS that neither the baseline nor the ledger accounts for: buffers of running calls, maps, and free heap."""
        return max(0, self.rss_bytes - self.limit.baseline_bytes - self.ledger_bytes)

    @property
    def rss_ratio(self) -> float:
        """Growth / allowed growth."""
        return ratio_of(self.growth_bytes, self.limit.growth_bytes)

    def excess_bytes(self, ratio: float) -> int:
        """Return by how many bytes RSS is above `ratio` of its allowed growth, never negative."""
        return max(0, self.growth_bytes - int(ratio * self.limit.growth_bytes))
