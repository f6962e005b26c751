"""The handle table: every kind and residency, token sums, bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.handles import Handle, HandleKind, HandleTable, MemoryTier, Place, Residency, handle_id

residencies = st.sampled_from(
    [
        Residency.resident(),
        Residency.spooled("spool:x"),
        *(Residency.paged_out(tier) for tier in MemoryTier),
        Residency.collapsed(),
    ]
)
handles = st.builds(
    Handle,
    id=st.sampled_from(["ha", "hb", "hc", "hd"]),
    kind=st.sampled_from(HandleKind),
    residency=residencies,
    tokens=st.integers(0, 1000),
    source=st.sampled_from(["", "one", "two"]),
)


def handle(id_: str, tokens: int = 1, residency: Residency | None = None, source: str = "") -> Handle:
    return Handle(id_, HandleKind.TOOL_RESULT, residency or Residency.resident(), tokens, source)


def test_resident_tokens_count_only_what_occupies_the_context() -> None:
    table = HandleTable()
    table.insert(handle("h1", 100))
    table.insert(handle("h2", 5000, Residency.spooled("disk")))
    table.insert(handle("h3", 200, Residency.collapsed()))
    table.insert(handle("h4", 7, Residency.paged_out(MemoryTier.SEMANTIC)))
    assert table.resident_tokens() == 100
    assert table.non_resident_tokens() == 5207
    statistics = table.statistics()
    assert statistics.by_place == {Place.RESIDENT: 1, Place.SPOOLED: 1, Place.PAGED_OUT: 1, Place.COLLAPSED: 1}


def test_inserting_again_replaces_in_place() -> None:
    table = HandleTable()
    table.insert(handle("h1", 100))
    table.insert(handle("h2"))
    table.insert(handle("h1", 250))
    assert [each.id for each in table.all()] == ["h1", "h2"]
    assert table.resident_tokens() == 251


@given(st.lists(st.tuples(handles, st.sampled_from(["insert", "remove", "move", "retain"]), residencies), max_size=30))
def test_the_sums_are_those_of_the_handles(steps: list[tuple[Handle, str, Residency]]) -> None:
    table = HandleTable(max_handles=3)
    for each, operation, residency in steps:
        if operation == "insert":
            table.insert(each)
        elif operation == "remove":
            table.remove(each.id)
        elif operation == "move":
            table.move(each.id, residency)
        else:
            table.retain(lambda held, limit=each.tokens: held.tokens >= limit)
        held = table.all()
        assert len(held) <= 3
        assert table.resident_tokens() == sum(h.tokens for h in held if h.residency.occupies_context)
        assert table.non_resident_tokens() == sum(h.tokens for h in held if not h.residency.occupies_context)
        for source in ("one", "two"):
            found = table.for_source(source)
            assert found is None or found in held


def test_lookup_by_source() -> None:
    table = HandleTable()
    table.insert(handle("h1", source="call-1", residency=Residency.collapsed()))
    table.insert(handle("h2", source="call-2"))
    assert table.residency_for_source("call-1") == Residency.collapsed()
    assert table.residency_for_source("call-3") is None
    found = table.for_source("call-2")
    assert found is not None
    assert found.id == "h2"
    table.remove("h2")
    assert table.for_source("call-2") is None


def test_the_same_content_from_many_sources_is_one_bounded_handle() -> None:
    table = HandleTable()
    for number in range(100):
        table.insert(handle("h1", source=f"f{number}"))
    assert len(table) == 1
    assert table.for_source("f99") is not None
    assert table.for_source("f0") is None


def test_a_full_table_forgets_the_oldest_that_is_elsewhere_and_unpinned() -> None:
    table = HandleTable(max_handles=2)
    table.insert(handle("h1"))
    table.insert(handle("h2", residency=Residency.spooled("x")))
    table.insert(handle("h3", residency=Residency.spooled("x")))
    assert [each.id for each in table.all()] == ["h1", "h3"]
    table.insert(handle("h4"))
    table.insert(handle("h5"))
    assert [each.id for each in table.all()] == ["h4", "h5"]
    assert table.statistics().forgotten == 3


def test_retain_drops_what_is_refused() -> None:
    table = HandleTable()
    for number in range(4):
        table.insert(handle(f"h{number}", number))
    assert table.retain(lambda each: each.tokens > 1) == 2
    assert [each.tokens for each in table.all()] == [2, 3]


def test_handles_of_a_kind_come_oldest_first() -> None:
    table = HandleTable()
    table.insert(Handle("h1", HandleKind.FILE_VIEW, Residency.resident(), 1))
    table.insert(handle("h2"))
    table.insert(handle("h3"))
    assert [each.id for each in table.of_kind(HandleKind.TOOL_RESULT)] == ["h2", "h3"]


def test_moving_an_unknown_handle_says_so() -> None:
    table = HandleTable()
    assert table.move("h1", Residency.collapsed()) is None
    assert not table.remove("h1")
    assert table.get("h1") is None


def test_prefixes_match() -> None:
    table = HandleTable()
    table.insert(handle("habc"))
    table.insert(handle("habd"))
    assert {each.id for each in table.matching("hab")} == {"habc", "habd"}
    assert table.matching("hx") == []


def test_a_handle_is_a_content_address() -> None:
    assert handle_id("0123456789abcdef" * 4) == "h0123456789ab"
    assert handle_id("0123456789abcdef" * 4, 16) == "h0123456789abcdef"


@pytest.mark.parametrize(
    ("place", "ref", "tier"),
    [
        (Place.RESIDENT, "x", None),
        (Place.SPOOLED, "", None),
        (Place.PAGED_OUT, "", None),
        (Place.COLLAPSED, "", MemoryTier.ARCHIVE),
    ],
)
def test_a_residency_has_what_belongs_to_it(place: Place, ref: str, tier: MemoryTier | None) -> None:
    with pytest.raises(ValueError, match="belongs to"):
        Residency(place, ref, tier)


def test_labels_and_bounds() -> None:
    assert Residency.spooled("x").label == "spooled_out"
    assert Residency.resident().occupies_context
    assert not Residency.collapsed().occupies_context
    with pytest.raises(ValueError, match="max_handles"):
        HandleTable(max_handles=0)
    assert repr(HandleTable()) == "<HandleTable 0 handles, 0 resident tokens>"
