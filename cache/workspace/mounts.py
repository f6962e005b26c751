"""Which devices are kernel file systems, whose files are not data: procfs, sysfs, devtmpfs and their like. Pure."""

import os
from typing import Final

_KERNEL_TYPES: Final = frozenset(
    (
        *("proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs", "configfs"),
        *("bpf", "efivarfs", "pstore", "binfmt_misc", "fusectl", "mqueue", "selinuxfs", "smackfs", "autofs", "nsfs"),
    )
)


def parse_mountinfo(text: str) -> frozenset[int]:
    """Return the `st_dev` of every kernel file system named in `/proc/self/mountinfo` (proc(5)); bad lines are passed over."""
    devices: set[int] = set()
    for line in text.splitlines():
        fields = line.split(" ")
        if "-" not in fields or len(fields) < 10:
            continue
        major, _, minor = fields[2].partition(":")
        if fields[fields.index("-") + 1] in _KERNEL_TYPES and major.isdigit() and minor.isdigit():
            devices.add(os.makedev(int(major), int(minor)))
    return frozenset(devices)
