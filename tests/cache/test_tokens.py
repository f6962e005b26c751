import base64
import gzip
import hashlib
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.cache.tokens import O200K_PATTERN, O200K_SPECIAL, O200kCounter, parse_vocabulary, split_for_encoding

VOCABULARY = Path(__file__).parents[2] / "configs" / "vocab" / "o200k_base.bin.gz"
TIKTOKEN_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"


@pytest.fixture(scope="module")
def counter() -> O200kCounter:
    return O200kCounter(VOCABULARY.read_bytes)


def test_the_vendored_ranks_are_those_that_tiktoken_expects() -> None:
    ranks = parse_vocabulary(VOCABULARY.read_bytes())
    text = b"".join(base64.b64encode(token) + f" {rank}\n".encode() for token, rank in ranks.items())
    assert hashlib.sha256(text).hexdigest() == TIKTOKEN_SHA256


def test_pattern_and_special_tokens_are_tiktokens_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from tiktoken_ext import openai_public

    # The ranks alone would be fetched; they are compared above.
    def no_ranks(*_: object, **__: object) -> dict[bytes, int]:
        return {b"a": 0}

    monkeypatch.setattr(openai_public, "load_tiktoken_bpe", no_ranks)
    expected = openai_public.o200k_base()
    assert expected["pat_str"] == O200K_PATTERN
    assert expected["special_tokens"] == O200K_SPECIAL


def test_known_counts(counter: O200kCounter) -> None:
    assert counter.load().encode_ordinary("hello world") == [24912, 2375]
    assert counter.count("").tokens == 0
    assert counter.count("<|endoftext|>").tokens == 7


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400), st.integers(1, 60))
def test_pieces_add_up_to_the_text(text: str, size: int) -> None:
    assert "".join(split_for_encoding(text, size)) == text


def test_cutting_does_not_change_the_count_of_source_text(counter: O200kCounter) -> None:
    encoding = counter.load()
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))[:40]:
        text = path.read_text("utf-8", "replace")
        pieces = sum(len(encoding.encode_ordinary(piece)) for piece in split_for_encoding(text, 2000))
        assert pieces == len(encoding.encode_ordinary(text)), path.name


@pytest.mark.parametrize("text", [" " * 1_200_000, "\t" * 1_200_000 + "x", "a" * 1_200_000, "\n" * 1_200_000, "é" * 600_000])
def test_runs_that_make_the_tokenizer_panic_are_counted(counter: O200kCounter, text: str) -> None:
    assert counter.count(text).tokens > 0


def test_long_text_is_estimated_closely_and_says_so(counter: O200kCounter) -> None:
    modules = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    text = "".join(path.read_text("utf-8", "replace") for path in modules)[:3_000_000]
    found = counter.count(text)
    exact = sum(counter.count(text[at : at + 500_000]).tokens for at in range(0, len(text), 500_000))
    assert found.is_estimated
    assert str(found).startswith("~")
    assert abs(found.tokens - exact) / exact < 0.10


def test_a_damaged_vocabulary_is_refused() -> None:
    with pytest.raises(ValueError, match="damaged"):
        parse_vocabulary(gzip.compress((5).to_bytes(4, "little") + b"\x01\x01"))
