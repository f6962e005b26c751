import random

import pytest

from penstock.cache.archive.clearing import ClearPolicy
from penstock.cache.archive.events import EventKind, Record, TouchedSpan
from penstock.cache.archive.recall import Recall
from penstock.cache.archive.recollection import MAX_RECALLED, TIER_RULES, Tier
from penstock.cache.archive.session_rows import NameRow, list_sessions, put_name, set_origin
from penstock.cache.archive.snapshots import SnapshotPolicy, SnapshotReason, SnapshotStrategy
from penstock.cache.archive.states import take_snapshot
from penstock.cache.archive.store import ArchivePolicies, ArchiveStore

from .conftest import MakeArchive, MakeStore

FILLER = "def handler request response session cache value token limit update return none self config".split()  # noqa: SIM905


def record(number: int, text: str, tool: str = "read") -> Record:
    path = f"src/part{number}.py"
    return Record(EventKind.READ, tool, path, text, (f"h{number:012x}",), (TouchedSpan(path, (1, 40)),), 100)


def filler(rng: random.Random, words: int = 120) -> str:
    return "\n".join(" ".join(rng.choices(FILLER, k=8)) for _ in range(words // 8))


def test_the_rules_of_the_tiers_are_the_seeds() -> None:
    rules = [(rule.tier, rule.threshold, rule.if_fewer_than) for rule in TIER_RULES]
    assert rules == [(Tier.SESSION, 0.3, 20), (Tier.SNAPSHOTS, 0.4, 5), (Tier.TRANSCRIPT, 0.5, 3)]


def test_planted_facts_and_passages_are_in_the_top_five(make_archive: MakeArchive) -> None:
    """Fifty passages among a thousand events, asked for in other words around them; nine in ten must come back."""
    rng = random.Random(7)
    archive = make_archive(policies=ArchivePolicies(clearing=ClearPolicy(clear_after_events=300)))
    planted: dict[str, str] = {}
    records: list[Record] = []
    for number in range(1_000):
        text = filler(rng)
        if number % 20 == 3:
            subject, value = f"quota{number:03}", f"{rng.choice(['lease', 'spool', 'shard'])}_{number * 13}"
            planted[f"what was the {subject} of {value}?"] = f"the {subject} is {value} per node"
            text = f"{text}\nthe {subject} is {value} per node\n{filler(rng, 400)}"
        records.append(record(number, text))
    for at in range(0, 1_000, 100):
        archive.store.append("one", records[at : at + 100])
    found = sum(any(passage in hit.text for hit in archive.recall(query, limit=5).found) for query, passage in planted.items())
    assert len(planted) == 50
    assert found >= 45


def test_terms_match_as_whole_words_only_and_matched_terms_are_true(make_store: MakeStore) -> None:
    """Seed 004 found "a" in everything, and called every term of a tier-3 hit matched."""
    store = make_store()
    store.append("one", [record(1, "the cartography module"), record(2, "a cart is here")])
    found = Recall(store).search("cart wheel", session_id="one").found
    assert [(hit.title, hit.matched) for hit in found] == [("src/part2.py", ("cart",))]
    assert Recall(store).search("a", session_id="one").found == () or all(
        hit.matched == ("a",) for hit in Recall(store).search("a", session_id="one").found
    )


def test_the_session_is_searched_first_and_named(make_store: MakeStore) -> None:
    store = make_store()
    store.append("one", [record(1, "quorum lease rotation")])
    result = Recall(store).search("quorum lease", session_id="one")
    assert result.found[0].tier is Tier.SESSION
    assert result.found[0].handles == ("h000000000001",)
    assert result.found[0].spans == (TouchedSpan("src/part1.py", (1, 40)),)
    assert "h000000000001" in result.bridge
    assert result.tiers == (Tier.SESSION, Tier.SNAPSHOTS, Tier.TRANSCRIPT)


def test_enough_in_the_session_spares_the_other_tiers(make_store: MakeStore) -> None:
    store = make_store()
    store.append("one", [record(number, "quorum lease rotation") for number in range(8)])
    assert Recall(store).search("quorum lease", session_id="one").tiers == (Tier.SESSION,)
    store.append("two", [record(number, "quorum lease rotation") for number in range(4)])
    assert Recall(store).search("quorum lease", session_id="two").tiers == (Tier.SESSION, Tier.SNAPSHOTS)


def cleared_store(make_store: MakeStore, strategy: SnapshotStrategy) -> ArchiveStore:
    policies = ArchivePolicies(SnapshotPolicy(strategy), ClearPolicy(1.0, clear_after_events=2))
    store = make_store(policies)
    store.append("one", [record(1, "quorum lease rotation"), record(2, "other things")])
    return store


def test_what_was_cleared_is_found_in_the_snapshots(make_store: MakeStore) -> None:
    result = Recall(cleared_store(make_store, SnapshotStrategy.INCREMENTAL)).search("quorum lease", session_id="one")
    assert [(hit.tier, hit.title) for hit in result.found] == [(Tier.SNAPSHOTS, "src/part1.py")]


def test_without_snapshots_it_is_found_in_the_transcript(make_store: MakeStore) -> None:
    result = Recall(cleared_store(make_store, SnapshotStrategy.NONE)).search("quorum lease", session_id="one")
    assert [(hit.tier, hit.title) for hit in result.found] == [(Tier.TRANSCRIPT, "src/part1.py")]


def test_entries_are_found_when_their_events_have_expired(make_store: MakeStore) -> None:
    store = make_store()
    store.append("one", [record(1, "quorum lease rotation")])
    store.database.write(lambda con: [con.execute(f"DELETE FROM {table}") for table in ("events", "passages", "passage_terms")])
    result = Recall(store).search("quorum lease", session_id="one")
    assert [(hit.tier, hit.matched) for hit in result.found] == [(Tier.SESSION, ("quorum", "lease"))]


def test_another_agents_unnamed_session_is_not_searched(make_store: MakeStore) -> None:
    store = make_store()
    store.append("theirs", [record(1, "quorum lease rotation")])
    store.append("ours", [record(2, "something else")])
    assert Recall(store).search("quorum lease", session_id="ours").found == ()


def test_a_restored_session_is_searched_with_its_own_name(make_store: MakeStore) -> None:
    store = make_store()
    store.append("theirs", [record(1, "quorum lease rotation")])
    store.append("ours", [record(2, "something else")])
    ours = store.database.read(lambda con: next(row for row in list_sessions(con) if row.id == "ours"))
    store.database.write(lambda con: set_origin(con, ours.rid, "theirs"))
    assert [hit.session_id for hit in Recall(store).search("quorum lease", session_id="ours").found] == ["theirs"]


def test_a_new_conversation_searches_the_named_sessions_or_else_the_last(make_store: MakeStore) -> None:
    store = make_store()
    store.append("named", [record(1, "quorum lease rotation")])
    store.append("last", [record(2, "quorum lease rotation")])
    assert [hit.session_id for hit in Recall(store).search("quorum lease", session_id="new").found] == ["last"]
    named = store.database.read(lambda con: next(row for row in list_sessions(con) if row.id == "named"))

    def name(con: object) -> None:
        snapshot = take_snapshot(con, named, SnapshotPolicy(), SnapshotReason.SAVE, now_s=0.0)  # pyright: ignore[reportArgumentType]
        put_name(con, NameRow("a-name", named.rid, snapshot.id, "", 0.0))  # pyright: ignore[reportArgumentType]

    store.database.write(name)
    assert [hit.session_id for hit in Recall(store).search("quorum lease", session_id="new").found] == ["named"]


def test_never_more_than_twenty_and_never_more_than_asked_for(make_store: MakeStore) -> None:
    store = make_store()
    store.append("one", [record(number, "quorum lease rotation") for number in range(60)])
    assert len(Recall(store).search("quorum", session_id="one", limit=99).found) <= MAX_RECALLED
    assert len(Recall(store).search("quorum", session_id="one", limit=2).found) == 2


@pytest.mark.parametrize(
    "query", ["", "   ", "!!!", '"', "*", 'a" OR b', "x" * 4_000, "café 日本語 наука", "NOT AND OR NEAR", "\x00"]
)
def test_any_query_is_answered(make_store: MakeStore, query: str) -> None:
    store = make_store()
    store.append("one", [record(1, "café 日本語 наука and more")])
    Recall(store).search(query, session_id="one")


def test_words_of_other_scripts_are_found(make_store: MakeStore) -> None:
    store = make_store()
    store.append("one", [record(1, "café crème"), record(2, "наука жизнь"), record(3, "plain")])
    assert [hit.title for hit in Recall(store).search("наука", session_id="one").found] == ["src/part2.py"]
    assert [hit.title for hit in Recall(store).search("café", session_id="one").found] == ["src/part1.py"]


def test_common_words_alone_still_find_the_newest(make_store: MakeStore) -> None:
    store = make_store()
    for batch in range(12):
        store.append("one", [record(n, f"common shared n{n}") for n in range(batch * 1000, batch * 1000 + 1000)])
    result = Recall(store).search("common shared", session_id="one")
    assert result.found
    assert all(set(hit.matched) == {"common", "shared"} for hit in result.found)


def test_what_was_recalled_is_engaged(make_archive: MakeArchive) -> None:
    archive = make_archive()
    archive.store.append("one", [record(1, "quorum lease rotation"), record(2, "other")])
    archive.recall("quorum lease")
    archive.recall("quorum lease")
    assert [entry.engagements for entry in archive.entries()] == [2, 0]
    assert archive.statistics().retrievals == 2
