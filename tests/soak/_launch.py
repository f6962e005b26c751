"""Start the server in a process that is short of memory: `_launch.py [--data-mb N] [--ballast FILE] serve …`.

`--data-mb` sets RLIMIT_DATA. `--ballast` starts a thread that keeps as many megabytes allocated as the file says: a neighbour
inside the process, which the ledger knows nothing of.
"""

import argparse
import runpy
import sys
import threading
import time
from pathlib import Path

BLOCK = 1 << 20
LOOK_S = 0.1


def keep_ballast(path: Path) -> None:
    """Follow the number of megabytes in the file for ever."""
    blocks: list[bytes] = []
    while True:
        try:
            wanted = int(path.read_text() or 0)
        except (OSError, ValueError):
            wanted = len(blocks)
        while len(blocks) < wanted:
            blocks.append(b"\xa5" * BLOCK)
        del blocks[wanted:]
        time.sleep(LOOK_S)


def main() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--data-mb", type=int, default=0)
    parser.add_argument("--ballast", type=Path)
    options, rest = parser.parse_known_args()
    if options.data_mb:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (options.data_mb << 20, options.data_mb << 20))
    if options.ballast is not None:
        threading.Thread(target=keep_ballast, args=(options.ballast,), daemon=True).start()
    sys.argv = ["penstock", *rest]
    sys.path.pop(0)  # this folder: its modules are not the server's
    runpy.run_module("penstock.server", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
