"""`penstock config`: every setting, its value, and where the value came from."""

import json
import os
import sys
from dataclasses import fields
from pathlib import Path

from .config import SECTIONS, load_config, user_file


def show_config(*, path_only: bool, as_json: bool) -> int:
    """Print the settings as a table or as JSON, or the path of the user's file."""
    path = user_file(os.environ, Path(os.path.expanduser("~")))
    if path_only:
        sys.stdout.write(f"{path}\n")
        return 0
    config = load_config()
    rows = [
        (f"{section}.{field.name}", getattr(getattr(config, section), field.name), config.sources[f"{section}.{field.name}"])
        for section, kind in SECTIONS.items()
        for field in fields(kind)
    ]
    if as_json:
        values = {
            name: {"value": list(value) if isinstance(value, tuple) else value, "source": source} for name, value, source in rows
        }
        sys.stdout.write(
            json.dumps({"user_file": str(path), "data_dir": str(config.data_dir), "settings": values}, indent=2) + "\n"
        )
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", caption=f"user file: {path}\ndata: {config.data_dir}", caption_justify="left")
    for column in ("setting", "value", "from"):
        table.add_column(column, overflow="fold")
    for name, value, source in rows:
        table.add_row(name, str(value), source)
    Console().print(table)
    return 0
