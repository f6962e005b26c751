"""The spool is checked in the background after an unclean end, and by `penstock doctor` whenever asked."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from penstock.cache.handles import Handle, HandleKind, Residency, handle_id
from penstock.cache.spool_file import FILE_NAME
from penstock.cache.spool_sqlite import SqliteSpool
from penstock.server.config import Config, load_config
from penstock.server.engine import Engine
from penstock.server.stores import store_dir


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(flags={"data_dir": tmp_path / "data"}, env={}, home=tmp_path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def keep(folder: Path, *contents: bytes) -> None:
    """Put payloads as a server that is killed, not closed: its journal stays."""
    aside = folder.with_name("aside")
    spool = SqliteSpool(aside)
    for data in contents:
        sha256 = hashlib.sha256(data).hexdigest()
        spool.put(Handle(handle_id(sha256), HandleKind.TOOL_RESULT, Residency.resident(), 1, "s", sha256), data)
    shutil.copytree(aside, folder)
    spool.close()


def damage(folder: Path, data: bytes) -> None:
    connection = apsw.Connection(str(folder / FILE_NAME))
    sha256 = hashlib.sha256(data).hexdigest()
    connection.execute("UPDATE payload SET data = x'00' || substr(data, 2) WHERE sha256 = ?", (sha256,))
    assert connection.changes() == 1
    shutil.copytree(folder, folder.with_name("damaged"))
    connection.close()
    shutil.rmtree(folder)
    shutil.move(folder.with_name("damaged"), folder)


def test_after_an_unclean_end_the_background_sweep_checks_every_payload(config: Config, root: Path) -> None:
    folder = store_dir(config, root)
    folder.parent.mkdir(parents=True)
    keep(folder, b"sound" * 100, b"hurt" * 100)
    damage(folder, b"hurt" * 100)
    engine = Engine(config, root)
    engine.sweep()
    statistics = engine.spool.statistics()
    engine.close()
    assert (statistics.items, statistics.corrupt) == (1, 1)


def test_after_a_clean_end_nothing_is_read(config: Config, root: Path) -> None:
    folder = store_dir(config, root)
    folder.parent.mkdir(parents=True)
    keep(folder, b"sound" * 100)
    for expected in (1, 0):
        engine = Engine(config, root)
        engine.sweep()
        assert engine.spool.statistics().gets == expected
        engine.close()


@pytest.mark.parametrize("is_hurt", [False, True])
def test_doctor_checks_the_spool(config: Config, root: Path, tmp_path: Path, is_hurt: bool) -> None:
    folder = store_dir(config, root)
    folder.parent.mkdir(parents=True)
    keep(folder, b"sound" * 100, b"hurt" * 100)
    if is_hurt:
        damage(folder, b"hurt" * 100)
    command = [sys.executable, "-m", "penstock.server", "doctor", "--json"]
    found = subprocess.run(
        [*command, "--root", str(root), "--data-dir", str(config.data_dir)], cwd=tmp_path, capture_output=True, check=False
    )
    (check,) = (check for check in json.loads(found.stdout)["checks"] if check["name"] == "spool")
    assert check["is_ok"] is not is_hurt
    assert ("1 damaged" if is_hurt else "2 payloads") in check["found"]
