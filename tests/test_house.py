"""The house rules that a machine can check."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = ("server", "tools", "cache")
ALLOWED = {"cache": {"cache"}, "tools": {"cache", "tools"}, "server": {"cache", "tools", "server", "configs"}}
HEAVY = {"numpy", "tiktoken", "tree_sitter", "apsw", "rank_bm25", "rich", "psutil", "pathspec"}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def modules(part: str) -> list[Path]:
    return sorted((ROOT / part).rglob("*.py"))


def imports(path: Path) -> list[str]:
    """Return the parts of the house that a module imports at any level."""
    found: list[str] = []
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            names = (node.module or "").split(".") if node.module else []
            full = [*base, *names]
            if full:
                found.append(full[0])
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            found += [name.split(".")[1] for name in names if name.startswith("penstock.")]
    return found


@pytest.mark.parametrize("part", PARTS)
def test_imports_run_one_way(part: str) -> None:
    backwards = {str(path.relative_to(ROOT)): bad for path in modules(part) if (bad := set(imports(path)) - ALLOWED[part])}
    assert backwards == {}


@pytest.mark.parametrize("part", PARTS)
def test_heavy_packages_are_imported_where_they_are_used(part: str) -> None:
    """Start-up is visible to users: nothing heavy at the top of a module."""
    early: dict[str, set[str]] = {}
    for path in modules(part):
        names: set[str] = set()
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add((node.module or "").split(".")[0])
        if names & HEAVY and not path.stem.endswith(("_child", "_numpy")):
            early[str(path.relative_to(ROOT))] = names & HEAVY
    assert {path: names for path, names in early.items() if path not in NUMERIC} == {}


NUMERIC = {str(path.relative_to(ROOT)) for path in (ROOT / "cache" / "index").glob("*.py")}
"""The index is imported as a whole at the first search; inside it numpy may stand at the top."""


def test_every_folder_with_code_is_packaged() -> None:
    setuptools = PYPROJECT["tool"]["setuptools"]
    folders = {
        f"penstock.{'.'.join(path.parent.relative_to(ROOT).parts)}" for part in (*PARTS, "configs") for path in modules(part)
    }
    assert folders == set(setuptools["packages"])


@pytest.mark.parametrize("part", [*PARTS, "configs"])
def test_each_part_is_marked_as_typed(part: str) -> None:
    assert (ROOT / part / "py.typed").exists()


def test_no_module_outgrows_a_sitting() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for part in PARTS
        for path in modules(part)
        if (lines := path.read_text().count("\n")) > 400
    }
    assert {path: lines for path, lines in long.items() if not path.endswith("grammar/table.py")} == {}


def test_the_readme_mentions_every_command_and_tool() -> None:
    from penstock.server.cli import COMMANDS
    from penstock.server.toolset import TOOLS

    readme = (ROOT / "README.md").read_text()
    missing = [name for name in COMMANDS if f"penstock {name}" not in readme]
    missing += [spec.name for spec in TOOLS if f"`{spec.name}`" not in readme]
    assert missing == []


def test_commits_hold_no_machine_paths() -> None:
    pattern = re.compile(r"(?:^|[^\w.])/(?:work|farm)/(?:main|shared)")
    places = [path for part in (*PARTS, "tests", "configs") for path in (ROOT / part).rglob("*.py")]
    assert [str(path) for path in places if path != Path(__file__) and pattern.search(path.read_text())] == []
