"""`penstock bench`: what it measures, on which files, and how it says so."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.errors import InvalidArgument
from penstock.server.bench import VIEWS, BenchLine, BenchResult, ViewCost, run_bench, view_lines
from penstock.server.bench_job import is_partial
from penstock.server.bench_sample import MAX_LANGUAGES, PER_LANGUAGE, Sample, SampledFile, choose_sample, plan_sample
from penstock.server.bench_table import show

SIZES = st.lists(
    st.tuples(st.text("ab/", min_size=1, max_size=6), st.sampled_from([f"l{at}" for at in range(12)]), st.integers(1, 9_999)),
    max_size=80,
    unique_by=lambda each: each[0],
)


@given(SIZES)
def test_a_sample_is_bounded_spread_and_the_same_in_any_order(sizes: list[tuple[str, str, int]]) -> None:
    chosen = plan_sample(sizes)
    assert chosen == plan_sample(list(reversed(sizes)))
    assert len({one.path for one in chosen}) == len(chosen)
    languages = {one.language for one in chosen}
    assert len(languages) <= MAX_LANGUAGES
    for language in languages:
        there = sum(1 for _, name, _ in sizes if name == language)
        assert sum(1 for one in chosen if one.language == language) == min(there, PER_LANGUAGE)


def test_languages_with_the_most_text_come_first() -> None:
    assert [one.language for one in plan_sample([("a", "small", 1), ("b", "big", 9), ("c", "small", 2)])] == [
        "big",
        "small",
        "small",
    ]


def test_views_are_summed_up_per_language_and_over_all() -> None:
    costs = [ViewCost("go", "outline", 10, 100), ViewCost("go", "outline", 30, 100), ViewCost("c", "outline", 40, 50)]
    lines = {line.metric: line for line in view_lines(costs)}
    assert lines["go_outline_median"].value == pytest.approx(0.2)
    assert (lines["go_outline_total"].value, lines["go_outline_total"].reference) == (40, 200)
    assert lines["all_outline_total"].ratio == pytest.approx(0.32)
    assert BenchLine("x", 1.0, "s").as_json() == {
        "bench": "folder", "metric": "x", "value": 1.0, "unit": "s", "reference": None, "ratio": None,
    }  # fmt: skip


def test_an_answer_says_in_its_first_line_whether_the_index_is_complete() -> None:
    assert is_partial('search "x" · searched 1 of 9 files · still indexing\nbody')
    assert not is_partial('search "x" · searched 9 of 9 files\nstill indexing')


def test_the_table_fits_80_columns_and_shows_every_note(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = BenchResult("folder", Sample((SampledFile("a.py", "python"),), 1))
    result.views += [ViewCost("python", view, 123, 4_567_890) for view in VIEWS]
    result.add("warm_reread_tokens", 12, "tokens", 3_400)
    result.notes.append("sampled [1] of 2")
    show(result)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    for word in ("python", "4,567,890", "outline", "compact", "warm reread tokens", "0.4% of 3,400", "note: sampled [1] of 2"):
        assert word in out


def test_a_folder_without_text_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"\0" * 5_000)
    (tmp_path / "data.py").write_bytes(b"\0" * 5_000)
    with pytest.raises(InvalidArgument):
        run_bench(tmp_path, as_json=True)
    with pytest.raises(InvalidArgument):
        run_bench(tmp_path / "gone", as_json=True)


def test_a_folder_is_measured_through_the_real_tools(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    functions = (f"def work_{at}(x: int) -> int:\n    # step\n    return x + {at}\n\n\n" for at in range(120))
    (tmp_path / "big.py").write_text("".join(functions))
    (tmp_path / "note.md").write_text("# Title\n\n" + "Some words about work.\n" * 80)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    assert {one.path for one in choose_sample(tmp_path).files} == {"big.py", "note.md"}
    assert run_bench(tmp_path, as_json=True) == 0
    shown = capfd.readouterr()
    lines = {line["metric"]: line for line in map(json.loads, shown.out.splitlines())}
    assert lines["files"]["value"] == 2
    assert lines["python_outline_total"]["ratio"] < 0.9
    assert lines["python_compact_total"]["ratio"] < 1
    assert lines["warm_reread_tokens"]["ratio"] < 0.2
    for metric in ("index_build", "index_build_memory", "search_median", "view_median", "git_log", "git_status"):
        assert lines[metric]["value"] > 0
    assert "git diff: nothing to measure" in shown.err
