"""What the tests of the index cache share."""

from collections.abc import Callable
from pathlib import Path

from penstock.cache.deadline import Deadline
from penstock.cache.index.cache import IndexCache
from penstock.cache.index.values import IndexLimits

MakeIndex = Callable[..., IndexCache]
PATIENT = IndexLimits(build_wait_s=120)


def write_files(root: Path, count: int, text: str = "def handler_{n}(request):\n    return {n}\n") -> None:
    for n in range(count):
        path = root / f"pkg{n % 7}" / f"module_{n}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.format(n=n))


def paths_of(index: IndexCache, query: str, **arguments: object) -> list[str]:
    k = arguments.pop("k", 10)
    assert isinstance(k, int)
    result = index.search(query, k=k, deadline=Deadline(120), **arguments)  # pyright: ignore[reportArgumentType]
    return [hit.path for hit in result.hits]
