"""`session`: save, list, restore, clear, summary, handoff; and `search scope=session`."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from ..cache.alignment import CacheBlock, stable_block, variable_block
from ..cache.archive.archive import SessionArchive, SessionView
from ..cache.archive.bridge import age_text, handles_of
from ..cache.archive.clearing import ClearReason
from ..cache.archive.confidential import tells_secret
from ..cache.archive.events import EventKind, ToolEvent, kind_of_note
from ..cache.archive.recollection import Recalled
from ..cache.archive.snapshots import SnapshotReason
from ..cache.archive.targets import Target
from ..cache.errors import InvalidArgument, SecretDenied, StoreUnavailable, UnknownHandle
from ..cache.tokens import TokenCounter
from .aligned import aligned_answer
from .answer import Answer, clean_text, facts_line
from .call import AskModel, Call
from .listing import fit_items, shown
from .recalled import recalled_items

DEFAULT_BUDGET: Final = 2_500
SUMMARY_BUDGET: Final = 1_500
_ENVELOPE_TOKENS: Final = 60
_SHOWN_KEPT: Final = 12
_SHOWN_OPERATIONS: Final = 5
_MAX_WRITTEN_CHARS: Final = 8_000
ACTIONS: Final = ("save", "list", "restore", "clear", "summary", "handoff")

Keep = float | str | Sequence[str] | None
"""A number: the least importance that `clear` keeps; texts: handles, paths or kinds that it keeps whatever they score."""
KeepText = Callable[[str, str], str]
"""(text, source) -> a handle under which the text is kept."""


class SessionTool:
    """Serves `session` for one conversation."""

    def __init__(
        self,
        archive: SessionArchive,
        counter: TokenCounter,
        *,
        has_handle: Callable[[str], bool] = lambda handle: True,
        keep_text: KeepText | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._archive = archive
        self._counter = counter
        self._has_handle = has_handle
        self._keep_text = keep_text
        self._wall = wall

    def run(self, call: Call, *, action: str, id: str | None = None, keep: Keep = None, note: str | None = None) -> Answer:
        """Answer one call.

        Raises:
            InvalidArgument: The action, the id or `keep` is not one there is.
            UnknownHandle: There is no session, name or snapshot of this id.
            SecretDenied: The note holds a secret.
            CorruptPayload: The snapshot is damaged.
            StoreUnavailable: The archive cannot be used now.
        """
        wanted = (id or "").strip()
        serve = {
            "save": lambda: self._save(wanted, note or ""),
            "list": lambda: self._list(call),
            "restore": lambda: self._restore(call, wanted),
            "clear": lambda: self._clear(call, wanted, keep, note or ""),
            "summary": lambda: self._summary(call, wanted),
            "handoff": lambda: self._handoff(call, wanted, note or ""),
        }.get(action)
        if serve is None:
            raise InvalidArgument(f"action must be one of {', '.join(ACTIONS)}", next_call='session(action="list")')
        call.deadline.check()
        if note:
            self._note(note)
        return serve()

    def search_session(self, call: Call, query: str, k: int, budget: int) -> Answer:
        """Answer `search scope=session`: three-tier recall, every entry with its tier, matched terms and handle."""
        found = self._archive.recall(query, limit=k)
        tiers = ", ".join(tier.value for tier in found.tiers)
        head = f'search "{shown(query, 60)}"'
        if not found.found:
            first = facts_line(head, "session", f"0 matches above the thresholds of: {tiers or 'no tier (no words to look for)'}")
            return Answer(clean_text(f'{first}\nnext search(scope="workspace") · session(action="list")'))
        hits = [self._with_handle(one) for one in found.found]
        total = len(hits)
        facts = (f"tiers: {tiers}", f"best {found.found[0].similarity:.2f}")
        restorable = (handle for one in hits for handle in one.handles[:1] if self._has_handle(handle))
        nexts = [f'restore(handle="{handle}")' for handle in list(dict.fromkeys(restorable))[:3]]
        more = f"{total} more: budget={2 * budget}"
        frame = self._count("\n".join([facts_line(head, "session", f"{total} of {total} entries", *facts), *nexts, more])) + 12
        listing = fit_items(recalled_items(hits), call, budget - frame, self._counter)
        first = facts_line(head, "session", f"{listing.items} of {total} entries", *facts)
        nexts += [f"{listing.left_out} more: budget={2 * budget}"] if listing.left_out else []
        last = "next " + " · ".join(nexts or ['search(scope="workspace")'])
        return Answer(clean_text("\n".join([first, *listing.lines, last])))

    def _with_handle(self, one: Recalled) -> Recalled:
        """Give what was recalled a handle that can be restored: its own, or one to the recorded text."""
        alive = tuple(handle for handle in one.handles if self._has_handle(handle))
        if alive or self._keep_text is None or not one.text:
            return replace(one, handles=alive)
        try:
            return replace(one, handles=(self._keep_text(one.text, one.title),))
        except StoreUnavailable:
            return replace(one, handles=())

    def resume_blocks(self, wanted: str, budget: int) -> tuple[Target | None, list[CacheBlock]]:
        """Return the session to go on from and its summary in at most `budget` tokens, the model's own first if it wrote one.

        The summary comes as blocks in the order that a prompt cache wants.
        """
        target = self._archive.target(wanted)
        if target is None:
            return None, [variable_block("none", "Nothing is recorded in this workspace yet.", self._counter)]
        written = self._archive.written_summary(target)
        text = written.text.strip() if written else ""
        blocks: list[CacheBlock] = []
        if written is not None and text and self._count(text) <= budget // 2:
            blocks = [stable_block("written", f"Summary written by the client's model:\n{text}", self._counter)]
            if written.seq < target.session.last_seq:
                older = "The text by the client's model is older than the newest events."
                blocks.append(variable_block("written before", older, self._counter))
            budget -= sum(block.tokens for block in blocks) + 4
        summary = self._archive.summary(target, budget, self._count, has_handle=self._has_handle)
        for at, section in enumerate(summary.sections, 1):
            block_of = stable_block if section.is_stable else variable_block
            blocks.append(block_of(section.name, section.text, self._counter, priority=at))
        return target, blocks

    def age_s(self, target: Target) -> float:
        """Return the seconds since the last activity of a target's session."""
        return max(0.0, self._wall() - target.session.active_s)

    def summarise_with(self, ask: AskModel, *, id: str = "") -> bool:
        """Let the client's model write the summary of a session, and keep it; return whether it did.

        Nothing depends on it: without an answer the extract stands as before. While nothing has happened since the model wrote
        last, it is not asked again.
        """
        target = self._archive.target(id)
        if target is None:
            return False
        written = self._archive.written_summary(target)
        if written is not None and written.seq >= target.session.last_seq:
            return True
        text = ask(self._archive.prompt_for_model(target, self._count)).strip()
        if not text or tells_secret(text):
            return False
        self._archive.keep_written_summary(target, text[:8_000])
        return True

    def _save(self, name: str, note: str) -> Answer:
        saved = self._archive.save(name, note=note)
        held = f"{saved.snapshot.entries} entries"
        named = f"name {saved.name}" if saved.name else ""
        first = facts_line("session save", saved.session.id, saved.snapshot.label, held, named, self._archive.store.notice)
        last = f'next session(action="restore", id="{saved.name or saved.snapshot.label}")'
        return Answer(clean_text(f"{first}\n{last}"))

    def _list(self, call: Call) -> Answer:
        views = self._archive.sessions()
        now = self._wall()
        items = [[self._list_line(view, now)] for view in views]
        if not items:
            return Answer('session list · none yet\nnext session(action="save", id="a-name")')
        done = self._operation_lines(now)
        room = DEFAULT_BUDGET - self._count("\n".join(done))
        listing = fit_items(items, call, room, self._counter)
        first = facts_line("session list", f"{listing.items} of {len(items)} sessions", self._archive.store.notice)
        other = next((view for view in views if not view.is_current), views[0])
        last = f'next session(action="restore", id="{other.row.names[-1] if other.row.names else other.row.id}")'
        return Answer(clean_text("\n".join([first, *listing.lines, *done, last])))

    def _operation_lines(self, now: float) -> list[str]:
        """What was done to sessions since this process started: the totals, and the newest of the operations kept."""
        done = self._archive.operations()
        if not done:
            return []
        totals = self._archive.statistics()
        counts = (
            f"{totals.snapshots} snapshots, {totals.restores} restores, {totals.retrievals} recalls",
            f"{totals.clears} clears (kept {totals.entries_preserved}, cleared {totals.entries_cleared})",
        )
        newest = [
            f"  {age_text(now - one.at_s)} ago: {one.kind.value}, {one.entries} entries, {shown(one.details, 80)}"
            for one in done[: -_SHOWN_OPERATIONS - 1 : -1]
        ]
        return [facts_line("since start", *counts, f"{len(newest)} of the last {len(done)} operations:"), *newest]

    def _list_line(self, view: SessionView, now: float) -> str:
        row = view.row
        newest = view.snapshots[-1].label if view.snapshots else ""
        return facts_line(
            row.id,
            f"names {', '.join(row.names)}" if row.names else "",
            "this session" if view.is_current else f"active {age_text(now - row.active_s)} ago",
            f"{row.events} events",
            f"{view.entries} entries",
            f"{len(view.snapshots)} snapshots, newest {newest}" if newest else "",
            f"from {row.origin}" if row.origin else "",
        )

    def _restore(self, call: Call, wanted: str) -> Answer:
        if not wanted:
            raise InvalidArgument("restore needs id", why="a session, a name or a snapshot", next_call='session(action="list")')
        restored = self._archive.restore(wanted)
        summary = self._archive.summary(restored.target, self._room(call), self._count, has_handle=self._has_handle)
        count = f"{len(restored.entries)} entries"
        first = facts_line("session restore", restored.target.label, count, f"{age_text(restored.age_s)} old")
        handles = [handle for handle in handles_of(reversed(restored.entries)) if self._has_handle(handle)]
        nexts = [f'restore(handle="{handle}")' for handle in handles[:2]]
        last = "next " + " · ".join([*nexts, 'search(query=…, scope="session")'])
        return Answer(clean_text("\n".join([first, restored.bridge, summary.text, last])))

    def _clear(self, call: Call, wanted: str, keep: Keep, note: str) -> Answer:
        if wanted and wanted != self._archive.session_id:
            raise InvalidArgument(
                f"{shown(wanted, 64)} is not this conversation's session",
                why="a session is cleared by the conversation that it belongs to, or by age",
                next_call='session(action="clear")',
            )
        if isinstance(keep, bool) or (isinstance(keep, int | float) and not 0 <= keep <= 1):
            raise InvalidArgument(
                f"keep must be from 0 to 1, or texts, got {keep}", next_call='session(action="clear", keep=0.4)'
            )
        failed = any(kind_of_note(line)[0] is EventKind.FAILURE for line in note.splitlines())
        reason = ClearReason.ERROR_RECOVERY if failed else ClearReason.MANUAL
        if isinstance(keep, int | float):
            cleared = self._archive.clear(min_importance=float(keep), reason=reason)
        else:
            cleared = self._archive.clear([keep] if isinstance(keep, str) else list(keep or ()), reason=reason)
        plan = cleared.plan
        first = facts_line(
            "session clear",
            cleared.session_id,
            f"kept {len(plan.kept)} of {len(plan.kept) + len(plan.cleared)} entries",
            cleared.reason.value,
        )
        items = [
            [f"kept {one.score:.2f} ({one.reason.value}): {shown(one.entry.title or one.entry.text, 160)}"] for one in plan.kept
        ]
        listing = fit_items(items[:_SHOWN_KEPT], call, DEFAULT_BUDGET, self._counter)
        back = cleared.snapshot.label if cleared.snapshot else ""
        last = f'next session(action="restore", id="{back}")' if back else 'next search(query=…, scope="session")'
        return Answer(clean_text("\n".join([first, cleared.bridge, *listing.lines, last])))

    def _summary(self, call: Call, wanted: str) -> Answer:
        if call.ask_model is not None:
            self.summarise_with(call.ask_model, id=wanted)
        target, blocks = self.resume_blocks(wanted, self._room(call))
        if target is None:
            return Answer(clean_text(f"session summary · none\n{blocks[0].content}"))
        # What changes with every call stands last, so that a prompt cache keeps the front.
        row = target.session
        told = sum(block.tokens for block in blocks)
        last = facts_line(f"{row.events:,} events, {row.tokens:,} tok delivered", f"{told:,} tok", self._archive.store.notice)
        head = stable_block("head", facts_line("session summary", target.label), self._counter, priority=-1)
        return aligned_answer([head, *blocks, variable_block("facts", last, self._counter, priority=99)], self._counter)

    def _handoff(self, call: Call, name: str, note: str) -> Answer:
        if not name:
            raise InvalidArgument(
                "handoff needs id", why="the name the other agent asks for", next_call='session(action="handoff", id="a-name")'
            )
        saved = self._archive.save(name, note=note, reason=SnapshotReason.HANDOFF)
        target = self._archive.target(name)
        if target is None:
            raise UnknownHandle(f"{name} could not be read back", next_call='session(action="list")')
        summary = self._archive.summary(target, self._room(call), self._count, has_handle=self._has_handle)
        first = facts_line(
            "session handoff", saved.name, saved.snapshot.label, f"{saved.snapshot.entries} entries", self._archive.store.notice
        )
        last = f'next tell the other agent: session(action="restore", id="{saved.name}"); facts are shared, receipts are not'
        return Answer(clean_text("\n".join([first, summary.text, last])))

    def _note(self, note: str) -> None:
        if tells_secret(note):
            raise SecretDenied(
                "the note is not stored", why="it holds a password, a key or a token", next_call="leave the secret out"
            )
        self._archive.recorder.record(ToolEvent("session", "note", note=note))

    def _room(self, call: Call) -> int:
        """Tokens for a summary: its own default, or less where the client shows less."""
        return max(_ENVELOPE_TOKENS, min(SUMMARY_BUDGET, call.limit.tokens, call.limit.chars // 4) - _ENVELOPE_TOKENS)

    def _count(self, text: str) -> int:
        return self._counter.count(text).tokens
