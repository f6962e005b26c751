"""What an eviction did, or would do: values for `evict`, `status` and the pressure log."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from .entry import RemovalCause
from .eviction import EvictionPlan


class Outcome(Enum):
    """What became of one target."""

    EVICTED = "evicted"
    PLANNED = "would be evicted"
    """Dry run."""
    PINNED = "pinned"
    SPOOL_FAILED = "kept: the spool refused it"
    IN_USE = "kept: it was read meanwhile"
    REVOKED = "receipt revoked"
    NOT_CACHED = "not cached"


@dataclass(frozen=True, slots=True)
class EvictedItem:
    """One target and what became of it."""

    name: str
    """The path, handle or receipt."""
    outcome: Outcome
    bytes_freed: int = 0
    """Ledger bytes; in a dry run, those that would be freed."""
    refetch_tokens: int | None = None
    """Cost of having it back whole; None if nobody has counted."""
    handle_id: str = ""
    kept_in: str = ""
    """`spool`, `memory` (the spool is degraded) or `file`."""
    receipts: Sequence[str] = ()
    """Receipts that die with it."""
    cause: RemovalCause = RemovalCause.EXPLICIT


@dataclass(frozen=True, slots=True)
class EvictionReport:
    """One eviction, item by item."""

    items: Sequence[EvictedItem]
    plan: EvictionPlan = EvictionPlan()  # noqa: RUF009 -- frozen and empty
    is_dry_run: bool = False

    @property
    def bytes_freed(self) -> int:
        """Ledger bytes freed by all items together."""
        return sum(item.bytes_freed for item in self.items)

    @property
    def refetch_tokens(self) -> int:
        """What having everything back would cost, as far as it was counted."""
        return sum(item.refetch_tokens or 0 for item in self.items if item.handle_id)

    @property
    def receipts(self) -> tuple[str, ...]:
        """Every receipt that died."""
        return tuple(receipt for item in self.items for receipt in item.receipts)
