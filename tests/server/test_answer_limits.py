"""No answer is larger than its client shows: every tool, every profile, inputs that are large in characters, bytes or tokens."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from penstock.cache.deadline import Deadline
from penstock.cache.errors import PenstockError
from penstock.server.config import load_config
from penstock.server.dispatch import error_result
from penstock.server.engine import Engine
from penstock.server.profiles import load_profiles
from penstock.server.toolset import TOOLS
from penstock.tools.call import AnswerLimit, Call
from penstock.tools.paging import wire_chars

PROFILES = {entry.profile.key: entry.profile for entry in load_profiles().profiles}
MODELS = {spec.name: spec.model for spec in TOOLS}
LINES = {
    "ascii.txt": "step {n}: the quick brown fox jumps over the lazy dog\n",
    "quotes.txt": '{n}\t"a" \\ "b"\t"c"\n',
    "cjk.txt": "{n} 漢字かな交じり文の行です\n",
    "emoji.txt": "{n} 🙂🙃🙂🙃🙂🙃🙂🙃\n",
    "short.txt": "{n}\n",
    "build.log": "2026-01-01 error {n}: unit_{n}.c:{n}: undefined reference to `f_{n}'\n",
    "code.py": "def function_{n}(value_{n}: int) -> int:\n    return value_{n} + {n}\n\n\n",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    root = tmp_path_factory.mktemp("root")
    for name, line in LINES.items():
        (root / name).write_text("".join(line.replace("{n}", str(n)) for n in range(4_000)), "utf-8")
    (root / "one-line.txt").write_text('漢字 🙂 \\" word ' * 20_000, "utf-8")
    (root / "many").mkdir()
    for n in range(300):
        (root / "many" / f"{n:03d}-{'long-name-' * 12}.txt").write_text(f"file {n}\n")
    engine = Engine(load_config(flags={"data_dir": root.parent / "data"}, env={}, home=root.parent), root)
    for n in range(200):
        run(engine, AnswerLimit(), "memory", action="remember", topic=f"topic {n}", fact=f"fact {n} 漢字 " + "says a lot " * 20)
        if n % 10 == 0:
            run(engine, AnswerLimit(), "session", action="save", note=f"decision: {n} " + "because " * 30)
    yield engine
    engine.close()


def run(engine: Engine, limit: AnswerLimit, tool: str, **arguments: Any) -> str:
    """Return the text that the client is sent."""
    try:
        return engine.run(tool, Call(deadline=Deadline(60.0), limit=limit), MODELS[tool].model_validate(arguments)).text
    except PenstockError as error:
        block = error_result(error).content[0]
        return getattr(block, "text", "")


def assert_shown(engine: Engine, limit: AnswerLimit, text: str) -> None:
    assert len(text) <= limit.chars
    assert len(text.encode()) <= limit.bytes
    assert not limit.json_chars or wire_chars(text) <= limit.json_chars
    assert not limit.lines or text.count("\n") + 1 <= limit.lines
    assert engine.counter.count(text).tokens <= limit.tokens


FILES = st.sampled_from([*LINES, "one-line.txt"])
BUDGETS = st.none() | st.sampled_from([1, 300, 5_000, 60_000])
VIEWS = st.sampled_from(["auto", "full", "outline", "map", "dense", "compact", "reference", "focus", "diff"])
CALLS = st.one_of(
    st.fixed_dictionaries({"path": FILES, "view": VIEWS, "query": st.just("function fox 漢字"), "budget": BUDGETS}).map(
        lambda arguments: ("read", arguments)
    ),
    st.fixed_dictionaries(
        {"path": st.lists(FILES, min_size=2, max_size=5), "view": VIEWS, "query": st.just("error"), "budget": BUDGETS}
    ).map(lambda arguments: ("read", arguments)),
    st.fixed_dictionaries({"path": FILES, "lines": st.sampled_from(["1-", "-3900", "5-2000,2500-", "1:5-"])}).map(
        lambda arguments: ("read", arguments)
    ),
    st.fixed_dictionaries({"path": st.sampled_from([".", "many", "x" * 5_000]), "budget": BUDGETS}).map(
        lambda arguments: ("read", arguments)
    ),
    st.fixed_dictionaries(
        {"query": st.sampled_from(["function", "漢字", "q" * 3_000]), "k": st.just(200), "budget": BUDGETS}
    ).map(lambda arguments: ("search", arguments)),
    st.fixed_dictionaries(
        {"query": st.just("fact decision"), "scope": st.sampled_from(["session", "memory"]), "k": st.just(200), "budget": BUDGETS}
    ).map(lambda arguments: ("search", arguments)),
    st.fixed_dictionaries({"source": FILES | st.just("🙂 line\n" * 5_000), "budget": BUDGETS}).map(
        lambda arguments: ("compress", arguments)
    ),
    st.sampled_from(["list", "summary", "save", "handoff"]).map(lambda action: ("session", {"action": action})),
    st.sampled_from(
        [
            ("memory", {"action": "list"}),
            ("memory", {"action": "recall", "query": "fact topic says"}),
            ("status", {"detail": "full"}),
            ("evict", {"targets": [f"many/{'y' * 200}-{n}" for n in range(300)], "dry_run": True}),
            ("evict", {"to_tokens": 0, "dry_run": True}),
            ("restore", {"handle": "h" * 9_000}),
        ]
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(sorted(PROFILES)), call=CALLS)
def test_every_answer_stays_within_the_profile(engine: Engine, key: str, call: tuple[str, dict[str, Any]]) -> None:
    limit = PROFILES[key].limit
    assert_shown(engine, limit, run(engine, limit, call[0], **call[1]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(call=("read", {"path": "emoji.txt", "lines": "1-"}), chars=1_500, size=1_778, tokens=500, lines=0, json_chars=0)
@given(
    call=CALLS,
    chars=st.integers(1_500, 20_000),
    size=st.integers(1_500, 20_000),
    tokens=st.integers(500, 5_000),
    lines=st.sampled_from([0, 40, 256]),
    json_chars=st.sampled_from([0, 2_000, 9_000]),
)
def test_every_answer_stays_within_any_limit(
    engine: Engine, call: tuple[str, dict[str, Any]], chars: int, size: int, tokens: int, lines: int, json_chars: int
) -> None:
    limit = AnswerLimit(chars, size, tokens, json_chars, lines)
    assert_shown(engine, limit, run(engine, limit, call[0], **call[1]))


def test_what_was_cut_comes_back_by_the_call_that_is_named(engine: Engine) -> None:
    limit = replace(PROFILES["unknown"].limit, lines=0)
    whole = run(engine, AnswerLimit(10**7, 10**7, 10**7), "read", path="many", budget=60_000)
    text = run(engine, limit, "read", path="many", budget=60_000)
    shown, _, last = text.rpartition("\n")
    assert last.startswith("cut to what this client shows")
    received = shown + "\n"
    handle, lines = (part.split("=")[1] for part in last.rsplit(" ", 2)[1:])
    while lines:
        page = run(engine, limit, "restore", handle=handle, lines=lines)
        body, _, last = page.partition("\n")[2].rpartition("\n")
        received += body + "\n"
        lines = last.split("lines=")[1].split(" ")[0] if "next lines=" in last else ""
    assert received.rstrip("\n") == whole.rstrip("\n")


def test_an_error_quotes_no_more_than_both_ends_of_an_argument(engine: Engine, tmp_path: Path) -> None:
    text = run(engine, AnswerLimit(), "read", path=f"{'a' * 100}/" * 300)
    assert len(text) < 2_100
