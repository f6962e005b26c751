"""MCP prompts `resume` and `explore`, resources for handles, summaries and status, and their completions.

The collaborators are asked for on first use, because the engine is built by the first call that needs it; what they do runs in
threads under a deadline of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import anyio
import anyio.to_thread
from mcp import MCPError
from mcp.server import MCPServer
from mcp.types import (
    INVALID_PARAMS,
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from ..cache.deadline import Deadline
from ..cache.errors import PenstockError

_T = TypeVar("_T")
_State = TypeVar("_State")

DEADLINE_S: Final = 20.0
MAX_COMPLETIONS: Final = 100
"""The protocol's limit for one answer."""
_EXPLORE: Final = """\
Get to know this workspace before changing it. Search first, read only what the hits name, outlines before bodies.
{path}
1. search(query="…") for the task's own words; follow the next hops it names.
2. read(path="…", view="map") of the files that matter, then lines=a-b around what you need.
3. memory(action="recall", query="…") for what was learned here; session(action="save", note="goal: …") to record the task."""


@dataclass(frozen=True, slots=True)
class HandleLine:
    """A handle as the list of resources shows it."""

    id: str
    tokens: int
    source: str


@dataclass(frozen=True, slots=True)
class PromptSources:
    """What prompts, resources and completions are made of. Each function is synchronous and may be called from any thread."""

    resume: Callable[[Deadline, str], str]
    """(deadline, session id or "") -> the text of the `resume` prompt."""
    explore: Callable[[Deadline, str], str]
    """(deadline, folder or "") -> a tree with token counts."""
    summary: Callable[[Deadline, str], str]
    """(deadline, session id or name) -> its summary."""
    sessions: Callable[[], Sequence[str]]
    """Ids and names of the sessions stored here, most recent first."""
    handles: Callable[[], Sequence[HandleLine]]
    """The newest handles first."""
    content: Callable[[Deadline, str], str]
    """(deadline, handle) -> its text."""
    folders: Callable[[str], Sequence[str]]
    """(prefix) -> folders of the workspace that begin with it."""
    status: Callable[[Deadline], str]
    """The text of `status`."""


def register_prompts(server: MCPServer[_State], sources: Callable[[], PromptSources]) -> None:
    """Add the prompts, the resources and the completions to `server`; `sources` is called on first use, in a thread."""
    _add_prompts(server, sources)
    _add_resources(server, sources)

    @server.completion()
    async def complete(
        ref: PromptReference | ResourceTemplateReference, argument: CompletionArgument, context: CompletionContext | None
    ) -> Completion:
        values = await _in_thread(lambda deadline: completions_for(sources(), ref, argument))
        return Completion(values=values[:MAX_COMPLETIONS], total=len(values), has_more=len(values) > MAX_COMPLETIONS)


def completions_for(
    sources: PromptSources, ref: PromptReference | ResourceTemplateReference, argument: CompletionArgument
) -> list[str]:
    """Return what completes an argument of a prompt or a resource template; nothing for arguments that are not known."""
    name = ref.name if isinstance(ref, PromptReference) else ref.uri
    wanted = argument.value
    known: Sequence[str] = ()
    if (name, argument.name) in (("resume", "session"), (SUMMARY_URI, "session")):
        known = sources.sessions()
    elif (name, argument.name) == (HANDLE_URI, "handle"):
        known = [handle.id for handle in sources.handles()]
    elif (name, argument.name) == ("explore", "path"):
        known = sources.folders(wanted)
    return [value for value in dict.fromkeys(known) if value.startswith(wanted)]


HANDLE_URI: Final = "penstock://handles/{handle}"
SUMMARY_URI: Final = "penstock://summaries/{session}"


def _add_prompts(server: MCPServer[_State], sources: Callable[[], PromptSources]) -> None:
    @server.prompt(name="resume", title="Resume", description="Summary, open handles and facts of an earlier session.")
    async def resume(session: str = "") -> str:
        return await _in_thread(lambda deadline: sources().resume(deadline, session))

    @server.prompt(name="explore", title="Explore", description="A map of the workspace and how to find one's way in it.")
    async def explore(path: str = "") -> str:
        tree = await _in_thread(lambda deadline: sources().explore(deadline, path))
        return _EXPLORE.format(path=tree)

    # Registration is the use of both.
    _ = (resume, explore)


def _add_resources(server: MCPServer[_State], sources: Callable[[], PromptSources]) -> None:
    @server.resource("penstock://status", name="status", description="Pressure, budgets, savings.", mime_type="text/plain")
    async def status() -> str:
        return await _in_thread(lambda deadline: sources().status(deadline))

    @server.resource("penstock://handles", name="handles", description="Handles that can be restored.", mime_type="text/plain")
    async def handles() -> str:
        lines = await _in_thread(lambda deadline: sources().handles())
        return "\n".join(f"{line.id} · {line.tokens:,} tok · {line.source}" for line in lines) or "no handle yet"

    @server.resource(HANDLE_URI, name="handle", description="What a handle stands for.", mime_type="text/plain")
    async def handle(handle: str) -> str:
        return await _in_thread(lambda deadline: sources().content(deadline, handle))

    @server.resource(SUMMARY_URI, name="summary", description="The summary of a session.", mime_type="text/plain")
    async def summary(session: str) -> str:
        return await _in_thread(lambda deadline: sources().summary(deadline, session))

    _ = (status, handles, handle, summary)


async def _in_thread(work: Callable[[Deadline], _T]) -> _T:
    """Run `work` in a thread with a deadline that a cancelled request ends at once."""
    deadline = Deadline(DEADLINE_S)
    try:
        return await anyio.to_thread.run_sync(lambda: work(deadline), abandon_on_cancel=True)
    except PenstockError as error:
        raise MCPError(INVALID_PARAMS, str(error)) from error
    finally:
        deadline.cancel()
