import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.cache.index.assemble import term_arrays
from penstock.cache.index.tokenise import number_of
from penstock.cache.index.vocabulary import Vocabulary, slot_array

TERMS = st.sets(st.text(max_size=6), max_size=200)


@settings(deadline=None)
@given(held=TERMS, others=TERMS)
def test_every_term_is_found_and_no_other_is(held: set[str], others: set[str]) -> None:
    encoded = sorted(term.encode() for term in held)
    vocabulary = Vocabulary(term_arrays(encoded))
    for tid, term in enumerate(encoded):
        assert vocabulary.find(term, number_of(term)) == tid
        assert vocabulary.term(tid) == term.decode()
    assert all(vocabulary.find(term.encode(), number_of(term.encode())) is None for term in others - held)
    assert vocabulary.terms() == encoded


@given(prefix=st.text("ab", max_size=3), held=st.sets(st.text("ab", max_size=5), max_size=40))
def test_the_terms_with_a_prefix_come_in_order(prefix: str, held: set[str]) -> None:
    vocabulary = Vocabulary(term_arrays(sorted(term.encode() for term in held)))
    expected = sorted(term for term in held if term.startswith(prefix))
    assert [term for _, term in vocabulary.terms_with_prefix(prefix, 100)] == expected


@given(hashes=st.lists(st.one_of(st.integers(0, 9), st.integers(0, (1 << 64) - 1)), max_size=60))
def test_from_its_home_on_no_slot_is_empty_before_a_term(hashes: list[int]) -> None:
    """Also if many hashes are equal."""
    slots = slot_array(np.asarray(hashes, np.uint64)).tolist()
    assert slots[-1] == 0
    assert sorted(slot for slot in slots if slot) == list(range(1, len(hashes) + 1))
    for tid, value in enumerate(hashes):
        home, place = value % (len(hashes) * 4 // 3 + 1), slots.index(tid + 1)
        assert home <= place
        assert all(slots[home:place])
