"""What a search is asked and what it answers. Values only; nothing heavy is imported here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final

from .chunk import FileStatus, Symbol


class Prefer(Enum):
    """Which kind of file a caller looks for; others are ranked lower, never left out."""

    SOURCE = "source"
    TESTS = "tests"
    DOCS = "docs"
    ANY = "any"


class Confidence(Enum):
    """How sharply the scores point at the first hits."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Relation(Enum):
    """How a hop is tied to a hit; the values are the words of an answer."""

    CALLS = "calls"
    IMPORTS = "imports"
    CALLED_BY = "called by"
    MENTIONS = "mentions"


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the workspace a search has seen."""

    searched_files: int
    total_files: int
    """Files that could be searched; a floor when the walk itself was cut short."""
    is_walk_complete: bool = True
    is_building: bool = False
    skipped: Mapping[FileStatus, int] = field(default_factory=lambda: MappingProxyType({}))
    """Files that are not searched, by reason, and files that are cut by lines because a parser gave up."""
    age_s: float = 0.0
    """Above 0 if the workspace is so large that this search relied on a walk that began so long ago."""
    is_walking: bool = False
    """The first walk of the workspace is still under way."""
    capped_at: int = 0
    """Files that were taken when a cap on files, time or text ended the walk; 0 if none did."""

    @property
    def is_complete(self) -> bool:
        """Whether a search that finds nothing may say that there is nothing."""
        return self.is_walk_complete and self.searched_files >= self.total_files


@dataclass(frozen=True, slots=True)
class Hit:
    """One ranked chunk."""

    path: str
    start: int
    end: int
    score: float
    """The file's rank score; comparable within one answer only."""
    bm25: float
    """The chunk's exact BM25Okapi score for the query's tokens, repeats counted."""
    symbols: tuple[Symbol, ...] = ()
    matched: tuple[str, ...] = ()
    """Query terms that the chunk, its symbols or its path hold, rarest first."""
    also: tuple[tuple[int, int], ...] = ()
    """Further matching spans of the same file, best first."""


@dataclass(frozen=True, slots=True)
class Hop:
    """A place that the hits are tied to."""

    relation: Relation
    path: str
    start: int
    end: int
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer of the index to one query."""

    hits: Sequence[Hit]
    terms: tuple[str, ...]
    """The query's tokens."""
    unknown: tuple[str, ...]
    """Tokens that no indexed file holds."""
    matching_chunks: int
    matching_files: int
    coverage: Coverage
    top_scores: Sequence[float] = ()
    """Scores of the best files, descending, shown or not."""
    suggestions: tuple[str, ...] = ()
    """Indexed identifiers near the unknown tokens."""
    hops: tuple[Hop, ...] = ()
    """What the hits call, import or mention, and what calls them: where to look next."""


@dataclass(frozen=True, slots=True)
class IndexLimits:
    """Bounds of the index; each has its reason."""

    inline_files: int = 50
    """So many changed files are indexed within the call; more go to the builder."""
    build_wait_s: float = 20.0
    """How long a search waits for a running build before it answers from what there is."""
    parse_s: float = 2.0
    """Wall time one file may take in the worker."""
    max_delta_chunks: int = 2_000
    """Larger deltas are flushed: scoring the delta costs about 1 µs per chunk."""
    max_segments: int = 6
    """More are merged: every query term is looked up in each."""
    max_text_bytes: int = 1_000_000_000
    """Text of the workspace that is indexed; above, coverage says what is left out."""
    batch_files: int = 1_500
    batch_bytes: int = 8_000_000
    """Text of one segment as it is built; searches see it when it is done."""
    build_lanes: int = 2
    """Children that build at the same time; each may use 300 MB."""
    walk_every_s: float = 2.0
    """Least time between two walks where one costs more than `cheap_walk_s`; below that every search walks."""
    cheap_walk_s: float = 1.0
    small_walk_files: int = 20_000
    """A workspace of so many files is walked by every search, however busy the machine is: there what is found is never old."""
    first_walk_s: float = 10.0
    """How long the first search waits for the first walk before it goes on with what has been met so far."""
    walk_wait_s: float = 2.0
    """How long a later search waits for a dear walk before it answers from the one before, and says how old that is."""
    kept_map_bytes: int = 96_000_000
    """Pages of larger maps are let go of after each search: they come back from the page cache, without reading the disk."""
    racy_ns: int = 100_000_000
    """A file younger than this when it was read is read again: its time stamp cannot tell two versions apart."""

    def __post_init__(self) -> None:
        for name in ("inline_files", "build_wait_s", "parse_s", "max_delta_chunks", "max_segments", "max_text_bytes"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class WatchStatistics:
    """What is listened to at this moment."""

    is_watching: bool = False
    folders: int = 0
    left_out: int = 0
    """Folders of indexed files that are too many to be watched."""
    waiting: int = 0
    """Changed paths that no search has compared yet."""
    heard: int = 0
    overflows: int = 0
    notice: str = ""
    """Why nothing is watched any more."""


@dataclass(frozen=True, slots=True)
class IndexStatistics:
    """The index at one moment."""

    files: int
    chunks: int
    segments: int
    delta_chunks: int
    generation: int
    mapped_bytes: int
    heap_bytes: int
    searches: int
    refreshes: int
    updates: int
    """Files re-indexed inside a call."""
    builds: int
    build_failures: int
    rebuilds: int
    """How often the index on disk was found damaged."""
    is_loaded: bool
    is_building: bool
    coverage: Coverage
    walks: int
    watch: WatchStatistics


DEFAULT_LIMITS: Final = IndexLimits()
