"""How long a search waits for a build before it answers from what is indexed. Pure."""

from dataclasses import dataclass
from typing import Final

_DOUBT: Final = 1.5
"""A build that is expected to take that much longer than there is time will not be over in time."""
_GLANCE_S: Final = 1.0
"""A build is watched for so long before its end is guessed."""
_FIRST_SHARE: Final = 0.5
"""Of its time a search waits for the first files of an index; then it goes on with those."""


@dataclass(frozen=True, slots=True)
class Patience:
    """The times of one wait, on one clock."""

    until: float
    """It is over then at the latest."""
    glance_until: float
    """Until then it goes on in any case."""

    @classmethod
    def of(cls, now: float, until: float, *, is_first: bool) -> "Patience":
        """Wait from now on; longer if the caller has nothing to search yet."""
        return cls(until, now + (_FIRST_SHARE * max(0.0, until - now) if is_first else _GLANCE_S))

    def is_over(self, now: float, *, expected_s: float, has_documents: bool) -> bool:
        """Whether to go on with what is there: time is up, or the build will not be over in time and something is indexed."""
        left_s = self.until - now
        return left_s <= 0 or (has_documents and now >= self.glance_until and expected_s > _DOUBT * left_s)
