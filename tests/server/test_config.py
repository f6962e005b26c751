from pathlib import Path

import pytest

from penstock.server.config import ConfigError, load_config
from penstock.server.roots import find_root


def test_a_flag_beats_the_environment_beats_the_users_file_beats_the_default(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[memory]\nledger_mb = 100\nrss_mb = 101\n[calls]\nthreads = 3\n")
    env = {"PENSTOCK_CONFIG": str(file), "PENSTOCK_MEMORY_LEDGER_MB": "64", "PENSTOCK_CALLS_THREADS": "4"}
    config = load_config(flags={"memory.ledger_mb": 32}, env=env, home=tmp_path)
    assert (config.memory.ledger_mb, config.calls.threads, config.memory.rss_mb, config.calls.queue) == (32, 4, 101, 64)
    assert config.sources["memory.ledger_mb"] == "flag"
    assert config.sources["calls.threads"] == "environment"
    assert config.sources["memory.rss_mb"] == "user file"
    assert config.sources["calls.queue"] == "default"


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"PENSTOCK_MEMORY_LEGDER_MB": "1"}, ("PENSTOCK_MEMORY_LEGDER_MB", "PENSTOCK_MEMORY_LEDGER_MB")),
        ({"PENSTOCK_MEMORY_LEDGER_MB": "much"}, ("memory.ledger_mb", "whole number > 0", "'much'")),
        ({"PENSTOCK_MEMORY_LEDGER_MB": "0"}, ("memory.ledger_mb", "'0'")),
        ({"PENSTOCK_CALLS_DEADLINE_S": "-1"}, ("calls.deadline_s", "number > 0")),
    ],
)
def test_a_wrong_variable_is_an_error_that_names_it(env: dict[str, str], words: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        load_config(env=env, home=tmp_path)
    assert all(word in str(raised.value) for word in words)


@pytest.mark.parametrize(
    "text",
    ["[memory]\nledger = 1\n", "[memroy]\nledger_mb = 1\n", "ledger_mb = 1\n", "[memory\n", "[memory]\nledger_mb = true\n"],
)
def test_a_wrong_users_file_is_an_error(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigError):
        load_config(env={"PENSTOCK_CONFIG": str(file)}, home=tmp_path)


def test_a_workspace_cannot_configure_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("penstock.toml", "config.toml", ".penstock.toml"):
        (tmp_path / name).write_text("[workspace]\nallow_secrets = ['*']\n")
    monkeypatch.chdir(tmp_path)
    assert load_config(env={}, home=tmp_path / "home").workspace.allow_secrets == ()


def test_lists_come_from_files_and_from_comma_separated_variables(tmp_path: Path) -> None:
    config = load_config(env={"PENSTOCK_WORKSPACE_ALLOW_SECRETS": "fixtures/*.pem,.env.test"}, home=tmp_path)
    assert config.workspace.allow_secrets == ("fixtures/*.pem", ".env.test")


def project(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / "deep" / "er").mkdir(parents=True)
    return folder


def test_the_root_is_the_flag_then_the_clients_variable_then_the_repository(tmp_path: Path) -> None:
    folder, home = project(tmp_path), tmp_path / "home"
    other = tmp_path / "other"
    other.mkdir()
    flagged = load_config(flags={"root": other}, env={}, home=home)
    plain = load_config(env={}, home=home)
    assert find_root(flagged, {"CLAUDE_PROJECT_DIR": str(folder)}, folder, home) == other
    assert find_root(plain, {"CLAUDE_PROJECT_DIR": str(folder)}, other, home) == folder
    assert find_root(plain, {}, folder / "deep" / "er", home) == folder
    assert find_root(plain, {}, other, home) == other


@pytest.mark.parametrize("which", ["/", "home", "above home", "missing", "file"])
def test_a_root_that_is_no_project_is_refused_with_the_fix(which: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "file").write_text("")
    named = {"/": Path("/"), "home": home, "above home": tmp_path, "missing": tmp_path / "none", "file": tmp_path / "file"}[which]
    config = load_config(flags={"root": named}, env={}, home=home)
    with pytest.raises(ConfigError, match="--root"):
        find_root(config, {}, home, home)


def test_a_repository_in_the_home_folder_itself_is_passed_over(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".git").mkdir(parents=True)
    (home / "work").mkdir()
    assert find_root(load_config(env={}, home=home), {}, home / "work", home) == home / "work"
