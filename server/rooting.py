"""Which folder a server works in that was started without one: what the client offers, else what a person names.

Some clients start servers in `/` or the home folder, which are refused. Then nothing is opened until the first call, which asks:
first the client for its roots, then the person for a folder. Both answers pass the rules of `roots`.
"""

import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

import anyio
from mcp import MCPDeprecationWarning, MCPError
from mcp.server.mcpserver import Context
from mcp.types import ListRootsRequest, ListRootsResult

from .asking import AnswerNeeded, Person, can_ask, is_modern, repeated_answer
from .config import ConfigError
from .roots import ROOT_FIX, checked_root

if TYPE_CHECKING:
    from .app import EngineSource

ROOTS_S: Final = 5.0
QUESTION: Final = "Penstock was started outside a project. Which folder may it read? Give its absolute path."
FOLDER: Final = "folder"
_FIELDS: Final = {FOLDER: {"type": "string", "title": "Folder", "description": "absolute path of the project", "minLength": 1}}
logger = logging.getLogger(__name__)


class LateRoot:
    """Finds the folder of one server process, once."""

    def __init__(self, source: "EngineSource", home: Path) -> None:
        self._source = source
        self._home = home
        self._is_declined = False
        self._lock: anyio.Lock | None = None

    async def ensure(self, ctx: Context[Any]) -> None:
        """Return when there is a folder.

        Raises:
            ConfigError: There is none.
            AnswerNeeded: The call must be repeated with an answer.
        """
        if self._source.root is not None:
            return
        self._lock = self._lock or anyio.Lock()
        async with self._lock:
            if self._source.root is None:
                found = await self._offered(ctx) or await self._named(ctx)
                if found is None:
                    raise self._source.missing_root
                self._source.root = found

    async def _offered(self, ctx: Context[Any]) -> Path | None:
        """Return the first of the client's roots that is a project."""
        capabilities = ctx.client_capabilities
        if capabilities is None or capabilities.roots is None or (ctx.request_state or "").startswith(FOLDER):
            return None
        for root in (await self._roots(ctx)).roots:
            parts = urlsplit(str(root.uri))
            try:
                if parts.scheme == "file":
                    return checked_root(Path(url2pathname(parts.path)), self._home, "the client's root")
            except (ConfigError, ValueError):
                logger.info("a root of the client is no project")
        return None

    async def _roots(self, ctx: Context[Any]) -> ListRootsResult:
        request = ListRootsRequest()
        if is_modern(ctx):
            answer = repeated_answer(ctx, "roots", request, ListRootsResult)
            if answer is None:
                raise AnswerNeeded("roots", request)
            return answer
        with anyio.move_on_after(ROOTS_S), warnings.catch_warnings():
            # Deprecated as of 2026-07-28, and the only way that earlier clients can be asked.
            warnings.simplefilter("ignore", MCPDeprecationWarning)
            try:
                return await ctx.session.list_roots()  # pyright: ignore[reportDeprecated]
            except (MCPError, ValueError) as error:
                logger.info("the client did not list its roots: %s", type(error).__name__)
        return ListRootsResult(roots=[])

    async def _named(self, ctx: Context[Any]) -> Path | None:
        """Return the folder that a person names; who declines is not asked again."""
        if self._is_declined or not can_ask(ctx):
            return None
        taken = (await Person(ctx).fill(FOLDER, QUESTION, _FIELDS)).get(FOLDER)
        if not isinstance(taken, str) or not taken.strip():
            self._is_declined = True
            return None
        return named_root(taken.strip(), self._home)


def named_root(text: str, home: Path) -> Path:
    """Return the workspace that a person named.

    Raises:
        ConfigError: It is not an absolute path of a folder that may be one.
    """
    folder = home / text.removeprefix("~/") if text.startswith("~/") else Path(text)
    if not folder.is_absolute():
        raise ConfigError(f"{text[:200]} is not an absolute path", next_call=ROOT_FIX)
    return checked_root(folder, home, "the folder named")
