"""The whole files that one answer shows, so that a later one in it need not repeat their licence headers and boilerplate."""

from dataclasses import dataclass

from ..cache.repeats import plan_repeats
from .filetext import FileText
from .views.unrepeated import unrepeated_view
from .views.view import View


@dataclass(frozen=True, slots=True)
class ShownStatistics:
    """What one answer shows whole."""

    texts: int
    size_bytes: int


class ShownTexts:
    """Lives as long as one call, in its thread."""

    def __init__(self) -> None:
        self._texts: list[bytes] = []
        self._names: list[str] = []
        self._offered: FileText | None = None

    def __repr__(self) -> str:
        return f"<ShownTexts {len(self._texts)} texts>"

    def offer(self, file: FileText | None) -> None:
        """Note that the next part holds all of `file`, but for what earlier ones hold; None: it holds no whole file."""
        self._offered = file

    def settle(self) -> None:
        """Note that the part offered last is in the answer."""
        if self._offered is not None:
            self._texts.append(_bytes_of(self._offered))
            self._names.append(self._offered.shown)
            self._offered = None

    def without_repeats(self, file: FileText) -> View | None:
        """Return `file` less what the answer shows already; None where it repeats nothing."""
        if not self._texts:
            return None
        own = len(self._texts)
        repeats = [one for one in plan_repeats([*self._texts, _bytes_of(file)]) if one.text == own]
        return unrepeated_view(file.text, repeats, self._names) if repeats else None

    def statistics(self) -> ShownStatistics:
        """Return the counts at this moment."""
        return ShownStatistics(len(self._texts), sum(map(len, self._texts)))


def _bytes_of(file: FileText) -> bytes:
    return file.text.encode("utf-8", "surrogatepass")
