"""Captured output: compressed, its original kept whole, in parts where it is large."""

import tempfile
from collections.abc import Iterator
from typing import IO

import pytest

from penstock.cache.errors import StoreUnavailable
from penstock.cache.handles import HandleTable
from penstock.cache.ledger import Ledger
from penstock.cache.payloads import PayloadStore
from penstock.cache.spool import MemorySpool
from penstock.cache.tokens import TokenCount
from penstock.tools import captured
from penstock.tools.captured import OutputReporter

MB = 1 << 20


class WordCounter:
    """Counts a token for every three characters."""

    def count(self, text: str) -> TokenCount:
        return TokenCount(len(text) // 3 + 1)


class LastingSpool(MemorySpool):
    """Stands for a spool on disk."""

    @property
    def is_durable(self) -> bool:
        return True


@pytest.fixture
def payloads() -> PayloadStore:
    return PayloadStore(HandleTable(), LastingSpool(Ledger(128 * MB), max_bytes=100 * MB))


@pytest.fixture
def stored() -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as file:
        yield file


def write(file: IO[bytes], data: bytes) -> int:
    file.write(data)
    file.flush()
    return len(data)


def test_a_report_names_the_handle_and_the_status(payloads: PayloadStore, stored: IO[bytes]) -> None:
    data = b"".join(b"step %d went on\n" % i for i in range(4000)) + b"error: planted\n"
    size = write(stored, data)
    reporter = OutputReporter(payloads, WordCounter(), budget=500)
    report = reporter.report(stored, size, command=["make", "all"], exit_code=2, status="exit 2", kind=None)
    assert report.is_lossy
    assert "exit 2" in report.facts
    assert "error: planted" in report.body
    handle = report.facts.rsplit("restore ", 1)[1]
    assert payloads.load(handle).data == data


def test_output_that_fits_is_not_touched(payloads: PayloadStore, stored: IO[bytes]) -> None:
    size = write(stored, b"a line\n" * 50)
    reporter = OutputReporter(payloads, WordCounter(), budget=5000, is_default=False)
    assert not reporter.report(stored, size, command=["x"], exit_code=0, status="", kind=None).is_lossy
    assert payloads.statistics().kept == 0


def test_a_large_original_is_kept_in_parts_that_join_to_it(
    payloads: PayloadStore, stored: IO[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captured, "PART_BYTES", 40_000)
    monkeypatch.setattr(captured, "END_BYTES", 20_000)
    lines = [b"line %06d of the output\n" % i for i in range(8000)]
    lines[4000] = b"FATAL: planted in the middle\n"
    size = write(stored, b"".join(lines))
    reporter = OutputReporter(payloads, WordCounter(), budget=600)
    report = reporter.report(stored, size, command=["x"], exit_code=0, status="", kind=None)
    assert "FATAL: planted in the middle" in report.body
    assert "of 8,000 lines" in report.facts
    index = payloads.load(report.facts.rsplit("restore ", 1)[1].split()[0]).data.decode()
    parts = [payloads.load(line.split()[0]).data for line in index.splitlines()]
    assert b"".join(parts) == b"".join(lines)
    assert all(part.endswith(b"\n") for part in parts)


def test_an_original_that_would_not_outlive_the_process_is_not_promised(stored: IO[bytes]) -> None:
    forgetful = PayloadStore(HandleTable(), MemorySpool(Ledger(MB)))
    size = write(stored, b"a line of the output\n" * 4000)
    reporter = OutputReporter(forgetful, WordCounter(), budget=500)
    with pytest.raises(StoreUnavailable):
        reporter.report(stored, size, command=["x"], exit_code=0, status="", kind=None)
