"""`restore`: the exact bytes behind a handle, whole, by lines, or the lines that answer a query."""

import re
from dataclasses import replace
from typing import Final

from ..cache.borrowing import text_bytes
from ..cache.errors import InvalidArgument, UnknownHandle
from ..cache.payloads import PayloadStore
from ..cache.workspace.ranges import parse_ranges, plan_ranges
from .answer import Answer, compose, facts_line
from .arguments import MAX_QUERY_CHARS
from .call import Call
from .deliver import Delivery
from .filetext import file_text
from .paging import Room

_RECEIPT: Final = re.compile(r"r\d+-[0-9a-f]{4}")


class RestoreTool:
    """Serves `restore`. Always sends bytes, never a pointer to text that was sent earlier."""

    def __init__(self, payloads: PayloadStore, delivery: Delivery) -> None:
        self._payloads = payloads
        self._delivery = delivery

    def run(
        self, call: Call, *, handle: str, lines: str | None = None, query: str | None = None, budget: int | None = None
    ) -> Answer:
        """Answer one call.

        Raises:
            UnknownHandle: Nothing is known under this name.
            HandleExpired: It was known, and its time is over.
            CorruptPayload: The stored bytes fail their hash; they are never sent.
        """
        handle = handle.strip()
        if _RECEIPT.fullmatch(handle):
            raise UnknownHandle(f"{handle} is a receipt, not a handle", next_call=f"read the path again with have={handle}")
        if query is not None and len(query) > MAX_QUERY_CHARS:
            raise InvalidArgument(
                f"query has {len(query):,} characters; the limit is {MAX_QUERY_CHARS:,}", next_call="repeat with its key words"
            )
        payload = self._payloads.load(handle)
        call.deadline.check()
        call.buffers.take(text_bytes(payload.data))
        file = file_text(payload.handle.source or handle, payload.data, payload.handle.sha256)
        limit = replace(call.limit, tokens=min(call.limit.tokens, budget)) if budget else call.limit
        total = len(file.lines)
        ranges = None
        if lines:
            ranges = plan_ranges(parse_ranges(lines), total)
            if not ranges:
                raise InvalidArgument(
                    f"lines={lines[:80]} is past the end: {total:,} lines", next_call=f"restore lines=1-{total}"
                )
        elif query:
            part = self._delivery.matching(file, query, limit, handle=payload.handle.id)
            return compose([part])
        parts = self._delivery.exact(file, limit, view="restore", ranges=ranges, room=Room.of(limit), with_receipt=False)
        origin = facts_line(payload.handle.id, f"from {payload.origin.value}", f"{len(payload.data):,} bytes")
        shown = [replace(part, facts=facts_line(origin, part.facts), handle=payload.handle.id) for part in parts]
        return compose(shown)
