"""A session cache on a ledger of its own, and the check that both agree."""

from penstock.cache.entry import SessionLimits
from penstock.cache.ledger import Ledger
from penstock.cache.session import SessionCache
from penstock.cache.shelf import CONTENT, OUTPUTS


def make_session(budget: int = 1 << 20, **limits: float) -> tuple[Ledger, SessionCache]:
    """Return a cache that makes room by itself when the ledger is full."""
    ledger = Ledger(budget)
    session = SessionCache(ledger, limits=SessionLimits(**limits))  # pyright: ignore[reportArgumentType] -- versions is an int
    ledger.add_reclaimer(session.reclaim)
    return ledger, session


def assert_exact(ledger: Ledger, session: SessionCache) -> None:
    """The ledger is the sum of the entries."""
    statistics = session.statistics()
    residents = session.residents()
    assert ledger.account_bytes(CONTENT) == statistics.content_bytes
    assert ledger.account_bytes(OUTPUTS) == statistics.output_bytes == sum(each.output_bytes for each in residents)
    assert sum(each.weight for each in residents) + statistics.shared_bytes == ledger.used_bytes
