"""What each client shows of an answer and can do, by the name and version it gives itself.

Decides how large an answer may be for the client at the other end. The figures are data, `configs/clients/*.toml`, one
file a client, checked when read: an unknown key is an error. A client that is in none of them gets `unknown.toml`, the
strictest limits of all. The profile says what a client can usually do; what it declares in its handshake goes first.
"""

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Final, cast

from ..tools.call import AnswerLimit

UNKNOWN: Final = "unknown"
_TOP: Final = frozenset({"title", "names", "call_s", "answer", "supports", "since"})
_ANSWER: Final = frozenset({"chars", "json_chars", "bytes", "lines", "tokens"})
_SUPPORTS: Final = frozenset({"roots", "sampling", "elicitation", "progress", "prompts", "resources", "tool_search"})
_SINCE: Final = frozenset({"version", "call_s", "answer", "supports"})


class ProfileError(ValueError):
    """A profile file that cannot be taken: field, rule, value."""


@dataclass(frozen=True, slots=True)
class Features:
    """What a client can do for a server."""

    roots: bool = False
    sampling: bool = False
    elicitation: bool = False
    progress: bool = False
    prompts: bool = False
    resources: bool = False
    tool_search: bool = False
    """Shows its model the names of tools first and their schemas on demand."""


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """One client: the largest answer that reaches its model whole, and its features."""

    key: str
    title: str
    names: tuple[str, ...]
    """Names it gives itself, folded (`fold_name`); a trailing `*` takes any ending."""
    limit: AnswerLimit
    call_s: float = 45.0
    """A call should be answered within this time; clients give up some time later."""
    supports: Features = Features()

    @property
    def is_known(self) -> bool:
        """Whether the client was recognised by its name."""
        return self.key != UNKNOWN


@dataclass(frozen=True, slots=True)
class VersionedProfile:
    """A client's profile and how it changed, oldest version first."""

    profile: ClientProfile
    since: tuple[tuple[tuple[int, ...], ClientProfile], ...] = ()

    def at(self, version: str | None) -> ClientProfile:
        """The profile of `version`; of the oldest where the version is not said."""
        wanted = parse_version(version)
        found = self.profile
        for start, profile in self.since:
            if wanted >= start:
                found = profile
        return found


@dataclass(frozen=True, slots=True)
class ProfileBook:
    """All profiles; finds the one for a client."""

    profiles: tuple[VersionedProfile, ...]

    def __post_init__(self) -> None:
        """Refuse a book without the profile for unknown clients, or with a name in two profiles."""
        seen: dict[str, str] = {}
        for entry in self.profiles:
            for name in entry.profile.names:
                if name in seen:
                    raise ProfileError(f"names must be in one profile only, got {name!r} in {seen[name]} and {entry.profile.key}")
                seen[name] = entry.profile.key
        if not any(entry.profile.key == UNKNOWN for entry in self.profiles):
            raise ProfileError(f"a profile named {UNKNOWN!r} must exist")

    def profile_for(self, name: str | None, version: str | None = None) -> ClientProfile:
        """Find by exact name, else by the longest `*` name that fits, else the profile for unknown clients."""
        folded = fold_name(name or "")
        best: tuple[int, VersionedProfile] | None = None
        for entry in self.profiles:
            fit = _fit(entry.profile, folded)
            if fit and (best is None or fit > best[0]):
                best = (fit, entry)
        if best is None:
            return next(entry for entry in self.profiles if entry.profile.key == UNKNOWN).at(version)
        return best[1].at(version)


def fold_name(name: str) -> str:
    """Lower case, and every run of blanks or underscores a hyphen: clients spell their own name in several ways."""
    return re.sub(r"[\s_]+", "-", name.strip().lower())


def parse_version(version: str | None) -> tuple[int, ...]:
    """The leading dotted numbers; empty when there are none. Never raises."""
    match = re.match(r"v?(\d{1,9}(?:\.\d{1,9}){0,3})", (version or "").strip())
    return tuple(int(part) for part in match.group(1).split(".")) if match else ()


def parse_profile(key: str, source: Mapping[str, object]) -> VersionedProfile:
    """Check one profile file's content and make it a value.

    Raises:
        ProfileError: A key is unknown or missing, or a value is out of its range.
    """
    _check_keys(key, source, _TOP)
    answer = _table(key, source, "answer")
    if missing := _ANSWER - answer.keys():
        raise ProfileError(f"{key}: answer must have {', '.join(sorted(missing))}")
    blank = ClientProfile(key, _text(key, source, "title"), _names(key, source), AnswerLimit())
    base = _overlay(blank, source)
    steps: list[tuple[tuple[int, ...], ClientProfile]] = []
    profile = base
    for step in _tables(key, source, "since"):
        _check_keys(f"{key}: since", step, _SINCE)
        start = parse_version(_text(key, step, "version"))
        if not start or (steps and start <= steps[-1][0]):
            raise ProfileError(f"{key}: since.version must be ascending dotted numbers, got {step.get('version')!r}")
        profile = _overlay(profile, step)
        steps.append((start, profile))
    return VersionedProfile(base, tuple(steps))


def load_profiles() -> ProfileBook:
    """Read the packaged profiles.

    Raises:
        ProfileError: A packaged file is not a profile (found by the tests, not by users).
    """
    folder = files("penstock.configs").joinpath("clients")
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name)
    return ProfileBook(tuple(parse_profile(entry.name[:-5], tomllib.loads(entry.read_text("utf-8"))) for entry in found))


@functools.cache
def _packaged() -> ProfileBook:
    return load_profiles()


@functools.lru_cache(maxsize=16)
def profile_for(name: str | None, version: str | None = None) -> ClientProfile:
    """The packaged profile of the client that calls itself `name`, `version`; never raises for any name."""
    return _packaged().profile_for(name, version)


def _fit(profile: ClientProfile, folded: str) -> int:
    """How well a name fits: 0 not at all, more for a longer match, most for the exact name."""
    if folded in profile.names:
        return len(folded) + 1_000_000
    return max((len(name) for name in profile.names if name.endswith("*") and folded.startswith(name[:-1])), default=0)


def _overlay(profile: ClientProfile, source: Mapping[str, object]) -> ClientProfile:
    answer = _table(profile.key, source, "answer")
    _check_keys(f"{profile.key}: answer", answer, _ANSWER)
    supports = _table(profile.key, source, "supports")
    _check_keys(f"{profile.key}: supports", supports, _SUPPORTS)
    for name, value in supports.items():
        if not isinstance(value, bool):
            raise ProfileError(f"{profile.key}: supports.{name} must be true or false, got {value!r}")
    limit = AnswerLimit(
        chars=_number(profile.key, answer, "chars", profile.limit.chars, least=1_000),
        bytes=_number(profile.key, answer, "bytes", profile.limit.bytes, least=1_000),
        tokens=_number(profile.key, answer, "tokens", profile.limit.tokens, least=500),
        json_chars=_number(profile.key, answer, "json_chars", profile.limit.json_chars, least=0),
        lines=_number(profile.key, answer, "lines", profile.limit.lines, least=0),
    )
    return replace(
        profile,
        limit=limit,
        call_s=float(_number(profile.key, source, "call_s", int(profile.call_s), least=1)),
        supports=replace(profile.supports, **cast("Mapping[str, bool]", supports)),
    )


def _check_keys(where: str, source: Iterable[str], known: frozenset[str]) -> None:
    if unknown := sorted(set(source) - known):
        raise ProfileError(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")


def _table(key: str, source: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = source.get(name, {})
    if not isinstance(value, dict):
        raise ProfileError(f"{key}: {name} must be a table, got {value!r}")
    return cast("Mapping[str, object]", value)


def _tables(key: str, source: Mapping[str, object], name: str) -> Sequence[Mapping[str, object]]:
    value = source.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in cast("list[object]", value)):
        raise ProfileError(f"{key}: {name} must be an array of tables, got {value!r}")
    return cast("Sequence[Mapping[str, object]]", value)


def _text(key: str, source: Mapping[str, object], name: str) -> str:
    value = source.get(name)
    if not isinstance(value, str) or not value:
        raise ProfileError(f"{key}: {name} must be a text, got {value!r}")
    return value


def _names(key: str, source: Mapping[str, object]) -> tuple[str, ...]:
    value = source.get("names")
    if not isinstance(value, list):
        raise ProfileError(f"{key}: names must be a list, got {value!r}")
    names: list[str] = []
    for name in cast("list[object]", value):
        if not isinstance(name, str) or not name.rstrip("*") or fold_name(name) != name:
            raise ProfileError(f"{key}: names must be folded (lower case, hyphens), got {name!r}")
        names.append(name)
    return tuple(names)


def _number(key: str, source: Mapping[str, object], name: str, default: int, *, least: int) -> int:
    value = source.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ProfileError(f"{key}: {name} must be a whole number >= {least}, got {value!r}")
    return value
