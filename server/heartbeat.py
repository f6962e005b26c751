"""Tells clients every few seconds that a long call is still at work: many count their patience from the last sign of life."""

import logging
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Final

import anyio

from ..cache.deadline import Clock

BEAT_S: Final = 2.0
Beat = Callable[[str], Awaitable[None]]
"""Sends one sign of life; the text says what is at work and how long."""
logger = logging.getLogger(__name__)


class Heartbeat:
    """One task beats for all calls at work: a call that ends sooner costs a dictionary entry. For the event loop."""

    def __init__(self, *, beat_s: float = BEAT_S, clock: Clock = time.monotonic) -> None:
        self._beat_s: Final = beat_s
        self._clock: Final = clock
        self._at_work: dict[int, tuple[str, float, Beat]] = {}
        self._next = 0
        self._begun: anyio.Event | None = None

    def __repr__(self) -> str:
        return f"<Heartbeat {len(self._at_work)} at work>"

    @contextmanager
    def over(self, name: str, beat: Beat) -> Generator[None]:
        """Beat for the time of a `with` block, from `beat_s` seconds after its beginning on."""
        self._next += 1
        key = self._next
        self._at_work[key] = (name, self._clock(), beat)
        if self._begun is not None:
            self._begun.set()
        try:
            yield
        finally:
            del self._at_work[key]

    async def run(self) -> None:
        """Beat for ever; sleeps while nothing is at work."""
        while True:
            if not self._at_work:
                self._begun = anyio.Event()
                await self._begun.wait()
                self._begun = None
            await anyio.sleep(self._beat_s)
            for key, (name, started_s, beat) in list(self._at_work.items()):
                seconds = self._clock() - started_s
                if key in self._at_work and seconds >= self._beat_s:
                    await self._send(beat, f"{name} has been at work for {seconds:.0f} s")

    async def _send(self, beat: Beat, message: str) -> None:
        with anyio.move_on_after(self._beat_s):  # one client that does not read must not silence the others
            try:
                await beat(message)
            except Exception:  # boundary: one call's client may be gone in as many ways as the SDK has errors
                logger.debug("a sign of life was not sent", exc_info=True)
