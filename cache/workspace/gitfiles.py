"""Asking git which files of a work tree are not ignored, without letting the repository run anything.

`.git/config` belongs to whoever wrote the repository. Measured: fsmonitor, hooks and embedded bare repositories execute
under a plain `git ls-files`; a sparse index may fetch missing objects through a configured transport. Command-line settings
outrank the repository's, and transports are closed by the environment. Any failure is an answer: the caller scans instead.
"""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..deadline import Deadline

_SETTINGS: Final = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "safe.bareRepository=explicit",
    "core.sshCommand=false",
    "core.pager=cat",
    "protocol.allow=never",
)
_KEPT_VARIABLES: Final = ("PATH", "HOME", "XDG_CONFIG_HOME", "USERPROFILE", "SYSTEMROOT", "SYSTEMDRIVE", "TMPDIR", "TEMP")
"""Where git finds its own programs and the user's own settings; GIT_* would let a caller's shell redirect it."""
_SET_VARIABLES: Final = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_SSH_COMMAND": "false",
    "GIT_LITERAL_PATHSPECS": "1",
}
_CHUNK_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class GitNames:
    """What `git ls-files` said."""

    names: list[bytes]
    """Relative to the folder asked, sorted, each once; a nested repository or submodule appears as a folder."""
    seen: int
    is_complete: bool


class GitFiles:
    """Lists work trees with the git program. Thread-safe, without state."""

    def __init__(self, program: str | None, environment: Mapping[str, str], *, timeout_s: float = 15.0) -> None:
        """`program` None never lists anything; the timeout bounds a repository that makes git hang (a FIFO as `.gitignore`)."""
        self.program: Final = program
        self._timeout_s = timeout_s
        self._environment = {name: environment[name] for name in _KEPT_VARIABLES if name in environment} | _SET_VARIABLES

    @classmethod
    def find(cls, roots: Sequence[Path], environment: Mapping[str, str] = os.environ) -> "GitFiles":
        """Look for git on the PATH; one that lies inside a root, or that a relative entry finds, is not used."""
        program = shutil.which("git", path=environment.get("PATH"))
        if program is not None:
            real = Path(os.path.realpath(program))
            if not os.path.isabs(program) or any(real.is_relative_to(os.path.realpath(root)) for root in roots):
                program = None
        return cls(program, environment)

    def __repr__(self) -> str:
        return f"<GitFiles {self.program}>"

    def list_names(self, folder: str, *, under: str, max_names: int, deadline: Deadline) -> GitNames | None:
        """List what is below `under` in `folder`; None if git cannot: not a work tree, foreign-owned, damaged, too slow, absent.

        Raises:
            DeadlineExceeded, CallCancelled: The call's own time is over.
        """
        query = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *([under] if under else [])]
        process = self._start(folder, query)
        if process is None:
            return None
        names: list[bytes] = []
        seen = 0
        alarm = threading.Timer(min(self._timeout_s, deadline.remaining_s), process.kill)
        alarm.daemon = True
        with process:
            try:
                alarm.start()
                for batch in _batches(process):
                    deadline.check()
                    seen += len(batch)
                    names.extend(batch[: max(0, max_names - len(names))])
            except BaseException:
                process.kill()
                raise
            finally:
                alarm.cancel()
        deadline.check()
        if process.returncode != 0:
            return None
        names.sort()
        unique = [name for at, name in enumerate(names) if not at or name != names[at - 1]]
        return GitNames(unique, seen - (len(names) - len(unique)), is_complete=seen <= max_names)

    def committed(self, folder: str, rel: str, *, max_bytes: int) -> bytes | None:
        """Return a file's bytes at HEAD; None without git, a commit, or the file in it, or above `max_bytes`.

        `cat-file` is plumbing: it runs no filter, textconv or hook (measured).
        """
        process = self._start(folder, ["cat-file", "blob", f"HEAD:./{rel}"])
        if process is None:
            return None
        alarm = threading.Timer(self._timeout_s, process.kill)
        alarm.daemon = True
        with process:
            try:
                alarm.start()
                assert process.stdout is not None
                data = process.stdout.read(max_bytes + 1)
                if len(data) > max_bytes:
                    process.kill()
            except BaseException:
                process.kill()
                raise
            finally:
                alarm.cancel()
        return data if process.returncode == 0 and len(data) <= max_bytes else None

    def _start(self, folder: str, words: Sequence[str]) -> "subprocess.Popen[bytes] | None":
        if self.program is None or not is_work_tree(folder):
            return None
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        try:
            return subprocess.Popen(
                [self.program, "--no-pager", *settings, *words],
                cwd=folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except (OSError, ValueError):
            return None


def is_work_tree(folder: str) -> bool:
    """Whether a `.git` is in this folder or above it: saves starting git where it can only fail."""
    path = Path(folder)
    return any(os.path.lexists(parent / ".git") for parent in (path, *path.parents))


def _batches(process: "subprocess.Popen[bytes]") -> Iterator[list[bytes]]:
    assert process.stdout is not None
    rest = b""
    while chunk := os.read(process.stdout.fileno(), _CHUNK_BYTES):
        *names, rest = (rest + chunk).split(b"\0")
        yield names
