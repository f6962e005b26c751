"""The bundle holds what the server needs, the same bytes each time; the registry's entry keeps the registry's rules."""

import json
import re
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from penstock.server.bundle import REGISTRY_NAME, bundle_files, bundle_manifest, main, registry_entry, write_bundle

CHECKOUT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_same_checkout_gives_the_same_bytes(tmp_path: Path) -> None:
    one, _ = write_bundle(CHECKOUT, tmp_path / "one")
    two, _ = write_bundle(CHECKOUT, tmp_path / "two")
    assert one.read_bytes() == two.read_bytes()
    assert one.name == f"penstock-{PROJECT['version']}.mcpb"


def test_the_bundle_holds_the_sources_and_nothing_made_from_them(tmp_path: Path) -> None:
    bundle, _ = write_bundle(CHECKOUT, tmp_path)
    with zipfile.ZipFile(bundle) as archive:
        names = archive.namelist()
        manifest = json.loads(archive.read("manifest.json"))
    assert {
        "manifest.json",
        "pyproject.toml",
        "setup.py",
        "cache/index/native/module.c",
        "server/__main__.py",
        "configs/clients/unknown.toml",
        "LICENSE",
    } <= set(names)
    assert not [
        name for name in names if name.endswith((".pyc", ".so", ".pyd")) or name.startswith(("tests", ".", "/")) or ".." in name
    ]
    assert manifest["server"]["entry_point"] in names
    assert manifest == bundle_manifest(PROJECT)


def test_files_come_in_one_order() -> None:
    names = [path.as_posix() for path in bundle_files(CHECKOUT)]
    assert names == sorted(names)


def test_the_registry_entry_keeps_the_rules_of_the_registry() -> None:
    """Rules of the registry's schema of 2025-12-11: lengths, name pattern, one exact version, a known transport."""
    entry: dict[str, Any] = registry_entry(PROJECT)
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", entry["name"])
    assert 3 <= len(entry["name"]) <= 200
    assert 1 <= len(entry["description"]) <= 100
    assert 1 <= len(entry["title"]) <= 100
    assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"])
    package = entry["packages"][0]
    assert package["registryType"] == "pypi"
    assert package["transport"] == {"type": "stdio"}
    assert package["version"] == entry["version"]


def test_a_description_that_is_too_long_for_the_registry_is_replaced() -> None:
    entry = registry_entry({**PROJECT, "description": "x" * 101})
    assert len(str(entry["description"])) <= 100


def test_the_command_writes_both_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(CHECKOUT)
    assert main([str(tmp_path)]) == 0
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert json.loads((tmp_path / "server.json").read_text())["name"] == REGISTRY_NAME
