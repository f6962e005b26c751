import json
from pathlib import Path

import pytest

from penstock.server.toolset import INSTRUCTIONS, TOOLS, prompt_head
from penstock.server.vocabulary import vocabulary
from tests.conftest import Connect

SNAPSHOTS = Path(__file__).parent / "snapshots"
MAX_TOKENS = 1500
MAX_INSTRUCTION_TOKENS = 200


@pytest.mark.parametrize("name", [spec.name for spec in TOOLS])
def test_a_definition_is_what_was_committed(connect: Connect, name: str) -> None:
    """A changed definition breaks prompt caches and approvals: change the snapshot on purpose, or not at all."""
    tool = next(tool for tool in connect().tools() if tool["name"] == name)
    path = SNAPSHOTS / f"{name}.json"
    assert json.loads(path.read_text()) == tool


def test_every_snapshot_belongs_to_a_tool() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.json")} == {spec.name for spec in TOOLS}


def test_definitions_and_instructions_fit_their_token_budget(connect: Connect) -> None:
    counter = vocabulary()
    listed = json.dumps(connect().tools(), separators=(",", ":"), ensure_ascii=False)
    instructions = counter.count(INSTRUCTIONS).tokens
    assert instructions <= MAX_INSTRUCTION_TOKENS
    assert counter.count(listed).tokens + instructions <= MAX_TOKENS


def test_hints_are_true_to_what_each_tool_does(connect: Connect) -> None:
    hints = {tool["name"]: tool["annotations"] for tool in connect().tools()}
    for name in ("read", "search", "compress", "restore", "status"):
        assert hints[name] == {"readOnlyHint": True, "openWorldHint": False}
    for name in ("session", "memory"):
        assert hints[name] == {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": False, "openWorldHint": False}
    assert hints["evict"] == {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False}


def test_what_stands_before_every_request_is_stable_from_end_to_end() -> None:
    head, again = prompt_head(vocabulary()), prompt_head(vocabulary())
    assert head == again
    assert head.variable_tokens == 0
    assert head.efficiency == 1
    assert head.text.startswith(INSTRUCTIONS)
    assert all(one.offset <= len(head.text) for one in head.breakpoints)
