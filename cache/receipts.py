"""Receipts: what proves, in a call, that the caller was given certain bytes before.

A receipt is minted per delivery of a lossless body and printed once, last. It is bound to the path, the content's hash and
the representation; presenting it uses it up, whatever the answer. It dies of age (calls, delivered tokens, time), with the
process, and when a client reports that content may have left its context. The book is the only place that decides
"unchanged"; doubt means content. Sequence numbers, not random ones: the same calls give the same bytes; no number is given out
again after a restart, because a client may still quote the old one.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from .deadline import Clock
from .epoch import EpochFile
from .sequence import SEQUENCE_FILE, SequenceFile


@dataclass(frozen=True, slots=True)
class ReceiptLimits:
    """When a receipt dies, and what gets none (measured in `notes` on false stubs: 3.3 % with these, 0 with epochs)."""

    max_calls: int = 30
    max_delivered_tokens: int = 60_000
    max_age_s: float = 15 * 60.0
    max_body_tokens: int = 20_000
    """Clients show longer answers as a pointer: sent is not seen."""
    repeat_calls: int = 5
    """A repeat within so many calls of a stub means that the stub was no use."""
    max_live: int = 512


@dataclass(frozen=True, slots=True)
class Representation:
    """What of a file is delivered: equal representations of equal content are equal bytes."""

    view: str
    ranges: tuple[tuple[int, int], ...] = ()
    """1-based inclusive; empty = the whole."""
    options: tuple[tuple[str, str], ...] = ()
    """Everything else that shapes the bytes, sorted."""

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole file, verbatim: the base that a diff needs."""
        return self.view == "full" and not self.ranges and not self.options


@dataclass(frozen=True, slots=True)
class Receipt:
    """One live receipt."""

    id: str
    path: str
    sha256: str
    representation: Representation
    call: int
    delivered_tokens: int
    at_s: float


@dataclass(frozen=True, slots=True)
class Proof:
    """What a redeemed receipt proves was delivered."""

    receipt: str
    path: str
    sha256: str
    representation: Representation
    is_unchanged: bool
    """Content and representation are those asked for now: a stub is true."""
    calls_ago: int


@dataclass(frozen=True, slots=True)
class ReceiptStatistics:
    """The book at one moment."""

    live: int
    minted: int
    redeemed: int
    stubs: int
    stub_then_full_within_5: int
    refused: Mapping[str, int]
    """Why a presented receipt proved nothing -> how often."""
    revoked: int
    epoch: int


class ReceiptBook:
    """Mints, redeems and revokes. Thread-safe."""

    def __init__(
        self,
        clock: Clock = time.monotonic,
        *,
        limits: ReceiptLimits | None = None,
        epoch: EpochFile | None = None,
        sequence: SequenceFile | None = None,
    ) -> None:
        """Watch `epoch` for events of other processes; number by `sequence` (default: beside the epoch's file)."""
        self._clock = clock
        self.limits: Final = limits or ReceiptLimits()
        self._epoch = epoch
        self._lock = threading.Lock()
        self._live: OrderedDict[str, Receipt] = OrderedDict()
        self._stubs: OrderedDict[tuple[str, Representation, str], int] = OrderedDict()
        self._epoch_number = epoch.read() if epoch else 0
        self._sequence = sequence or (SequenceFile(epoch.path.with_name(SEQUENCE_FILE)) if epoch else None)
        self._calls = 0
        self._delivered_tokens = 0
        self._minted = self._redeemed = self._stub_count = self._repeats = self._revoked = 0
        self._refused: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<ReceiptBook {len(self._live)} live, epoch {self._epoch_number}>"

    def mint(self, path: str, sha256: str, representation: Representation, *, tokens: int, is_lossy: bool) -> Receipt | None:
        """Return a receipt for a body that is being delivered; None if it is lossy or longer than is surely seen."""
        if is_lossy or tokens > self.limits.max_body_tokens:
            return None
        self._notice_epoch()
        number = self._take_number()
        if number is None:
            return None
        with self._lock:
            self._minted += 1
            receipt = Receipt(
                f"r{number}-{sha256[:4]}",
                path,
                sha256,
                representation,
                self._calls,
                self._delivered_tokens,
                self._clock(),
            )
            self._live[receipt.id] = receipt
            while len(self._live) > self.limits.max_live:
                self._live.popitem(last=False)
            return receipt

    def redeem(self, receipt_id: str, *, path: str, sha256: str, representation: Representation) -> Proof | None:
        """Use `receipt_id` up and return what it proves about `path`, or None: deliver content.

        `sha256` and `representation` are what the caller would be given now. Call it for every delivery of a file, with an
        empty id if none was presented: that is how a repeat after a stub is noticed.
        """
        if receipt_id:
            self._notice_epoch()
        with self._lock:
            stub_call = self._stubs.pop((path, representation, sha256), None)
            is_repeat = stub_call is not None and self._calls - stub_call <= self.limits.repeat_calls
            self._repeats += is_repeat
            if not receipt_id:
                return None
            receipt = self._live.pop(receipt_id.strip(), None)
            refusal = "repeat after a stub" if is_repeat else self._refusal(receipt, path)
            if receipt is None or refusal:
                self._refused[refusal] = self._refused.get(refusal, 0) + 1
                return None
            self._redeemed += 1
            is_unchanged = receipt.sha256 == sha256 and receipt.representation == representation
            if is_unchanged:
                self._note_stub(path, representation, sha256)
            return Proof(
                receipt.id, path, receipt.sha256, receipt.representation, is_unchanged, calls_ago=self._calls - receipt.call
            )

    def is_repeat(self, path: str, sha256: str, representation: Representation) -> bool:
        """Whether this is asked for again within a few calls of a stub for it: the text was not in sight, so send it whole."""
        with self._lock:
            stub_call = self._stubs.get((path, representation, sha256))
            return stub_call is not None and self._calls - stub_call <= self.limits.repeat_calls

    def tick_call(self) -> None:
        """Count a tool call, at its start."""
        with self._lock:
            self._calls += 1

    def add_delivered(self, tokens: int) -> None:
        """Count the tokens of an answer that was sent."""
        with self._lock:
            self._delivered_tokens += tokens

    def revoke_all(self, reason: str) -> int:
        """Kill every live receipt; return how many."""
        with self._lock:
            return self._revoke(reason)

    def revoke(self, matches: Callable[[Receipt], bool]) -> list[str]:
        """Kill the live receipts that `matches`, and return their ids."""
        with self._lock:
            dead = [id_ for id_, receipt in self._live.items() if matches(receipt)]
            for id_ in dead:
                del self._live[id_]
            self._revoked += len(dead)
            return dead

    def live(self) -> list[Receipt]:
        """Return the receipts that would prove something now, oldest first."""
        self._notice_epoch()
        with self._lock:
            return [receipt for receipt in self._live.values() if not self._refusal(receipt, receipt.path)]

    def statistics(self) -> ReceiptStatistics:
        """Return the book at this moment."""
        with self._lock:
            return ReceiptStatistics(
                len(self._live),
                self._minted,
                self._redeemed,
                self._stub_count,
                self._repeats,
                dict(self._refused),
                self._revoked,
                self._epoch_number,
            )

    def _refusal(self, receipt: Receipt | None, path: str) -> str:
        limits = self.limits
        if receipt is None:
            return "unknown or used"
        if receipt.path != path:
            return "other path"
        if self._calls - receipt.call > limits.max_calls:
            return "too many calls ago"
        if self._delivered_tokens - receipt.delivered_tokens > limits.max_delivered_tokens:
            return "too many tokens ago"
        return "too old" if self._clock() - receipt.at_s > limits.max_age_s else ""

    def _note_stub(self, path: str, representation: Representation, sha256: str) -> None:
        self._stub_count += 1
        self._stubs[path, representation, sha256] = self._calls
        while len(self._stubs) > self.limits.max_live:
            self._stubs.popitem(last=False)

    def _revoke(self, reason: str) -> int:
        count = len(self._live)
        self._live.clear()
        self._revoked += count
        if count:
            self._refused[f"revoked: {reason}"] = self._refused.get(f"revoked: {reason}", 0) + count
        return count

    def _take_number(self) -> int | None:
        """Return a number that was never given out, or None: without one a receipt could be taken for another's."""
        if self._sequence is None:
            with self._lock:
                return self._minted + 1
        try:
            return self._sequence.take()
        except OSError:
            return None

    def _notice_epoch(self) -> None:
        """Revoke everything if another process reported an event; one stat, outside the lock."""
        if self._epoch is None or not self._epoch.has_moved():
            return
        number = self._epoch.read()
        with self._lock:
            self._revoke("client event")
            self._epoch_number = max(self._epoch_number, number)
