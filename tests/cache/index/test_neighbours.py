from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.cache.deadline import Deadline
from penstock.cache.index.cache import IndexCache
from penstock.cache.index.neighbour import FileOutline, Neighbour, Neighbours, Ties
from penstock.cache.index.resolve import ImportResolver
from penstock.cache.index.sources import Sources
from penstock.cache.index.values import IndexLimits

MakeIndex = Callable[..., IndexCache]
FILES = {
    "src/shop/__init__.py": "",
    "src/shop/basket.py": "from .money import round_half_up\n\n\nclass Basket:\n"
    "    def append(self, one):\n        return round_half_up(one)\n",
    "src/shop/money.py": "def round_half_up(n):\n    return n\n",
    "src/shop/json.py": "def parse(text):\n    return text\n",
    "src/app.py": "import json\nfrom shop import basket\nfrom shop.money import round_half_up\n\n\ndef main():\n"
    "    basket.Basket().append(1)\n    return round_half_up(json)\n",
    "tests/test_money.py": "from src.shop.money import round_half_up\n\n\ndef test_it():\n    assert round_half_up(1)\n",
    "tools/report.py": "def lines():\n    found = []\n    found.append(1)\n    return round_half_up(found)\n",
    "web/q.ts": "export function q() { return 1 }\n",
    "web/q.test.ts": "import { q } from './q.js'\n\ntest('q', () => { q() })\n",
    "web/ui/index.tsx": "export const ui = 1\n",
    "web/main.ts": "import { ui } from './ui'\nimport { q } from './q'\nimport x from 'q'\n",
    "lib/a/tls.h": "int tls();\n",
    "lib/b/tls.h": "int other();\n",
    "lib/a/tls.c": '#include "tls.h"\n#include <stdio.h>\nint tls() { return 1; }\n',
    "lib/main.c": '#include "tls.h"\nint main() { return 0; }\n',
    "java/com/acme/Parser.java": "package com.acme;\n\nclass Parser {}\n",
    "java/com/acme/Main.java": "package com.acme;\n\nimport static com.acme.Parser.go;\n\nclass Main {}\n",
}


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def indexed(make_index: MakeIndex, root: Path, *, inline_files: int = 50) -> IndexCache:
    write(root, FILES)
    index = make_index(IndexLimits(inline_files=inline_files, build_wait_s=60))
    assert index.refresh(Deadline(60)).is_complete
    return index


def asked(index: IndexCache, path: str, *names: str, imports: tuple[tuple[str, tuple[str, ...]], ...] = ()) -> Neighbours:
    found = index.neighbours(FileOutline(path, imports, names), Deadline(10))
    assert found is not None
    return found


def paths(ties: Ties) -> list[str]:
    return [one.path for one in ties.files]


@pytest.mark.parametrize("inline_files", [50, 1], ids=["delta", "segment"])
def test_a_file_is_tied_to_those_that_it_imports_that_import_it_and_that_call_it(
    make_index: MakeIndex, root: Path, inline_files: int
) -> None:
    index = indexed(make_index, root, inline_files=inline_files)
    found = asked(index, "src/shop/money.py", "round_half_up")
    assert paths(found.imports) == []
    assert paths(found.imported_by) == ["src/app.py", "src/shop/basket.py", "tests/test_money.py"]
    assert found.called_by.files[:3] == tuple(
        Neighbour(path, ("round_half_up",)) for path in ("src/app.py", "src/shop/basket.py", "tools/report.py")
    )
    basket = asked(index, "src/shop/basket.py", "Basket", "append", imports=((".money", ("round_half_up",)),))
    assert paths(basket.imports) == ["src/shop/money.py"]
    assert paths(basket.imported_by) == ["src/app.py"]
    assert basket.called_by.files == (Neighbour("src/app.py", ("Basket", "append")),), "everybody appends; this file imports it"


def test_an_import_leads_to_its_own_file_or_to_none(make_index: MakeIndex, root: Path) -> None:
    index = indexed(make_index, root)
    state = index.engine.holder.state
    assert state is not None
    resolver = ImportResolver(Sources.of(state))
    expected = {
        ("web/main.ts", "./q"): ["web/q.ts"],
        ("web/main.ts", "./ui"): ["web/ui/index.tsx"],
        ("web/q.test.ts", "./q.js"): ["web/q.ts"],
        ("web/ui/index.tsx", "../q"): ["web/q.ts"],
        ("web/ui/index.tsx", "q"): [],
        ("web/ui/index.tsx", "../../../q"): [],
        ("src/app.py", "json"): [],
        ("src/shop/basket.py", "."): ["src/shop/__init__.py"],
        ("lib/a/tls.c", "tls.h"): ["lib/a/tls.h"],
        ("lib/main.c", "tls.h"): [],
        ("lib/main.c", "stdio.h"): [],
        ("java/com/acme/Main.java", "com.acme.Parser.go"): ["java/com/acme/Parser.java"],
    }
    found = {(importer, module): resolver.files_of((module, ()), importer) for importer, module in expected}
    assert found == expected
    assert resolver.files_of((".", ("money", "basket")), "src/shop/x.py") == ["src/shop/money.py", "src/shop/basket.py"]
    assert resolver.files_of(("shop", ("basket", "VERSION")), "src/app.py") == ["src/shop/__init__.py", "src/shop/basket.py"]


def test_what_has_changed_since_it_was_indexed_is_not_named(make_index: MakeIndex, root: Path) -> None:
    index = indexed(make_index, root)
    (root / "src/shop/basket.py").unlink()
    (root / "src/app.py").write_text("def main():\n    return 0\n")
    found = asked(index, "src/shop/money.py", "round_half_up")
    assert paths(found.imported_by) == ["tests/test_money.py"]
    assert paths(found.called_by) == ["tools/report.py", "tests/test_money.py"]
    index.refresh(Deadline(60))
    assert asked(index, "src/shop/money.py", "round_half_up") == found


def test_without_a_loaded_index_nothing_is_said_and_nothing_is_loaded(make_index: MakeIndex, root: Path) -> None:
    index = indexed(make_index, root)
    other = make_index()
    assert other.neighbours(FileOutline("src/app.py"), Deadline(10)) is None
    assert not other.statistics().is_loaded
    index.unload()
    assert index.neighbours(FileOutline("src/app.py"), Deadline(10)) is None
