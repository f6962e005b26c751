"""The static tool definitions: fixed order, fixed bytes, as small as they can be and still teach the calls.

A tool call reaches `ToolHandler` with its raw arguments; the SDK's own validation is passed by, because its error texts name
neither the mistake nor the next call.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.types import CallToolResult, InputRequiredResult, ToolAnnotations

from ..cache.alignment import AlignedText, align, stable_block
from ..cache.tokens import TokenCounter
from ..tools import arguments as args

INSTRUCTIONS: Final = """\
Context tools that save your window; answers are checked against the disk in the same call.
- search first, then read path lines=a-b around the hits.
- read: small files come whole, larger ones as an outline whose spans go into lines=. Edit only from view=full or lines.
- The first line says what was kept; "lossy" names what is missing, and a handle (h…) for restore.
- Re-reading: pass have=<receipt> (last line) only if you still see that text; otherwise leave it out.
- compress long output (text, path or handle); evict what you no longer need; restore brings exact bytes back.
- After compaction or in a new chat: session action=summary, memory action=recall."""

ToolHandler = Callable[[str, Mapping[str, Any], Context[Any]], Awaitable[CallToolResult | InputRequiredResult]]


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """One tool as it is listed."""

    name: str
    model: type[args.Arguments]
    description: str
    is_read_only: bool
    """Whether it leaves everything but the server's own caches as it was."""
    is_idempotent: bool = True


TOOLS: Final = (
    ToolSpec("read", args.ReadArguments, "Read a file in the cheapest true view, or list a directory with token counts.", True),
    ToolSpec("search", args.SearchArguments, "Search the workspace (BM25): ranked path:start-end hits with snippets.", True),
    ToolSpec(
        "compress",
        args.CompressArguments,
        "Shorten long output or logs; kept lines are verbatim, the original stays restorable.",
        True,
    ),
    ToolSpec("evict", args.EvictArguments, "Drop or pin cached content; everything dropped stays restorable.", False),
    ToolSpec("restore", args.RestoreArguments, "Bring exact bytes back by handle, whole or a part.", True),
    ToolSpec(
        "session",
        args.SessionArguments,
        "Save, list, restore, clear, summarise or hand over this session.",
        False,
        is_idempotent=False,
    ),
    ToolSpec(
        "memory", args.MemoryArguments, "Remember facts with evidence; recall re-checks the evidence.", False, is_idempotent=False
    ),
    ToolSpec("status", args.StatusArguments, "Memory pressure, budgets, savings net of overhead, index coverage.", True),
)


def prompt_head(counter: TokenCounter) -> AlignedText:
    """Lay out what a client puts in front of every request: instructions and definitions, the same bytes in every session."""
    listed = [{"name": one.name, "description": one.description, "inputSchema": args.input_schema(one.model)} for one in TOOLS]
    blocks = [stable_block("instructions", INSTRUCTIONS, counter), stable_block("tools", json.dumps(listed), counter, priority=1)]
    return align(blocks, counter)


class RawArguments(FuncMetadata):
    """Hands the arguments on as they came; the handler validates them."""

    def validate_arguments(self, arguments_to_validate: dict[str, Any]) -> dict[str, Any]:
        """Return the raw arguments under the name that the handler function takes them by."""
        return {"arguments": arguments_to_validate}


def build_tool(spec: ToolSpec, handler: ToolHandler) -> Tool:
    """Return the SDK's tool for `spec`, its calls going to `handler`."""

    async def call(arguments: dict[str, Any], ctx: Context[Any]) -> CallToolResult | InputRequiredResult:
        return await handler(spec.name, arguments, ctx)

    return Tool(
        fn=call,
        name=spec.name,
        title=None,
        description=spec.description,
        parameters=args.input_schema(spec.model),
        fn_metadata=RawArguments(arg_model=ArgModelBase),
        is_async=True,
        context_kwarg="ctx",
        # Claude Code shows only names until it has searched for a tool; these few are worth showing at once.
        meta={"anthropic/alwaysLoad": True},
        annotations=ToolAnnotations(
            read_only_hint=spec.is_read_only,
            destructive_hint=None if spec.is_read_only else False,
            idempotent_hint=None if spec.is_read_only else spec.is_idempotent,
            open_world_hint=False,
        ),
    )
