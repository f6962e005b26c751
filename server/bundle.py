"""The desktop bundle (.mcpb) and the registry's server.json, made from a checkout: `python -m penstock.server.bundle [OUT]`.

The bundle has the server type `uv`: it holds the sources, and the client's uv makes the environment on the first start,
so one file serves every platform. The same checkout gives the same bytes.
"""

import json
import sys
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

from .toolset import TOOLS

REGISTRY_NAME: Final = "io.github.penstock-mcp/penstock"
"""The README carries the same name in a comment: that is how the registry checks who owns the package."""
_DESCRIPTION_CHARS: Final = 100
"""The registry takes no longer description."""
_FOLDERS: Final = ("server", "tools", "cache", "configs")
_FILES: Final = ("pyproject.toml", "setup.py", "uv.lock", "README.md", "LICENSE")
_SCHEMA: Final = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def bundle_manifest(project: dict[str, object]) -> dict[str, object]:
    """The manifest of the .mcpb, version 0.4, from the `[project]` table."""
    return {
        "manifest_version": "0.4",
        "name": project["name"],
        "display_name": "Penstock",
        "version": project["version"],
        "description": project["description"],
        "long_description": (
            "Context tools for coding: reads files in the cheapest true view, searches the workspace, compresses long output, "
            "and brings everything it left out back byte for byte. Works on the one folder chosen below, never outside it."
        ),
        "author": cast("list[object]", project["authors"])[0],
        "license": project["license"],
        "keywords": project["keywords"],
        "server": {
            "type": "uv",
            "entry_point": "server/__main__.py",
            "mcp_config": {
                "command": "uv",
                "args": [
                    *["run", "--frozen", "--no-dev", "--no-progress", "--directory", "${__dirname}"],
                    *["penstock", "serve", "--root", "${user_config.folder}"],
                ],
            },
        },
        "tools": [{"name": tool.name, "description": tool.description} for tool in TOOLS],
        "compatibility": {"platforms": ["darwin", "linux", "win32"], "runtimes": {"python": project["requires-python"]}},
        "user_config": {
            "folder": {
                "type": "directory",
                "title": "Folder",
                "description": "The project folder that the tools may read.",
                "required": True,
            }
        },
    }


def registry_entry(project: dict[str, object]) -> dict[str, object]:
    """The server.json of the MCP registry, from the `[project]` table."""
    description = str(project["description"])
    if len(description) > _DESCRIPTION_CHARS:
        description = "Context tools for coding assistants: read, search, compress, evict, restore."
    argument = {"type": "positional", "value": "serve"}
    folder = {
        "type": "named",
        "name": "--root",
        "description": "The project folder that the tools may read",
        "format": "filepath",
        "isRequired": False,
    }
    package = {
        "registryType": "pypi",
        "identifier": project["name"],
        "version": project["version"],
        "transport": {"type": "stdio"},
        "packageArguments": [argument, folder],
    }
    return {
        "$schema": _SCHEMA,
        "name": REGISTRY_NAME,
        "title": "Penstock",
        "description": description,
        "version": project["version"],
        "packages": [package],
    }


def bundle_files(checkout: Path) -> list[Path]:
    """The files of the bundle, relative to the checkout, in a fixed order."""
    found = [Path(name) for name in _FILES if (checkout / name).is_file()]
    for folder in _FOLDERS:
        inside = (path for path in (checkout / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        # What was compiled here is for this machine.
        found.extend(path.relative_to(checkout) for path in inside if path.suffix not in (".so", ".pyd"))
    return sorted(found, key=lambda path: path.as_posix())


def write_bundle(checkout: Path, out: Path) -> tuple[Path, Path]:
    """Write `penstock-VERSION.mcpb` and `server.json` into `out`; returns their paths.

    Raises:
        FileNotFoundError: `checkout` is not one.
    """
    project = cast("dict[str, object]", tomllib.loads((checkout / "pyproject.toml").read_text("utf-8"))["project"])
    out.mkdir(parents=True, exist_ok=True)
    bundle = out / f"penstock-{project['version']}.mcpb"
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "manifest.json", _json(bundle_manifest(project)))
        for path in bundle_files(checkout):
            _add(archive, path.as_posix(), (checkout / path).read_bytes())
    entry = out / "server.json"
    entry.write_bytes(_json(registry_entry(project)))
    return bundle, entry


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, data)


def _json(value: dict[str, object]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def main(argv: Sequence[str] | None = None) -> int:
    """Write both files under the folder given, or `dist`, from the checkout in the current folder."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for path in write_bundle(Path.cwd(), Path(arguments[0] if arguments else "dist")):
        sys.stderr.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
