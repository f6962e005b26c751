"""A bug hunt in a public project, ended in three ways and gone on from by a second server. Needs the package index."""

from pathlib import Path

import pytest

from tests.soak._conversation import ENDINGS, RESUME_TOKENS, WANTED, converse

pytestmark = [pytest.mark.clients, pytest.mark.timeout(400)]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_bug_hunt_is_gone_on_from_after_its_server_has_ended(tmp_path: Path, ending: str) -> None:
    found = converse(tmp_path, ending)
    assert found.calls >= 100
    assert found.exit_s <= 2.0
    assert found.resume_tokens <= RESUME_TOKENS
    assert found.is_summary_whole
    assert found.handles >= 10
    assert found.restored == found.handles
    assert found.passages + found.facts >= 0.9 * 2 * WANTED
