"""Memory limits of control groups, v2 and v1, read from a file tree.

Refuses to know what the limits are used for. Every function takes the root under which `proc/` and `sys/` lie, so a
test can build the tree it needs. A file that is missing or makes no sense is skipped: a limit that cannot be read is
no limit. Formats: Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst, proc(5) mountinfo.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

V1_NO_LIMIT: Final = 1 << 60
"""v1 writes "no limit" as PAGE_COUNTER_MAX rounded to pages, about 2**63; no machine has 2**60 bytes."""


@dataclass(frozen=True, slots=True)
class Cgroup:
    """One directory of the hierarchy, from the process's own up to the mount's root."""

    directory: Path
    name: str
    """Path inside the hierarchy, for messages."""
    version: int


@dataclass(frozen=True, slots=True)
class CgroupUsage:
    """What one limited group uses, in bytes."""

    source: str
    limit_bytes: int
    working_bytes: int
    """Charged memory without file pages, which the kernel takes back before it fails an allocation."""

    @property
    def room_bytes(self) -> int:
        """Bytes that can still be charged, never negative."""
        return max(0, self.limit_bytes - self.working_bytes)


def read_text(path: Path) -> str | None:
    """Return the text of a small kernel file, or None if it cannot be read."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except (OSError, ValueError):
        return None


def parse_fields(text: str | None) -> dict[str, int]:
    """Parse lines of `name value [unit]` as in memory.stat, memory.events and meminfo; anything else is skipped."""
    fields: dict[str, int] = {}
    for line in (text or "").splitlines():
        parts = line.split()
        if len(parts) >= 2 and parts[1].isdigit():
            fields[parts[0].rstrip(":")] = int(parts[1])
    return fields


def parse_limit(text: str | None) -> int | None:
    """Parse a limit file: a number of bytes, or None for `max`, for "no limit" of v1 and for nonsense."""
    word = (text or "").strip()
    if not word.isdigit() or int(word) >= V1_NO_LIMIT:
        return None
    return int(word)


def find_groups(root: Path) -> list[Cgroup]:
    """Return the groups that charge this process's memory, innermost first, v2 before v1."""
    paths = _own_paths(root)
    groups: list[Cgroup] = []
    for line in (read_text(root / "proc/self/mountinfo") or "").splitlines():
        mount = _parse_mount(line)
        if mount is None or mount[0] not in paths:
            continue
        version, mount_root, mount_point = mount
        inner = _inside_mount(paths[version], mount_root)
        groups.extend(_chain(root / mount_point.lstrip("/"), inner, version))
    return sorted(groups, key=lambda group: -group.version)


def read_limits(groups: list[Cgroup]) -> dict[str, int]:
    """Return every memory limit of the groups: bytes by source, e.g. `cgroup v2 /app memory.max`."""
    limits: dict[str, int] = {}
    for group in groups:
        names = ("memory.high", "memory.max") if group.version == 2 else ("memory.limit_in_bytes",)
        for name in names:
            limit = parse_limit(read_text(group.directory / name))
            if limit is not None:
                limits[f"cgroup v{group.version} {group.name} {name}"] = limit
    return limits


def read_usage(groups: list[Cgroup]) -> list[CgroupUsage]:
    """Return what each limited group uses now; groups without a limit or a usage file are left out."""
    usages: list[CgroupUsage] = []
    for group in groups:
        limits = read_limits([group])
        if not limits:
            continue
        source = min(limits, key=lambda name: limits[name])
        current_name = "memory.current" if group.version == 2 else "memory.usage_in_bytes"
        current = parse_limit(read_text(group.directory / current_name))
        if current is not None:
            stat = parse_fields(read_text(group.directory / "memory.stat"))
            prefix = "" if group.version == 2 else "total_"
            files = stat.get(prefix + "inactive_file", 0) + stat.get(prefix + "active_file", 0)
            usages.append(CgroupUsage(source, limits[source], max(0, current - files)))
    return usages


def read_throttles(groups: list[Cgroup]) -> int:
    """Return how often the groups have hit memory.high or memory.max so far (v2 memory.events)."""
    hits = 0
    for group in groups:
        if group.version == 2:
            events = parse_fields(read_text(group.directory / "memory.events"))
            hits += events.get("high", 0) + events.get("max", 0)
    return hits


def _own_paths(root: Path) -> dict[int, str]:
    """Return this process's path in each hierarchy that controls memory."""
    paths: dict[int, str] = {}
    for line in (read_text(root / "proc/self/cgroup") or "").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            paths[2] = path
        elif "memory" in controllers.split(","):
            paths[1] = path
    return paths


def _parse_mount(line: str) -> tuple[int, str, str] | None:
    """Return (version, root inside the hierarchy, mount point) of a cgroup mount that has memory."""
    before, separator, after = line.partition(" - ")
    head, tail = before.split(), after.split()
    if not separator or len(head) < 5 or len(tail) < 3:
        return None
    if tail[0] == "cgroup2":
        return 2, head[3], head[4]
    if tail[0] == "cgroup" and "memory" in tail[2].split(","):
        return 1, head[3], head[4]
    return None


def _inside_mount(path: str, mount_root: str) -> PurePosixPath:
    """Return `path` relative to the mounted part of the hierarchy.

    A path outside the mounted part (another cgroup namespace) shows as `/..`; then only the mount's own root is known.
    """
    inner = PurePosixPath(path)
    if ".." in inner.parts:
        return PurePosixPath("/")
    if mount_root != "/" and inner.is_relative_to(mount_root):
        return PurePosixPath("/") / inner.relative_to(mount_root)
    return inner


def _chain(mount_point: Path, inner: PurePosixPath, version: int) -> list[Cgroup]:
    """Return the group at `inner` and every parent up to the mount point that exist."""
    chain = [inner, *inner.parents]
    found = [Cgroup(mount_point / str(path).lstrip("/"), str(path), version) for path in chain]
    return [group for group in found if group.directory.is_dir()]
