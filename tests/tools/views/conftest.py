"""Fixtures for the views: a real token counter and a text that is large enough."""

from collections.abc import Callable
from importlib.resources import files

import pytest

from penstock.cache.tokens import O200kCounter


@pytest.fixture(scope="session")
def count() -> Callable[[str], int]:
    """Count o200k tokens."""
    counter = O200kCounter(lambda: (files("penstock.configs") / "vocab" / "o200k_base.bin.gz").read_bytes())
    return lambda text: counter.count(text).tokens


@pytest.fixture(scope="session")
def module_text() -> str:
    """Return a Python module of about 600 lines."""
    parts = ['"""Shapes and their areas."""\n\nimport math\nfrom os import path\n\nLIMIT = 10\n_HIDDEN = 2\n']
    parts += [_shape(number) for number in range(40)]
    return "".join(parts)


def _shape(number: int) -> str:
    return f'''

class Shape{number}:
    """Figure number {number}."""

    sides = {number}

    def area{number}(self, scale: float = {number}.0) -> float:
        """Return the area of figure {number}."""
        width = self.width * scale
        if width > LIMIT:
            raise ValueError("width {number} above the limit")
        return width * math.pi / {number + 1}

    def _load{number}(self, name: str) -> str:
        return path.join(name, "{"abcdefgh"[number % 8]}{number}.txt")
'''
