"""Settings: flag > environment > the user's file > the shipped defaults. Resolved once, here; nothing else reads the environment.

A workspace cannot configure the server: no file inside a root is read.
"""

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import Any, Final, cast, get_type_hints

from ..cache.errors import InvalidArgument

Value = bool | int | float | str | tuple[str, ...]
_MB: Final = 1 << 20
_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}
_WANTED: Final[Mapping[object, str]] = {int: "a whole number > 0", float: "a number > 0", bool: "true or false"}
_OTHER_VARIABLES: Final = frozenset(
    {"PENSTOCK_ROOT", "PENSTOCK_DATA_DIR", "PENSTOCK_CONFIG", "PENSTOCK_RAW", "PENSTOCK_HTTP_TOKEN"}
)


class ConfigError(InvalidArgument):
    """A setting that is unknown, of the wrong type or out of its range."""

    code = "config"


@dataclass(frozen=True, slots=True)
class MemoryConfig:
    """`[memory]`: budgets in megabytes (2**20 bytes)."""

    ledger_mb: int = 256
    rss_mb: int = 512
    index_worker_mb: int = 1024

    @property
    def ledger_bytes(self) -> int:
        """The ledger's budget."""
        return self.ledger_mb * _MB


@dataclass(frozen=True, slots=True)
class AnswersConfig:
    """`[answers]`: sizes in o200k tokens."""

    auto_full_tokens: int = 1000
    default_budget: int = 2500


@dataclass(frozen=True, slots=True)
class CallsConfig:
    """`[calls]`: how long and how many."""

    deadline_s: float = 40.0
    threads: int = 8
    queue: int = 64


@dataclass(frozen=True, slots=True)
class WorkspaceConfig:
    """`[workspace]`: what is read from it."""

    max_file_mb: int = 10
    max_files: int = 200_000
    allow_secrets: tuple[str, ...] = ()

    @property
    def max_file_bytes(self) -> int:
        """The largest file read whole."""
        return self.max_file_mb * _MB


@dataclass(frozen=True, slots=True)
class SpoolConfig:
    """`[spool]`: what is kept on disk."""

    max_mb: int = 512
    expiry_days: float = 7.0

    @property
    def max_bytes(self) -> int:
        """The size cap of the spool file."""
        return self.max_mb * _MB

    @property
    def expiry_s(self) -> float:
        """How long a payload is kept."""
        return self.expiry_days * 86400.0


@dataclass(frozen=True, slots=True)
class IndexConfig:
    """`[index]`: the search index."""

    wait_s: float = 20.0
    watch: bool = True
    """Whether a workspace whose walks are dear is watched for changes, where `watchfiles` is installed."""


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """`[session]`: what is remembered of conversations."""

    ask_client_model: bool = False
    """Whether `session action=summary` may have the client's own model write the summary (sampling)."""


@dataclass(frozen=True, slots=True)
class GuardConfig:
    """`[guard]`: how often memory is looked at, in seconds."""

    poll_s: float = 5.0
    pressure_poll_s: float = 1.0
    calm_poll_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of one server process."""

    root: Path | None = None
    """The workspace as asked for by flag or variable; None: find it (see `server.roots`)."""
    data_dir: Path = field(default_factory=Path)
    memory: MemoryConfig = field(default_factory=MemoryConfig)
    answers: AnswersConfig = field(default_factory=AnswersConfig)
    calls: CallsConfig = field(default_factory=CallsConfig)
    workspace: WorkspaceConfig = field(default_factory=WorkspaceConfig)
    spool: SpoolConfig = field(default_factory=SpoolConfig)
    index: IndexConfig = field(default_factory=IndexConfig)
    session: SessionConfig = field(default_factory=SessionConfig)
    guard: GuardConfig = field(default_factory=GuardConfig)
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
    """Dotted setting -> where its value came from, for `penstock config`."""


SECTIONS: Final[Mapping[str, type]] = {
    "memory": MemoryConfig,
    "answers": AnswersConfig,
    "calls": CallsConfig,
    "workspace": WorkspaceConfig,
    "spool": SpoolConfig,
    "index": IndexConfig,
    "session": SessionConfig,
    "guard": GuardConfig,
}


def default_data_dir(env: Mapping[str, str], home: Path) -> Path:
    """Return the user's data folder for Penstock on this platform; never inside a workspace by default."""
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "penstock"
    if sys.platform == "win32":
        return Path(env.get("LOCALAPPDATA") or home / "AppData" / "Local") / "penstock"
    return Path(env.get("XDG_DATA_HOME") or home / ".local" / "share") / "penstock"


def user_file(env: Mapping[str, str], home: Path) -> Path:
    """Return the path of the user's settings file, whether or not it exists."""
    if named := env.get("PENSTOCK_CONFIG"):
        return Path(named)
    if sys.platform == "win32":
        return Path(env.get("APPDATA") or home / "AppData" / "Roaming") / "penstock" / "config.toml"
    return Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "penstock" / "config.toml"


def _typed(name: str, value: object, kind: object) -> Value:
    """Return `value` as the field's type, or raise with the field, the rule and the value."""
    try:
        if kind is int and isinstance(value, (int, str)) and not isinstance(value, bool) and int(value) > 0:
            return int(value)
        if kind is float and isinstance(value, (int, float, str)) and not isinstance(value, bool) and float(value) > 0:
            return float(value)
    except (ValueError, OverflowError):
        pass
    if kind is bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in _TRUTHS:
            return _TRUTHS[value.lower()]
    elif kind not in (int, float):
        if isinstance(value, str):  # from the environment: comma-separated
            return tuple(part for part in value.split(",") if part)
        if isinstance(value, (list, tuple)):
            return tuple(str(item) for item in cast("list[object]", value))
    wanted = _WANTED.get(kind, "a list of strings")
    raise ConfigError(
        f"{name} must be {wanted}, got {value!r}",
        next_call="correct it, then start again (`penstock config` shows every setting)",
    )


def _unknown(name: str, where: str, known: list[str]) -> ConfigError:
    import difflib

    near = difflib.get_close_matches(name, known, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else "see `penstock config` for every setting"
    return ConfigError(f"unknown setting {name} in {where}", next_call=hint)


def load_config(
    *,
    flags: Mapping[str, object] | None = None,
    env: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> Config:
    """Resolve the settings.

    `flags` maps dotted names (`memory.ledger_mb`), `root` and `data_dir` to values; None values count as not given.

    Raises:
        ConfigError: An unknown key, a wrong type, a value out of range, or an unreadable file.
    """
    env = os.environ if env is None else env
    home = home or Path(os.path.expanduser("~"))
    known = {f"{section}.{f.name}": get_type_hints(kind)[f.name] for section, kind in SECTIONS.items() for f in fields(kind)}
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}

    def take(layer: Mapping[str, object], where: str) -> None:
        for name, raw in layer.items():
            if name not in known:
                raise _unknown(name, where, list(known))
            values[name] = _typed(name, raw, known[name])
            sources[name] = where

    shipped = resources.files("penstock.configs").joinpath("penstock.toml").read_bytes()
    take(_flatten(tomllib.loads(shipped.decode()), "defaults"), "default")
    path = user_file(env, home)
    if path.is_file() or env.get("PENSTOCK_CONFIG"):
        take(_flatten(_read_toml(path), str(path)), "user file")
    take(_from_environment(env, list(known)), "environment")
    rest = {k: v for k, v in (flags or {}).items() if v is not None}
    root = rest.pop("root", None) or env.get("PENSTOCK_ROOT")
    data_dir = rest.pop("data_dir", None) or env.get("PENSTOCK_DATA_DIR")
    take(rest, "flag")
    sections: dict[str, Any] = {
        section: kind(**{f.name: values[f"{section}.{f.name}"] for f in fields(kind)}) for section, kind in SECTIONS.items()
    }
    return Config(
        root=Path(str(root)) if root else None,
        data_dir=Path(str(data_dir)).expanduser() if data_dir else default_data_dir(env, home),
        sources=sources,
        **sections,
    )


def _read_toml(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}", next_call="correct or remove that file") from error


def _flatten(table: Mapping[str, object], where: str) -> dict[str, object]:
    flat: dict[str, object] = {}
    for section, entries in table.items():
        if section not in SECTIONS or not isinstance(entries, dict):
            raise _unknown(section, where, list(SECTIONS))
        flat.update({f"{section}.{key}": value for key, value in cast("dict[str, object]", entries).items()})
    return flat


def _from_environment(env: Mapping[str, str], known: list[str]) -> dict[str, object]:
    names = {f"PENSTOCK_{name.replace('.', '_').upper()}": name for name in known}
    found: dict[str, object] = {}
    for variable, value in env.items():
        if variable.startswith("PENSTOCK_") and variable not in _OTHER_VARIABLES:
            if variable not in names:
                raise _unknown(variable, "the environment", list(names))
            found[names[variable]] = value
    return found
