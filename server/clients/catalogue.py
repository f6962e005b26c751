"""The clients that can be configured: where their files are, what an entry looks like, how they name the project.

Values and pure functions: nothing is read here. Paths and shapes as in each client's documentation; those of Claude Code,
Codex, Gemini CLI and opencode are also run in `tests/clients`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

from .jsonc import Json

SERVER_NAME: Final = "penstock"


class Syntax(Enum):
    """How a configuration file is written."""

    JSONC = "jsonc"
    TOML = "toml"


class RootRule(Enum):
    """How the server learns which folder it works in."""

    LAUNCH_FOLDER = "launch folder"
    """The client starts it in the project."""
    VARIABLE = "variable"
    """The client replaces `${workspaceFolder}`."""
    EXPLICIT = "explicit"
    """The client starts it anywhere: the folder is written down."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The user's machine as the installers see it; made once, at the edge."""

    home: Path
    project: Path
    platform: str
    """As `sys.platform`: linux, darwin, win32."""
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    def variable_path(self, name: str, default: Path) -> Path:
        """The folder that an environment variable names, or the default."""
        value = self.variables.get(name, "")
        return Path(value) if value else default

    @property
    def application_data(self) -> Path:
        """Where desktop programs keep their settings."""
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        if self.platform == "win32":
            return self.variable_path("APPDATA", self.home / "AppData" / "Roaming")
        return self.dot_config

    @property
    def dot_config(self) -> Path:
        """Where command-line programs keep their settings, on every platform."""
        return self.variable_path("XDG_CONFIG_HOME", self.home / ".config")


@dataclass(frozen=True, slots=True)
class ClientSpec:
    """One client that the installers know."""

    key: str
    title: str
    user_files: Callable[[Machine], tuple[Path, ...]]
    """Candidates; the first that exists counts, or the first of all."""
    project_files: tuple[str, ...] = ()
    table: tuple[str, ...] = ("mcpServers",)
    syntax: Syntax = Syntax.JSONC
    shape: Callable[[str, list[str]], dict[str, Json]] = lambda command, args: {"command": command, "args": list[Json](args)}
    root_rule: RootRule = RootRule.EXPLICIT
    hook_files: Callable[[Machine], tuple[Path, str]] | None = None
    """The file for hooks of the user, and of a project (relative)."""
    note: str = ""
    """What the user does next."""


def _typed(command: str, args: list[str]) -> dict[str, Json]:
    return {"type": "stdio", "command": command, "args": list[Json](args)}


def _always_loaded(command: str, args: list[str]) -> dict[str, Json]:
    """Claude Code searches for tools by default: without this its model starts with their names alone (2.1.329, measured)."""
    return {**_typed(command, args), "alwaysLoad": True}


def _required(command: str, args: list[str]) -> dict[str, Json]:
    """Codex asks its model without a server that takes a second to start, unless it is required (0.169, measured)."""
    return {"command": command, "args": list[Json](args), "required": True}


def _local(command: str, args: list[str]) -> dict[str, Json]:
    return {"type": "local", "command": [command, *args], "enabled": True}


def _claude_code_home(machine: Machine) -> Path:
    return machine.variable_path("CLAUDE_CONFIG_DIR", machine.home)


_SPECS: Final = (
    ClientSpec(
        "claude-desktop",
        "Claude Desktop",
        lambda machine: (machine.application_data / "Claude" / "claude_desktop_config.json",),
        note="Quit and start Claude Desktop.",
    ),
    ClientSpec(
        "claude-code",
        "Claude Code",
        lambda machine: (_claude_code_home(machine) / ".claude.json",),
        (".mcp.json",),
        shape=_always_loaded,
        root_rule=RootRule.LAUNCH_FOLDER,
        hook_files=lambda machine: (
            machine.variable_path("CLAUDE_CONFIG_DIR", machine.home / ".claude") / "settings.json",
            ".claude/settings.json",
        ),
        note="Start a new session; `claude mcp list` shows the server. A project's .mcp.json is approved at its first use.",
    ),
    ClientSpec(
        "cursor",
        "Cursor",
        lambda machine: (machine.home / ".cursor" / "mcp.json",),
        (".cursor/mcp.json",),
        root_rule=RootRule.VARIABLE,
        note="Enable the server under Settings, MCP.",
    ),
    ClientSpec(
        "vscode",
        "VS Code",
        lambda machine: (machine.application_data / "Code" / "User" / "mcp.json",),
        (".vscode/mcp.json",),
        table=("servers",),
        shape=_typed,
        root_rule=RootRule.VARIABLE,
        note="Run 'MCP: List Servers' and start the server.",
    ),
    ClientSpec(
        "windsurf",
        "Windsurf",
        lambda machine: (machine.home / ".codeium" / "windsurf" / "mcp_config.json",),
        note="Refresh the servers in Cascade's MCP settings.",
    ),
    ClientSpec(
        "codex",
        "Codex",
        lambda machine: (machine.variable_path("CODEX_HOME", machine.home / ".codex") / "config.toml",),
        (".codex/config.toml",),
        table=("mcp_servers",),
        syntax=Syntax.TOML,
        shape=_required,
        root_rule=RootRule.LAUNCH_FOLDER,
        note="Start a new session; `required` makes Codex wait for the tools. A project's file counts only in trusted projects.",
    ),
    ClientSpec(
        "gemini-cli",
        "Gemini CLI",
        lambda machine: (machine.home / ".gemini" / "settings.json",),
        (".gemini/settings.json",),
        root_rule=RootRule.LAUNCH_FOLDER,
        hook_files=lambda machine: (machine.home / ".gemini" / "settings.json", ".gemini/settings.json"),
        note="Start a new session; `/mcp` shows the server.",
    ),
    ClientSpec(
        "opencode",
        "opencode",
        lambda machine: tuple(machine.dot_config / "opencode" / name for name in ("opencode.json", "opencode.jsonc")),
        ("opencode.json", "opencode.jsonc"),
        table=("mcp",),
        shape=_local,
        root_rule=RootRule.LAUNCH_FOLDER,
        note="Start a new session.",
    ),
    ClientSpec(
        "zed",
        "Zed",
        lambda machine: (
            (machine.application_data / "Zed" if machine.platform == "win32" else machine.dot_config / "zed") / "settings.json",
        ),
        (".zed/settings.json",),
        table=("context_servers",),
        root_rule=RootRule.LAUNCH_FOLDER,
        note="The Agent Panel's settings show the server.",
    ),
    ClientSpec(
        "jetbrains",
        "JetBrains (Junie)",
        lambda machine: (machine.home / ".junie" / "mcp" / "mcp.json",),
        (".junie/mcp/mcp.json",),
        note="For AI Assistant, paste the entry under Settings, Tools, AI Assistant, MCP.",
    ),
    ClientSpec(
        "cline",
        "Cline",
        lambda machine: (
            machine.application_data
            / "Code/User/globalStorage/saoudrizwan.claude-dev/settings"
            / "cline_mcp_settings.json",
        ),
        note="Cline's MCP servers panel shows the server.",
    ),
    ClientSpec(
        "continue",
        "Continue",
        lambda machine: (machine.home / ".continue" / "mcpServers" / "penstock.json",),
        (".continue/mcpServers/penstock.json",),
        note="Reload Continue's configuration.",
    ),
)  # fmt: skip

_ALIASES: Final = {"claude": "claude-code", "gemini": "gemini-cli", "code": "vscode", "vs-code": "vscode", "junie": "jetbrains"}


def client_keys() -> tuple[str, ...]:
    """Every client that has a configuration file here, in the order of the documentation."""
    return tuple(spec.key for spec in _SPECS)


def client_spec(name: str) -> ClientSpec | None:
    """The client of this name, written in any case, with blanks, underscores or hyphens; None for any other."""
    folded = "-".join(name.strip().lower().replace("_", " ").replace("-", " ").split())
    key = _ALIASES.get(folded, folded)
    return next((spec for spec in _SPECS if spec.key == key), None)


def server_arguments(spec: ClientSpec | None, root: str) -> list[str]:
    """Arguments behind the command: a written root where the client does not start the server in the project."""
    if root:
        return ["serve", "--root", root]
    if spec is not None and spec.root_rule is RootRule.VARIABLE:
        return ["serve", "--root", "${workspaceFolder}"]
    return ["serve"]
