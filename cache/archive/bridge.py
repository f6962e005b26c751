"""Bridge messages: the sentences that tell an assistant what was cleared, found or brought back, and by which handle. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

from .clearing import ClearPlan, ClearReason
from .entries import Entry

MAX_NAMED_HANDLES: Final = 8


def handles_of(entries: Iterable[Entry], *, limit: int = MAX_NAMED_HANDLES) -> tuple[str, ...]:
    """Return the newest handle of each entry, in the order given, each once."""
    newest = (entry.handles[0] for entry in entries if entry.handles)
    return tuple(dict.fromkeys(newest))[:limit]


def clear_bridge(plan: ClearPlan, reason: ClearReason, *, snapshot: str) -> str:
    """Say what a clear took and kept, and where the rest is."""
    lines = [
        f"Cleared {len(plan.cleared)} of {len(plan.cleared) + len(plan.kept)} entries ({reason.value}), kept {len(plan.kept)}."
    ]
    if plan.keywords:
        lines.append(f"Kept entries are about: {', '.join(plan.keywords)}.")
    gone = handles_of(scored.entry for scored in plan.cleared)
    if gone:
        lines.append(f"Cleared content is behind: {_named(gone)}.")
    if snapshot:
        lines.append(f"All of it comes back with session action=restore id={snapshot}.")
    else:
        lines.append("No snapshot was taken (strategy none); search scope=session still finds it until it expires.")
    return "\n".join(lines)


def retrieval_bridge(count: int, tiers: Sequence[str], query: str, handles: Sequence[str], similarity: float) -> str:
    """Say how many earlier entries answer a query, from where, and how well."""
    short = " ".join(query.split())[:80]
    if not count:
        return f"Nothing earlier matches '{short}'; searched: {', '.join(tiers)}."
    matches = "entry matches" if count == 1 else "entries match"
    text = f"{count} earlier {matches} '{short}' (mean similarity {similarity:.2f}; {', '.join(tiers)})."
    return f"{text} Content is behind: {_named(handles)}." if handles else text


def restore_bridge(entries: Sequence[Entry], *, source: str, age_s: float | None) -> str:
    """Say what was restored, how old it is, and which handles it opens."""
    age = "" if age_s is None else f", {age_text(age_s)} old"
    text = f"Restored {len(entries)} {'entry' if len(entries) == 1 else 'entries'} from {source}{age}."
    handles = handles_of(entries)
    return f"{text} Content is behind: {_named(handles)}." if handles else text


def age_text(age_s: float) -> str:
    """Return an age as people say it: `40 s`, `12 min`, `5 h`, `3 d`."""
    age = max(0.0, age_s)
    for limit, unit, name in ((120.0, 1.0, "s"), (7_200.0, 60.0, "min"), (172_800.0, 3_600.0, "h")):
        if age < limit:
            return f"{int(age / unit)} {name}"
    return f"{int(age / 86_400)} d"


def _named(handles: Sequence[str]) -> str:
    return ", ".join(handles)
