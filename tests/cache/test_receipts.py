"""Receipts: unchanged only on proof, and every way in which a proof dies."""

from pathlib import Path

import pytest

from penstock.cache.epoch import ClientEvent, EpochFile
from penstock.cache.receipts import Proof, Receipt, ReceiptBook, ReceiptLimits, Representation
from penstock.cache.sequence import SequenceFile

SHA, OTHER = "7f3a" + "0" * 60, "beef" + "0" * 60
FULL = Representation("full")


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def mint(book: ReceiptBook, path: str = "a", sha256: str = SHA, representation: Representation = FULL) -> Receipt:
    receipt = book.mint(path, sha256, representation, tokens=10, is_lossy=False)
    assert receipt is not None
    return receipt


def redeem(
    book: ReceiptBook, have: str, path: str = "a", sha256: str = SHA, representation: Representation = FULL
) -> Proof | None:
    return book.redeem(have, path=path, sha256=sha256, representation=representation)


def test_a_receipt_proves_once() -> None:
    book = ReceiptBook()
    receipt = mint(book)
    assert receipt.id == "r1-7f3a"
    proof = redeem(book, receipt.id)
    assert proof is not None
    assert (proof.is_unchanged, proof.sha256) == (True, SHA)
    assert redeem(book, receipt.id) is None


def test_the_same_calls_give_the_same_receipts() -> None:
    assert [mint(book).id for book in (ReceiptBook(), ReceiptBook())] == ["r1-7f3a", "r1-7f3a"]


def test_other_content_is_a_base_for_a_diff_not_unchanged() -> None:
    book = ReceiptBook()
    proof = redeem(book, mint(book).id, sha256=OTHER)
    assert proof is not None
    assert not proof.is_unchanged
    assert (proof.sha256, proof.representation.is_whole) == (SHA, True)


@pytest.mark.parametrize(
    "asked",
    [Representation("lines", ((1, 9),)), Representation("full", (), (("encoding", "latin-1"),)), Representation("outline")],
)
def test_another_representation_is_not_unchanged(asked: Representation) -> None:
    book = ReceiptBook()
    proof = redeem(book, mint(book).id, representation=asked)
    assert proof is not None
    assert not proof.is_unchanged


def test_a_receipt_for_another_path_proves_nothing_and_is_used_up() -> None:
    book = ReceiptBook()
    receipt = mint(book, "a")
    assert redeem(book, receipt.id, path="b") is None
    assert redeem(book, receipt.id, path="a") is None
    assert book.statistics().refused == {"other path": 1, "unknown or used": 1}


@pytest.mark.parametrize(("is_lossy", "tokens"), [(True, 10), (False, 20_001)])
def test_lossy_and_long_answers_get_no_receipt(is_lossy: bool, tokens: int) -> None:
    assert ReceiptBook().mint("a", SHA, FULL, tokens=tokens, is_lossy=is_lossy) is None


def test_it_dies_after_thirty_calls() -> None:
    for calls, is_alive in ((30, True), (31, False)):
        book = ReceiptBook()
        receipt = mint(book)
        for _ in range(calls):
            book.tick_call()
        assert (redeem(book, receipt.id) is not None) is is_alive


def test_it_dies_after_sixty_thousand_tokens() -> None:
    for tokens, is_alive in ((60_000, True), (60_001, False)):
        book = ReceiptBook()
        receipt = mint(book)
        book.add_delivered(tokens)
        assert (redeem(book, receipt.id) is not None) is is_alive


def test_it_dies_after_fifteen_minutes() -> None:
    for seconds, is_alive in ((900, True), (901, False)):
        time = Time()
        book = ReceiptBook(time)
        receipt = mint(book)
        time.now = seconds
        assert (redeem(book, receipt.id) is not None) is is_alive


def test_revoking_kills_all() -> None:
    book = ReceiptBook()
    receipt = mint(book)
    mint(book, "b")
    assert book.revoke_all("compact") == 2
    assert redeem(book, receipt.id) is None
    assert book.statistics().revoked == 2


def test_revoking_some_names_them() -> None:
    book = ReceiptBook()
    mint(book, "a")
    kept = mint(book, "b")
    assert book.revoke(lambda receipt: receipt.path == "a") == ["r1-7f3a"]
    assert [receipt.id for receipt in book.live()] == [kept.id]


def test_a_repeat_within_five_calls_of_a_stub_gets_content_and_is_counted() -> None:
    book = ReceiptBook()
    first, second = mint(book), mint(book)
    proof = redeem(book, first.id)
    assert proof is not None
    assert proof.is_unchanged
    for _ in range(5):
        book.tick_call()
    assert redeem(book, second.id) is None
    statistics = book.statistics()
    assert (statistics.stubs, statistics.stub_then_full_within_5) == (1, 1)


def test_a_repeat_without_receipt_is_counted_too() -> None:
    book = ReceiptBook()
    redeem(book, mint(book).id)
    book.tick_call()
    assert redeem(book, "") is None
    assert book.statistics().stub_then_full_within_5 == 1


def test_later_or_changed_the_repeat_is_none() -> None:
    book = ReceiptBook()
    first, second, third = mint(book), mint(book), mint(book)
    redeem(book, first.id)
    assert redeem(book, second.id, sha256=OTHER) is not None
    for _ in range(6):
        book.tick_call()
    assert redeem(book, third.id) is not None
    assert book.statistics().stub_then_full_within_5 == 0


def test_live_receipts_are_bounded() -> None:
    book = ReceiptBook(limits=ReceiptLimits(max_live=3))
    receipts = [mint(book) for _ in range(5)]
    assert [receipt.id for receipt in book.live()] == [receipt.id for receipt in receipts[2:]]


def test_an_event_in_another_process_revokes(tmp_path: Path) -> None:
    path = tmp_path / "data" / "epoch"
    book = ReceiptBook(epoch=EpochFile(path))
    receipt = mint(book)
    assert EpochFile(path).bump(ClientEvent.COMPACT) == 1
    assert redeem(book, receipt.id) is None
    later = mint(book)
    assert later.id == "r2-7f3a"
    assert redeem(book, later.id) is not None
    assert book.statistics().epoch == 1


def test_after_a_restart_old_receipts_name_nothing_new(tmp_path: Path) -> None:
    """Two clients of a restarted server: one quotes a receipt of before for what only the other was given since."""
    path = tmp_path / "epoch"
    before = mint(ReceiptBook(epoch=EpochFile(path)), representation=Representation("lines", ((1, 5),)))
    book = ReceiptBook(epoch=EpochFile(path))
    after = mint(book)
    assert (before.id, after.id) == ("r1-7f3a", "r65-7f3a")
    assert redeem(book, before.id) is None
    assert redeem(book, after.id) is not None


def test_without_a_number_of_its_own_there_is_no_receipt(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    book = ReceiptBook(sequence=SequenceFile(tmp_path / "file" / "receipts"))
    assert book.mint("a", SHA, FULL, tokens=10, is_lossy=False) is None


def test_the_repr_says_how_many_live() -> None:
    assert repr(ReceiptBook()) == "<ReceiptBook 0 live, epoch 0>"


def test_the_reader_can_ask_whether_it_is_a_repeat() -> None:
    book = ReceiptBook()
    assert not book.is_repeat("a", SHA, FULL)
    redeem(book, mint(book).id)
    assert book.is_repeat("a", SHA, FULL)
    assert not book.is_repeat("a", OTHER, FULL)
    for _ in range(6):
        book.tick_call()
    assert not book.is_repeat("a", SHA, FULL)


def test_stubs_remembered_are_bounded() -> None:
    book = ReceiptBook(limits=ReceiptLimits(max_live=2))
    for path in "abc":
        redeem(book, mint(book, path).id, path=path)
    assert not book.is_repeat("a", SHA, FULL)
    assert book.is_repeat("c", SHA, FULL)
