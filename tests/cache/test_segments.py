"""The order in which entries leave: by segment, by age, and heavy ones sooner within bounds."""

import math

from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.entry import Segment
from penstock.cache.segments import MAX_FACTOR, Segments
from penstock.cache.slot import Slot, identity_of
from tests.cache.files import source
from tests.cache.sessions import make_session

sizes = st.integers(0, 40_000)


def slots_of(*data_sizes: int) -> list[Slot]:
    """Slots as the cache makes them, one file each."""
    _, session = make_session(1 << 24)
    for number, size in enumerate(data_sizes):
        session.store(source(f"{number}", bytes([number + 14]) * size, ino=number))
    return list(session._shelf)  # pyright: ignore[reportPrivateUsage] -- slots are made nowhere else


def filled(*data_sizes: int) -> tuple[Segments, list[Slot]]:
    """One read of each, in order."""
    slots = sorted(slots_of(*data_sizes), key=lambda slot: slot.key.ino)
    segments = Segments()
    for slot in slots:
        segments.add(slot)
    return segments, slots


def names(segments: Segments) -> list[str]:
    return [slot.rel for slot in segments]


def test_entries_of_equal_weight_leave_least_recently_used_first() -> None:
    segments, slots = filled(*[1000] * 6)
    segments.discard(slots[0])
    segments.add(slots[0])
    assert names(segments) == ["1", "2", "3", "4", "5", "0"]


def test_a_heavy_entry_leaves_before_older_light_ones() -> None:
    segments, _ = filled(*[1000] * 10, 300_000, *[1000] * 30)
    order = names(segments)
    assert order.index("10") < order.index("0")


def test_a_heavy_entry_never_leaves_before_half_the_age_of_the_oldest() -> None:
    segments, _ = filled(*[1000] * 30, 300_000, *[1000] * 10)
    order = names(segments)
    assert order.index("30") > order.index("0")


def test_protected_entries_leave_after_all_probationary_ones() -> None:
    segments, slots = filled(1000, 300_000, 1000, 1000)
    segments.touch(slots[0], protected_bytes=1 << 20)
    assert names(segments)[-1] == "0"
    assert slots[0].segment is Segment.PROTECTED


def test_a_demoted_entry_is_the_warmest_of_the_probationary() -> None:
    segments, slots = filled(1000, 1000, 1000)
    segments.touch(slots[0], protected_bytes=3000)
    segments.touch(slots[1], protected_bytes=3000)
    assert names(segments) == ["2", "0", "1"]
    assert slots[0].segment is Segment.PROBATIONARY


operations = st.lists(st.tuples(st.sampled_from(["read", "discard"]), st.integers(0, 7)), max_size=60)


@given(st.lists(sizes, min_size=8, max_size=8), operations, st.integers(0, 100_000))
def test_the_order_is_that_of_age_with_a_bounded_factor(
    data_sizes: list[int], steps: list[tuple[str, int]], protected_bytes: int
) -> None:
    """Within a queue by age alone; across queues nothing leaves before half the age of the oldest that stays."""
    segments, slots = filled(*data_sizes)
    inside = set(range(8))
    for name, number in steps:
        if name == "discard":
            segments.discard(slots[number])
            inside.discard(number)
        else:
            segments.touch(slots[number], protected_bytes=protected_bytes)
            inside.add(number)
    order = list(segments)
    assert sorted(slot.rel for slot in order) == sorted(map(str, inside))
    assert len(segments) == len(inside)
    assert all((segments.get(identity_of(slots[number].key)) is not None) == (number in inside) for number in range(8))
    probationary = [slot for slot in order if slot.segment is Segment.PROBATIONARY]
    assert order == probationary + [slot for slot in order if slot.segment is Segment.PROTECTED]
    assert segments.protected_count == len(order) - len(probationary)
    if not order:
        return
    mean = sum(slot.placed_bytes for slot in order) / len(order)
    now = segments._reads + 1  # pyright: ignore[reportPrivateUsage] -- the clock
    for place, slot in enumerate(probationary):
        factor = min(MAX_FACTOR, max(1.0, math.sqrt(slot.placed_bytes / mean)))
        later = [each for each in probationary[place + 1 :] if each.placed_bytes.bit_length() == slot.placed_bytes.bit_length()]
        assert all(slot.read_number <= each.read_number for each in later), "what one read demotes together has one age"
        coldest_left = min(each.read_number for each in probationary[place:])
        assert (now - slot.read_number) * factor >= now - coldest_left, "left before half the age of an older one"
