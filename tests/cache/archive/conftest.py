from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.cache.archive.archive import SessionArchive
from penstock.cache.archive.recorder import Recorder
from penstock.cache.archive.store import ArchivePolicies, ArchiveStore

MakeStore = Callable[..., ArchiveStore]
MakeArchive = Callable[..., SessionArchive]


class WallClock:
    """Wall time that moves only when told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def wall() -> WallClock:
    return WallClock()


@pytest.fixture
def make_store(tmp_path: Path, wall: WallClock) -> Iterator[MakeStore]:
    """Opens stores over one folder, as several processes would; closed at the end."""
    made: list[ArchiveStore] = []

    def make(policies: ArchivePolicies | None = None, *, folder: str = "data") -> ArchiveStore:
        store = ArchiveStore(tmp_path / folder, policies=policies, wall=wall)
        made.append(store)
        return store

    yield make
    for store in made:
        store.close()


@pytest.fixture
def make_archive(make_store: MakeStore) -> MakeArchive:
    """Opens a conversation's archive over a store of its own."""

    def make(session_id: str = "one", policies: ArchivePolicies | None = None) -> SessionArchive:
        store = make_store(policies)
        return SessionArchive(store, Recorder(store, session_id))

    return make
