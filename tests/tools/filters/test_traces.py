from penstock.tools.filters.filter import Document, Rank
from penstock.tools.filters.traces import score_trace


def rank_of(text: str) -> dict[str, int]:
    scores = score_trace(Document(text))
    return dict(zip((line.strip() for line in text.split("\n")), scores.ranks, strict=False))


def test_python_keeps_the_nearest_own_frame_and_the_message() -> None:
    got = rank_of(
        "Traceback (most recent call last):\n"
        '  File "/home/dev/app.py", line 3, in main\n    run()\n'
        '  File "/home/dev/lib.py", line 9, in run\n    parse(x)\n'
        '  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode\n    raise JSONDecodeError\n'
        "json.decoder.JSONDecodeError: planted\n"
    )
    assert got["json.decoder.JSONDecodeError: planted"] == Rank.EVIDENCE
    assert got['File "/home/dev/lib.py", line 9, in run'] == Rank.LOCATION
    assert got["parse(x)"] == Rank.LOCATION
    assert got['File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode'] == Rank.NOISE


def test_java_keeps_the_nearest_own_frame_of_each_cause() -> None:
    got = rank_of(
        'Exception in thread "main" java.lang.IllegalStateException: planted\n'
        "\tat java.base/java.util.Objects.check(Objects.java:1)\n\tat shop.Cart.add(Cart.java:7)\n"
        "\tat shop.Main.main(Main.java:3)\n"
        "Caused by: java.lang.NumberFormatException: x\n\tat java.base/java.lang.Integer.parseInt(Integer.java:2)\n"
        "\tat shop.Parser.qty(Parser.java:5)\n\t... 3 more\n"
    )
    assert got["at shop.Cart.add(Cart.java:7)"] == Rank.LOCATION
    assert got["at shop.Main.main(Main.java:3)"] == Rank.DETAIL
    assert got["at shop.Parser.qty(Parser.java:5)"] == Rank.LOCATION
    assert got["Caused by: java.lang.NumberFormatException: x"] == Rank.EVIDENCE


def test_frames_repeated_by_recursion_are_noise() -> None:
    frame = '  File "a.py", line 2, in f\n    return f()\n'
    scores = score_trace(Document("Traceback (most recent call last):\n" + frame * 50 + "RecursionError: too deep\n"))
    assert list(scores.ranks).count(Rank.NOISE) >= 90


def test_a_rust_panic_s_message_is_on_the_next_line() -> None:
    got = rank_of(
        "thread 'main' (7) panicked at src/main.rs:2:5:\nplanted message\nstack backtrace:\n"
        "   0: main::f\n             at ./src/main.rs:2:5\n"
    )
    assert got["planted message"] == Rank.EVIDENCE
