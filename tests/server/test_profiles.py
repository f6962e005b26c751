"""Every profile is well formed, unknown clients get the strictest limits, and names are found as they arrive on the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.server.profiles import (
    Features,
    ProfileBook,
    ProfileError,
    fold_name,
    load_profiles,
    parse_profile,
    parse_version,
    profile_for,
)

GOOD: dict[str, object] = {
    "title": "A client",
    "names": ["a-client"],
    "call_s": 30,
    "answer": {"chars": 20_000, "json_chars": 0, "bytes": 30_000, "lines": 0, "tokens": 5_000},
    "supports": {"roots": True},
}


def changed(**changes: object) -> dict[str, object]:
    return {**GOOD, **changes}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("claude-code", "claude-code"),
        ("claude-ai", "claude-desktop"),
        ("codex-mcp-client", "codex"),
        ("gemini-cli-mcp-client", "gemini-cli"),
        ("gemini-cli-mcp-client-penstock", "gemini-cli"),
        ("opencode", "opencode"),
        ("cursor-vscode", "cursor"),
        ("Visual Studio Code", "vscode"),
        ("Visual-Studio-Code", "vscode"),
        ("Visual Studio Code - Insiders", "vscode"),
        ("windsurf-client", "windsurf"),
        ("Zed", "zed"),
        ("JetBrains-IU-copilot-intellij", "jetbrains"),
        ("Cline", "cline"),
        ("Roo-Code", "cline"),
        ("continue-cli-client", "continue"),
        ("mcp", "python-sdk"),
        ("mcp-inspector", "inspector"),
        ("inspector-client", "inspector"),
        ("mcp-something-else", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_client_is_found_by_the_name_it_sends(name: str | None, key: str) -> None:
    profile = profile_for(name, "1.0")
    assert profile.key == key
    assert profile.is_known == (key != "unknown")


def test_an_unknown_client_gets_the_strictest_limits_of_all() -> None:
    unknown = profile_for("nobody")
    for entry in load_profiles().profiles:
        for profile in (entry.profile, *(later for _, later in entry.since)):
            assert unknown.limit.chars <= profile.limit.chars
            assert unknown.limit.bytes <= profile.limit.bytes
            assert unknown.limit.tokens <= profile.limit.tokens
            assert unknown.call_s <= profile.call_s
            assert 0 < unknown.limit.lines <= (profile.limit.lines or unknown.limit.lines)
            assert profile.limit.json_chars == 0 or unknown.limit.chars * 2 <= profile.limit.json_chars


def test_an_unknown_client_is_offered_nothing_that_it_might_not_have() -> None:
    assert profile_for(None).supports == Features(progress=True)


def test_limits_stay_below_what_was_measured() -> None:
    assert profile_for("codex-mcp-client").limit.bytes < 12_000
    assert profile_for("gemini-cli-mcp-client").limit.chars < 40_000
    assert profile_for("claude-code").limit.json_chars < 50_000
    assert profile_for("opencode").limit.lines < 2_000


@given(st.none() | st.text(max_size=80), st.none() | st.text(max_size=20))
def test_no_name_or_version_raises(name: str | None, version: str | None) -> None:
    assert profile_for(name, version).limit.chars >= 1_000


@given(st.text(max_size=40))
def test_folding_a_name_twice_changes_nothing(name: str) -> None:
    assert fold_name(fold_name(name)) == fold_name(name)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("2.1.329", (2, 1, 329)), ("v1", (1,)), ("0.61.0-nightly.3", (0, 61, 0)), ("latest", ()), (None, ()), ("", ())],
)
def test_a_version_is_its_leading_numbers(text: str | None, numbers: tuple[int, ...]) -> None:
    assert parse_version(text) == numbers


def test_a_later_version_can_have_other_limits() -> None:
    source = changed(
        since=[{"version": "2.0", "answer": {"chars": 50_000}}, {"version": "2.5.1", "supports": {"sampling": True}}]
    )
    entry = parse_profile("a", source)
    assert entry.at("1.9").limit.chars == 20_000
    assert entry.at(None).limit.chars == 20_000
    assert entry.at("2.0.0").limit.chars == 50_000
    assert entry.at("2.0.0").limit.bytes == 30_000
    assert not entry.at("2.5.0").supports.sampling
    assert entry.at("3").supports.sampling
    assert entry.at("3").supports.roots


@pytest.mark.parametrize(
    "source",
    [
        changed(colour="red"),
        changed(title=""),
        changed(title=7),
        changed(names="a-client"),
        changed(names=["A Client"]),
        changed(names=["*"]),
        changed(names=[3]),
        changed(call_s=0),
        changed(answer={"chars": 20_000}),
        changed(answer=5),
        changed(answer={**GOOD, "chars": 1}),
        changed(answer={"chars": 10, "json_chars": 0, "bytes": 30_000, "lines": 0, "tokens": 5_000}),
        changed(answer={"chars": True, "json_chars": 0, "bytes": 30_000, "lines": 0, "tokens": 5_000}),
        changed(answer={"chars": 20_000, "json_chars": 0, "bytes": 30_000, "lines": -1, "tokens": 5_000}),
        changed(supports={"telepathy": True}),
        changed(supports={"roots": "yes"}),
        changed(since=[{"version": "x"}]),
        changed(since=[{"version": "2"}, {"version": "1"}]),
        changed(since=[{"version": "2", "names": ["b"]}]),
        changed(since="2.0"),
        changed(since=[3]),
    ],
)
def test_a_faulty_profile_is_refused(source: dict[str, object]) -> None:
    with pytest.raises(ProfileError):
        parse_profile("a", source)


def test_a_book_needs_the_unknown_profile_and_distinct_names() -> None:
    one = parse_profile("one", GOOD)
    with pytest.raises(ProfileError):
        ProfileBook((one,))
    with pytest.raises(ProfileError):
        ProfileBook((one, parse_profile("unknown", changed(names=[])), parse_profile("two", GOOD)))


def test_an_exact_name_goes_before_a_longer_pattern() -> None:
    book = ProfileBook(
        (
            parse_profile("unknown", changed(names=[])),
            parse_profile("exact", changed(names=["ab"])),
            parse_profile("short", changed(names=["a*"])),
            parse_profile("long", changed(names=["abc*"])),
        )
    )
    assert [book.profile_for(name).key for name in ("ab", "a", "abcd", "abx", "b")] == [
        "exact",
        "short",
        "long",
        "short",
        "unknown",
    ]
