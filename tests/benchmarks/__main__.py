"""`make bench`: run every benchmark in turn and print its JSON lines; `python -m tests.benchmarks startup index` runs some."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Run the benchmarks named on the command line, or all, each in its own process; 1 if any failed."""
    known = {path.stem.removesuffix("_bench"): path for path in sorted(HERE.glob("*.py")) if not path.stem.startswith("_")}
    failed = 0
    for name in sys.argv[1:] or known:
        if name not in known:
            sys.stderr.write(f"no benchmark {name!r}; there are: {', '.join(known)}\n")
            return 2
        sys.stderr.write(f"# {name}\n")
        failed |= subprocess.run([sys.executable, "-m", f"tests.benchmarks.{known[name].stem}"], check=False).returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
