"""Fixtures shared by all tests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pipe import ERAS, Era, PipeClient

Connect = Callable[..., PipeClient]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> Era:
    """Both protocol eras."""
    return request.param


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small workspace."""
    folder = tmp_path / "root"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "app.py").write_text(
        '"""The app."""\n\n\ndef greet(name: str) -> str:\n    """Return a greeting."""\n    return f"hello {name}"\n'
    )
    (folder / "src" / "big.py").write_text(
        "".join(
            f"def function_{i}(value: int) -> int:\n    '''Add {i} to the value.'''\n    return value + {i}\n\n\n"
            for i in range(200)
        )
    )
    (folder / "notes.md").write_text("# Notes\n\nThe penstock regulates the flow under pressure.\n")
    return folder


@pytest.fixture
def connect(root: Path, tmp_path: Path) -> Iterator[Connect]:
    """Start servers on the small workspace; all are closed at the end, and none may have written junk to stdout."""
    clients: list[PipeClient] = []

    def start(**options: Any) -> PipeClient:
        client = PipeClient(options.pop("root", root), tmp_path / "data", **options)
        clients.append(client)
        return client

    yield start
    for client in clients:
        client.close()
        assert client.stray == []
