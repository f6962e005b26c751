"""Outlines of five languages against the tags that universal-ctags gives for the same samples.

`ctags.json` holds [name, kind, line] as `ctags --output-format=json --fields=+nK` (universal-ctags 5.9) prints them in
tests/tools/samples. `python -m tests.benchmarks views` makes the same comparison on whole public projects.
"""

import json
from pathlib import Path

import pytest

from penstock.tools.languages import outline

SAMPLES = Path(__file__).parents[1] / "samples"
TAGS: dict[str, list[tuple[str, str, int]]] = json.loads(Path(__file__).with_name("ctags.json").read_text("utf-8"))


@pytest.mark.parametrize("name", sorted(TAGS))
def test_an_outline_finds_what_ctags_finds(name: str) -> None:
    spans: dict[str, list[tuple[int, int]]] = {}
    for one in outline(name, (SAMPLES / name).read_bytes()).definitions:
        spans.setdefault(one.name.rsplit(".", 1)[-1].rsplit("::", 1)[-1], []).append((one.start_line, one.end_line))
        spans.setdefault(one.name, []).append((one.start_line, one.end_line))
    # Names made up for unnamed structures, and Go's unnamed import paths, are no definitions.
    wanted = [(tag, line) for tag, kind, line in TAGS[name] if not tag.startswith("__anon") and kind != "packageName"]
    missed = [
        tag for tag, line in wanted if not any(first <= line <= last for first, last in spans.get(tag.rsplit(".", 1)[-1], []))
    ]
    assert len(missed) <= 0.05 * len(wanted), missed
    assert wanted
