"""The constants of a score: BM25Okapi's, as rank-bm25 0.2.2 has them, and those that sum a file's chunks up. Values.

Segments hold bounds that are made of them (`bounds.py`): with another value the format is another one.
"""

from typing import Final

K1: Final = 1.5
B: Final = 0.75
EPSILON: Final = 0.25
SHARES: Final = (1.0, 0.3, 0.1)
"""What a file's best chunk, its second and its third count."""
MAX_DOCS: Final = 4
"""Chunks of a file that an answer may speak of: the three that count, and one more."""
