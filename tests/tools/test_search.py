import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from penstock.cache.deadline import Deadline
from penstock.cache.errors import InvalidArgument, PenstockError
from penstock.cache.index.cache import IndexCache
from penstock.cache.index.values import Coverage, IndexLimits
from penstock.cache.ledger import Ledger
from penstock.cache.tokens import TokenCount
from penstock.cache.worker import Worker
from penstock.cache.workspace.files import Workspace
from penstock.tools.answer import Answer
from penstock.tools.call import AnswerLimit, Call
from penstock.tools.search import SearchRequest, SearchTool, coverage_text

HIT = re.compile(r"(?m)^([^\s:][^:\n]*\.\w+):(\d+)-(\d+)")


class WordCounter:
    """Counts words and signs: near enough to tokens, and exact to reason about."""

    def count(self, text: str) -> TokenCount:
        return TokenCount(len(re.findall(r"\w+|[^\w\s]", text)))


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


@dataclass(frozen=True)
class Bench:
    """An index over the test's folder and the way to its files."""

    index: IndexCache
    read: Callable[[str, Deadline], bytes]


@pytest.fixture
def bench(tmp_path: Path, root: Path, worker: Worker) -> Iterator[Bench]:
    ledger = Ledger(64 * 1024 * 1024)
    workspace = Workspace([root], ledger=ledger)
    index = IndexCache(
        workspace,
        ledger=ledger,
        data_dir=tmp_path / "index",
        worker=worker,
        definitions="penstock.tools.languages:structure",
        limits=IndexLimits(build_wait_s=60),
    )

    def read(path: str, deadline: Deadline) -> bytes:
        return workspace.read(path, deadline=deadline).data

    yield Bench(index, read)
    index.close()
    workspace.close()


@pytest.fixture
def tool(bench: Bench) -> SearchTool:
    return SearchTool(bench.index, bench.read, WordCounter())


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_an_answer_has_facts_first_then_hits_then_where_to_go(tool: SearchTool, root: Path) -> None:
    write(
        root,
        src__parse_DOT_py="import os\n\n\ndef parse_header(line):\n    return line.split(':')\n",
        notes_DOT_md="parse nothing\n",
    )
    lines = tool.run(Call(), query="parse header").text.split("\n")
    assert lines[0] == 'search "parse header" · 2 of 2 matching chunks in 2 files · searched 2 of 2 files · confidence high'
    assert lines[1].startswith("src/parse.py:1-5 · function parse_header · header, parse · ")
    assert "  4| def parse_header(line):" in lines
    assert lines[-1].startswith('next read(path="src/parse.py", lines="1-5")')


def test_only_hits_begin_like_a_hit(tool: SearchTool, root: Path) -> None:
    write(root, a_DOT_txt="a.py:10-20 is spelled here, needle\nb.py:3: needle too\n")
    text = tool.run(Call(), query="needle").text
    assert [match[1] for match in HIT.finditer(text)] == ["a.txt"]


def test_every_head_comes_before_any_snippet_is_paid_for(tool: SearchTool, root: Path) -> None:
    write(root, **{f"m{n}_DOT_py": f"def needle_{n}():\n    return 'needle' * {n}\n" * 4 for n in range(9)})
    text = tool.run(Call(), query="needle", k=9, budget=360).text
    assert len(HIT.findall(text)) == 9
    assert WordCounter().count(text).tokens <= 360


def test_a_small_budget_says_how_many_hits_it_left_out(tool: SearchTool, root: Path) -> None:
    write(root, **{f"m{n}_DOT_py": "needle = 1\n" for n in range(30)})
    text = tool.run(Call(), query="needle", k=30, budget=250).text
    shown = len(HIT.findall(text))
    assert 0 < shown < 30
    assert f"{shown} of 30 matching chunks in 30 files" in text
    assert "more: k=" in text


def test_an_answer_stays_below_what_the_client_shows(tool: SearchTool, root: Path) -> None:
    write(root, **{f"m{n}_DOT_py": 'needle = "quoted \\" text"\n' * 20 for n in range(20)})
    limit = AnswerLimit(chars=2_000, bytes=2_000)
    text = tool.run(Call(limit=limit), query="needle", k=20, budget=20_000).text
    assert len(text) <= 2_000
    assert len(text.encode()) <= 2_000


def test_nothing_found_is_said_with_what_was_searched_and_what_is_near(tool: SearchTool, root: Path) -> None:
    write(root, a_DOT_py="def compute_checksum(): pass\n")
    text = tool.run(Call(), query="computechecksum").text
    assert text.startswith('search "computechecksum" · 0 matches · searched 1 of 1 files')
    assert "near: " in text
    assert "compute_checksum" in text


def test_zero_matches_is_said_only_after_everything_was_searched() -> None:
    partial = Coverage(5, 10, is_building=True)
    assert not partial.is_complete
    assert coverage_text(partial) == "searched 5 of 10 files · still indexing"
    assert coverage_text(Coverage(5, 10, is_walk_complete=False)) == "searched 5 of ≥ 10 files · partial"
    assert coverage_text(Coverage(5, 5, age_s=12.4)) == "searched 5 of 5 files · as of 12 s ago"


def test_what_is_nowhere_is_named_beside_the_hits(tool: SearchTool, root: Path) -> None:
    write(root, a_DOT_py="def read_config(): pass\n")
    assert "nowhere: quux" in tool.run(Call(), query="read config quux").text


def test_definitions_that_hits_refer_to_are_the_next_hops(tool: SearchTool, root: Path) -> None:
    write(
        root,
        a_DOT_py="def needle_entry():\n    return resolve_everything(1)\n",
        b_DOT_py="def resolve_everything(n):\n    return n\n",
        **{f"filler{n}_DOT_py": f"def unrelated_{n}(): return {n}\n" for n in range(8)},
    )
    assert "resolve_everything → b.py:1-2" in tool.run(Call(), query="needle entry").text.split("\n")[-1]


@pytest.mark.parametrize(
    "arguments",
    [
        {"query": "x" * 1_000_000},
        {"query": ""},
        {"query": "the and of"},
        {"query": "needle", "k": 0},
        {"query": "needle", "k": 1_000},
        {"query": "needle", "budget": 0},
        {"query": "needle", "prefer": "best"},
        {"query": "needle", "scope": "session"},
        {"query": "needle", "path": "x" * 5_000},
    ],
)
def test_bad_arguments_get_a_typed_error_that_names_the_next_call(tool: SearchTool, arguments: dict[str, str]) -> None:
    with pytest.raises(InvalidArgument) as refused:
        tool.run(Call(), **arguments)  # pyright: ignore[reportArgumentType]
    assert refused.value.next_call


def test_another_scope_is_answered_by_its_provider(bench: Bench) -> None:
    asked: list[SearchRequest] = []

    def provider(call: Call, request: SearchRequest) -> Answer:
        asked.append(request)
        return Answer("remembered")

    other = SearchTool(bench.index, bench.read, WordCounter(), providers={"session": provider})
    assert other.run(Call(), query="needle", scope="session", k=3).text == "remembered"
    assert (asked[0].query, asked[0].k, asked[0].budget) == ("needle", 3, 2_500)


def test_a_file_that_cannot_be_read_any_more_keeps_its_span_and_shows_no_text(bench: Bench, root: Path) -> None:
    write(root, a_DOT_py="needle = 1\n")

    def refuse(path: str, deadline: Deadline) -> bytes:
        raise PenstockError("gone")

    text = SearchTool(bench.index, refuse, WordCounter()).run(Call(), query="needle").text
    assert "a.py:1-1" in text
    assert "  1|" not in text


def test_hostile_names_and_lines_cannot_break_the_answer(tool: SearchTool, root: Path) -> None:
    (root / "bad\nname.py").write_text("needle = '\x1b[31m\u202e'\n")
    text = tool.run(Call(), query="needle").text
    assert "bad\\x0aname.py:1-1" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_confidence_follows_the_sessions_own_median(tool: SearchTool, root: Path) -> None:
    write(root, **{f"m{n}_DOT_py": "needle = 1\n" for n in range(12)})
    for _ in range(13):
        tool.run(Call(client="one"), query="needle")
    assert tool.reservoir.median("one") is not None
    assert tool.reservoir.median("two") is None


def test_a_quoted_phrase_ranks_the_files_that_hold_it_first(tool: SearchTool, root: Path) -> None:
    write(
        root,
        a_DOT_txt="timed out connection connection connection timed\n",
        b_DOT_txt="x\n" * 30 + "the connection timed out again\n",
    )
    assert HIT.findall(tool.run(Call(), query='"connection timed out"').text)[0][0] == "b.txt"


ODD_QUERIES = [
    "größe der Schlange",
    "日本語のテスト",
    "é",
    "x",
    "🙂🙂 needle 🙂",
    "src/parse/needle.py",
    "needle.parse.header()",
    "**/*.py",
    "C:\\temp\\needle.py:12",
    "TypeError: cannot unpack non-iterable NoneType object (needle.py:3)",
    'Traceback (most recent call last):\n  File "src/needle.py", line 3, in <module>\n    needle(1)\nValueError: bad\n',
    "needle " * 4_600,
    "\x00needle\x1b[0m",
    "\ud800needle",
    '"unclosed needle',
    "-needle +parse AND OR NOT (x)",
    "self self self",
    "__init__",
]


@pytest.mark.parametrize("query", ODD_QUERIES)
def test_odd_queries_get_hits_or_a_next_step_within_the_budget(tool: SearchTool, root: Path, query: str) -> None:
    write(
        root,
        src__needle_DOT_py="import parse\n\n\ndef needle(größe):\n    raise ValueError('bad')\n",
        src__日本_DOT_md="日本語のテスト\n",
        a_DOT_py="class Needle:\n    def __init__(self):\n        self.x = 1\n",
    )
    if query == "x":
        with pytest.raises(InvalidArgument) as refused:
            tool.run(Call(), query=query)
        assert refused.value.next_call, "what holds no word is refused with the next call"
        return
    text = tool.run(Call(), query=query, budget=400).text
    text.encode("utf-8")
    assert WordCounter().count(text).tokens <= 400
    lines = text.split("\n")
    assert lines[0].startswith('search "')
    assert "searched 3 of 3 files" in lines[0]
    assert lines[-1].startswith("next ")
    assert HIT.search(text) or "0 matches" in lines[0]


def test_the_definition_around_the_lines_that_matched_stands_for_its_chunk(tool: SearchTool, root: Path) -> None:
    write(root, a_DOT_py="def first():\n    return 1\n\n\ndef second():\n    return needle + haystack\n")
    assert "a.py:1-6 · function second · " in tool.run(Call(), query="needle haystack").text


def test_equal_hits_come_in_the_order_of_their_paths(tool: SearchTool, root: Path) -> None:
    write(root, **{f"{name}_DOT_py": "needle = 1\n" for name in "dacb"})
    assert [path for path, *_ in HIT.findall(tool.run(Call(), query="needle").text)] == ["a.py", "b.py", "c.py", "d.py"]
