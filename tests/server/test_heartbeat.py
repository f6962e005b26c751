"""Long calls show signs of life; short ones cost none, and one client's failure is nobody else's."""

import anyio
import pytest

from penstock.server.heartbeat import Heartbeat

pytestmark = pytest.mark.anyio


async def test_a_long_call_beats_until_it_ends() -> None:
    heart, heard, enough, later, count = Heartbeat(beat_s=0.01), list[str](), anyio.Event(), anyio.Event(), 0

    async def beat(message: str) -> None:
        heard.append(message)
        if len(heard) == 3:
            enough.set()

    async def beat_later(message: str) -> None:
        later.set()

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(heart.run)
            with heart.over("read", beat):
                await enough.wait()
            count = len(heard)
            with heart.over("search", _never):
                pass
            with heart.over("status", beat_later):
                await later.wait()
            tasks.cancel_scope.cancel()
    assert heard[0] == "read has been at work for 0 s"
    assert len(heard) == count


async def test_a_client_that_fails_or_hangs_silences_no_other() -> None:
    heart, heard = Heartbeat(beat_s=0.01), anyio.Event()

    async def fails(message: str) -> None:
        raise OSError(message)

    async def hangs(message: str) -> None:
        await anyio.sleep_forever()

    async def hears(message: str) -> None:
        heard.set()

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(heart.run)
            with heart.over("a", fails), heart.over("b", hangs), heart.over("c", hears):
                await heard.wait()
            tasks.cancel_scope.cancel()


async def _never(message: str) -> None:
    pytest.fail(f"beat for a call that was over: {message}")
