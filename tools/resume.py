"""What an assistant needs after a compaction or in a new chat: summary, open handles, live facts, in one bounded text."""

from collections.abc import Sequence
from typing import Final

from ..cache.alignment import stable_block, variable_block
from ..cache.archive.bridge import age_text
from ..cache.tokens import TokenCounter
from .aligned import aligned_answer
from .answer import clean_text, facts_line
from .call import Call
from .memory import MemoryTool
from .session import SessionTool

RESUME_TOKENS: Final = 1_500
_FACTS_SHARE: Final = 0.3
_FRAME_TOKENS: Final = 160


class Resume:
    """Writes the text of the `resume` prompt."""

    def __init__(self, session: SessionTool, memory: MemoryTool, counter: TokenCounter) -> None:
        self._session = session
        self._memory = memory
        self._counter = counter

    def text(self, call: Call, session_id: str = "", *, budget: int = RESUME_TOKENS) -> str:
        """Return at most `budget` tokens: how to go on from the session asked for, or from the most recent one.

        What stays the same from call to call comes first, so that a prompt cache keeps it: how to go on, goals, decisions, notes.
        The session's age is the last line.

        Raises:
            UnknownHandle: There is no such session.
        """
        room = budget - _FRAME_TOKENS
        facts = self._memory.live_lines(call, int(room * _FACTS_SHARE))
        spent = self._counter.count("\n".join(facts)).tokens
        target, blocks = self._session.resume_blocks(session_id, max(_FRAME_TOKENS, room - spent))
        if target is None:
            head = "resume · nothing is recorded in this workspace yet"
            return clean_text("\n".join([head, *_section("Facts", facts)]))
        how = [
            facts_line("resume", target.label),
            "Go on from here. Handles (h…) hold what was delivered before: restore(handle=…) brings the exact bytes back.",
            f'session(action="restore", id="{target.session.id}") makes search(scope="session") cover that session too.',
            "Files may have changed since: read them again before editing.",
        ]
        age = age_text(self._session.age_s(target))
        last = facts_line(f"last active {age} ago", f"{target.session.events:,} events")
        blocks = [
            stable_block("how", "\n".join(how), self._counter, priority=-1),
            *blocks,
            *(
                variable_block("Facts", text, self._counter, priority=90)
                for text in ["\n".join(_section("Facts", facts))]
                if text
            ),
            variable_block("age", last, self._counter, priority=99),
        ]
        return aligned_answer(blocks, self._counter).text


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"{title}:", *lines] if lines else []
