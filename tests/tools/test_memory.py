"""`memory` and `search scope=memory` over a real archive and real files."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from penstock.cache.archive.facts import FactBook
from penstock.cache.archive.store import ArchiveStore
from penstock.cache.deadline import Deadline
from penstock.cache.errors import InvalidArgument, PathNotFound, SecretDenied, UnknownHandle
from penstock.cache.ledger import Ledger
from penstock.cache.tokens import TokenCount
from penstock.cache.workspace.files import Workspace
from penstock.tools.call import Call
from penstock.tools.memory import MemoryTool


class Counter:
    """About as many tokens as a real vocabulary finds in English."""

    def count(self, text: str) -> TokenCount:
        return TokenCount(len(re.findall(r"\w{1,6}|[^\w\s]", text)))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "src").mkdir(parents=True)
    (root / "src" / "pool.py").write_text("import os\nLIMIT = 100\nTIMEOUT = 30\n")
    (root / ".env").write_text("TOKEN=x\n")
    return root


@pytest.fixture
def tool(tmp_path: Path, root: Path) -> Iterator[MemoryTool]:
    workspace = Workspace([root], ledger=Ledger(64 << 20))
    store = ArchiveStore(tmp_path / "data")

    def read(path: str, deadline: Deadline) -> tuple[str, bytes]:
        source = workspace.read(path, deadline=deadline)
        return source.rel, source.data

    yield MemoryTool(FactBook(store, read), Counter(), author="one")
    store.close()
    workspace.close()


def run(tool: MemoryTool, action: str, **arguments: str | list[str] | None) -> str:
    return tool.run(Call(), action=action, **arguments).text  # pyright: ignore[reportArgumentType] -- as a client sends them


def test_remembering_shows_the_fact_and_its_evidence(tool: MemoryTool) -> None:
    text = run(tool, "remember", topic="Pool limit", fact="100 connections", evidence="src/pool.py:2")
    assert text.splitlines()[:2] == ["memory remember · f1 · pool limit · recorded", "pool limit: 100 connections"]
    assert re.search(r"^evidence src/pool.py:2-2 sha256 [0-9a-f]{12}$", text, re.MULTILINE)


def test_a_new_value_shows_both(tool: MemoryTool) -> None:
    run(tool, "remember", topic="pool limit", fact="100 connections")
    text = run(tool, "remember", topic="pool limit", fact="250 connections")
    assert "ended f1: 100 connections · 100 against 250 · was valid from 20" in text
    recalled = run(tool, "recall", query="pool limit")
    assert "f2 pool limit: 250 connections · valid from" in recalled
    assert "replaced f1: 100 connections (valid from" in recalled
    assert "ENDED, by f2" in recalled


def test_the_same_value_is_confirmed(tool: MemoryTool) -> None:
    run(tool, "remember", topic="timeout", fact="30 s")
    assert "confirmed (2 times)" in run(tool, "remember", topic="timeout", fact="0.5 min")


def test_recall_says_what_became_of_the_evidence(tool: MemoryTool, root: Path) -> None:
    run(tool, "remember", topic="pool limit", fact="100 connections", evidence=["src/pool.py:2", "src/pool.py"])
    assert "evidence src/pool.py:2-2 holds" in run(tool, "recall", query="pool")
    (root / "src" / "pool.py").write_text("# licence\nimport os\nLIMIT = 100\n")
    text = run(tool, "recall", query="pool")
    assert "evidence src/pool.py:2-2 moved to lines 3-3" in text
    assert "evidence src/pool.py changed" in text
    (root / "src" / "pool.py").unlink()
    assert "evidence src/pool.py:2-2 gone" in run(tool, "recall", query="pool")


def test_evidence_that_has_changed_names_the_commit_at_which_it_stood(tool: MemoryTool, root: Path) -> None:
    commit = "0123456789" * 4
    (root / ".git").mkdir()
    (root / ".git" / "HEAD").write_text(f"{commit}\n")
    run(tool, "remember", topic="pool limit", fact="100 connections", evidence="src/pool.py:2")
    assert "src/pool.py:2-2 holds\n" in run(tool, "recall", query="pool")
    (root / "src" / "pool.py").write_text("LIMIT = 250\n")
    assert "src/pool.py:2-2 changed · was so at commit 012345678901" in run(tool, "recall", query="pool")


@pytest.mark.parametrize(
    "evidence", ["src/pool.py:2, src/pool.py:3", '["src/pool.py:2", "src/pool.py:3"]', ["src/pool.py:2", "src/pool.py:3"]]
)
def test_evidence_is_taken_as_text_list_or_json(tool: MemoryTool, evidence: str | list[str]) -> None:
    assert run(tool, "remember", topic="x", fact="y", evidence=evidence).count("\nevidence ") == 2


def test_list_and_forget(tool: MemoryTool) -> None:
    assert run(tool, "list").startswith("memory list · none of 0 facts")
    run(tool, "remember", topic="a", fact="1")
    run(tool, "remember", topic="b", fact="2")
    text = run(tool, "list")
    assert text.splitlines()[0] == "memory list · 2 of 2 shown · 2 live of 2 facts"
    assert text.splitlines()[1].startswith("f2 b: 2 · valid from ")
    assert run(tool, "list", topic="a").splitlines()[0] == "memory list · topic a · 1 of 1 shown · 2 live of 2 facts"
    assert "gone f1: 1" in run(tool, "forget", topic="A")
    with pytest.raises(UnknownHandle):
        run(tool, "forget", topic="a")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"action": "think"}, InvalidArgument),
        ({"action": "remember", "topic": "x"}, InvalidArgument),
        ({"action": "remember", "fact": "x"}, InvalidArgument),
        ({"action": "recall"}, InvalidArgument),
        ({"action": "forget"}, InvalidArgument),
        ({"action": "remember", "topic": "x", "fact": "y", "evidence": "src/pool.py:99"}, InvalidArgument),
        ({"action": "remember", "topic": "x", "fact": "y", "evidence": "missing.py"}, PathNotFound),
        ({"action": "remember", "topic": "x", "fact": "y", "evidence": ".env:1"}, SecretDenied),
        ({"action": "remember", "topic": "db", "fact": "the password is hunter2"}, SecretDenied),
    ],
)
def test_a_call_that_cannot_be_served_says_why(tool: MemoryTool, arguments: dict[str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        tool.run(Call(), **arguments)


def test_a_search_is_bounded_and_counts_what_there_is(tool: MemoryTool) -> None:
    for number in range(30):
        run(tool, "remember", topic=f"limit {number}", fact=f"the connection limit of pool {number} is {number * 10}")
    text = tool.search_memory(Call(), "connection limit", 20, 200).text
    assert Counter().count(text).tokens <= 200
    assert re.search(r"\d+ more: budget=400", text)
    assert "0 matches in 30 facts, 30 live" in tool.search_memory(Call(), "zebra", 5, 200).text


def test_live_lines_fit_their_budget(tool: MemoryTool) -> None:
    assert tool.live_lines(Call(), 100) == []
    for number in range(30):
        run(tool, "remember", topic=f"limit {number}", fact=f"{number}")
    lines = tool.live_lines(Call(), 60)
    assert lines[0] == "- limit 29: 29"
    assert Counter().count("\n".join(lines)).tokens <= 60


def test_a_hostile_topic_cannot_break_a_line(tool: MemoryTool) -> None:
    text = run(tool, "remember", topic="a\nb\x1b[31m", fact="x\u202ey")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.splitlines()[0].startswith("memory remember · f1 · a b\\x1b[31m")


@pytest.mark.parametrize(
    ("choice", "expected", "live"),
    [
        ("the new value replaces the old one", "ended f1: 100 connections · 100 against 250", ["250 connections"]),
        ("both stay valid", "against f1, still valid: 100 connections · 100 against 250", ["250 connections", "100 connections"]),
        ("the old value stays, the new one is not recorded", "not recorded: 250 connections", ["100 connections"]),
        ("", "ended f1: 100 connections", ["250 connections"]),
        ("something else", "ended f1: 100 connections", ["250 connections"]),
    ],
)
def test_a_person_decides_a_contradiction_where_one_can_be_asked(
    tool: MemoryTool, choice: str, expected: str, live: list[str]
) -> None:
    asked: list[tuple[str, list[str]]] = []

    def ask(question: str, choices: Sequence[str]) -> str:
        asked.append((question, list(choices)))
        return choice

    call = Call(ask_user=ask)
    tool.run(call, action="remember", topic="pool limit", fact="100 connections")
    assert asked == []
    text = tool.run(call, action="remember", topic="pool limit", fact="250 connections").text
    assert expected in text
    assert [len(choices) for _, choices in asked] == [3]
    assert asked[0][0].startswith("pool limit: 250 connections. Valid until now: 100 connections (since 20")
    listed = run(tool, "list")
    assert [value for value in ("250 connections", "100 connections") if f": {value} · valid" in listed] == live
    if len(live) == 2:
        assert "against f2, also valid: 250 connections" in run(tool, "recall", query="pool limit")


def test_nothing_is_stored_when_asking_fails(tool: MemoryTool) -> None:
    def ask(question: str, choices: Sequence[str]) -> str:
        raise LookupError

    run(tool, "remember", topic="pool limit", fact="100 connections")
    with pytest.raises(LookupError):
        tool.run(Call(ask_user=ask), action="remember", topic="pool limit", fact="250 connections")
    assert "1 live of 1 facts" in run(tool, "list")
