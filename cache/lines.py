"""Which lines changed: an own line differ with bounded work. Pure.

Trim the common ends, leave out what only one side has, and look for a short edit script (Myers 1986, greedy, at most
`QUICK_DISTANCE` edits). Where there is none, anchor at lines that are unique on both sides (patience: longest increasing
subsequence) and go on in the gaps; in a gap without anchors Myers goes on to `MAX_DISTANCE`. All of it as long as the budget of
steps lasts; what is left over is one block. Linear for the usual edit, never quadratic.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

QUICK_DISTANCE: Final = 64
"""Edits up to which the shortest script is cheaper than anchors, and is what is returned."""
MAX_DISTANCE: Final = 1000
"""Edits that Myers may look for in one gap; beyond this the gap is a rewrite."""
MAX_STEPS: Final = 300_000
"""Inner steps of Myers per diff, all gaps together: about 0.1 s."""


@dataclass(frozen=True, slots=True)
class Change:
    """Lines `old[old_start:old_end]` became `new[new_start:new_end]`; 0-based, either side may be empty."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def diff_lines(old: Sequence[bytes], new: Sequence[bytes]) -> list[Change]:
    """Return the changes from `old` to `new`, in order, never touching each other."""
    start, shortest = 0, min(len(old), len(new))
    while start < shortest and old[start] == new[start]:
        start += 1
    end = 0
    while end < shortest - start and old[-1 - end] == new[-1 - end]:
        end += 1
    ids: dict[bytes, int] = {}
    a = [ids.setdefault(line, len(ids)) for line in old[start : len(old) - end]]
    b = [ids.setdefault(line, len(ids)) for line in new[start : len(new) - end]]
    # A line that the other side lacks can match nothing: without such lines the search space is small.
    in_a, in_b = set(a), set(b)
    at_a = [at for at, line in enumerate(a, start) if line in in_b]
    at_b = [at for at, line in enumerate(b, start) if line in in_a]
    runs = _Matcher([a[at - start] for at in at_a], [b[at - start] for at in at_b]).match()
    matched = [(at_a[i + step], at_b[j + step], 1) for i, j, length in runs for step in range(length)]
    tail = (len(old) - end, len(new) - end, end)
    return _changes_between([(0, 0, start), *matched, tail], len(old), len(new))


def _changes_between(matched: list[tuple[int, int, int]], n: int, m: int) -> list[Change]:
    changes: list[Change] = []
    i = j = 0
    for start_a, start_b, length in [*matched, (n, m, 0)]:
        if start_a > i or start_b > j:
            changes.append(Change(i, start_a, j, start_b))
        i, j = start_a + length, start_b + length
    return changes


class _Matcher:
    """Finds runs of equal lines; holds the step budget of one diff."""

    def __init__(self, a: list[int], b: list[int]) -> None:
        self._a = a
        self._b = b
        self._steps = MAX_STEPS

    def match(self) -> list[tuple[int, int, int]]:
        """Return runs (start in a, start in b, length), ascending in both."""
        runs: list[tuple[int, int, int]] = []
        gaps = [(0, len(self._a), 0, len(self._b))]
        while gaps:
            lo_a, hi_a, lo_b, hi_b = self._trim(*gaps.pop(), runs)
            if lo_a == hi_a or lo_b == hi_b:
                continue
            quick, is_complete = self._shortest(lo_a, hi_a, lo_b, hi_b, QUICK_DISTANCE)
            if is_complete:
                runs.extend(quick)
                continue
            anchors = self._anchors(lo_a, hi_a, lo_b, hi_b)
            if anchors:
                for i, j in anchors:
                    gaps.append((lo_a, i, lo_b, j))
                    runs.append((i, j, 1))
                    lo_a, lo_b = i + 1, j + 1
                gaps.append((lo_a, hi_a, lo_b, hi_b))
            else:
                runs.extend(self._shortest(lo_a, hi_a, lo_b, hi_b, MAX_DISTANCE)[0])
        runs.sort()
        return runs

    def _trim(self, lo_a: int, hi_a: int, lo_b: int, hi_b: int, runs: list[tuple[int, int, int]]) -> tuple[int, int, int, int]:
        a, b = self._a, self._b
        i, j = lo_a, lo_b
        while i < hi_a and j < hi_b and a[i] == b[j]:
            i += 1
            j += 1
        if i > lo_a:
            runs.append((lo_a, lo_b, i - lo_a))
        end_a, end_b = hi_a, hi_b
        while end_a > i and end_b > j and a[end_a - 1] == b[end_b - 1]:
            end_a -= 1
            end_b -= 1
        if end_a < hi_a:
            runs.append((end_a, end_b, hi_a - end_a))
        return i, end_a, j, end_b

    def _anchors(self, lo_a: int, hi_a: int, lo_b: int, hi_b: int) -> list[tuple[int, int]]:
        """Return the longest ascending chain of lines that occur exactly once on each side."""
        once_a = _positions_of_unique(self._a, lo_a, hi_a)
        once_b = _positions_of_unique(self._b, lo_b, hi_b)
        pairs = [(i, once_b[line]) for line, i in once_a.items() if line in once_b]
        return _longest_increasing(pairs)

    def _shortest(self, lo_a: int, hi_a: int, lo_b: int, hi_b: int, limit: int) -> tuple[list[tuple[int, int, int]], bool]:
        """Follow Myers' furthest-reaching paths to the end, `limit` edits, or the end of the budget.

        Returns the best path's runs, and whether it reached the end (then it is the shortest).
        """
        a, b = self._a[lo_a:hi_a], self._b[lo_b:hi_b]
        n, m = len(a), len(b)
        furthest = {1: 0}
        trace: list[dict[int, int]] = []
        for d in range(min(n + m, limit) + 1):
            row: dict[int, int] = {}
            for k in range(max(-d, d - 2 * m), min(d, 2 * n - d) + 1, 2):
                x = _step(furthest, k, d)[1]
                y = x - k
                if x < 0 or x > n or y > m:
                    continue
                while x < n and y < m and a[x] == b[y]:
                    x += 1
                    y += 1
                row[k] = x
                if x == n and y == m:
                    return _runs_of([*trace, row], k, lo_a, lo_b), True
            trace.append(row)
            furthest = row
            self._steps -= len(row) + 1
            if self._steps <= 0:
                break
        best = max(furthest, key=lambda k: 2 * furthest[k] - k)
        return _runs_of(trace, best, lo_a, lo_b), False


def _step(furthest: dict[int, int], k: int, d: int) -> tuple[bool, int]:
    """Return whether diagonal `k` is entered downwards (a line of b), and at which x; x < 0 if it cannot be."""
    above, left = furthest.get(k + 1, -2), furthest.get(k - 1, -2)
    if k == -d or (k != d and left < above):
        return True, above
    return False, left + 1


def _positions_of_unique(lines: list[int], lo: int, hi: int) -> dict[int, int]:
    first: dict[int, int] = {}
    repeated: set[int] = set()
    for at in range(lo, hi):
        line = lines[at]
        if line in first:
            repeated.add(line)
        else:
            first[line] = at
    for line in repeated:
        del first[line]
    return first


def _longest_increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest chain ascending in both members; `pairs` ascend in the first (patience sorting)."""
    tails: list[int] = []
    tail_at: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        place = bisect_left(tails, j)
        before.append(tail_at[place - 1] if place else -1)
        if place == len(tails):
            tails.append(j)
            tail_at.append(index)
        else:
            tails[place] = j
            tail_at[place] = index
    chain: list[tuple[int, int]] = []
    index = tail_at[-1] if tail_at else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    chain.reverse()
    return chain


def _runs_of(trace: list[dict[int, int]], k: int, lo_a: int, lo_b: int) -> list[tuple[int, int, int]]:
    """Walk the path that ends on diagonal `k` of the last row back to the start, collecting its diagonals."""
    runs: list[tuple[int, int, int]] = []
    for d in range(len(trace) - 1, -1, -1):
        x = trace[d][k]
        down, start = False, 0
        if d:
            down, start = _step(trace[d - 1], k, d)
        if x > start:
            runs.append((lo_a + start, lo_b + start - k, x - start))
        if d:
            k = k + 1 if down else k - 1
    return runs
