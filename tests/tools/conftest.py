"""A real engine on a small workspace, called as the edge calls it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from penstock.cache.deadline import Deadline
from penstock.server.config import load_config
from penstock.server.engine import Engine
from penstock.server.toolset import TOOLS
from penstock.tools.arguments import Arguments
from penstock.tools.call import AnswerLimit, Call

MODELS: dict[str, type[Arguments]] = {spec.name: spec.model for spec in TOOLS}


@dataclass(frozen=True)
class Served:
    """An answer, its parts as machines read them."""

    text: str
    parts: list[dict[str, Any]]
    is_error: bool
    meta: dict[str, Any]


class Caller:
    """Calls tools of one engine."""

    def __init__(self, root: Path, data_dir: Path) -> None:
        self.root = root
        self.engine = Engine(load_config(flags={"data_dir": data_dir}, env={}, home=data_dir), root)
        self.limit = AnswerLimit(chars=48_000, bytes=100_000, tokens=20_000)

    def __call__(self, tool: str, **arguments: Any) -> Served:
        call = Call(deadline=Deadline(60.0), limit=self.limit)
        answer = self.engine.run(tool, call, MODELS[tool].model_validate(arguments))
        return Served(answer.text, [dict(part) for part in answer.parts], answer.is_error, dict(answer.meta))

    def bodies(self, answer: Served) -> list[str]:
        """Return each part's body by its offsets."""
        return [answer.text[start:end] for start, end in (part["body"] for part in answer.parts)]


@pytest.fixture
def call(root: Path, tmp_path: Path) -> Iterator[Caller]:
    caller = Caller(root, tmp_path / "data")
    yield caller
    caller.engine.close()
