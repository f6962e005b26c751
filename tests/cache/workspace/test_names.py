import os

from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.workspace.names import printable, spellings


@given(st.binary(min_size=1, max_size=30).filter(lambda raw: b"\0" not in raw and b"/" not in raw and b"\\" not in raw))
def test_a_shown_name_can_be_typed_back(raw: bytes) -> None:
    name = os.fsdecode(raw)
    shown = printable(name)
    shown.encode()
    assert not any(ord(char) < 32 for char in shown)
    # A name that mixes raw bytes and C1 characters of the same value is shown ambiguously; each alone is not.
    has_c1 = any(0x80 <= ord(char) < 0xA0 for char in name)
    has_raw = any(0xDC80 <= ord(char) <= 0xDCFF for char in name)
    if not (has_c1 and has_raw):
        assert shown == name or name in list(spellings(shown))


def test_escapes_never_make_separators_nul_or_dots() -> None:
    assert list(spellings(r"a\x2fb")) == []
    assert list(spellings(r"a\x00b")) == []
    assert list(spellings(r"\x2e\x2e")) == []


def test_plain_names_have_one_spelling() -> None:
    assert list(spellings("plain.txt")) == []
    assert list(spellings("caf\u00e9")) == ["cafe\u0301"]
