"""A hostile process swaps a directory and a file for links to a secret while the jail opens them, as fast as it can.

    python tests/soak/race.py [--opens N]

Counts how often what was opened was the secret outside: 0 for every strategy of the jail, and more than 0 for the control, which
checks `realpath` and then opens. Prints a line of JSON for each; exits 1 if a strategy leaks, or the control does not.
"""

import argparse
import contextlib
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from penstock.cache.errors import PenstockError
from penstock.cache.workspace.beneath import Openat2Opener, Opener, StepwiseOpener
from penstock.cache.workspace.jail import Jail

INSIDE, SECRET = b"inside", b"secret"
PATHS = ("dir/file.txt", "file.txt", "dir/../file.txt")
RENAME_EXCHANGE, AT_FDCWD = 2, -100
CONTROL_OPENS = 100_000
"""Enough that the control leaks thousands of times; it stops at the first hundred."""


@dataclass
class Outcome:
    """What became of many opens by one strategy."""

    strategy: str
    opens: int = 0
    inside: int = 0
    denied: int = 0
    escapes: int = 0
    seconds: float = 0.0


def attack(folder: str) -> None:
    """Swap `dir` with a link to the outside, and `file.txt` with another, until killed; each exchange is atomic, renameat2(2)."""
    exchange = ctypes.CDLL(None, use_errno=True).renameat2
    pairs = [(os.fsencode(f"{folder}/{name}"), os.fsencode(f"{folder}/{name}.link")) for name in ("dir", "file.txt")]
    print("ready", flush=True)
    while os.getppid() != 1:
        for real, link in pairs * 500:
            exchange(AT_FDCWD, real, AT_FDCWD, link, RENAME_EXCHANGE)


def build(base: Path) -> Path:
    """Make the root and the secret outside of it."""
    root, outside = base / "root", base / "outside"
    for folder in (root / "dir", outside):
        folder.mkdir(parents=True)
    (root / "dir" / "file.txt").write_bytes(INSIDE)
    (root / "file.txt").write_bytes(INSIDE)
    (outside / "file.txt").write_bytes(SECRET)
    (root / "dir.link").symlink_to(outside)
    (root / "file.txt.link").symlink_to("../outside/file.txt")
    return root


def open_jailed(jail: Jail) -> Callable[[str], bytes]:
    """Read through the jail."""

    def read(path: str) -> bytes:
        with jail.open_file(path) as opened:
            return os.read(opened.fd, 16)

    return read


def open_naively(root: Path) -> Callable[[str], bytes]:
    """Read as one would without a jail: resolve, compare, open."""

    def read(path: str) -> bytes:
        real = os.path.realpath(root / path)
        if not real.startswith(f"{root}/"):
            raise PermissionError(path)
        fd = os.open(root / path, os.O_RDONLY)
        try:
            return os.read(fd, 16)
        finally:
            os.close(fd)

    return read


def run(strategy: str, read: Callable[[str], bytes], opens: int, *, enough: int = 0) -> Outcome:
    """Open `opens` times, or until `enough` escapes have been seen."""
    outcome = Outcome(strategy)
    start = time.perf_counter()
    while outcome.opens < opens and not (enough and outcome.escapes >= enough):
        outcome.opens += 1
        try:
            data = read(PATHS[outcome.opens % len(PATHS)])
        except (PenstockError, OSError):
            outcome.denied += 1
            continue
        outcome.inside += data == INSIDE
        outcome.escapes += data == SECRET
    outcome.seconds = round(time.perf_counter() - start, 2)
    return outcome


def strategies() -> dict[str, Opener]:
    """Every strategy that this system has."""
    found: dict[str, Opener] = {"stepwise": StepwiseOpener()}
    with contextlib.suppress(OSError):
        found["openat2"] = Openat2Opener()
    return found


def race(opens: int) -> list[Outcome]:
    """Run the control and every strategy against one attacker, the control first."""
    with tempfile.TemporaryDirectory() as base:
        root = build(Path(os.path.realpath(base)))
        command = [sys.executable, os.path.abspath(__file__), "--attack", str(root)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as attacker:
            try:
                assert attacker.stdout is not None
                attacker.stdout.readline()
                outcomes = [run("control", open_naively(root), CONTROL_OPENS, enough=100)]
                for name, opener in strategies().items():
                    jail = Jail([root], opener=opener)
                    outcomes.append(run(name, open_jailed(jail), opens))
                    jail.close()
            finally:
                attacker.kill()
    return outcomes


def main() -> int:
    """Run, print, and say by the exit code whether the promise holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--opens", type=int, default=1_000_000, help="opens per strategy")
    parser.add_argument("--attack", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.attack:
        attack(arguments.attack)
        return 0
    control, *jailed = race(arguments.opens)
    for outcome in (control, *jailed):
        print(json.dumps(line_of(outcome, control)))
    # A race in which nothing was denied, or nothing got through, was none.
    is_held = all(outcome.escapes == 0 and outcome.inside and outcome.denied for outcome in jailed)
    return 0 if is_held and control.escapes else 1


def line_of(outcome: Outcome, control: Outcome) -> dict[str, object]:
    """Return the figures of one strategy."""
    reference = "leaks" if outcome is control else f"0; the control leaked {control.escapes} in {control.opens:,}"
    metric = f"escapes in {outcome.opens:,} opens, {outcome.strategy}"
    return {
        "bench": "race",
        "metric": metric,
        "value": outcome.escapes,
        "unit": "opens",
        "reference": reference,
        **asdict(outcome),
    }


if __name__ == "__main__":
    sys.exit(main())
