"""`kill -9` of processes that write to the spool: nothing that was acknowledged is lost, nothing served is wrong.

`python -m tests.soak.kill_loop [--kills N] [--shared-kills N] [--control N]`: one writer, three writers on one store, and the
same harness with the journal off, which must fail. Prints JSON lines; exit code 1 if a promise broke or the control did not fail.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from penstock.cache import spool_sqlite
from penstock.cache.errors import CorruptPayload, StoreUnavailable
from penstock.cache.handles import Handle, HandleKind, Residency, handle_id
from penstock.cache.spool_sqlite import SqliteSpool

WRITERS = 3
ROOT = Path(__file__).resolve().parents[2]


NOISE = hashlib.shake_128(b"noise").digest(400_000)


def payload(number: int) -> bytes:
    """Return bytes that do not compress, told by their number: from one page to a hundred."""
    return b"%d " % number + NOISE[: 2000 + number % 7 * number % 5 * 16_000]


def handle_for(data: bytes) -> Handle:
    sha256 = hashlib.sha256(data).hexdigest()
    return Handle(handle_id(sha256), HandleKind.TOOL_RESULT, Residency.resident(), 1, "kill loop", sha256)


def write_for_ever(folder: Path, first: int, *, journal: bool) -> None:
    """Put payloads, and acknowledge each on stdout once `put` has returned."""
    spool = SqliteSpool(folder, max_bytes=1 << 40)
    if not journal:
        file = spool._file  # pyright: ignore[reportPrivateUsage] -- the control breaks what is tested
        file.read(lambda connection: connection.pragma("journal_mode", "off"))
        file.read(lambda connection: connection.pragma("synchronous", "off"))
        file.read(lambda connection: connection.pragma("cache_size", 5))  # pages are written in the middle of transactions
        setattr(spool_sqlite, "pack", keep_raw)  # noqa: B010 -- and most of the time
    for number in range(first, first + 1_000_000):
        data = payload(number)
        try:
            spool.put(handle_for(data), data)
        except StoreUnavailable:
            continue  # not acknowledged: another writer was in the way for too long
        os.write(1, b"%d\n" % number)


def keep_raw(data: bytes) -> tuple[int, bytes]:
    return 0, data


@dataclass
class KillReport:
    """What a loop found."""

    kills: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list[str])
    damaged: int = 0
    """Rounds after which the store was found damaged."""
    seconds: float = 0.0

    @property
    def is_broken(self) -> bool:
        return bool(self.lost or self.damaged)


def run_kills(folder: Path, kills: int, *, writers: int = 1, journal: bool = True, seed: int = 1) -> KillReport:
    """Kill the writers `kills` times; after each, look for everything acknowledged in that round, at the end for everything."""
    rng = random.Random(seed)
    report, everything = KillReport(), set[int]()
    start, number = time.monotonic(), 0
    while report.kills < kills and not (report.is_broken and not journal):
        processes = [_start(folder, (number + at) * 1_000_000, journal=journal) for at in range(writers)]
        number += writers
        acknowledged = _kill_after(processes, rng)
        report.kills += len(processes)
        report.acknowledged += len(acknowledged)
        everything |= acknowledged
        _check(folder, acknowledged, report)
    if journal:
        _check(folder, everything, report)
    report.seconds = time.monotonic() - start
    return report


def _start(folder: Path, first: int, *, journal: bool) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.soak.kill_loop", "--writer", str(folder), "--first", str(first)]
    return subprocess.Popen([*command, *([] if journal else ["--no-journal"])], stdout=subprocess.PIPE, cwd=ROOT)


def _kill_after(processes: list[subprocess.Popen[bytes]], rng: random.Random) -> set[int]:
    """Let every writer acknowledge a few, kill all at a random moment, and return what was acknowledged before their end."""
    lines: list[bytes] = []
    for process in processes:
        assert process.stdout is not None
        lines += [process.stdout.readline() for _ in range(rng.randrange(1, 25))]
    time.sleep(rng.random() * 0.004)  # the phase of the write that the kill hits
    for process in processes:
        process.send_signal(signal.SIGKILL)
    for process in processes:
        assert process.stdout is not None
        # What follows the last newline was cut off by the kill: nobody has read it as an acknowledgement.
        lines += process.stdout.read().split(b"\n")[:-1]
        process.stdout.close()
        process.wait()
    return {int(line) for line in lines if line.strip()}


def _check(folder: Path, numbers: set[int], report: KillReport) -> None:
    spool = SqliteSpool(folder, max_bytes=1 << 40)
    try:
        for number in numbers:
            data = payload(number)
            try:
                found = spool.get(handle_for(data).sha256)
            except (CorruptPayload, StoreUnavailable) as error:
                report.lost.append(f"{number}: {type(error).__name__}")
                continue
            if found != data:
                report.lost.append(f"{number}: {'missing' if found is None else 'other bytes'}")
        is_sound = spool._file.read(lambda connection: connection.execute("PRAGMA integrity_check").get) == "ok"  # pyright: ignore[reportPrivateUsage]
        report.damaged += not is_sound or any("corrupt" in path.name for path in folder.iterdir())
    except StoreUnavailable:
        report.damaged += 1
    finally:
        spool.close()


def emit(metric: str, value: float, unit: str, reference: float | None = None) -> None:
    row = {"bench": "kill_loop", "metric": metric, "value": value, "unit": unit}
    print(json.dumps(row if reference is None else {**row, "reference": reference}), flush=True)


def main() -> int:
    """Run the three loops; 1 if a promise broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--shared-kills", type=int, default=300)
    parser.add_argument("--control", type=int, default=100)
    parser.add_argument("--writer", type=Path)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--no-journal", action="store_true")
    options = parser.parse_args()
    if options.writer:
        write_for_ever(options.writer, options.first, journal=not options.no_journal)
    failed = False
    for name, kills, writers in (("one_writer", options.kills, 1), ("three_writers", options.shared_kills, WRITERS)):
        with tempfile.TemporaryDirectory() as folder:
            report = run_kills(Path(folder) / "spool", kills, writers=writers)
        emit(f"{name}_kills", report.kills, "kills")
        emit(f"{name}_acknowledged", report.acknowledged, "items")
        emit(f"{name}_lost", len(report.lost), "items", 0)
        emit(f"{name}_damaged", report.damaged, "rounds", 0)
        emit(f"{name}_seconds", round(report.seconds, 1), "s")
        failed |= report.is_broken
    with tempfile.TemporaryDirectory() as folder:
        control = run_kills(Path(folder) / "spool", options.control, journal=False)
    emit("control_without_journal_fails_after", control.kills if control.is_broken else -1, "kills")
    return int(failed or not control.is_broken)


if __name__ == "__main__":
    sys.exit(main())
