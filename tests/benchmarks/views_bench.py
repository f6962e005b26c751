"""Outlines, compact code, focus and dense: what they find, what they cost, how fast they are.

Measured on this Python's standard library, on the named public projects of `_projects` (as far as npm, go, cargo and mvn are
there to bring them), and on every folder named on the command line: `python -m tests.benchmarks.views_bench /path …`. Speeds are
the best of three runs, in CPU time. With `ctags` (universal-ctags) on the PATH, its tags
are the reference for what outlines find there. Not counted as definitions are two things that ctags reports: names that it
makes up for unnamed structures, and TypeScript constants that are local or not declared on the line named.
"""

import ast
import json
import re
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

from penstock.cache.tokens import O200kCounter
from penstock.tools.grammar.language import Language
from penstock.tools.grammar.parsing import ParseRefused, parse
from penstock.tools.grammar.table import LANGUAGE_BY_NAME
from penstock.tools.languages import compact, definitions, language_of, outline
from penstock.tools.views.compact import compact_view
from penstock.tools.views.dense import dense_view
from penstock.tools.views.focus import focus_view
from penstock.tools.views.map import map_view
from penstock.tools.views.outline import outline_view
from penstock.tools.views.reference import reference_view
from tests.benchmarks._projects import projects

MAX_BYTES = 1_000_000
LONG_LINES = 300
BUDGET = 2_500
"""Tokens for views that fill one."""
SHARES = {"outline": 0.18, "compact": 1.0, "map": 1.0, "dense": 1.0, "focus": 1.0, "reference": 1.0}
MIN_TIMED_BYTES = 100_000
MAX_TIMED_FILES = 400
MAX_SIZED_FILES = 300
CTAGS_LANGUAGES = {"go": "Go", "rust": "Rust", "java": "Java", "c": "C", "typescript": "TypeScript"}
DECLARES = r"\b(?:const|let|var|type|enum|class|function)\s+"


def report(metric: str, value: float, unit: str, reference: float | None = None) -> None:
    line = {"bench": "views", "metric": metric, "value": round(value, 4), "unit": unit, "reference": reference}
    sys.stdout.write(json.dumps({**line, "ratio": reference and round(value / reference, 4)}) + "\n")
    sys.stdout.flush()


def files_under(root: Path) -> Iterator[tuple[Path, bytes, str]]:
    """Yield the code files of a project with a grammar, by path."""
    for path in sorted(root.rglob("*")):
        if (
            path.is_file()
            and not path.is_symlink()
            and not {"site-packages", "node_modules", ".git"} & set(path.parts[len(root.parts) :])
        ):
            data = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
            language = language_of(path.name, data[:20_000]) if data and b"\0" not in data[:8192] else None
            if language in CTAGS_LANGUAGES or language in {"python", "javascript", "tsx", "cpp"}:
                yield path, data, str(language)


def ast_names(tree: ast.AST) -> list[tuple[str, int | None]]:
    """Return name and last line of every function and class."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [(node.name, node.end_lineno) for node in ast.walk(tree) if isinstance(node, kinds)]


def standard_library(root: Path) -> None:
    """Compare outlines and compact code with what `ast` says, on every module that this Python parses."""
    wanted = found = same = changed = parsed = 0
    raw = left = 0
    for path in sorted(root.rglob("*.py")):
        if "site-packages" in path.parts or path.stat().st_size > MAX_BYTES:
            continue
        data = path.read_bytes()
        try:
            tree = ast.parse(data)
        except (SyntaxError, ValueError):
            continue
        parsed += 1
        ours = {(one.name, one.end_line) for one in outline(path.name, data).definitions}
        names = ast_names(tree)
        wanted += len(names)
        found += sum(name in ours for name in names)
        compacted = compact(path.name, data)
        changed += not compacted.unchanged
        raw += len(data)
        left += len(compacted.text)
        same += ast.dump(ast.parse(compacted.text)) == ast.dump(tree)
    report("stdlib_outline_recall_of_ast", found / wanted, "ratio", 0.98)
    report("stdlib_compact_same_ast", same, "files", parsed)
    report("stdlib_compact_changed", changed, "files", parsed)
    report("stdlib_compact_bytes", left, "bytes", raw)


def speed(name: str, found: list[tuple[Path, bytes, str]]) -> None:
    """Measure CPU seconds of outlines and of what the index is given, per language and in all; parsing alone is the floor."""
    total, spent = 0, dict[str, float]()
    for language in sorted({language for _, _, language in found}):
        chosen = [(path.name, data) for path, data, own in found if own == language][:MAX_TIMED_FILES]
        size = sum(len(data) for _, data in chosen)
        if size < MIN_TIMED_BYTES:
            continue
        floor = size / 1e6 / best_seconds(lambda path, data, rule=LANGUAGE_BY_NAME[language]: parse_alone(rule, data), chosen)
        report(f"{name}_parse_speed_{language}", floor, "MB/s of CPU time")
        for what, measured in (("outline", outline), ("definitions", definitions)):
            seconds = best_seconds(measured, chosen)
            spent[what] = spent.get(what, 0.0) + seconds
            report(f"{name}_{what}_speed_{language}", size / 1e6 / seconds, "MB/s of CPU time", 5.0)
        total += size
    for what, seconds in spent.items():
        report(f"{name}_{what}_speed", total / 1e6 / seconds, "MB/s of CPU time", 5.0)


def parse_alone(language: Language, data: bytes) -> None:
    """Only parse, as an outline does."""
    with suppress(ParseRefused):
        parse(language, data)


def is_sound(language: Language, data: bytes) -> bool:
    """Whether the text parses without an error."""
    try:
        return not parse(language, data).tree.root_node.has_error
    except ParseRefused:
        return False


def best_seconds(measured: Callable[[str, bytes], object], chosen: list[tuple[str, bytes]]) -> float:
    """Return the fewest CPU seconds of three runs over all files."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        for path, data in chosen:
            measured(path, data)
        best = min(best, time.process_time() - start)
    return best


def sample_speed() -> None:
    """Measure every language of the table on its sample in tests/tools/samples, repeated to 200 KB.

    Not those whose sample can stand but once, as one that ends in `return`: what takes time there is mending errors.
    """
    found: list[tuple[Path, bytes, str]] = []
    for path in sorted((Path(__file__).parents[1] / "tools" / "samples").iterdir()):
        name = path.name.removesuffix(".sample")
        data = path.read_bytes()
        language = language_of(name, data)
        if path.suffix != ".outline" and language in LANGUAGE_BY_NAME:
            repeated = (data + b"\n") * (200_000 // len(data))
            if is_sound(LANGUAGE_BY_NAME[str(language)], repeated):
                found.append((Path(name), repeated, str(language)))
    speed("samples", found)


def sizes(name: str, found: list[tuple[Path, bytes, str]], count: Callable[[str], int]) -> None:
    """Measure the tokens of every view against those of the file, for files over `LONG_LINES` lines."""
    shares: dict[str, list[float]] = {}
    for path, data, _ in found:
        if data.count(b"\n") <= LONG_LINES:
            continue
        text = data.decode("utf-8", "replace")
        full = count(text)
        structure = outline(path.name, data)
        for view in (
            outline_view(structure, count),
            map_view(structure, count),
            compact_view(path.name, text),
            dense_view(text, count, budget=BUDGET, definitions=structure.definitions),
            focus_view(text, path.stem, count, budget=BUDGET, definitions=structure.definitions),
            reference_view(text, structure),
        ):
            shares.setdefault(view.name, []).append(count(view.body) / full)
    for view, values in shares.items():
        report(f"{name}_{view}_tokens_median", statistics.median(values), "ratio to full", SHARES.get(view))
        report(f"{name}_{view}_tokens_most", max(values), "ratio to full", 1.0)
    if shares:
        report(f"{name}_files_over_{LONG_LINES}_lines", len(shares["outline"]), "files")


def fill(found: list[tuple[Path, bytes, str]], count: Callable[[str], int]) -> None:
    """Measure how full focus and dense make their budget, on every ninth file that does not fit it."""
    worst: dict[str, float] = {"focus": 1.0, "dense": 1.0}
    times: dict[str, list[float]] = {"focus": [], "dense": []}
    for path, data, _ in found[::9]:
        text = data.decode("utf-8", "replace")
        tokens = count(text)
        definitions = outline(path.name, data).definitions
        for budget in (500, 2_500):
            if tokens <= budget:
                continue
            for name in worst:
                start = time.perf_counter()
                if name == "focus":
                    view = focus_view(text, "open read write error path", count, budget=budget, definitions=definitions)
                else:
                    view = dense_view(text, count, budget=budget, definitions=definitions)
                times[name].append(time.perf_counter() - start)
                used = count(view.body) / budget
                worst[name] = min(worst[name], used) if used <= 1 else 0.0
    for name, used in worst.items():
        report(f"{name}_budget_filled_at_least", used, "ratio", 0.95)
        report(f"{name}_median_ms", statistics.median(times[name]) * 1000, "ms")


def tree_of(language: Language, data: bytes) -> list[tuple[str, bytes]]:
    """Return types and leaf texts of the syntax tree, comments and line ends aside."""
    cursor = parse(language, data, timeout_s=10).tree.walk()
    out: list[tuple[str, bytes]] = []
    while (node := cursor.node) is not None:
        is_comment = node.type in language.comments
        if not is_comment:
            text = data[node.start_byte : node.end_byte].strip() if node.child_count == 0 else b""
            if text or node.is_named:
                out.append((node.type, text))
        if not is_comment and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return out
    return out


def compact_trees(name: str, found: list[tuple[Path, bytes, str]]) -> None:
    """Compare the trees of compact code with those of the files, comments aside."""
    same = changed = compared = raw = left = 0
    for path, data, language in found:
        compacted = compact(path.name, data)
        raw += len(data)
        left += len(compacted.text)
        if compacted.unchanged:
            continue
        changed += 1
        compared += 1
        rule = LANGUAGE_BY_NAME[language]
        # A comment that is kept because tools read it is a comment in both trees.
        same += tree_of(rule, data.removeprefix(b"\xef\xbb\xbf")) == tree_of(rule, compacted.text)
    report(f"{name}_compact_same_tree", same, "files", compared)
    report(f"{name}_compact_changed", changed, "files", len(found))
    report(f"{name}_compact_bytes", left, "bytes", raw)


def against_ctags(name: str, found: list[tuple[Path, bytes, str]]) -> None:
    """Compare with universal-ctags, language by language."""
    for language, theirs in CTAGS_LANGUAGES.items():
        chosen = {str(path): data for path, data, own in found if own == language}
        if not chosen:
            continue
        command = ["ctags", "--output-format=json", "--fields=+nK", f"--language-force={theirs}", "-f", "-", "-L", "-"]
        done = subprocess.run(command, input="\n".join(chosen), capture_output=True, text=True, check=True)
        tags = [tag for line in done.stdout.splitlines() if (tag := json.loads(line)).get("_type") == "tag"]
        spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for path, data in chosen.items():
            for one in outline(path, data).definitions:
                last = re.split(r"::|\.", one.name)[-1]
                spans.setdefault((path, last), []).append((one.start_line, one.end_line))
                spans.setdefault((path, one.name), []).append((one.start_line, one.end_line))
        wanted = hits = 0
        for tag in tags:
            line = chosen[tag["path"]].split(b"\n")[tag["line"] - 1].decode("utf-8", "replace")
            if not is_definition(language, tag["kind"], tag["name"], line):
                continue
            wanted += 1
            near = spans.get((tag["path"], tag["name"]), []) + spans.get((tag["path"], tag["name"].rsplit(".", 1)[-1]), [])
            hits += any(first <= tag["line"] <= last for first, last in near)
        report(f"{name}_recall_of_ctags_{language}", hits / max(1, wanted), "ratio", 0.95)
        report(f"{name}_ctags_tags_{language}", wanted, "tags", len(tags))


def is_definition(language: str, kind: str, name: str, line: str) -> bool:
    """Say whether a tag is one that an outline should have."""
    if name.startswith("__anon") or kind == "packageName":
        return False
    if language == "typescript" and kind in {"constant", "variable", "alias"}:
        is_local = kind != "alias" and line[:1].isspace()
        return not is_local and re.search(DECLARES + re.escape(name) + r"\b", line) is not None
    return True


def main() -> int:
    """Run everything; the folders to look at besides the standard library are arguments."""
    counter = O200kCounter(lambda: (files("penstock.configs") / "vocab" / "o200k_base.bin.gz").read_bytes())

    def count(text: str) -> int:
        return counter.count(text).tokens

    library = Path(sysconfig.get_paths()["stdlib"])
    standard_library(library)
    sample_speed()
    found = list(files_under(library))
    speed("stdlib", found)
    sizes("stdlib", found[:: max(1, len(found) // MAX_SIZED_FILES)], count)
    fill(found, count)
    if not shutil.which("ctags"):
        sys.stderr.write("no ctags: outlines are not compared with it\n")
    with tempfile.TemporaryDirectory(prefix="penstock-projects-") as scratch:
        named = [(re.sub(r"\W+", "_", Path(root).name), Path(root).resolve()) for root in sys.argv[1:]]
        everything: list[tuple[Path, bytes, str]] = []
        for name, root in [*projects(Path(scratch)), *named]:
            found = list(files_under(root))
            everything += found
            sizes(name, found, count)
            compact_trees(name, found)
            if shutil.which("ctags"):
                against_ctags(name, found)
        speed("projects", everything)
        sizes("projects", everything, count)
        if shutil.which("ctags"):
            against_ctags("projects", everything)
    return 0


if __name__ == "__main__":
    sys.exit(main())
