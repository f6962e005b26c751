"""Several files in one answer: in the order that keeps prompt caches warm, each repeat sent once, nothing cut."""

import itertools
from typing import Any

import pytest

from penstock.tools.aligned import ALIGNMENT_KEY
from penstock.tools.call import AnswerLimit
from tests.tools.conftest import Caller

HEADER = "".join(
    f"# Licensed under the terms of the Example Licence, clause {n}, with all that follows from it.\n" for n in range(9)
)
FILES = {
    name: f"{HEADER}\n{body}"
    for name, body in {
        "a.py": "def first():\n    return 1\n",
        "b.py": "def second():\n    return 2\n",
        "c.py": "def third():\n    return 3\n",
    }.items()
}


@pytest.fixture
def licensed(call: Caller) -> Caller:
    for name, text in FILES.items():
        (call.root / name).write_text(text)
    return call


def paths(answer: Any) -> list[str]:
    return [part["path"] for part in answer.parts]


def test_the_order_of_the_question_shows_only_in_the_places_named(licensed: Caller) -> None:
    for asked in itertools.permutations(FILES):
        answer = licensed("read", path=list(asked), view="full")
        assert paths(answer) == ["a.py", "b.py", "c.py"]
        facts = [line for line in answer.text.splitlines() if " · asked " in line]
        assert [line.rsplit(" · ", 1)[1] for line in facts] == [f"asked {asked.index(name) + 1} of 3" for name in FILES]


def test_a_file_that_changes_comes_last_from_then_on(licensed: Caller) -> None:
    asked = list(FILES)
    assert paths(licensed("read", path=asked)) == asked
    (licensed.root / "a.py").write_text(FILES["a.py"] + "# more\n")
    assert paths(licensed("read", path=asked)) == ["b.py", "c.py", "a.py"]
    assert paths(licensed("read", path=asked)) == ["b.py", "c.py", "a.py"]
    (licensed.root / "b.py").touch()
    assert paths(licensed("read", path=asked)) == ["c.py", "a.py", "b.py"]
    assert paths(licensed("read", path=asked)) == ["b.py", "c.py", "a.py"], "the same bytes again are no change"


def test_breakpoints_lie_in_the_unchanged_part_at_least_a_cacheable_prefix_apart(call: Caller) -> None:
    for name in ("x.txt", "y.txt", "z.txt"):
        (call.root / name).write_text("".join(f"paragraph {i} of {name} tells of something\n\n" for i in range(300)))
    asked = ["x.txt", "y.txt", "z.txt"]
    call("read", path=asked, view="full")
    (call.root / "y.txt").write_text("changed\n" * 200)
    answer = call("read", path=asked, view="full")
    assert paths(answer) == ["x.txt", "z.txt", "y.txt"]
    found = answer.meta[ALIGNMENT_KEY]
    assert found["stable"] == 2
    edge = answer.text.index("y.txt · full")
    offsets = [one["offset"] for one in found["breakpoints"]]
    assert 1 <= len(offsets) <= 4
    assert offsets[-1] == edge
    tokens = [0, *(one["tokens"] for one in found["breakpoints"])]
    assert all(right - left >= 1_024 for left, right in itertools.pairwise(tokens))
    assert abs(call.engine.counter.count(answer.text[:edge]).tokens - tokens[-1]) < 0.01 * tokens[-1]


def test_a_licence_header_is_sent_once(licensed: Caller) -> None:
    answer = licensed("read", path=list(FILES))
    assert answer.text.count("clause 3,") == 1
    assert [part["view"] for part in answer.parts] == ["full", "unrepeated", "unrepeated"]
    for name, part, body in zip(FILES, answer.parts, licensed.bodies(answer), strict=True):
        if name == "a.py":
            assert body == FILES[name]
            continue
        assert part["lossy"]
        assert "receipt" not in part
        mark, _, rest = body.partition("\n")
        assert mark == "… 10 lines (1-10, as a.py:1-10 above) …"
        assert rest == FILES[name].split("\n", 10)[10]
        assert licensed.bodies(licensed("restore", handle=part["handle"])) == [FILES[name]]


def test_what_must_be_exact_repeats_what_its_file_repeats(licensed: Caller) -> None:
    for arguments in ({"view": "full"}, {"lines": "1-20"}, {"fresh": True}):
        answer = licensed("read", path=list(FILES), **arguments)
        assert licensed.bodies(answer) == list(FILES.values())
        assert not any(part["lossy"] for part in answer.parts)


def test_a_file_alone_is_never_shortened(licensed: Caller) -> None:
    licensed("read", path="a.py")
    assert licensed.bodies(licensed("read", path="b.py")) == [FILES["b.py"]]


def test_a_repeat_is_never_left_out_for_a_file_that_did_not_fit(licensed: Caller) -> None:
    licensed.limit = AnswerLimit(chars=3_000, bytes=3_000, tokens=3_000)
    (licensed.root / "a.py").write_text(FILES["a.py"] + "# filler, not much of it, to take up room\n" * 20)
    answer = licensed("read", path=list(FILES))
    for body in licensed.bodies(answer):
        if "as a.py:" in body:
            assert "clause 8," in answer.text


@pytest.mark.parametrize("view", ["full", "auto", "outline"])
def test_an_answer_of_several_files_stays_within_what_the_client_shows(call: Caller, view: str) -> None:
    names = [f"part-{n}-{'x' * 60}.txt" for n in range(40)]
    for n, name in enumerate(names):
        (call.root / name).write_text("".join(f"{i} é 漢字 line of file {n}\n" for i in range(20 + 37 * n)))
    call.limit = AnswerLimit(chars=7_600, bytes=9_000, tokens=7_000, lines=1_900)
    seen: list[str] = []
    rest = names
    while rest:
        answer = call("read", path=rest, view=view)
        assert len(answer.text) <= 7_600
        assert len(answer.text.encode()) <= 9_000
        seen += dict.fromkeys(paths(answer))
        left = [name for name in names if name not in seen]
        assert len(left) < len(rest)
        foot = answer.text.rsplit("\n", 1)[1]
        assert bool(left) == foot.startswith("next path=[")
        rest = left
    assert sorted(seen) == sorted(names)
