import codecs
import random
import shutil
import subprocess
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.errors import BinaryFile
from penstock.cache.workspace.text import (
    check_text,
    count_lines,
    decode,
    encoding_of,
    is_binary,
    line_offsets,
    slice_lines,
)

LINES = st.lists(st.binary(max_size=12), max_size=30).map(b"\n".join)
SAMPLE = "Grüße, κόσμε, 世界 and plain words enough to tell\nsecond line\n"


@given(st.text(max_size=200))
def test_utf8_round_trips(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode()
    decoded = decode(data)
    if not is_binary(data):
        assert decoded.text.encode(decoded.encoding) == data


@given(st.binary(max_size=300))
def test_any_bytes_decode_and_exact_ones_round_trip(data: bytes) -> None:
    decoded = decode(data)
    if decoded.is_exact:
        assert decoded.text.encode(decoded.encoding) == data


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_names_the_encoding_and_stays(mark: bytes, encoding: str) -> None:
    data = mark + SAMPLE.encode(encoding)
    decoded = decode(data)
    assert (decoded.text, decoded.encoding, decoded.is_exact) == ("\ufeff" + SAMPLE, encoding, True)
    assert decoded.text.encode(encoding) == data
    assert not is_binary(data)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_text_of_a_guessed_encoding(encoding: str) -> None:
    data = ("plain ascii words\r\n" * 20).encode(encoding)
    decoded = decode(data)
    assert not is_binary(data)
    assert (decoded.encoding, decoded.is_exact) == (encoding, False)
    assert decoded.text.startswith("plain ascii")


@pytest.mark.parametrize(
    "encoding", ["latin-1", "cp1252", "shift_jis", "euc_jp", "gb18030", "koi8_r", "big5", "iso8859_7", "cp437"]
)
def test_other_encodings_are_viewable_text_marked_as_guessed(encoding: str) -> None:
    words = {
        "shift_jis": "こんにちは",
        "euc_jp": "こんにちは",
        "gb18030": "你好世界",
        "big5": "你好",
        "koi8_r": "привет",
        "iso8859_7": "κόσμε",
    }
    data = (words.get(encoding, "Grüße") + " and more\n").encode(encoding) * 5
    decoded = decode(data)
    assert not is_binary(data)
    assert (decoded.encoding, decoded.is_exact) == ("latin-1", False)
    assert decoded.text.encode("latin-1") == data


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x02\x01\x01\0\0\0",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"SQLite format 3\0\x10\0",
        random.Random(1).randbytes(5000).replace(b"\0", b"\1"),
        b"\0" * 100,
        b"text\0text",
        codecs.BOM_UTF16_LE + random.Random(2).randbytes(4000),
    ],
)
def test_binary_is_told_from_text(data: bytes) -> None:
    assert is_binary(data)
    with pytest.raises(BinaryFile) as caught:
        check_text("a\nb", data, len(data))
    assert "\n" not in caught.value.what
    assert caught.value.next_call


def test_text_with_colours_or_a_character_cut_by_the_sample_is_text() -> None:
    assert not is_binary(b"\x1b[31mred\x1b[0m\n" * 1000)
    assert not is_binary(("a" + "é" * 5000).encode())
    assert encoding_of(("a" + "é" * 5000).encode()) == "utf-8"
    assert not is_binary(b"")
    check_text("f", b"text", 4)


def test_bytes_beyond_the_sample_decide_the_decoding() -> None:
    data = b"a" * 10_000 + b"\xff"
    assert decode(data).encoding == "latin-1"
    assert decode(codecs.BOM_UTF16_LE + b"a\0b").is_exact is False


def test_a_part_decodes_by_the_encoding_of_its_whole() -> None:
    assert decode("é".encode("utf-16-le"), "utf-16-le").text == "é"
    assert decode("é".encode(), "utf-8").text == "é"
    assert decode("é".encode(), "latin-1").text == "Ã©"
    assert decode(b"\xff", "utf-8").encoding == "latin-1"


@given(LINES)
def test_line_offsets_cut_at_newlines_alone(data: bytes) -> None:
    offsets = line_offsets(data)
    assert len(offsets) == count_lines(data)
    lines = [data[start:end] for start, end in zip(offsets, [*offsets[1:], len(data)], strict=False)]
    assert b"".join(lines) == data
    assert all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in lines[:-1])


@given(LINES, st.integers(-3, 40), st.integers(-3, 40))
def test_slices_are_what_a_plain_split_gives(data: bytes, first: int, last: int) -> None:
    plain = data.split(b"\n")
    lines = [line + b"\n" for line in plain[:-1]] + ([plain[-1]] if plain[-1] else [])
    expected = b"".join(lines[max(first, 1) - 1 : max(last, 0)])
    assert slice_lines(data, first, last) == expected


@given(LINES)
def test_slices_put_together_are_the_whole(data: bytes) -> None:
    offsets = line_offsets(data)
    assert b"".join(slice_lines(data, n, n, offsets) for n in range(1, len(offsets) + 1)) == data


@pytest.mark.skipif(shutil.which("sed") is None, reason="needs sed")
@pytest.mark.parametrize("seed", range(5))
def test_line_seven_is_what_sed_prints(seed: int) -> None:
    pieces = [b"\n", b"\r\n", b"\r", b"\x0b", b"\x0c", b"\x1c", b"\xc2\x85", b"\xe2\x80\xa8", b"a", b"\xff", b"z"]
    data = b"".join(random.Random(seed).choices(pieces, k=200))
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        for line in (1, 7, count_lines(data)):
            printed = subprocess.run(["sed", "-n", f"{line}p", file.name], capture_output=True, check=True, env={"LC_ALL": "C"})
            assert slice_lines(data, line, line).rstrip(b"\n") == printed.stdout.rstrip(b"\n")
