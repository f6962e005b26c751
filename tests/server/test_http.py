from collections.abc import MutableMapping

import pytest

from penstock.server.config import ConfigError
from penstock.server.http import HttpGuard, Receive, Scope, Send, parse_address

HOSTS = frozenset({"127.0.0.1:8765", "localhost:8765"})
GOOD = {b"host": b"127.0.0.1:8765", b"authorization": b"Bearer token"}


async def status_of(headers: dict[bytes, bytes], token: str | None = "token") -> int:
    """Return the status that the guard gives; 200 is what the app behind it answers."""
    sent: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})

    async def receive() -> MutableMapping[str, object]:
        return {"type": "http.request"}

    async def send(message: MutableMapping[str, object]) -> None:
        if message["type"] == "http.response.start":
            sent.append(int(str(message["status"])))

    await HttpGuard(app, HOSTS, token)({"type": "http", "headers": list(headers.items())}, receive, send)
    return sent[0]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({b"origin": b"http://localhost:8765"}, 200),
        ({b"host": b"evil.example:8765"}, 403),
        ({b"host": b"127.0.0.1:8765@evil"}, 403),
        ({b"host": b"127.0.0.1:8765.evil.example"}, 403),
        ({b"host": b"127.0.0.1:9999"}, 403),
        ({b"origin": b"http://evil.example"}, 403),
        ({b"origin": b"null"}, 403),
        ({b"authorization": b""}, 401),
        ({b"authorization": b"Bearer tokeN"}, 401),
        ({b"authorization": b"Basic token"}, 401),
    ],
)
async def test_only_the_exact_host_origin_and_token_pass(changes: dict[bytes, bytes], status: int) -> None:
    assert await status_of({**GOOD, **changes}) == status


@pytest.mark.anyio
async def test_without_a_token_the_host_still_has_to_match() -> None:
    assert await status_of({b"host": b"127.0.0.1:8765"}, None) == 200
    assert await status_of({b"host": b"evil.example"}, None) == 403


@pytest.mark.parametrize(
    "address", ["0.0.0.0:8765", "192.168.1.5:8765", "example.org:80", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:0"]
)
def test_an_address_that_is_not_loopback_is_refused(address: str) -> None:
    with pytest.raises(ConfigError):
        parse_address(address)


def test_loopback_addresses_are_taken() -> None:
    assert parse_address("127.0.0.1:8765") == ("127.0.0.1", 8765)
    assert parse_address("[::1]:80") == ("::1", 80)
