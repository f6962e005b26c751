"""What an installation or its removal changes. Pure: the contents of the files go in, the contents wanted come out.

The original bytes come back in two ways. While a file is as the installer left it, its bytes from before are put back;
once someone changed it since, only our entry is taken out, and what the original did not have around it.
"""

import difflib
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from . import jsonc_edit, toml_edit
from .catalogue import SERVER_NAME, ClientSpec, Machine, Syntax, server_arguments
from .hook_wiring import hooks_of
from .jsonc import Json, find, parse, value_of
from .refusal import EditRefused
from .toml_edit import TomlValue

_BOM: Final = b"\xef\xbb\xbf"
_NO_VALUE: Final = re.compile(r"(?:\s|//[^\n]*|/\*[\s\S]*?\*/)*+")
MAX_FILE_BYTES: Final = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class InstallOptions:
    """What the user asked for."""

    command: str = SERVER_NAME
    """The program to start; an absolute path where the client does not have the user's PATH."""
    root: str = ""
    is_project: bool = False
    """Edit the project's file instead of the user's."""
    with_hooks: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of a file that was edited."""

    installed_sha256: str
    original: bytes | None
    """The bytes before the first edit; None where there was no file."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One file: its bytes now and as wanted; None stands for no file."""

    path: Path
    before: bytes | None
    after: bytes | None
    original: bytes | None
    """What an uninstallation brings back."""


def entry_file(spec: ClientSpec, machine: Machine, *, is_project: bool, exists: Callable[[Path], bool]) -> Path:
    """The file that takes the entry.

    Raises:
        EditRefused: The client has no file for a single project.
    """
    candidates = tuple(machine.project / name for name in spec.project_files) if is_project else spec.user_files(machine)
    if not candidates:
        raise EditRefused(f"{spec.title} has no configuration file for a single project", next_call="install without --project")
    return next((path for path in candidates if exists(path)), candidates[0])


def hook_file(spec: ClientSpec, machine: Machine, *, is_project: bool) -> Path | None:
    """The file that takes hooks; None where the client has none that are known here."""
    if spec.hook_files is None:
        return None
    user, project = spec.hook_files(machine)
    return machine.project / project if is_project else user


def plan_install(
    spec: ClientSpec, options: InstallOptions, *, entry_path: Path, hook_path: Path | None,
    contents: Mapping[Path, bytes | None], records: Mapping[Path, Record],
) -> tuple[Edit, ...]:  # fmt: skip
    """The edits that make the client start the server; none when everything is there already.

    Raises:
        EditRefused: A file is broken or cannot be edited safely; nothing is to be changed then.
    """
    wanted: dict[Path, bytes | None] = {}
    for path in dict.fromkeys((entry_path, hook_path if options.with_hooks else None)):
        if path is None:
            continue
        text, mark = _decoded(contents[path])
        if path == entry_path:
            text = _with_entry(spec, options, text)
        if path == hook_path and options.with_hooks:
            text = _with_hooks(spec, options, text)
        wanted[path] = mark + text.encode()
    edits: list[Edit] = []
    for path, after in wanted.items():
        before = contents[path]
        if before != after:
            original = _original(spec, before, records.get(path), is_entry=path == entry_path, is_hooks=path == hook_path)
            edits.append(Edit(path, before, after, original))
    return tuple(edits)


def plan_uninstall(
    spec: ClientSpec, *, entry_path: Path, hook_path: Path | None,
    contents: Mapping[Path, bytes | None], records: Mapping[Path, Record],
) -> tuple[Edit, ...]:  # fmt: skip
    """The edits that leave no trace of the server in the client's files.

    Raises:
        EditRefused: A file is broken; nothing is to be changed then.
    """
    edits: list[Edit] = []
    for path in dict.fromkeys((entry_path, hook_path)):
        if path is None or contents[path] is None:
            continue
        before = contents[path]
        after = _original(spec, before, records.get(path), is_entry=path == entry_path, is_hooks=path == hook_path)
        if after != before:
            edits.append(Edit(path, before, after, after))
    return tuple(edits)


def diff_of(edit: Edit) -> str:
    """The edit as a unified diff, for a person to read."""
    before, after = ((data or b"").decode("utf-8", "replace").splitlines(keepends=True) for data in (edit.before, edit.after))
    name = edit.path.as_posix()
    old, new = ("/dev/null" if edit.before is None else name), ("/dev/null" if edit.after is None else name)
    lines = difflib.unified_diff(before, after, old, new)
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


def sha256_of(data: bytes | None) -> str:
    """The hash of a file's bytes; empty for no file."""
    return "" if data is None else hashlib.sha256(data).hexdigest()


def _original(spec: ClientSpec, before: bytes | None, record: Record | None, *, is_entry: bool, is_hooks: bool) -> bytes | None:
    """The bytes without us: those from before while the file is as we left it, else what is there less our parts."""
    if before is None or (record is not None and record.installed_sha256 == sha256_of(before)):
        return record.original if record is not None and before is not None else None
    text, mark = _decoded(before)
    known = _decoded(record.original)[0] if record is not None else None
    rest = text
    is_blank = _NO_VALUE.fullmatch(text) is not None
    if is_entry and not is_blank:
        rest = _without_entry(spec, rest, known)
    if is_hooks and not is_blank:
        rest = _without_hooks(spec, rest, known)
    if record is not None and record.original is None and rest != text and not rest.strip("{}\r\n\t "):
        return None
    return before if rest == text else mark + rest.encode()


def _with_entry(spec: ClientSpec, options: InstallOptions, text: str) -> str:
    entry = spec.shape(options.command, server_arguments(spec, options.root))
    if spec.syntax is Syntax.TOML:
        return toml_edit.set_table(text, (*spec.table, SERVER_NAME), cast("dict[str, TomlValue]", entry))
    text = _with_value(text)
    path = (*spec.table, SERVER_NAME)
    present = find(parse(text), path)
    if present is None or present.kind != "object":
        return jsonc_edit.set_member(text, spec.table, SERVER_NAME, entry)
    for key, value in entry.items():
        text = jsonc_edit.set_member(text, path, key, value)
    return text


def _with_hooks(spec: ClientSpec, options: InstallOptions, text: str) -> str:
    text = _with_value(text)
    for hook in hooks_of(spec.key):
        text = jsonc_edit.append_item(text, ("hooks", hook.client_event), hook.entry(options.command))
    return text


def _with_value(text: str) -> str:
    """The text, with an empty object behind it where it holds comments at most: clients read that as no settings."""
    if not _NO_VALUE.fullmatch(text):
        return text
    return f"{text.rstrip()}\n{{}}\n" if text.strip() else "{}\n"


def _without_entry(spec: ClientSpec, text: str, original: str | None) -> str:
    path = (*spec.table, SERVER_NAME)
    if spec.syntax is Syntax.TOML:
        return toml_edit.remove_table(text, path)
    rest = jsonc_edit.remove_member(text, spec.table, SERVER_NAME)
    return _without_empty(rest, spec.table, original) if rest != text else text


def _without_hooks(spec: ClientSpec, text: str, original: str | None) -> str:
    for hook in hooks_of(spec.key):
        path = ("hooks", hook.client_event)
        array = find(parse(text), path)
        for child in array.children if array is not None else ():
            value = value_of(child.node)
            if _is_ours(value, hook.event):
                text = jsonc_edit.remove_item(text, path, value)
                text = _without_empty(text, path, original)
    return text


def _is_ours(value: Json, event: str) -> bool:
    actions = value.get("hooks") if isinstance(value, dict) else None
    if not isinstance(actions, list) or len(actions) != 1 or not isinstance(actions[0], dict):
        return False
    command = actions[0].get("command")
    return isinstance(command, str) and SERVER_NAME in command and command.endswith(f" hook {event}")


def _without_empty(text: str, path: tuple[str, ...], original: str | None) -> str:
    """Take out containers on the path that are empty now and that the original, where it is known, did not have."""
    for size in range(len(path), 0, -1):
        node = find(parse(text), path[:size])
        if node is None or node.children or original is None:
            break
        if original.strip() and find(parse(original), path[:size]) is not None:
            break
        text = jsonc_edit.remove_member(text, path[: size - 1], path[size - 1])
    return text


def _decoded(data: bytes | None) -> tuple[str, bytes]:
    """The text, and the byte order mark in front of it if there is one."""
    if data is None:
        return "", b""
    if len(data) > MAX_FILE_BYTES:
        raise EditRefused(f"The file has {len(data):,} bytes, more than a configuration file", next_call="add the entry by hand")
    mark = _BOM if data.startswith(_BOM) else b""
    try:
        return data[len(mark) :].decode("utf-8"), mark
    except UnicodeDecodeError as error:
        raise EditRefused("The file is not UTF-8 text", next_call="add the entry by hand") from error
