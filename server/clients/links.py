"""One-click install links and the entry to paste by hand. Pure: values in, text out."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import cast
from urllib.parse import quote

from .catalogue import SERVER_NAME, ClientSpec, Syntax
from .jsonc import Json
from .toml_edit import TomlValue, render_table


def cursor_link(command: str, args: Sequence[str]) -> str:
    """Cursor's install link: the entry as base64 of JSON."""
    entry = _compact({"command": command, "args": list(args)})
    config = quote(base64.b64encode(entry.encode()).decode(), safe="")
    return f"cursor://anysphere.cursor-deeplink/mcp/install?name={SERVER_NAME}&config={config}"


def vscode_link(command: str, args: Sequence[str]) -> str:
    """VS Code's install link: the entry with its name as URL-encoded JSON."""
    return "vscode:mcp/install?" + quote(_compact({"name": SERVER_NAME, "command": command, "args": list(args)}), safe="")


def pasted_json(command: str, args: Sequence[str]) -> str:
    """The entry as most clients take it."""
    return json.dumps({"mcpServers": {SERVER_NAME: {"command": command, "args": list(args)}}}, indent=2, ensure_ascii=False)


def pasted_entry(spec: ClientSpec, entry: Mapping[str, Json]) -> str:
    """The entry as this client takes it."""
    if spec.syntax is Syntax.TOML:
        return render_table((*spec.table, SERVER_NAME), cast("Mapping[str, TomlValue]", entry))
    value: dict[str, Json] = {SERVER_NAME: dict(entry)}
    for name in reversed(spec.table):
        value = {name: value}
    return json.dumps(value, indent=2, ensure_ascii=False)


def _compact(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
