"""`penstock install CLIENT` and `penstock uninstall CLIENT`: show the change, ask, back up, write in one step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .catalogue import ClientSpec, Machine, RootRule, client_keys, client_spec, server_arguments
from .file_writer import check_writable, read_file, remove_folders, replace_file
from .links import cursor_link, pasted_entry, pasted_json, vscode_link
from .planning import Edit, InstallOptions, Record, diff_of, entry_file, hook_file, plan_install, plan_uninstall, sha256_of
from .records import RecordStore
from .refusal import EditRefused


@dataclass(frozen=True, slots=True)
class Dialogue:
    """How the installers talk to the person: `say` a text, `confirm` a question."""

    say: Callable[[str], None]
    confirm: Callable[[str], bool]
    """False where nobody can answer: then nothing is written without --yes."""


class Installer:
    """Edits the configuration files of clients on one machine."""

    def __init__(self, machine: Machine, records: RecordStore, dialogue: Dialogue) -> None:
        """Work on the files of `machine`, keep backups in `records`."""
        self._machine: Final = machine
        self._records: Final = records
        self._dialogue: Final = dialogue

    def install(self, client: str, options: InstallOptions, *, yes: bool = False) -> int:
        """Add the server to a client; for a client that is not known, print what to paste.

        Returns:
            The exit code: 0 done or nothing to do, 1 refused or declined.
        """
        spec = client_spec(client)
        if spec is None:
            self._say_entry(client, options)
            return 0
        if spec.root_rule is RootRule.EXPLICIT and not options.root:
            root = str(self._machine.project)
            self._dialogue.say(f"{spec.title} starts servers outside the project: using --root {root}\n")
            options = InstallOptions(options.command, root, options.is_project, options.with_hooks)
        try:
            edits = self.plan_install(spec, options)
            if not self._carry_out(edits, f"{spec.title}: already installed.\n", yes=yes):
                return 1
        except EditRefused as error:
            self._dialogue.say(f"{error}\n")
            self._say_entry(client, options)
            return 1
        self._say_links(spec, options)
        self._dialogue.say(f"{spec.note}\n" if spec.note else "")
        return 0

    def uninstall(self, client: str, *, is_project: bool = False, yes: bool = False) -> int:
        """Take the server out of a client's files, hooks included.

        Returns:
            The exit code: 0 done or nothing to do, 1 refused, declined or an unknown client.
        """
        spec = client_spec(client)
        if spec is None:
            self._dialogue.say(f"No files are known for {client!r}. Known are {', '.join(client_keys())}.\n")
            return 1
        try:
            edits = self.plan_uninstall(spec, is_project=is_project)
            return 0 if self._carry_out(edits, f"{spec.title}: not installed.\n", yes=yes, is_removal=True) else 1
        except EditRefused as error:
            self._dialogue.say(f"{error}\n")
            return 1

    def plan_install(self, spec: ClientSpec, options: InstallOptions) -> tuple[Edit, ...]:
        """Read the client's files and plan; raises EditRefused."""
        entry = entry_file(spec, self._machine, is_project=options.is_project, exists=Path.exists)
        hooks = hook_file(spec, self._machine, is_project=options.is_project)
        paths = [entry, *([hooks] if hooks is not None else [])]
        return plan_install(
            spec,
            options,
            entry_path=entry,
            hook_path=hooks,
            contents={path: read_file(path) for path in paths},
            records=self._known(paths),
        )

    def plan_uninstall(self, spec: ClientSpec, *, is_project: bool = False) -> tuple[Edit, ...]:
        """Read the client's files and plan the removal; raises EditRefused."""
        entry = entry_file(spec, self._machine, is_project=is_project, exists=Path.exists)
        hooks = hook_file(spec, self._machine, is_project=is_project)
        paths = [entry, *([hooks] if hooks is not None else [])]
        contents = {path: read_file(path) for path in paths}
        return plan_uninstall(spec, entry_path=entry, hook_path=hooks, contents=contents, records=self._known(paths))

    def apply(self, edits: tuple[Edit, ...], *, is_removal: bool = False) -> None:
        """Write the edits; when one is refused, those before it are undone.

        Raises:
            EditRefused: Nothing was changed.
        """
        for edit in edits:
            check_writable(edit.path)
        known = self._known([edit.path for edit in edits])
        done: list[Edit] = []
        for edit in edits:
            try:
                self._apply_one(edit, is_removal=is_removal)
            except (EditRefused, OSError) as error:
                self._undo(done, edit, known)
                if isinstance(error, EditRefused):
                    raise
                raise EditRefused("The backup cannot be kept", why=error.strerror or "") from error
            done.append(edit)

    def _undo(self, done: list[Edit], failed: Edit, known: Mapping[Path, Record]) -> None:
        for edit in reversed(done):
            replace_file(edit.path, edit.before, expected=edit.after)
        for edit in (*done, failed):
            if edit.path in known:
                self._records.put(edit.path, known[edit.path])
            else:
                self._records.drop(edit.path)

    def _apply_one(self, edit: Edit, *, is_removal: bool) -> None:
        if is_removal:
            folders = self._records.folders_made(edit.path)
            replace_file(edit.path, edit.after, expected=edit.before)
            self._records.drop(edit.path)
            if edit.after is None:
                remove_folders(folders)
            return
        record = Record(sha256_of(edit.after), edit.original)
        folders = self._records.folders_made(edit.path)
        self._records.put(edit.path, record, folders)
        is_shared = self._machine.project != self._machine.home and edit.path.is_relative_to(self._machine.project)
        made = replace_file(edit.path, edit.after, expected=edit.before, is_shared=is_shared)
        if made:
            self._records.put(edit.path, record, (*folders, *made))

    def _carry_out(self, edits: tuple[Edit, ...], nothing: str, *, yes: bool, is_removal: bool = False) -> bool:
        if not edits:
            self._dialogue.say(nothing)
            return True
        for edit in edits:
            self._dialogue.say(diff_of(edit))
        if not yes and not self._dialogue.confirm("Write this?"):
            self._dialogue.say("Nothing was written. --yes writes without asking.\n")
            return False
        self.apply(edits, is_removal=is_removal)
        for edit in edits:
            kept = not is_removal and edit.original is not None
            backup = f"; the original is kept as {self._records.backup_path(edit.path)}" if kept else ""
            self._dialogue.say(f"{'Removed' if edit.after is None else 'Wrote'} {edit.path}{backup}\n")
        return True

    def _known(self, paths: list[Path]) -> dict[Path, Record]:
        found = ((path, self._records.get(path)) for path in paths)
        return {path: record for path, record in found if record is not None}

    def _say_entry(self, client: str, options: InstallOptions) -> None:
        spec = client_spec(client)
        arguments = server_arguments(spec, options.root)
        entry = pasted_json(options.command, arguments)
        if spec is not None:
            entry = pasted_entry(spec, spec.shape(options.command, arguments))
        self._dialogue.say(f"To add it to {client} by hand:\n{entry}\n")

    def _say_links(self, spec: ClientSpec, options: InstallOptions) -> None:
        arguments = server_arguments(spec, options.root)
        if spec.key == "cursor":
            self._dialogue.say(f"One-click link: {cursor_link(options.command, arguments)}\n")
        if spec.key == "vscode":
            self._dialogue.say(f"One-click link: {vscode_link(options.command, arguments)}\n")
