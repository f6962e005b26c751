"""`penstock serve --http`: the same server over streamable HTTP, on a loopback address, behind a bearer token.

A web page must not reach it (DNS rebinding, CSRF), nor another user of this machine: the Host must be the bound address, any
Origin must be it too, and the token must match. The guard is the outermost layer; it is ours because the SDK's own check
covers some bindings only and compares by prefix (measured).
"""

import hmac
import os
import secrets
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Final

import anyio

from .app import EngineSource, create_app
from .config import Config, ConfigError

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class HttpGuard:
    """ASGI middleware: exact Host, exact Origin, bearer token; everything else is refused before the app sees it."""

    def __init__(self, app: AsgiApp, hosts: frozenset[str], token: str | None) -> None:
        self._app = app
        self._hosts = hosts
        self._origins = frozenset(f"http://{host}" for host in hosts)
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is allowed; answer the rest with 403 or 401."""
        if scope["type"] == "http":
            status = self._refusal(dict(scope["headers"]))
            if status:
                await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
                await send({"type": "http.response.body", "body": b""})
                return
        elif scope["type"] != "lifespan":
            return
        await self._app(scope, receive, send)

    def _refusal(self, headers: dict[bytes, bytes]) -> int:
        if headers.get(b"host", b"").decode("latin-1") not in self._hosts:
            return 403
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1") not in self._origins:
            return 403
        sent = headers.get(b"authorization", b"").decode("latin-1")
        if self._token is not None and not hmac.compare_digest(sent, f"Bearer {self._token}"):
            return 401
        return 0


def parse_address(address: str) -> tuple[str, int]:
    """Return (host, port).

    Raises:
        ConfigError: Not a loopback host, or no port number.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if host not in _LOOPBACK:
        raise ConfigError(f"--http {address}: only loopback addresses are served", next_call="use --http 127.0.0.1:8765")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ConfigError(f"--http {address}: no port number", next_call="use --http 127.0.0.1:8765")
    return host, int(port)


def serve_http(config: Config, root: Path, *, address: str, is_open: bool) -> int:
    """Serve until SIGINT or SIGTERM. The token is `PENSTOCK_HTTP_TOKEN`, else a fresh one in a 0600 file named on stderr."""
    import uvicorn

    host, port = parse_address(address)
    token = None if is_open else os.environ.get("PENSTOCK_HTTP_TOKEN") or _fresh_token(config.data_dir)
    hosts = frozenset(f"{f'[{name}]' if ':' in name else name}:{port}" for name in _LOOPBACK)
    source = EngineSource(config, root)
    app = create_app(source).streamable_http_app(host=host)
    server = uvicorn.Server(uvicorn.Config(HttpGuard(app, hosts, token), host=host, port=port, log_level="warning"))
    sys.stderr.write(f"penstock: http://{host}:{port}/mcp\n")
    try:
        anyio.run(server.serve)
    finally:
        source.close()
    return 0


def _fresh_token(data_dir: Path) -> str:
    token = secrets.token_urlsafe(32)
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data_dir / "http-token"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token)
    sys.stderr.write(f"penstock: bearer token in {path}\n")
    return token
