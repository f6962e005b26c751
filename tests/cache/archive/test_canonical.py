"""What must never be taken for the same value, and a table of verdicts that the rules were not written from."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from penstock.cache.archive.canonical import canonical_tokens, loose_tokens
from penstock.cache.archive.contradiction import Verdict, judge

S, C, K = Verdict.SAME, Verdict.CONTRADICTS, Verdict.COMPATIBLE

DIFFERENT = [
    ("grade A", "grade"),
    ("vitamin A", "vitamin"),
    ("runs at 10 am", "runs at 10"),
    ("IT department", "department"),
    ("owned by us", "owned by US"),
    ("latency ≤ 5 ms", "latency ≥ 5 ms"),
    ("latency ≤ 5 ms", "latency 5 ms"),
    ("~5 workers", "5 workers"),
    ("price €5", "price £5"),
    ("price €5", "price 5"),
    ("5°C", "5°F"),
    ("C++", "C"),
    ("written in C++", "written in C"),
    ("x + y", "x * y"),
    ("a & b", "a | b"),
    ("A → B", "A ← B"),
    ("A -> B", "A <- B"),
    ("CI ✅", "CI ❌"),
    (".env", "env"),
    ("path /api", "path api"),
    ("../config", "config"),
    ("--verbose", "verbose"),
    ("flag -v", "flag v"),
    ("30/s", "30 s"),
    ("limit 30/s", "limit 30 s"),
    ("10 MB/s", "10 MB"),
    ("timeout .5 s", "timeout 5 s"),
    ("ports 80–90", "ports 80, 90"),
    ("ports 80-90", "ports 80, 90"),
    ("ports 80 to 90", "ports 80, 90"),
    ("Python 3.8+", "Python 3.8"),
    ("O(n²)", "O(n2)"),
    ("10²", "102"),
    ("1½", "11"),
    ("10₂", "102"),
    ("needn't restart", "mustn't restart"),
    ("can't delete", "doesn't delete"),
    ("won't fix", "can't fix"),
    ("shouldn't log", "doesn't log"),
    ("the team used Redis", "the team uses Redis"),
    ("we supported Windows", "we support Windows"),
    ("the site is live in EU", "the site is located in EU"),
    ("1.000 ms", "1 ms"),
    ("code 007", "code 7"),
    ("8 b", "8 B"),
    ("100 kb", "100 kB"),
    ("100 Mb/s", "100 MB/s"),
    ("this host", "that host"),
    ("I own it", "we own it"),
    ("being removed", "removed"),
    ("is being removed", "is removed"),
    ("the team has been removed", "the team has removed"),
    ("the server called", "the server is called"),
    ("table users", "table user"),
    ("branch releases", "branch release"),
    ("owner is Adams", "owner is Adam"),
    ("tests live in tests", "tests live in test"),
    ("news service", "new service"),
    ("supports Windows", "supports window"),
    ("directory is docs", "directory is doc"),
    ("database is named db", "database is named database"),
    ("n is 5", "N is 5"),
    ("default: none", "default: no"),
    ("default: never", "default: none"),
    ("the cache cannot be disabled", "the cache is enabled"),
    ("don't disable it", "enable it"),
    ("branch Main", "branch main"),
    ("not (a and b)", "not a and b"),
    ("foo()", "foo"),
    ("n!", "n"),
    ("std::vector", "std vector"),
    ("version 1.0", "version 1"),
    ("version 1.0", "version 1.0.0"),
    ("v2", "2"),
    ("2 of 3", "2 3"),
    ("1/2", "1 2"),
    ("12/11/2026", "11/12/2026"),
    ("5 to 10", "5 - 10"),
    ("el servidor no usa TLS", "el servidor usa TLS"),
    ("der Server nutzt TLS nicht", "der Server nutzt TLS"),
    ("le serveur n'utilise pas TLS", "le serveur utilise TLS"),
    ("сервер не использует TLS", "сервер использует TLS"),
    ("不使用缓存", "使用缓存"),
    ("上限は100件", "上限は250件"),
    ("30秒", "30分"),
    ("red, green, blue", "red, green"),
    ("red, green", "red, blue"),
    ("1,5 s", "15 s"),
    ("1,5 s", "1 5 s"),
    ("1 000 rows", "1000 rows, 1"),
    ("every Monday", "every Mondays except holidays"),
    ("a*b", "ab"),
    ("foo.py", "foo"),
    ("foo_bar", "foo bar"),
    ("foo-bar", "foo bar"),
    ("[1, 2)", "[1, 2]"),
    ("x = 5", "x == 5"),
    ("x != 5", "x = 5"),
    ("not null", "null"),
    ("UTC+1", "UTC-1"),
    ("UTC+1", "UTC 1"),
    ("+1", "1"),
    ("-1", "1"),
    ("- 1", "1"),
    ("5 %", "5"),
    ("exit code -1", "exit code 1"),
    ("at least 5", "at most 5"),
    ("more than 5", "at least 5"),
    ("less than 5", "at most 5"),
    (">5", ">=5"),
    ("up to 5", "5"),
    ("no more than 5", "more than 5"),
    ("all tests pass", "not all tests pass"),
    ("only Linux", "Linux"),
    ("always on", "on"),
    ("usually on", "on"),
    ("was enabled", "is enabled"),
    ("will be enabled", "is enabled"),
    ("enabled by default", "enabled"),
    ("may be null", "is null"),
    ("must be null", "may be null"),
    ("10 GB", "10 GiB"),
    ("1h30", "1h"),
    ("1h 30m", "1h"),
    ("two and a half", "two"),
    ("5 minutes ago", "5 minutes"),
    ("first", "1"),
    ("once", "one"),
    ("twice a day", "once a day"),
    ("Q1 2026", "Q2 2026"),
    ("Monday", "Tuesday"),
    ("2026-11-20T10:00Z", "2026-11-20T10:00+02:00"),
    ("#fff", "#000"),
    ("192.168.0.1", "192.168.0.10"),
    ("10.0.0.0/8", "10.0.0.0/16"),
    (":8080", "8080"),
    ("localhost:8080", "localhost 8080"),
    ("user@host", "user host"),
    ("A depends on B", "B depends on A"),
    ("reads from X writes to Y", "reads from Y writes to X"),
    ("'8080'", "8080"),
    ('"8080"', "8080"),
    ("0x1F", "0x1f0"),
    ("1e3", "1e4"),
    ("1_000", "1000_"),
    ("the default is off", "the default is on"),
    ("on", "off"),
    ("disabled", "disable"),
    ("immutable", "mutable"),
    ("read only", "read write"),
    ("read-only", "readonly"),
    ("UTF-8", "UTF8"),
    ("UTF-8", "UTF-16"),
    ("no", "not"),
    ("without", "with"),
    ("nothing", "none"),
    ("unknown", "none"),
    ("n/a", "na"),
    ("TBD", "tbd"),
    ("x²", "x2"),
    ("½", "1/2"),
    ("Ⅳ", "IV"),
    ("ﬁle", "file"),
    ("№ 5", "No 5"),
]
HELD_OUT = [
    ("heap limit is 512 MB", "heap limit is 1 GB", C),
    ("request timeout 2 minutes", "request timeout 120 seconds", S),
    ("session TTL is 90 min", "session TTL is 1.5 hours", S),
    ("upload limit 25 MB", "upload limit 25 MiB", C),
    ("p99 latency below 200 ms", "p99 latency below 0.2 s", S),
    ("keeps 14 days of logs", "keeps 2 weeks of logs", S),
    ("keeps 14 days of logs", "keeps 30 days of logs", C),
    ("backoff starts at 100 ms", "backoff starts at 1 s", C),
    ("sampling rate 44.1 kHz", "sampling rate 48 kHz", C),
    ("error budget 0.1%", "error budget 1%", C),
    ("deploys need two approvals", "deploys need three approvals", C),
    ("max 20 open files", "maximum 20 open files", S),
    ("Node 18 is required", "Node 20 is required", C),
    ("requires Django 4.2", "requires Django 5.0", C),
    ("MSRV 1.70", "MSRV 1.75", C),
    ("API v2 is the default", "API v3 is the default", C),
    ("image tag is 2024-05-01", "image tag is 2024-06-01", C),
    ("minimum Python is 3.9", "minimum Python is 3.10", C),
    ("release on 3 March 2026", "release on 4 March 2026", C),
    ("freeze starts Monday", "freeze starts Tuesday", C),
    ("supported versions are 3.9 to 3.12", "supported versions are 3.10 to 3.13", C),
    ("ports 3000-3010", "ports 3000-3100", C),
    ("IDs are between 1 and 64", "IDs are between 1 and 128", C),
    ("CI runs on Linux, macOS", "CI runs on Linux, macOS, Windows", K),
    ("allowed origins: a.com, b.com", "allowed origins: a.com, c.com", C),
    ("the queue is durable", "the queue is not durable", C),
    ("migrations run automatically", "migrations don't run automatically", C),
    ("root login is permitted", "root login isn't permitted", C),
    ("auth is required for /health", "auth is not required for /health", C),
    ("retries are disabled in tests", "retries are enabled in tests", C),
    ("nobody uses the old endpoint", "everybody uses the old endpoint", C),
    ("the lock is held during I/O", "the lock is never held during I/O", C),
    ("caching works offline", "caching doesn't work offline", C),
    ("it has no dependencies", "it has dependencies", C),
    ("the helper moved to core/io.py", "the helper moved to core/fs.py", C),
    ("main entry is cli.py", "main entry is __main__.py", C),
    ("class Foo was renamed to Bar", "class Foo was renamed to Baz", C),
    ("env var is APP_TOKEN_TTL", "env var is APP_TTL", C),
    ("package manager is npm", "package manager is pnpm", C),
    ("formatter: black", "formatter: ruff", C),
    ("license is MIT", "license is Apache-2.0", C),
    ("default branch is main", "default branch is develop", C),
    ("db host is db1.internal", "db host is db2.internal", C),
    ("maintainer: Jane Doe", "maintainer: John Doe", C),
    ("the bug is in parse_header()", "the bug is in parse_body()", C),
    ("logs go to stdout", "logs go to stderr", C),
    ("der Server läuft auf Port 8080", "der Server läuft auf Port 9090", C),
    ("der Cache ist aktiviert", "der Cache ist nicht aktiviert", C),
    ("el límite es 100 conexiones", "el límite es 250 conexiones", C),
    ("el servicio usa TLS", "el servicio no usa TLS", C),
    ("le délai est de 30 s", "le délai est de 60 s", C),
    ("le cache n'est pas activé", "le cache est activé", C),
    ("таймаут 30 секунд", "таймаут 60 секунд", C),
    ("кеш включён", "кеш не включён", C),
    ("超时时间为30秒", "超时时间为60秒", C),
    ("ログは標準出力に出力される", "ログは標準エラーに出力される", C),
    ("o limite é 10", "o limite é 20", C),
    ("uses SQLite for storage", "stores data in SQLite", S),
    ("tests are executed by tox", "tox executes the tests", S),
    ("timeout = 30", "timeout is 30", S),
    ("The default port is 8080.", "default port is 8080", S),
    ("retries: 3", "retries = 3", S),
    ("rate limit is 10 requests per second", "the frontend is written in Svelte", K),
    ("the parser is recursive descent", "the parser has 40 tests", K),
    ("cache uses LRU", "cache is sharded by key", K),
    ("build takes 5 minutes", "build needs 8 GB of memory", K),
    ("config is in YAML", "config is validated with pydantic", K),
    ("uses Kafka for events", "uses Redis for sessions", K),
    ("runs nightly at 02:00", "runs nightly at 03:00", C),
    ("runs at 10 am", "runs at 10 pm", C),
    ("costs $5", "costs $10", C),
    ("costs €5 per seat", "costs €7 per seat", C),
    ("endpoint GET /users", "endpoint POST /users", C),
    ("sorted ascending by name", "sorted descending by name", C),
    ("primary key is id", "primary key is uuid", C),
    ("encoding UTF-8", "encoding UTF-16", C),
    ("indent with 2 spaces", "indent with 4 spaces", C),
    ("indent with tabs", "indent with spaces", C),
    ("threads: 4", "threads: 8", C),
    ("threads: 4", "processes: 8", K),
    ("before commit", "after commit", C),
    ("opens on the left", "opens on the right", C),
    ("more than 5 workers", "fewer than 5 workers", C),
    ("greater than 10", "less than 10", C),
]


@pytest.mark.parametrize(("old", "new"), DIFFERENT)
def test_values_that_only_look_alike_are_never_merged(old: str, new: str) -> None:
    assert judge(old, new).verdict is not S
    assert judge(new, old).verdict is judge(old, new).verdict


def test_the_held_out_table_has_no_false_merge_and_few_other_mistakes() -> None:
    """Units, negations, renames, dates, versions, ranges, lists, eight languages."""
    wrong = [(old, new, expected, judge(old, new)) for old, new, expected in HELD_OUT if judge(old, new).verdict is not expected]
    assert [row for row in wrong if row[3].verdict is S] == []
    assert [row for row in wrong if row[2] is C] == []
    # Paraphrases in other words are kept beside each other, a few unrelated values are shown as old and new: none is lost.
    assert len(wrong) / len(HELD_OUT) <= 0.12, wrong


WORDS = st.text(st.characters(codec="utf-8", categories=("Ll", "Lu", "Lo", "Nd")), min_size=1, max_size=9)


@given(WORDS, WORDS, st.sampled_from("+*/&|<>!?()[]{}^~@#$%€£°·→←✅❌_-=\\'’±×÷§"))
def test_a_sign_is_part_of_the_value(first: str, second: str, sign: str) -> None:
    assert judge(f"{first} {second}", f"{first}{sign}{second}").verdict is not S


@given(st.text(max_size=30), st.integers(0, 29), st.characters(codec="utf-8", exclude_categories=("Zs", "Zl", "Zp", "Cc", "Cf")))
def test_two_texts_with_the_same_tokens_have_the_same_words_and_digits(text: str, at: int, inserted: str) -> None:
    """Whatever one character is added in the middle of a plain value, it is seen."""
    assume(inserted not in ".,:;")
    plain = "pool7 holds 100 rows"
    changed = plain[: at % len(plain)] + inserted + plain[at % len(plain) :]
    if judge(plain, changed).verdict is S:
        # Only a form of the very same number or letter passes: another width.
        assert canonical_tokens(plain) == canonical_tokens(changed)
        assert not inserted.isascii() or inserted in "+ "


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The cache is enabled", ["cache", "enabled"]),
        ("it cannot be disabled", ["can", "\0not", "be", "\0not", "enabled"]),
        ("the table is users", ["table", "users"]),
        ("not disabled", ["enabled"]),
        ("the class is Config", ["class", "Config"]),
        ("...", []),
    ],
)
def test_strict_tokens_fold_only_what_cannot_change_a_value(text: str, tokens: list[str]) -> None:
    assert list(canonical_tokens(text)) == tokens


@given(st.text(max_size=60))
def test_loosening_again_changes_little(text: str) -> None:
    """What is the same strictly is the same loosely, whatever the text."""
    once = loose_tokens(canonical_tokens(text))
    assert once == loose_tokens(canonical_tokens(text))
