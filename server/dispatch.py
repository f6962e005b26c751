"""From a tool call on the wire to a tool's answer and back: validation, deadline, cancellation, errors.

Every tool body runs in a bounded pool of threads; nothing here blocks the event loop. This is the outermost guard: whatever a
tool raises becomes an error result, and the server answers the next call.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.from_thread
import anyio.to_thread
from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, InputRequiredResult, TextContent
from pydantic import ValidationError

from ..cache.deadline import Clock, Deadline
from ..cache.errors import Busy, CallCancelled, DeadlineExceeded, InvalidArgument, PenstockError
from ..tools.answer import PARTS_KEY, Answer, clean_text
from ..tools.arguments import Arguments
from ..tools.call import Call
from .asking import AnswerNeeded, Person, can_ask
from .heartbeat import Heartbeat
from .profiles import ClientProfile, profile_for
from .rooting import LateRoot
from .sampling import ClientModel
from .toolset import TOOLS

if TYPE_CHECKING:
    from .app import EngineSource
    from .engine import Engine

GRACE_S: Final = 3.0
"""A thread that does not notice its deadline is given up this much later; the answer does not wait for it."""
PROGRESS_S: Final = 1.0
BEAT_STEP: Final = 0.001
"""Progress must increase; what a tool counts goes up by whole numbers."""
MAX_NAME_CHARS: Final = 100
"""Of a client's name and version: longer ones are nobody's."""
ERROR_CHARS: Final = 2_000
"""An error is never longer, whatever it quotes: half of that from each end."""
logger = logging.getLogger(__name__)


class Dispatcher:
    """Runs tool calls on the engine, which is built on the first of them."""

    def __init__(
        self,
        source: "EngineSource",
        late_root: LateRoot,
        *,
        threads: int,
        queue: int,
        deadline_s: float,
        asks_model: bool = False,
    ) -> None:
        self._source = source
        self._models: Mapping[str, type[Arguments]] = {spec.name: spec.model for spec in TOOLS}
        self._threads = threads
        self._queue = queue
        self._deadline_s = deadline_s
        self._asks_model = asks_model
        self._waiting = 0
        self._limiter: anyio.CapacityLimiter | None = None
        self._late_root = late_root
        self.heartbeat = Heartbeat()
        """Its `run` is started by the lifespan."""

    async def __call__(self, name: str, raw: Mapping[str, Any], ctx: Context[Any]) -> CallToolResult | InputRequiredResult:
        """Serve one call; never raises but for cancellation."""
        try:
            if self._waiting >= self._threads + self._queue:
                raise Busy(f"{self._waiting} calls are already waiting", next_call="repeat this call in a few seconds")
            self._waiting += 1
            try:
                return await self._serve(name, self._validated(name, raw), ctx)
            finally:
                self._waiting -= 1
        except AnswerNeeded as question:
            return question.result
        except PenstockError as error:
            return error_result(error)
        except Exception:  # the outermost boundary: the model gets a typed error, the log the traceback
            logger.exception("tool %s failed", name)
            return error_result(internal_error(name))

    def _validated(self, name: str, raw: Mapping[str, Any]) -> Arguments:
        try:
            return self._models[name].model_validate(raw)
        except ValidationError as error:
            raise argument_error(name, self._models[name], error) from error

    async def _serve(self, name: str, arguments: Arguments, ctx: Context[Any]) -> CallToolResult:
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._threads)
        await self._late_root.ensure(ctx)
        deadline = Deadline(self._deadline_s)
        call = _call_for(ctx, deadline)
        if can_ask(ctx):
            call = replace(call, ask_user=Person(ctx))
        if self._asks_model and ClientModel.is_offered(ctx):
            call = replace(call, ask_model=ClientModel(ctx))

        unsent = self._source.unsent

        def work() -> Answer:
            engine = self._source.engine()
            answer = run_tool(engine, name, call, arguments)
            if unsent is not None:
                unsent.hold(ctx.request_id, answer.text, engine.ledger)
                if deadline.is_cancelled:
                    unsent.drop(ctx.request_id)
            return answer

        is_answered = False
        try:
            with anyio.move_on_after(self._deadline_s + GRACE_S):
                answer = await self._worked(work, name, call)
                is_answered = True
                return result_of(answer)
        finally:
            deadline.cancel()  # nobody waits any more: a thread still at it stops at its next check
            if unsent is not None and not is_answered:
                unsent.drop(ctx.request_id)
        raise DeadlineExceeded(
            f"{name} took longer than {self._deadline_s:g} s",
            next_call="repeat it for a smaller part: fewer paths, a range, a narrower query or a smaller budget",
        )

    async def _worked(self, work: Callable[[], Answer], name: str, call: Call) -> Answer:
        """Run the body in the pool while the client hears of it; raises what the body raises."""
        progress = call.progress
        with self.heartbeat.over(name, progress.beat) if isinstance(progress, Progress) else nullcontext():
            return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._limiter)


class Progress:
    """Carries progress from the tool's thread to the client, at most once a second; the SDK drops what nobody asked for."""

    def __init__(self, ctx: Context[Any], *, clock: Clock = time.monotonic) -> None:
        self._ctx = ctx
        self._clock = clock
        self._next_s = clock() + PROGRESS_S
        self._floor = -1.0

    def __call__(self, done: int, total: int, message: str) -> None:
        """Report from a worker thread."""
        if self._clock() < self._next_s or done <= self._floor:  # the protocol wants progress to increase
            return
        self._next_s, self._floor = self._clock() + PROGRESS_S, float(done)
        try:
            anyio.from_thread.run(self._ctx.report_progress, done, total or None, clean_text(message))
        except (RuntimeError, anyio.get_cancelled_exc_class(), anyio.ClosedResourceError):
            logger.debug("progress was not sent: the call is over")

    async def beat(self, message: str) -> None:
        """Tell the client that the call is at work, unless something was counted just now."""
        if self._clock() >= self._next_s:
            self._floor = max(0.0, self._floor) + BEAT_STEP
            await self._ctx.report_progress(self._floor, None, message)


def run_tool(engine: "Engine", name: str, call: Call, arguments: Arguments) -> Answer:
    """Run the tool's body in this thread; whatever it raises leaves as a `PenstockError`."""
    try:
        return engine.run(name, call, arguments)
    except (PenstockError, AnswerNeeded):
        raise
    except (MemoryError, RecursionError) as error:
        logger.exception("tool %s ran out of memory or stack", name)
        raise internal_error(name) from error
    except BaseException as error:  # a Rust panic in a dependency is a BaseException; so is sys.exit in one
        logger.exception("tool %s failed", name)
        raise internal_error(name) from error


def internal_error(name: str) -> PenstockError:
    """Return the error for a failure of ours; its details go to the log alone."""
    return PenstockError(
        f"{name} failed inside the server",
        why="this is a defect of Penstock, not of your call; the log has the details",
        next_call="read the file with view=full, or use your own tools for this step",
    )


def argument_error(name: str, model: type[Arguments], error: ValidationError) -> InvalidArgument:
    """Say which argument is wrong, why, and what the tool takes."""
    import difflib

    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    known = ", ".join(model.model_fields)
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(field, list(model.model_fields), 1, 0.6)
        hint = f"did you mean {near[0]}? " if near else ""
        return InvalidArgument(f"{name} has no argument {field[:80]!r}", next_call=f"{hint}it takes: {known}")
    if first["type"] == "missing":
        return InvalidArgument(f"{name} needs {field}", next_call=f"repeat with {field}=…; it takes: {known}")
    return InvalidArgument(f"{name}: {field} is not valid: {first['msg']}", next_call=f"correct {field}; {name} takes: {known}")


def error_result(error: PenstockError) -> CallToolResult:
    """Return the error as the model reads it: one text block, its code in front."""
    if isinstance(error, CallCancelled):
        logger.debug("call cancelled")
    text = clean_text(f"error {error.code}: {error}")
    if len(text) > ERROR_CHARS:  # it quotes an argument: both ends say what is wrong and what to do
        text = f"{text[: ERROR_CHARS // 2]} … {text[-ERROR_CHARS // 2 :]}"
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


def result_of(answer: Answer) -> CallToolResult:
    """Return a tool's answer as one text block, with the machine's half in `_meta`."""
    meta: dict[str, Any] = dict(answer.meta)
    if answer.parts:
        meta[PARTS_KEY] = list(answer.parts)
    return CallToolResult(
        content=[TextContent(type="text", text=clean_text(answer.text))], is_error=answer.is_error, _meta=meta or None
    )


def client_profile(ctx: Context[Any]) -> ClientProfile:
    """Return the profile of the client that made this request; unknown ones get the strictest."""
    params = ctx.session.client_params
    info = params.client_info if params is not None else None
    if info is None:
        return profile_for(None)
    return profile_for(info.name[:MAX_NAME_CHARS], info.version[:MAX_NAME_CHARS])


def _call_for(ctx: Context[Any], deadline: Deadline) -> Call:
    profile = client_profile(ctx)
    return Call(deadline=deadline, limit=profile.limit, progress=Progress(ctx), client=profile.key)
