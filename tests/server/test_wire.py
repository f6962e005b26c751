"""Lines on the wire: what surely does not block is written at once."""

import io
import os

import pytest

from penstock.server.wire import SMALL_BYTES, WireWriter


@pytest.mark.skipif(not SMALL_BYTES, reason="this system cannot say what a pipe takes")
def test_a_small_message_is_taken_while_the_pipe_has_room_and_not_when_it_is_full() -> None:
    read_fd, write_fd = os.pipe()
    with os.fdopen(read_fd, "rb") as reader, os.fdopen(write_fd, "wb") as raw:
        writer = WireWriter(raw, lambda: pytest.fail("broken"))
        text, taken = "x" * (SMALL_BYTES - 1) + "\n", 0
        while writer.takes_now(text):
            writer.write(text)
            taken += 1
        assert taken > 1
        assert len(os.read(reader.fileno(), taken * SMALL_BYTES)) == taken * SMALL_BYTES
        assert writer.takes_now(text)


def test_a_large_message_is_never_taken_at_once() -> None:
    writer = WireWriter(io.BufferedWriter(io.BytesIO()), lambda: None)  # pyright: ignore[reportArgumentType]
    assert not writer.takes_now("ä" * SMALL_BYTES)
    assert not writer.takes_now("x" * (SMALL_BYTES + 1))
