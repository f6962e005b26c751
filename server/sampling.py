"""Asking the client's own model, where the client offers sampling and the user has enabled it. Never required."""

import logging
import warnings
from typing import Any, Final

import anyio
import anyio.from_thread
from mcp import MCPDeprecationWarning, MCPError
from mcp.server.mcpserver import Context
from mcp.types import SamplingMessage, TextContent

MAX_TOKENS: Final = 1500
ANSWER_S: Final = 20.0
"""A person may have to approve the request; a summary is not worth a longer wait."""
logger = logging.getLogger(__name__)


class ClientModel:
    """The model behind the client of one request; call it from the request's worker thread."""

    def __init__(self, ctx: Context[Any]) -> None:
        self._ctx = ctx

    @staticmethod
    def is_offered(ctx: Context[Any]) -> bool:
        """Whether the client declared sampling and can be asked now (the 2026-07-28 era has no way back)."""
        capabilities = ctx.client_capabilities
        return bool(capabilities and capabilities.sampling) and ctx.session.can_send_request

    def __call__(self, prompt: str) -> str:
        """Return the model's answer, "" if there is none in time."""
        try:
            return anyio.from_thread.run(self._ask, prompt)
        except (MCPError, RuntimeError, anyio.get_cancelled_exc_class()) as error:
            logger.info("the client's model did not answer: %s", type(error).__name__)
            return ""

    async def _ask(self, prompt: str) -> str:
        message = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
        with anyio.move_on_after(ANSWER_S):
            with warnings.catch_warnings():
                # Deprecated as of 2026-07-28, and the only way that earlier clients can be asked.
                warnings.simplefilter("ignore", MCPDeprecationWarning)
                pending = self._ctx.session.create_message(  # pyright: ignore[reportDeprecated]
                    [message], max_tokens=MAX_TOKENS, related_request_id=self._ctx.request_context.request_id
                )
            answer = await pending
            return answer.content.text if isinstance(answer.content, TextContent) else ""
        return ""
