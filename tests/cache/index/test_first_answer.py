"""What a search answers while a build goes on that takes longer than anybody waits."""

import itertools
import threading
from collections.abc import Callable
from pathlib import Path

from penstock.cache.deadline import Deadline
from penstock.cache.index.cache import IndexCache
from penstock.cache.index.values import IndexLimits


def test_a_first_search_does_not_wait_for_a_long_build(make_index: Callable[..., IndexCache], root: Path) -> None:
    for number in range(18):
        (root / f"{number:03}.py").write_text(f"alpha only_{number} beta\n")
    gate, batches = threading.Event(), itertools.count()

    def pressure() -> int:
        if threading.current_thread() is not threading.main_thread() and next(batches) > 3:
            gate.wait(30)  # the builder asks before each batch
        return 0

    index = make_index(IndexLimits(inline_files=1, batch_files=2, build_wait_s=30), pressure)
    found = index.search("alpha", deadline=Deadline(60))
    assert found.hits
    assert 0 < found.coverage.searched_files < 18 == found.coverage.total_files
    assert found.coverage.is_building
    (root / "007.py").write_text("alpha omega\n")
    gate.set()
    assert index.refresh(Deadline(60)).is_complete
    assert [hit.path for hit in index.search("omega").hits] == ["007.py"]
