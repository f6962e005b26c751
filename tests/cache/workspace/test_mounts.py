import os

from penstock.cache.workspace.mounts import parse_mountinfo

SAMPLE = """\
22 28 0:21 / /sys rw,nosuid shared:7 - sysfs sysfs rw
23 28 0:22 / /proc rw,nosuid shared:14 - proc proc rw
28 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
29 28 0:5 / /dev rw shared:2 master:1 - devtmpfs udev rw
30 28 0:30 / /dev/shm rw shared:3 - tmpfs tmpfs rw
broken line - proc
31 28 x:y / /odd rw - proc proc rw
"""


def test_only_kernel_file_systems_are_named() -> None:
    assert parse_mountinfo(SAMPLE) == {os.makedev(0, 21), os.makedev(0, 22), os.makedev(0, 5)}


def test_nothing_is_nothing() -> None:
    assert parse_mountinfo("") == frozenset()
