"""How long a search waits for a build before it answers from what is indexed. Pure."""

from dataclasses import dataclass
from typing import Final

_DOUBT: Final = 1.5
"""A build that is expected to take that much longer than there is time will not be over in time."""
_GLANCE_S: Final = 1.0
"""A build is watched for so long before its end is guessed."""
_FIRST_SHARE: Final = 0.5
"""Of its time a search waits for the first files of an index; then it goes on with those."""
_FIRST_LONG_S: Final = 2.0
"""Unless the build takes so long that most of it is missing then, too: an answer in two seconds is worth more."""
_LONG_S: Final = 10.0
"""The end of a long build is waited for only if it is that near."""


@dataclass(frozen=True, slots=True)
class Patience:
    """The times of one wait, on one clock."""

    until: float
    """It is over then at the latest."""
    glance_until: float
    """Until then it goes on in any case."""
    whole_until: float
    """A build that is over by then is waited for."""

    @classmethod
    def of(cls, now: float, until: float, *, is_first: bool, is_long: bool = False) -> "Patience":
        """Wait from now on; longer if the caller has nothing to search yet, less if the build is a long one."""
        if is_long:
            return cls(until, now + (_FIRST_LONG_S if is_first else _GLANCE_S), min(until, now + _LONG_S))
        return cls(until, now + (_FIRST_SHARE * max(0.0, until - now) if is_first else _GLANCE_S), until)

    def is_over(self, now: float, *, expected_s: float, has_documents: bool) -> bool:
        """Whether to go on with what is there: time is up, or the build will not be over in time and something is indexed."""
        if now >= self.until:
            return True
        left_s = max(0.0, self.whole_until - now)
        return has_documents and now >= self.glance_until and expected_s > _DOUBT * left_s
