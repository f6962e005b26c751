from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.cache.deadline import Deadline
from penstock.cache.index.cache import IndexCache
from penstock.cache.index.chunk import Symbol
from penstock.cache.index.modules import is_module, module_path, names_of
from penstock.cache.index.named import around, best_first, is_told, span_of
from penstock.cache.index.values import IndexLimits, Relation

MakeIndex = Callable[..., IndexCache]


@pytest.mark.parametrize(
    ("module", "importer", "path"),
    [
        ("penstock.cache.ledger", "server/engine.py", "penstock/cache/ledger"),
        (".values", "cache/index/hops.py", "cache/index/values"),
        ("..deadline", "cache/index/hops.py", "cache/deadline"),
        (".", "cache/index/hops.py", "cache/index"),
        ("./react/x", "src/app.ts", "src/react/x"),
        ("../lib/q.js", "src/app/a.js", "src/lib/q.js"),
        ("crate::net::socket", "src/main.rs", "net/socket"),
        ('"net/tls.h"', "src/main.c", "net/tls.h"),
        ("tls.h", "src/main.c", "tls.h"),
        ("github.com/gin-gonic/gin/binding", "context.go", "github.com/gin-gonic/gin/binding"),
        ("com.acme.Parser", "src/A.java", "com/acme/Parser"),
        ("App\\Http\\Kernel", "index.php", "App/Http/Kernel"),
    ],
)
def test_a_module_is_the_end_of_a_path(module: str, importer: str, path: str) -> None:
    assert module_path(module, importer) == path


@pytest.mark.parametrize(
    ("path", "module", "fits"),
    [
        ("src/net/socket.rs", "net/socket", True),
        ("src/net/socket/mod.rs", "net/socket", True),
        ("cache/index/__init__.py", "cache/index", True),
        ("web/react/x/index.tsx", "react/x", True),
        ("src/supernet/socket.rs", "net/socket", False),
        ("src/net/socket_test.rs", "net/socket", False),
        ("include/net/tls.h", "net/tls.h", True),
    ],
)
def test_a_file_is_a_module_if_its_path_ends_like_it(path: str, module: str, *, fits: bool) -> None:
    assert is_module(path, module) is fits


def test_imported_names_are_known_with_their_modules() -> None:
    found = names_of([(".a.b", ("Reader", "as_text")), ("crate::a::{Bee, c::Dee}", ()), ("os.path", ())])
    assert found["reader"] == [".a.b"]
    assert found["bee"] == found["dee"] == ["crate::a"]
    assert found["path"] == ["os.path"]


def test_the_symbol_that_says_the_query_stands_for_its_chunk() -> None:
    symbols = [
        Symbol("class", "ShelfPlan", 1, 6),
        Symbol("class", "EvictionOrchestrator", 8, 90),
        Symbol("method", "run", 10, 12),
    ]
    weights = {"evictionorchestrator": 9.0, "eviction": 4.0, "orchestrator": 5.0}
    ordered = best_first(symbols, weights, "EvictionOrchestrator")
    assert [symbol.line for symbol in ordered] == [8, 1, 10]
    assert span_of(ordered, "EvictionOrchestrator", 1, 25) == (8, 25)
    assert span_of(ordered, "", 1, 25) == (1, 25)
    assert best_first(symbols, {"eviction": 1.0}, "")[0].name == "EvictionOrchestrator"
    assert best_first(symbols, {"nothing": 1.0}, "") == tuple(symbols)


def test_where_no_name_tells_the_innermost_definition_around_the_lines_does() -> None:
    symbols = [Symbol("class", "A", 1, 6), Symbol("class", "B", 8, 90), Symbol("method", "run", 10, 12)]
    found = around(symbols, [10, 11, 12])
    assert found is not None
    assert found.name == "run"
    assert around(symbols, [3, 11, 50]) == symbols[1]
    assert around(symbols, [7]) is around([], [1]) is None
    assert is_told(Symbol("def", "parse_header", 1), ("header",))
    assert not is_told(Symbol("def", "parse_header", 1), ("parser",))


def written(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def a_project(root: Path) -> None:
    """Two definitions of one name, of which the hit's file imports one; a caller; and files that fill the corpus."""
    written(
        root,
        src__entry_DOT_py="from .near import resolve_target\n\n\ndef needle_entry():\n    return resolve_target(1)\n",
        src__near_DOT_py="def resolve_target(n):\n    return n\n",
        other__far_DOT_py="def resolve_target(n):\n    return -n\n",
        src__app_DOT_py="from .entry import needle_entry\n\n\ndef main_loop():\n    return needle_entry()\n",
        tests__test_app_DOT_py="from src.entry import needle_entry\n\n\ndef test_it():\n    assert needle_entry()\n",
        **{f"filler{n}_DOT_py": f"def unrelated_{n}(): return {n}\n" for n in range(12)},
    )


@pytest.mark.parametrize("inline_files", [50, 1], ids=["delta", "segment"])
def test_hops_follow_calls_to_the_imported_definition_and_back_to_the_caller(
    make_index: MakeIndex, root: Path, inline_files: int
) -> None:
    a_project(root)
    index = make_index(IndexLimits(inline_files=inline_files, build_wait_s=60))
    result = index.search("needle_entry", k=1, deadline=Deadline(60))
    assert result.hits[0].path == "src/entry.py"
    calls = [(hop.path, hop.start, hop.end, hop.name) for hop in result.hops if hop.relation is Relation.CALLS]
    assert calls == [("src/near.py", 1, 2, "resolve_target")]
    callers = [hop.path for hop in result.hops if hop.relation is Relation.CALLED_BY]
    assert callers == ["src/app.py"], "source is named before tests"


def test_the_hit_of_a_name_is_its_definition_alone(make_index: MakeIndex, root: Path) -> None:
    written(root, a_DOT_py="class First:\n    x = 1\n\n\nclass EvictionOrchestrator:\n    y = 2\n\n\nclass Last:\n    z = 3\n")
    hit = make_index().search("EvictionOrchestrator").hits[0]
    assert (hit.start, hit.end, hit.symbols[0].name) == (5, 6, "EvictionOrchestrator")
