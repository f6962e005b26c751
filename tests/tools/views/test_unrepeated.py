"""Every line of a file is shown in its place, or stands behind the mark that says where it was shown."""

import re

from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.repeats import plan_repeats
from penstock.tools.views.unrepeated import unrepeated_view
from penstock.tools.views.view import has_marks, split_lines

HEADER = "".join(f"# clause {n} of the licence, which is long enough to be worth leaving out\n" for n in range(5)) + "\n"
NOTICE = "".join(f"/* notice {n}: {'as is, without any warranty ' * 3}*/\n" for n in range(4)) + "\n"
MARK = re.compile(r"… [\d,]+ lines? \((\d+)-(\d+), as (\S+):(\d+)-(\d+) above\) …\n")
BLOCKS = st.sampled_from([HEADER, NOTICE, "x = 1\n", "\n", "def f():\n    return 1\n\n", "last line without end"])
TEXTS = st.lists(BLOCKS, max_size=6).map("".join)


@given(st.lists(TEXTS, min_size=1, max_size=4), TEXTS)
def test_the_marks_and_the_lines_make_up_the_file(shown: list[str], text: str) -> None:
    sources = [*shown, text]
    repeats = [one for one in plan_repeats([source.encode() for source in sources]) if one.text == len(shown)]
    names = [f"f{place}.py" for place in range(len(shown))]
    view = unrepeated_view(text, repeats, names)
    rebuilt: list[str] = []
    for line in split_lines(view.body):
        found = MARK.fullmatch(line)
        if found is None:
            rebuilt.append(line)
            continue
        source = split_lines(sources[names.index(found[3])])
        rebuilt += source[int(found[4]) - 1 : int(found[5])]
        assert len(rebuilt) == int(found[2])
    assert "".join(rebuilt) == text
    assert view.is_lossy
    assert view.kept_lines + sum(one.last - one.first + 1 for one in repeats) == view.total_lines
    assert has_marks(view.body) == bool(repeats)
