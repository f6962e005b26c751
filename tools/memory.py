"""`memory`: remember, recall, list, forget facts; and `search scope=memory`."""

import json
from collections.abc import Sequence
from typing import Final

from ..cache.archive.evidence import Finding, Standing
from ..cache.archive.fact_rows import Fact
from ..cache.archive.facts import FactBook, RecalledFact
from ..cache.archive.remembering import Conflict, Outcome, Resolution, Resolve
from ..cache.errors import InvalidArgument, UnknownHandle
from ..cache.tokens import TokenCounter
from .answer import Answer, clean_text, facts_line
from .call import AskUser, Call
from .listing import fit_items, shown, shown_time

DEFAULT_BUDGET: Final = 2_500
DEFAULT_K: Final = 10
_ENVELOPE_TOKENS: Final = 60
_LISTED: Final = 200
ACTIONS: Final = ("remember", "recall", "list", "forget")
_STATES: Final = {
    Outcome.RECORDED: "recorded",
    Outcome.CLOSED_OLD: "recorded",
    Outcome.KEPT_BOTH: "recorded beside what it contradicts",
    Outcome.KEPT_OLD: "kept as it was",
}


class MemoryTool:
    """Serves `memory` for one conversation, whose facts bear its session id."""

    def __init__(self, facts: FactBook, counter: TokenCounter, *, author: str) -> None:
        self._facts = facts
        self._counter = counter
        self._author = author

    def run(
        self,
        call: Call,
        *,
        action: str,
        topic: str | None = None,
        fact: str | None = None,
        evidence: str | Sequence[str] | None = None,
        query: str | None = None,
    ) -> Answer:
        """Answer one call.

        Raises:
            InvalidArgument: An argument is missing or not one there is.
            SecretDenied: The fact holds a secret.
            PathNotFound: The evidence names no file.
            UnknownHandle: There is nothing to forget.
            StoreUnavailable: The archive cannot be used now.
        """
        call.deadline.check()
        if action == "remember":
            return self._remember(call, topic or "", fact or "", _listed(evidence))
        if action == "recall":
            return self._recall(call, query or topic or fact or "")
        if action == "list":
            return self._list(call, topic or "")
        if action == "forget":
            return self._forget(topic or fact or "")
        raise InvalidArgument(f"action must be one of {', '.join(ACTIONS)}", next_call='memory(action="list")')

    def search_memory(self, call: Call, query: str, k: int, budget: int) -> Answer:
        """Answer `search scope=memory`: facts by BM25, their evidence looked at again."""
        found = self._facts.recall(query, limit=k, deadline=call.deadline)
        head = facts_line(f'search "{shown(query, 60)}"', "memory")
        if not found:
            total, live = self._facts.statistics()
            return Answer(clean_text(f'{head} · 0 matches in {total} facts, {live} live\nnext memory(action="list")'))
        topic = shown(found[0].fact.topic, 80)
        frame = self._counter.count(f"{head}{topic}").tokens + _ENVELOPE_TOKENS
        listing = fit_items([_recalled_item(one) for one in found], call, budget - frame, self._counter)
        first = facts_line(head, f"{listing.items} of {len(found)} facts")
        more = f" · {listing.left_out} more: budget={2 * budget}" if listing.left_out else ""
        last = f'next memory(action="list", topic="{topic}"){more}'
        return Answer(clean_text("\n".join([first, *listing.lines, last])))

    def live_lines(self, call: Call, budget: int) -> list[str]:
        """Return the newest live facts with their standing, within `budget` tokens: part of the `resume` prompt."""
        facts = self._facts.verified(self._facts.newest(limit=40), call.deadline)
        items = [[f"- {shown(fact.topic, 80)}: {shown(fact.value, 200)}{_standing(findings)}"] for fact, findings in facts]
        return list(fit_items(items, call, budget, self._counter).lines) if items else []

    def _remember(self, call: Call, topic: str, fact: str, evidence: Sequence[str]) -> Answer:
        if not topic or not fact:
            raise InvalidArgument("remember needs topic and fact", next_call='memory(action="remember", topic="…", fact="…")')
        resolve = _resolver(call.ask_user) if call.ask_user is not None else None
        author, deadline = self._author, call.deadline
        done = self._facts.remember(topic, fact, evidence, author=author, deadline=deadline, resolve=resolve)
        stored = done.fact
        state = f"confirmed ({stored.confirmations + 1} times)" if done.outcome is Outcome.CONFIRMED else _STATES[done.outcome]
        lines = [facts_line("memory remember", f"f{stored.id}", shown(stored.topic, 80), state)]
        lines += [f"{shown(stored.topic, 80)}: {shown(stored.value)}"]
        lines += [
            f"ended f{old.id}: {shown(old.value)} · {judgement.why} · was valid from {shown_time(old.from_s)}"
            for old, judgement in done.closed
        ]
        if done.outcome is Outcome.KEPT_OLD:
            lines += [f"not recorded: {shown(fact)} · {done.disputed[0][1].why}"]
        else:
            lines += [f"against f{old.id}, still valid: {shown(old.value)} · {judged.why}" for old, judged in done.disputed]
            lines += [f"evidence {_place(one.path, one.lines)} sha256 {one.sha256[:12]}" for one in stored.evidence]
        lines += [f"beside f{other.id}: {shown(other.value)}" for other in done.beside]
        return Answer(clean_text("\n".join([*lines, f'next memory(action="recall", query="{shown(stored.topic, 80)}")'])))

    def _recall(self, call: Call, query: str) -> Answer:
        if not query.strip():
            raise InvalidArgument("recall needs query", next_call='memory(action="recall", query="…")')
        return self.search_memory(call, query, DEFAULT_K, DEFAULT_BUDGET)

    def _list(self, call: Call, topic: str) -> Answer:
        facts = self._facts.newest(limit=_LISTED, topic=topic, include_ended=bool(topic))
        total, live = self._facts.statistics()
        about = f"topic {shown(topic, 80)}" if topic else ""
        if not facts:
            first = facts_line("memory list", about, f"none of {total} facts")
            return Answer(clean_text(f'{first}\nnext memory(action="remember", topic="…", fact="…")'))
        items = [_item(fact, findings) for fact, findings in self._facts.verified(facts, call.deadline)]
        listing = fit_items(items, call, DEFAULT_BUDGET - _ENVELOPE_TOKENS, self._counter)
        first = facts_line("memory list", about, f"{listing.items} of {len(facts)} shown", f"{live} live of {total} facts")
        last = 'next memory(action="recall", query="…")' + (f" · {listing.left_out} more by topic" if listing.left_out else "")
        return Answer(clean_text("\n".join([first, *listing.lines, last])))

    def _forget(self, topic: str) -> Answer:
        if not topic.strip():
            raise InvalidArgument("forget needs topic", why="a topic, or one fact as f12", next_call='memory(action="list")')
        gone = self._facts.forget(topic)
        if not gone:
            raise UnknownHandle(f"no fact has the topic {shown(topic, 80)}", next_call='memory(action="list")')
        lines = [f"gone f{fact.id}: {shown(fact.value)}" for fact in gone[:20]]
        first = facts_line("memory forget", shown(topic, 80), f"{len(gone)} facts removed for good")
        return Answer(clean_text("\n".join([first, *lines, 'next memory(action="remember", topic="…", fact="…")'])))


def _resolver(ask_user: AskUser) -> Resolve:
    """Let a person decide a contradiction; without an answer the new value replaces the old one, as always."""

    def resolve(conflict: Conflict) -> Resolution:
        old = "; ".join(f"{shown(fact.value, 200)} (since {shown_time(fact.from_s)})" for fact, _ in conflict.against)
        question = f"{shown(conflict.topic, 80)}: {shown(conflict.value, 200)}. Valid until now: {old}. Which holds?"
        chosen = ask_user(question, [resolution.value for resolution in Resolution])
        return next((resolution for resolution in Resolution if resolution.value == chosen), Resolution.CLOSE_OLD)

    return resolve


def _recalled_item(one: RecalledFact) -> list[str]:
    head, *rest = _item(one.fact, one.findings)
    matched = ", ".join(one.matched[:8])
    replaced = [f"  replaced f{old.id}: {shown(old.value, 200)} (valid {_window(old)})" for old in one.replaced]
    disputed = [f"  against f{other.id}, also valid: {shown(other.value, 200)}" for other in one.disputed]
    return [facts_line(head, f"{one.similarity:.2f}", matched), *rest, *replaced, *disputed]


def _item(fact: Fact, findings: Sequence[Finding]) -> list[str]:
    ended = f"ENDED, by f{fact.closed_by}" if fact.closed_by else "ENDED"
    head = facts_line(
        f"f{fact.id} {shown(fact.topic, 80)}: {shown(fact.value)}",
        "" if fact.is_live else ended,
        f"valid {_window(fact)}",
        f"by {shown(fact.author, 64)}",
        f"confirmed {fact.confirmations}×" if fact.confirmations else "",
    )
    return [head, *(f"  evidence {shown(str(finding), 200)}{_commit(finding)}" for finding in findings)]


def _commit(finding: Finding) -> str:
    """Where evidence does not stand as it did, the commit at which it did."""
    is_as_it_was = finding.standing in (Standing.HOLDS, Standing.UNREADABLE)
    return f" · was so at commit {finding.evidence.commit[:12]}" if finding.evidence.commit and not is_as_it_was else ""


def _window(fact: Fact) -> str:
    until = f" until {shown_time(fact.until_s)}" if fact.until_s is not None else ""
    return f"from {shown_time(fact.from_s)}{until}"


def _standing(findings: Sequence[Finding]) -> str:
    return f" ({', '.join(shown(str(finding), 120) for finding in findings[:2])})" if findings else ""


def _place(path: str, lines: tuple[int, int] | None) -> str:
    return shown(path, 200) + (f":{lines[0]}-{lines[1]}" if lines else "")


def _listed(evidence: str | Sequence[str] | None) -> list[str]:
    """Take one text, a list, or a list that a client sent as JSON text."""
    if evidence is None:
        return []
    if isinstance(evidence, str):
        text = evidence.strip()
        if text.startswith("[") and text.endswith("]"):
            try:
                loaded: object = json.loads(text)
            except ValueError:
                loaded = None
            if isinstance(loaded, list):
                return [str(item) for item in loaded]
        return [part.strip() for part in text.split(",") if part.strip()]
    return [str(item) for item in evidence]
