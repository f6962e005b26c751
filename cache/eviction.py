"""Eviction planning. Pure: no clock, no I/O, no locks; `cache.evictor` carries plans out.

Two planners of seed 001 (primitive P3 of deepstrike-core 0.2.35), whether to spool one output and what to compact under
pressure, and the choice of victims in the session cache. A pressure action maps to one op; time decay comes first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from .entry import Resident, Segment

SNIP_RATIO: Final = 0.10
"""Largest share of the budget that one item may keep when oversized items are cut (seed 001)."""


class PressureAction(Enum):
    """What the context's pressure recommends, mildest first."""

    NONE = "none"
    SNIP_COMPACT = "snip_compact"
    MICRO_COMPACT = "micro_compact"
    CONTEXT_COLLAPSE = "context_collapse"
    AUTO_COMPACT = "auto_compact"


@dataclass(frozen=True, slots=True)
class Spool:
    """Write one large payload to disk; a preview stays. Late content only, so the prompt prefix stays valid."""

    handle_id: str
    label = "spool"
    invalidates_prefix_at = None


@dataclass(frozen=True, slots=True)
class Snip:
    """Cut items that exceed `per_item_ratio` of the budget. May touch early ones: the prefix is taken as lost."""

    per_item_ratio: float
    label = "snip"
    invalidates_prefix_at = 0


@dataclass(frozen=True, slots=True)
class TimeDecayMicro:
    """Reduce large idle tool results to placeholders; they stand behind the prefix."""

    label = "time_decay_micro"
    invalidates_prefix_at = None


@dataclass(frozen=True, slots=True)
class Collapse:
    """Leave out the oldest items until at most `target_tokens` are resident."""

    target_tokens: int
    label = "collapse"
    invalidates_prefix_at = 0


@dataclass(frozen=True, slots=True)
class AutoCompact:
    """Leave out everything but the newest `preserve_turns` items."""

    preserve_turns: int
    label = "auto_compact"
    invalidates_prefix_at = 0


EvictionOp = Spool | Snip | TimeDecayMicro | Collapse | AutoCompact
"""Every op has a `label`, and `invalidates_prefix_at`: the index of the first item whose bytes change, None = prefix-safe."""


@dataclass(frozen=True, slots=True)
class EvictionPlan:
    """Ops in the order of their execution; empty = nothing needs compacting."""

    ops: Sequence[EvictionOp] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.ops

    @property
    def has_time_decay(self) -> bool:
        """Whether large idle results are reduced."""
        return any(isinstance(op, TimeDecayMicro) for op in self.ops)

    @property
    def invalidates_prefix_at(self) -> int | None:
        """The earliest index that any op invalidates."""
        return min((op.invalidates_prefix_at for op in self.ops if op.invalidates_prefix_at is not None), default=None)


@dataclass(frozen=True, slots=True)
class SpoolDecision:
    """One output is to be spooled: its size, and the text that stands for it."""

    original_bytes: int
    preview: str


def plan_spool(output: str, *, threshold_bytes: int, preview_bytes: int) -> SpoolDecision | None:
    """Decide whether `output` is spooled; None = it stays inline. A threshold of 0 turns spooling off.

    The preview is at most `preview_bytes` of UTF-8, cut between characters, and a marker with both sizes.

    Raises:
        ValueError: If a number is negative.
    """
    if threshold_bytes < 0 or preview_bytes < 0:
        raise ValueError(f"threshold_bytes and preview_bytes must be >= 0, got {threshold_bytes} and {preview_bytes}")
    encoded = output.encode("utf-8", "surrogatepass")
    if threshold_bytes == 0 or len(encoded) <= threshold_bytes:
        return None
    end = min(preview_bytes, len(encoded))
    while 0 < end < len(encoded) and encoded[end] & 0xC0 == 0x80:
        end -= 1
    head = encoded[:end].decode("utf-8", "surrogatepass")
    return SpoolDecision(
        len(encoded), f"{head}\n[… spooled: {len(encoded):,} bytes in all, {end:,} shown; the rest is kept on disk …]"
    )


def plan_eviction(recommended: PressureAction, *, is_idle: bool, target_tokens: int, preserve_turns: int) -> EvictionPlan:
    """Put the ops for one checkpoint in order: time decay first, then what pressure recommends.

    `target_tokens` and `preserve_turns` go into the ops as they are.

    Raises:
        ValueError: If a number is negative.
    """
    if target_tokens < 0 or preserve_turns < 0:
        raise ValueError(f"target_tokens and preserve_turns must be >= 0, got {target_tokens} and {preserve_turns}")
    ops: list[EvictionOp] = [TimeDecayMicro()] if is_idle else []
    if recommended is PressureAction.SNIP_COMPACT:
        ops.append(Snip(SNIP_RATIO))
    elif recommended is PressureAction.MICRO_COMPACT:
        ops.append(TimeDecayMicro())
    elif recommended is PressureAction.CONTEXT_COLLAPSE:
        ops.append(Collapse(target_tokens))
    elif recommended is PressureAction.AUTO_COMPACT:
        ops.append(AutoCompact(preserve_turns))
    return EvictionPlan(tuple(ops))


def plan_victims(
    residents: Iterable[Resident], *, excess_bytes: int, segments: frozenset[Segment] = frozenset(Segment)
) -> tuple[Resident, ...]:
    """Take the shortest run of entries that frees `excess_bytes`; all of them if they are too few.

    `residents` come in the order in which they should leave: probationary before protected, coldest first; no more
    of them are looked at than it takes. Pinned ones never leave.

    Raises:
        ValueError: If `excess_bytes` is negative.
    """
    if excess_bytes < 0:
        raise ValueError(f"excess_bytes must be >= 0, got {excess_bytes}")
    victims: list[Resident] = []
    freed = 0
    if excess_bytes == 0:
        return ()
    for each in residents:
        if each.is_pinned or each.segment not in segments:
            continue
        victims.append(each)
        freed += each.weight
        if freed >= excess_bytes:
            break
    return tuple(victims)
