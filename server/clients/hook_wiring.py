"""Which of a client's hooks call `penstock hook EVENT`. Pure: values only.

Every one of them tells the server that the model may have lost text it was given, so that receipts die. The hooks print
nothing: clients add what they print to the conversation.
"""

from dataclasses import dataclass
from typing import Final

from .jsonc import Json


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook of a client and the event it reports."""

    client_event: str
    matcher: str
    event: str

    def entry(self, command: str) -> Json:
        """The hook's item in the client's settings."""
        action: Json = {"type": "command", "command": f"{_quoted(command)} hook {self.event}"}
        return {"matcher": self.matcher, "hooks": [action]} if self.matcher else {"hooks": [action]}


_HOOKS: Final[dict[str, tuple[Hook, ...]]] = {
    "claude-code": (
        Hook("PreCompact", "", "compact"),
        Hook("SessionStart", "compact", "compact"),
        Hook("SessionStart", "resume", "resume"),
        Hook("SessionStart", "clear", "clear"),
        Hook("SubagentStart", "", "fork"),
    ),
    "gemini-cli": (
        # Fires at every turn, not only where something is compressed (0.61, measured): receipts live for one turn then.
        Hook("PreCompress", "", "compact"),
        Hook("SessionStart", "resume", "resume"),
        Hook("SessionStart", "clear", "clear"),
    ),
}


def hooks_of(client: str) -> tuple[Hook, ...]:
    """The hooks of a client; none where it has no hooks, or none that are known here."""
    return _HOOKS.get(client, ())


def _quoted(command: str) -> str:
    return f'"{command}"' if " " in command else command
