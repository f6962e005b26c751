"""Which folders are watched."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.index.folders import plan_folders

NAMES = st.lists(st.sampled_from("abc"), max_size=4).map("/".join)


@given(st.dictionaries(NAMES, st.integers(0, 9)), st.integers(0, 12))
def test_the_latest_folders_are_chosen_with_those_above_them(newest: dict[str, int], limit: int) -> None:
    chosen = plan_folders(newest, limit)
    assert len(chosen) <= limit
    assert all(folder.rpartition("/")[0] in chosen for folder in chosen if folder)
    left = [newest[folder] for folder in newest if folder not in chosen]
    assert not left or all(newest[folder] >= max(left) for folder in newest if folder in chosen and not _is_above(folder, newest))
    if limit >= 4 * len(newest) + 1:
        assert newest.keys() <= chosen


def _is_above(folder: str, newest: dict[str, int]) -> bool:
    return not folder or any(other.startswith(f"{folder}/") for other in newest)


def test_other_roots_and_names_that_are_no_unicode_are_left_out() -> None:
    assert plan_folders({"/other/root": 1, "a\udcff": 1, "b": 1}, 10) == {"", "b"}
    assert plan_folders({}, 10) == set()
