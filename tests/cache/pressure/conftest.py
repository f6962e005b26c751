"""Real small stand-ins for the seams of the pressure package: a clock, a probe, an evictor over the real ledger, an index."""

import gc
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from penstock.cache.ledger import Ledger
from penstock.cache.pressure.allocator import Allocator
from penstock.cache.pressure.gauge import PressureGauge
from penstock.cache.pressure.guard import MemoryGuard
from penstock.cache.pressure.limits import MB, EffectiveLimit
from penstock.cache.pressure.orchestrator import EvictionOrchestrator
from penstock.cache.pressure.probe import MemorySample


@pytest.fixture(autouse=True)
def frozen_heap() -> Iterator[None]:
    """Keep what other tests left behind out of the collections that relief asks for: they would take half a second each."""
    gc.freeze()
    yield
    gc.unfreeze()


class FakeClock:
    """Monotonic seconds that move when told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds


class FakeProbe:
    """A machine of 4 GB whose readings a test sets; `follow` adds what the ledger holds to RSS."""

    def __init__(self) -> None:
        self.current = MemorySample(100 * MB, 3000 * MB, "MemAvailable", 0, 0)
        self.limit = EffectiveLimit(4096 * MB, "total memory", {"total memory": 4096 * MB})
        self.follow: Ledger | None = None
        self.failure: Exception | None = None

    def set(self, **changes: object) -> None:
        self.current = replace(self.current, **changes)  # pyright: ignore[reportArgumentType]

    def rss_bytes(self) -> int:
        if self.failure is not None:
            raise self.failure
        return self.current.rss_bytes + (self.follow.used_bytes if self.follow else 0)

    def sample(self) -> MemorySample:
        return replace(self.current, rss_bytes=self.rss_bytes())

    def effective_limit(self) -> EffectiveLimit:
        return self.limit


@dataclass
class FakeEntry:
    nbytes: int
    is_protected: bool = False
    is_pinned: bool = False
    output_bytes: int = 0


class FakeEvictor:
    """A cache of byte counts in the real ledger; evicts oldest first and spools (counts) before it drops."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.entries: OrderedDict[str, FakeEntry] = OrderedDict()
        self.spooled: list[str] = []
        self.calls: list[str] = []
        self.failure: Exception | None = None
        self.before_drop: Callable[[], None] = lambda: None

    def store(self, name: str, nbytes: int, **flags: bool) -> None:
        self._ledger.charge("session", nbytes)
        self.entries[name] = FakeEntry(nbytes, **flags)

    def add_output(self, name: str, nbytes: int) -> None:
        self._ledger.charge("outputs", nbytes)
        self.entries[name].output_bytes += nbytes

    def trim_outputs(self) -> int:
        self._enter("trim_outputs")
        freed = sum(entry.output_bytes for entry in self.entries.values())
        for entry in self.entries.values():
            entry.output_bytes = 0
        self._ledger.release("outputs", freed)
        return freed

    def evict_probationary(self, target_bytes: int) -> int:
        self._enter(f"evict_probationary {target_bytes}")
        return self._evict(target_bytes, includes_protected=False)

    def evict_to_budget(self, target_bytes: int) -> int:
        self._enter(f"evict_to_budget {target_bytes}")
        return self._evict(target_bytes, includes_protected=True)

    def clear(self) -> int:
        self._enter("clear")
        return self.trim_outputs() + self._evict(0, includes_protected=True)

    def _enter(self, call: str) -> None:
        self.calls.append(call)
        if self.failure is not None:
            raise self.failure
        self.before_drop()

    def _evict(self, target_bytes: int, *, includes_protected: bool) -> int:
        freed = 0
        for name, entry in sorted(self.entries.items(), key=lambda item: item[1].is_protected):
            if self._ledger.used_bytes <= target_bytes:
                break
            if entry.is_pinned or (entry.is_protected and not includes_protected):
                continue
            self.spooled.append(name)
            del self.entries[name]
            self._ledger.release("session", entry.nbytes)
            self._ledger.release("outputs", entry.output_bytes)
            freed += entry.nbytes + entry.output_bytes
        return freed


class FakeIndex:
    """An index of a given size in the real ledger; its maps are beside it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.unloads = 0
        self.mapped_bytes = 0
        self.on_release: Callable[[], object] = lambda: None

    def release_pages(self) -> None:
        self.on_release()

    def load(self, nbytes: int) -> None:
        self._ledger.charge("index", nbytes)

    @property
    def resident_bytes(self) -> int:
        return self._ledger.account_bytes("index")

    def unload(self) -> int:
        freed = self.resident_bytes
        self.unloads += 1
        self._ledger.release("index", freed)
        return freed


@dataclass
class Rig:
    """The whole pressure system over fakes: 100 MB ledger, baseline 100 MB, L 612 MB, 4 GB machine."""

    clock: FakeClock = field(default_factory=FakeClock)
    probe: FakeProbe = field(default_factory=FakeProbe)
    ledger: Ledger = field(default_factory=lambda: Ledger(100 * MB))
    trims: int = 0
    recycled: int = 0
    recycle_failure: Exception | None = None

    def __post_init__(self) -> None:
        self.gauge = PressureGauge(self.ledger, self.probe, clock=self.clock)
        self.evictor = FakeEvictor(self.ledger)
        self.index = FakeIndex(self.ledger)
        self.allocator = Allocator(clock=self.clock, trim=self._trim)
        self.orchestrator = EvictionOrchestrator(
            self.evictor, self.index, self.gauge, allocator=self.allocator, recycle=self._recycle, clock=self.clock
        )
        self.guard = MemoryGuard(self.gauge, relief=self.orchestrator.on_pressure, clock=self.clock)

    def _trim(self) -> None:
        self.trims += 1

    def _recycle(self) -> None:
        self.recycled += 1
        if self.recycle_failure is not None:
            raise self.recycle_failure

    def set_rss_ratio(self, ratio: float) -> None:
        """Make RSS stand for `ratio` of the allowed growth."""
        self.probe.set(rss_bytes=100 * MB + round(ratio * 512 * MB))


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def system_root(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Build a fake / with the given files; a process of 25 MB on a machine of 8 GB unless they say otherwise."""

    def build(files: dict[str, str]) -> Path:
        defaults = {
            "proc/self/statm": "20000 6400 1000 10 0 9000 0\n",
            "proc/meminfo": "MemTotal:        8388608 kB\nMemFree: 100 kB\nMemAvailable:    4194304 kB\n",
            "proc/self/limits": "Limit Soft Hard Units\nMax data size unlimited unlimited bytes\n",
        }
        for name, text in {**defaults, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return build
