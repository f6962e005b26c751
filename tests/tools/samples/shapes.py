"""Sample."""

from __future__ import annotations

import os.path as path

__all__ = ["Shape", "area"]

LIMIT: int = 10
_hidden = {
    "a": 1,
}


@register("shape")
@dataclass(frozen=True)
class Shape(Base, metaclass=Meta):
    """A closed figure.

    More text.
    """

    name: str
    sides: int = 3

    @property
    def label(self) -> str:
        """Name for people."""

        def inner(x):
            return path.join(x, self.name)

        return inner("y")

    @staticmethod
    async def load(
        source: str,  # where from
        *,
        strict: bool = True,
    ) -> Shape | None: ...

    class Kind:
        ROUND = 1

    def _private(self):
        return 1


if os.name == "nt":

    def area(shape: Shape) -> float:
        """Area."""
        return compute(shape)


type Pair[T] = tuple[T, T]
