from penstock.cache.archive.bridge import age_text, clear_bridge, handles_of, restore_bridge, retrieval_bridge
from penstock.cache.archive.clearing import ClearPolicy, ClearReason, plan_clear
from penstock.cache.archive.entries import Entry
from penstock.cache.archive.events import EventKind


def entry(number: int, kind: EventKind = EventKind.STATUS) -> Entry:
    return Entry(f"{number:016x}", kind, "read", "", f"words{number}", (f"h{number}", "h0"), (), 1, number, number)


def test_a_clear_names_its_handles_and_its_snapshot() -> None:
    plan = plan_clear([entry(1), entry(2, EventKind.GOAL)], ClearPolicy())
    text = clear_bridge(plan, ClearReason.MANUAL, snapshot="snap-7")
    assert "Cleared 1 of 2 entries (manual), kept 1" in text
    assert "h1" in text
    assert "id=snap-7" in text
    assert "No snapshot" in clear_bridge(plan, ClearReason.MANUAL, snapshot="")


def test_a_retrieval_says_how_many_where_and_behind_what() -> None:
    assert retrieval_bridge(0, ["session"], "lost  words", [], 0.0) == "Nothing earlier matches 'lost words'; searched: session."
    text = retrieval_bridge(2, ["session", "transcript"], "q", ["h1"], 0.5)
    assert "2 earlier entries match 'q' (mean similarity 0.50; session, transcript)" in text
    assert text.endswith("h1.")


def test_a_restore_says_from_where_and_how_old() -> None:
    assert restore_bridge([entry(1)], source="foo", age_s=300) == "Restored 1 entry from foo, 5 min old. Content is behind: h1."
    assert restore_bridge([], source="foo", age_s=None) == "Restored 0 entries from foo."


def test_each_handle_is_named_once_and_only_so_many() -> None:
    assert handles_of([entry(1), entry(1), entry(2)]) == ("h1", "h2")
    assert len(handles_of(entry(number) for number in range(50))) == 8


def test_ages_read_as_people_say_them() -> None:
    assert [age_text(age) for age in (-5, 59, 600, 7_300, 400_000)] == ["0 s", "59 s", "10 min", "2 h", "4 d"]
