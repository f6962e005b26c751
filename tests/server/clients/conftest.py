"""One machine with an installer and a person in front of it, and configuration files as people have them."""

import json
from pathlib import Path

import pytest

from penstock.server.clients.catalogue import Machine, client_spec
from penstock.server.clients.installer import Dialogue, Installer
from penstock.server.clients.planning import InstallOptions
from penstock.server.clients.records import RecordStore

OPTIONS = InstallOptions("/opt/penstock", "/src/app")


class Person:
    """Reads everything and answers every question the same way."""

    def __init__(self, answer: bool = True) -> None:
        self.answer = answer
        self.heard: list[str] = []
        self.asked: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self.heard)

    def confirm(self, question: str) -> bool:
        self.asked.append(question)
        return self.answer


class Bench:
    """One machine with an installer and a person in front of it."""

    def __init__(self, folder: Path, platform: str = "linux") -> None:
        self.home = folder / "home"
        self.project = folder / "project"
        self.data = folder / "data"
        for one in (self.home, self.project):
            one.mkdir(exist_ok=True)
        self.person = Person()
        self.platform = platform
        self.records = RecordStore(self.data)
        self.use_project(self.project)

    def use_project(self, project: Path) -> None:
        """Stand in this folder from here on."""
        self.project = project
        self.machine = Machine(self.home, project, self.platform)
        self.installer = Installer(self.machine, self.records, Dialogue(self.person.heard.append, self.person.confirm))


def documents(syntax: str, table: str = "mcpServers") -> list[str]:
    """Configuration files as people have them: comments, trailing commas, byte order marks, CRLF, blanks, minified, empty."""
    texts: dict[str, list[str]] = json.loads(Path(__file__).with_name("documents.json").read_text("utf-8"))
    return [text.replace("TABLE", table) for text in texts[syntax]]


def user_file(bench: Bench, client: str) -> Path:
    spec = client_spec(client)
    assert spec is not None
    return spec.user_files(bench.machine)[0]


def put(path: Path, text: str) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return text.encode()


def tree(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
