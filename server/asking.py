"""Asking the person behind the client. Never required: no answer, or none that fits, is as if nobody had been asked.

Earlier protocol versions ask while the call waits. In the 2026-07-28 one a server cannot: the question is the call's result, and
the client repeats the call with the answer; `AnswerNeeded` carries the question there, before anything has been changed.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import anyio
import anyio.from_thread
from mcp import MCPError
from mcp.server.mcpserver import Context
from mcp.types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequest, InputRequiredResult, InputResponse
from mcp_types.version import is_version_at_least

ANSWER_S: Final = 25.0
"""A person who has not answered by then gets the call's usual outcome: clients give a call 60 s, some 45."""
CHOICE: Final = "choice"
_MODERN: Final = "2026-07-28"
_Response = TypeVar("_Response", bound=InputResponse)
logger = logging.getLogger(__name__)


class AnswerNeeded(Exception):
    """The call is to be repeated with the answer to a question."""

    def __init__(self, key: str, request: InputRequest) -> None:
        super().__init__(key)
        self.result = InputRequiredResult(input_requests={key: request}, request_state=f"{key} {digest_of(request)}")


def digest_of(request: InputRequest) -> str:
    """Return what tells one question from another: an answer counts for the question that was asked."""
    return hashlib.sha256(request.model_dump_json(by_alias=True).encode()).hexdigest()[:16]


def is_modern(ctx: Context[Any]) -> bool:
    """Whether questions are results of this call instead of requests during it."""
    return is_version_at_least(ctx.protocol_version or "", _MODERN) if ctx.protocol_version else False


def can_ask(ctx: Context[Any]) -> bool:
    """Whether the client shows forms to a person, and can be sent one now."""
    capabilities = ctx.client_capabilities
    offered = capabilities.elicitation if capabilities else None
    if offered is None or (offered.form is None and offered.url is not None):
        return False
    return is_modern(ctx) or ctx.session.can_send_request


def repeated_answer(ctx: Context[Any], key: str, request: InputRequest, kind: type[_Response]) -> _Response | None:
    """Return the answer that a repeated call carries to exactly this question; None if it has to be asked.

    The state comes back as it was sent: the SDK seals it.
    """
    answer = (ctx.input_responses or {}).get(key)
    if ctx.request_state != f"{key} {digest_of(request)}":
        return None
    return answer if isinstance(answer, kind) else None


class Person:
    """The person behind one request."""

    def __init__(self, ctx: Context[Any], wait_s: float = ANSWER_S) -> None:
        self._ctx = ctx
        self._wait_s = wait_s

    def __call__(self, question: str, choices: Sequence[str]) -> str:
        """Return the choice taken, "" for none; from a worker thread.

        Raises:
            AnswerNeeded: The call must be repeated with the answer.
        """
        fields = {CHOICE: {"type": "string", "title": "Choice", "enum": list(choices)}}
        if is_modern(self._ctx):
            taken = self._repeated("choose", form_of(question, fields))
        else:
            try:
                taken = anyio.from_thread.run(self._asked, form_of(question, fields))
            except (RuntimeError, anyio.get_cancelled_exc_class()):
                taken = {}
        value = taken.get(CHOICE)
        return value if isinstance(value, str) and value in choices else ""

    async def fill(self, key: str, question: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the fields as the person filled them in, not checked; empty without an answer.

        Raises:
            AnswerNeeded: The call must be repeated with the answer.
        """
        form = form_of(question, fields)
        return self._repeated(key, form) if is_modern(self._ctx) else await self._asked(form)

    async def _asked(self, form: ElicitRequestFormParams) -> Mapping[str, Any]:
        """Ask while the call waits."""
        with anyio.move_on_after(self._wait_s):
            try:
                request_id = self._ctx.request_context.request_id
                return _content(await self._ctx.session.elicit_form(form.message, form.requested_schema, request_id))
            except (MCPError, ValueError) as error:  # ValueError: an answer of another form
                logger.info("the question was not answered: %s", type(error).__name__)
        return {}

    def _repeated(self, key: str, form: ElicitRequestFormParams) -> Mapping[str, Any]:
        """Return what the repeated call carries; ask for it to be repeated if it carries no answer to this question."""
        request = ElicitRequest(params=form)
        answer = repeated_answer(self._ctx, key, request, ElicitResult)
        if answer is None:
            raise AnswerNeeded(key, request)
        return _content(answer)


def form_of(question: str, fields: Mapping[str, Any]) -> ElicitRequestFormParams:
    """Return a form of these fields, all of them required."""
    schema: dict[str, Any] = {"type": "object", "properties": dict(fields), "required": list(fields)}
    return ElicitRequestFormParams(message=question, requested_schema=schema)


def _content(answer: ElicitResult) -> Mapping[str, Any]:
    return (answer.content or {}) if answer.action == "accept" else {}
