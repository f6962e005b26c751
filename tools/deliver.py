"""What is sent of a file, and how it is labelled: exact pages, lossy views, stubs and diffs.

The one place that decides between sending content and saying "unchanged": only a receipt that *this* call carries, and that the
bytes just read still match, allows the latter. In doubt, content.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ..cache.content import Content
from ..cache.delta import unified
from ..cache.handles import HandleKind
from ..cache.payloads import PayloadStore
from ..cache.receipts import Proof, ReceiptBook, Representation
from ..cache.tokens import TokenCount
from ..cache.workspace.ranges import LineRange
from .answer import Part, facts_line
from .call import AnswerLimit, Call
from .filetext import FileText, TokenMemo
from .paging import Page, Room, is_surely_within, page_of
from .views.focus import focus_view
from .views.view import View

DIFF_WORTH: Final = 0.6
"""A diff of this share of the file's tokens or more is no saving worth the reader's effort: the file is sent."""
MATCHING_BUDGET: Final = 2500
MIN_PAGE_CHARS: Final = 200
"""A range that has room for less than this waits for the next call."""


class Delivery:
    """Lays out parts; mints and redeems receipts; keeps what it leaves out restorable."""

    def __init__(self, payloads: PayloadStore, receipts: ReceiptBook, memo: TokenMemo) -> None:
        self._payloads = payloads
        self._receipts = receipts
        self.memo = memo

    def is_repeat(self, file: FileText, ranges: Sequence[LineRange] | None) -> bool:
        """Whether the caller asks again right after a stub: it could not see the text, so it gets all of it."""
        return self._receipts.is_repeat(file.name, file.sha256, representation_of(ranges))

    def is_smaller(self, view: View, file: FileText) -> bool:
        """Whether a lossy view saves anything against the raw file."""
        return len(view.body) < len(file.text) and self.memo.tokens(view.body) < self.memo.count(file.sha256, file.text).tokens

    def exact(
        self,
        file: FileText,
        limit: AnswerLimit,
        *,
        view: str,
        ranges: Sequence[LineRange] | None,
        room: Room,
        with_receipt: bool = True,
    ) -> list[Part]:
        """Return the whole text, or the ranges, verbatim: as much as the client shows, and how to go on."""
        if ranges is None and is_surely_within(file.text, limit.tokens) and room.copy().take(file.text, file.total):
            page = Page(file.text, 1, max(1, file.total))
            return [self._page_part(file, view, page, is_rest=False, with_receipt=with_receipt)]
        spans = ranges or [LineRange(1, max(1, file.total))]
        parts: list[Part] = []
        left = room.copy()
        for at, span in enumerate(spans):
            lines, skipped = file.slice(span)
            page = page_of(lines, limit, self.memo.tokens, first=span.first, start_char=skipped, room=left)
            if parts and page.next_line and len(page.text) < MIN_PAGE_CHARS:
                return _continued(parts, ",".join(str(later) for later in spans[at:]))
            if len(spans) > 1:
                left.take(page.text, page.last - page.first + 1)
            parts.append(self._page_part(file, view, page, is_rest=skipped > 0, with_receipt=with_receipt))
            if page.next_line:
                rest = [file.continuation(page, span.last), *(str(later) for later in spans[at + 1 :])]
                return _continued(parts, ",".join(rest))
        return parts

    def _page_part(self, file: FileText, view: str, page: Page, *, is_rest: bool, with_receipt: bool) -> Part:
        raw = self.memo.count(file.sha256, file.text)
        total = file.total
        is_piece = page.is_cut or is_rest
        is_whole = page.first == 1 and page.last >= total and not is_piece
        tokens = raw.tokens if is_whole else self.memo.tokens(page.text)
        if is_whole:
            size = [f"{total:,} line{'s' if total != 1 else ''}", f"{raw} tok"]
        elif is_piece:
            size = [f"part of line {page.first:,} of {total:,}", f"{tokens:,} of {raw} tok"]
        else:
            size = [f"lines {page.first:,}-{page.last:,} of {total:,}", f"{tokens:,} of {raw} tok"]
        receipt = ""
        if with_receipt and not (is_piece or file.is_changing or raw.is_estimated):
            shown = Representation("full") if is_whole else Representation("lines", ((page.first, page.last),))
            receipt = self._mint(file, shown, tokens)
        return Part(
            path=file.name,
            view=view,
            body=page.text,
            facts=facts_line(file.shown, view, *size, *file.warnings(page.text)),
            tail=f"receipt {receipt}" if receipt else "",
            lines=(page.first, page.last) if total else None,
            of_lines=total,
            sha256=file.sha256,
            receipt=receipt,
            tokens=tokens,
            raw_tokens=raw.tokens,
        )

    def _mint(self, file: FileText, representation: Representation, tokens: int) -> str:
        """Return the id of a receipt for text that is about to be sent; "" if none is given for it."""
        minted = self._receipts.mint(file.name, file.sha256, representation, tokens=tokens, is_lossy=False)
        return minted.id if minted else ""

    def lossy(self, call: Call, content: Content, file: FileText, view: View) -> Part:
        """Return a lossy view; the exact bytes get a handle that outlives this process before the answer leaves."""
        call.deadline.check()
        raw = self.memo.count(file.sha256, file.text)
        handle = self._payloads.keep(content.data, kind=HandleKind.FILE_VIEW, source=content.rel, tokens=raw.tokens)
        return self._lossy_part(file, view, raw, handle.id)

    def _lossy_part(self, file: FileText, view: View, raw: TokenCount, handle: str) -> Part:
        tokens = self.memo.tokens(view.body)
        first, last = (view.kept[0][0], view.kept[-1][1]) if view.kept else (1, max(1, view.total_lines))
        facts = facts_line(
            file.shown,
            view.name,
            f"{view.kept_lines:,} of {view.total_lines:,} lines",
            f"{tokens:,} of {raw} tok",
            "lossy" if view.is_lossy else "",
            *view.notes,
            *file.warnings(""),
            f"rest: {view.rest}" if view.rest else "",
        )
        return Part(
            path=file.name,
            view=view.name,
            body=view.body,
            facts=facts,
            tail=f"restore {handle}",
            lines=(first, last),
            of_lines=view.total_lines,
            sha256=file.sha256,
            is_lossy=view.is_lossy,
            handle=handle,
            tokens=tokens,
            raw_tokens=raw.tokens,
        )

    def matching(self, file: FileText, query: str, limit: AnswerLimit, *, handle: str) -> Part:
        """Return the passages of a payload that answer `query`, within `limit` tokens."""
        view = focus_view(file.text, query, self.memo.tokens, budget=min(limit.tokens, MATCHING_BUDGET))
        raw = self.memo.count(file.sha256, file.text)
        return self._lossy_part(file, view, raw, handle)

    def proven(
        self, call: Call, have: str, file: FileText, data: bytes, *, view: str, ranges: Sequence[LineRange] | None
    ) -> Part | None:
        """Return a stub or a diff if a receipt in `have` allows it; None: send content.

        Every exact or automatic read comes through here, with or without a receipt: that is how a repeat after a stub is noticed.
        """
        asked = representation_of(ranges)
        for receipt in _receipt_ids(have) or ("",):
            proof = self._receipts.redeem(receipt, path=file.name, sha256=file.sha256, representation=asked)
            if proof is None or file.is_changing:
                continue
            if proof.is_unchanged:
                return self._stub(receipt, file, asked)
            if proof.representation.is_whole and asked.is_whole and view in ("auto", "diff"):
                return self._delta(call, proof, file, data, is_explicit=view == "diff")
        return None

    def _stub(self, receipt: str, file: FileText, asked: Representation) -> Part:
        body = f"unchanged since receipt {receipt}. If you cannot see that text, repeat without have.\n"
        spans = ",".join(f"{first}-{last}" for first, last in asked.ranges) or f"1-{file.total}"
        return Part(
            path=file.name,
            view="unchanged",
            body=body,
            facts=facts_line(file.shown, "unchanged", f"lines {spans}", f"sha256 {file.sha256[:12]}"),
            of_lines=file.total,
            sha256=file.sha256,
            tokens=self.memo.tokens(body),
            raw_tokens=self.memo.count(file.sha256, file.text).tokens,
        )

    def _delta(self, call: Call, proof: Proof, file: FileText, data: bytes, *, is_explicit: bool) -> Part | None:
        old = self._payloads.version(proof.sha256)
        if old is None:
            return None
        part = self.against(call, file, data, old, f"receipt {proof.receipt}")
        raw = self.memo.count(file.sha256, file.text).tokens
        if part.is_lossy or (part.tokens >= DIFF_WORTH * raw and not is_explicit):
            return None
        receipt = self._mint(file, Representation("full"), raw)
        return replace(part, tail=f"receipt {receipt}" if receipt else "", receipt=receipt)

    def against(self, call: Call, file: FileText, data: bytes, old: bytes, label: str) -> Part:
        """Return the diff from `old` to the file; what the client does not show of it is restorable."""
        call.deadline.check()
        shown = file.shown
        diff = unified(old, data, names=(f"{shown} ({label})", shown))
        body = diff if diff is not None else "the two versions have no exact text diff\n"
        if diff == "":
            body = f"no difference against {label}\n"
        page = page_of(_lines(body), call.limit, self.memo.tokens)
        raw = self.memo.count(file.sha256, file.text).tokens
        tokens = self.memo.tokens(page.text)
        is_cut = bool(page.next_line) or diff is None
        handle = ""
        if page.next_line:
            whole = self.memo.tokens(body)
            handle = self._payloads.keep(body.encode(), kind=HandleKind.TOOL_RESULT, source=f"diff {file.name}", tokens=whole).id
        facts = facts_line(shown, "diff", f"against {label}", f"{tokens:,} of {raw:,} tok", "lossy" if is_cut else "")
        return Part(
            path=file.name,
            view="diff",
            body=page.text,
            facts=facts,
            tail=f"next restore handle={handle} lines={page.next_line}-" if handle else "",
            of_lines=file.total,
            sha256=file.sha256,
            is_lossy=is_cut,
            handle=handle,
            tokens=tokens,
            raw_tokens=raw,
        )


def representation_of(ranges: Sequence[LineRange] | None) -> Representation:
    """Return what an exact delivery of `ranges`, or of the whole file, is bound to."""
    if ranges is None:
        return Representation("full")
    return Representation("lines", tuple((span.first, span.last or span.first) for span in ranges))


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+$", text)


def _receipt_ids(have: str) -> Sequence[str]:
    return list(dict.fromkeys(re.findall(r"r\d+-[0-9a-f]{4}", have[:4096])))


def _continued(parts: list[Part], rest: str) -> list[Part]:
    last = parts[-1]
    tail = f"next lines={rest}" + (f" · {last.tail}" if last.tail else "")
    return [*parts[:-1], replace(last, tail=tail)]
