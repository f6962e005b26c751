from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.cache.index.cache import IndexCache
from penstock.cache.index.values import IndexLimits
from penstock.cache.index.watch import LoadWatch
from penstock.cache.ledger import Ledger
from penstock.cache.worker import Worker
from penstock.cache.workspace.files import Workspace

MakeIndex = Callable[..., IndexCache]
DEFINITIONS = "penstock.tools.languages:structure"


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(256 * 1024 * 1024)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def make_index(tmp_path: Path, root: Path, worker: Worker, ledger: Ledger) -> Iterator[MakeIndex]:
    """Makes index caches over `root` that share one index directory; closed at the end."""
    made: list[tuple[IndexCache, Workspace]] = []

    def make(
        limits: IndexLimits | None = None,
        pressure: Callable[[], int] = lambda: 0,
        load_watch: LoadWatch | None = None,
    ) -> IndexCache:
        workspace = Workspace([root], ledger=ledger)
        index = IndexCache(
            workspace,
            ledger=ledger,
            data_dir=tmp_path / "index",
            worker=worker,
            definitions=DEFINITIONS,
            limits=limits or IndexLimits(),
            pressure=pressure,
            load_watch=load_watch,
        )
        made.append((index, workspace))
        return index

    yield make
    for index, workspace in made:
        index.close()
        workspace.close()
