"""`session`, `search scope=session` and the text of the `resume` prompt, over a real archive."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.cache.archive.archive import SessionArchive
from penstock.cache.archive.events import ToolEvent, TouchedSpan
from penstock.cache.archive.facts import FactBook
from penstock.cache.archive.recorder import Recorder
from penstock.cache.archive.store import ArchiveStore
from penstock.cache.deadline import Deadline
from penstock.cache.errors import InvalidArgument, PathNotFound, SecretDenied, StoreUnavailable, UnknownHandle
from penstock.cache.tokens import TokenCount
from penstock.tools.aligned import ALIGNMENT_KEY
from penstock.tools.call import AnswerLimit, Call
from penstock.tools.memory import MemoryTool
from penstock.tools.resume import Resume
from penstock.tools.session import SessionTool


class Counter:
    """About as many tokens as a real vocabulary finds in English."""

    def count(self, text: str) -> TokenCount:
        return TokenCount(len(re.findall(r"\w{1,6}|[^\w\s]", text)))


class Conversation:
    """One conversation's archive with its tools."""

    def __init__(self, folder: Path, session_id: str, has_handle: Callable[[str], bool] = lambda handle: True) -> None:
        self.store = ArchiveStore(folder)
        self.archive = SessionArchive(self.store, Recorder(self.store, session_id))
        self.tool = SessionTool(self.archive, Counter(), has_handle=has_handle)
        self.facts = FactBook(self.store, no_file)
        self.memory = MemoryTool(self.facts, Counter(), author=session_id)
        self.resume = Resume(self.tool, self.memory, Counter())

    def play(self, numbers: range) -> None:
        for number in numbers:
            path = f"src/part{number}.py"
            text = f"def handler_{number}(request):\n    return quota_{number * 7}\n"
            self.archive.recorder.record(
                ToolEvent("read", path, (f"h{number:012x}",), (TouchedSpan(path, (1, 40)),), 300, excerpt=text)
            )

    def run(
        self, action: str, *, id: str | None = None, keep: float | str | list[str] | None = None, note: str | None = None
    ) -> str:
        return self.tool.run(Call(), action=action, id=id, keep=keep, note=note).text


def no_file(path: str, deadline: Deadline) -> tuple[str, bytes]:
    raise PathNotFound(f"{path} is not there")


@pytest.fixture
def open_conversation(tmp_path: Path) -> Iterator[Callable[..., Conversation]]:
    made: list[Conversation] = []

    def start(session_id: str, has_handle: Callable[[str], bool] = lambda handle: True) -> Conversation:
        made.append(Conversation(tmp_path / "data", session_id, has_handle))
        return made[-1]

    yield start
    for one in made:
        one.store.close()


@pytest.fixture
def one(open_conversation: Callable[..., Conversation]) -> Conversation:
    conversation = open_conversation("one")
    conversation.play(range(60))
    return conversation


def test_save_names_a_snapshot_and_says_how_it_comes_back(one: Conversation) -> None:
    first, last = one.run("save", id="port", note="goal: port the parser").splitlines()
    assert first.startswith("session save · one · snap-")
    assert "61 entries" in first or "62 entries" in first
    assert first.endswith("name port")
    assert last == 'next session(action="restore", id="port")'


def test_a_handoff_is_restored_by_another_conversation_with_its_handles(
    one: Conversation, open_conversation: Callable[..., Conversation]
) -> None:
    text = one.run("handoff", id="to-two", note="decision: keep the tokens\ntodo: fuzz it")
    assert text.splitlines()[0].startswith("session handoff · to-two · snap-")
    assert "keep the tokens" in text
    assert 'session(action="restore", id="to-two")' in text
    other = open_conversation("two")
    restored = other.run("restore", id="to-two")
    assert restored.startswith("session restore · to-two (one, snap-")
    assert "keep the tokens" in restored
    assert "h00000000003b" in restored
    assert "one" in other.run("list")
    assert "handler_3" in other.tool.search_session(Call(), "handler_3", 5, 2_000).text


def test_receipts_are_in_nothing_that_is_handed_over(one: Conversation, open_conversation: Callable[..., Conversation]) -> None:
    one.run("handoff", id="to-two")
    other = open_conversation("two")
    for text in (other.run("restore", id="to-two"), other.run("list"), other.run("summary"), other.resume.text(Call())):
        assert not re.search(r"\br\d+-[0-9a-f]{4}\b", text)


def test_list_shows_every_session_with_its_names(one: Conversation, open_conversation: Callable[..., Conversation]) -> None:
    one.run("save", id="a-name")
    other = open_conversation("two")
    other.play(range(1))
    first, *lines = other.run("list").splitlines()
    assert first == "session list · 2 of 2 sessions"
    assert lines[0].startswith("two · this session · 1 events")
    assert lines[1].startswith("one · names a-name · active 0 s ago · 60 events")
    assert lines[-1] == 'next session(action="restore", id="a-name")'


def test_list_shows_what_was_done_to_sessions(one: Conversation) -> None:
    one.run("save")
    one.tool.search_session(Call(), "handler_3", 5, 2_000)
    one.run("clear", note="error: the context was cut off")
    text = one.run("list")
    kept = "1 snapshots, 0 restores, 1 recalls · 1 clears (kept "
    assert f"\nsince start · {kept}" in text
    assert "3 of the last 3 operations:\n  0 s ago: clear, " in text
    assert "entries, error recovery\n" in text
    assert re.search(r"\n  0 s ago: retrieve, \d+ entries, tiers: session", text)
    for _ in range(8):
        one.run("save")
    assert "5 of the last 11 operations:\n  0 s ago: snapshot, " in one.run("list")


def test_an_empty_archive_lists_nothing(open_conversation: Callable[..., Conversation]) -> None:
    assert open_conversation("new").run("list").startswith("session list · none yet")
    assert open_conversation("new").run("summary").startswith("session summary · none")


def test_clear_shows_what_it_kept_and_why(one: Conversation) -> None:
    one.run("save", note="goal: port the parser")
    text = one.run("clear")
    assert re.match(r"session clear · one · kept \d+ of \d+ entries · manual\n", text)
    assert "kept 0.70 (its kind): port the parser" in text or "(its kind): port the parser" in text
    assert re.search(r'next session\(action="restore", id="snap-\d+"\)', text)


def test_clear_takes_a_number_or_names(one: Conversation) -> None:
    assert "kept 60 of 60" in one.run("clear", keep=0.0)
    assert "kept 0 of 60" in one.run("clear", keep=1.0)
    one.play(range(200, 260))
    assert "(asked for by keep): src/part203.py" in one.run("clear", keep="src/part203.py")


@pytest.mark.parametrize("keep", [-0.1, 1.5, True])
def test_a_threshold_outside_0_and_1_is_refused(one: Conversation, keep: float) -> None:
    with pytest.raises(InvalidArgument):
        one.run("clear", keep=keep)


def test_another_conversations_session_is_not_cleared(one: Conversation, open_conversation: Callable[..., Conversation]) -> None:
    with pytest.raises(InvalidArgument):
        open_conversation("two").run("clear", id="one")


def test_a_summary_has_its_changing_numbers_last(one: Conversation) -> None:
    one.run("save", note="goal: port the parser")
    before = one.run("summary").splitlines()
    assert before[0] == "session summary · one"
    assert before[1:3] == ["Goals:", "- port the parser"]
    assert "events" in before[-1]
    one.play(range(300, 301))
    after = one.run("summary").splitlines()
    assert after[:10] == before[:10]


def test_a_summary_fits_what_the_client_shows(one: Conversation) -> None:
    call = Call(limit=AnswerLimit(chars=1_200, bytes=1_400, tokens=2_000))
    assert len(one.tool.run(call, action="summary").text) <= 1_200


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"action": "fly"}, InvalidArgument),
        ({"action": "restore"}, InvalidArgument),
        ({"action": "handoff"}, InvalidArgument),
        ({"action": "restore", "id": "nothing"}, UnknownHandle),
        ({"action": "restore", "id": "../x"}, InvalidArgument),
        ({"action": "save", "id": "NOT OK"}, InvalidArgument),
        ({"action": "save", "note": "the password is hunter2"}, SecretDenied),
    ],
)
def test_a_call_that_cannot_be_served_says_why(one: Conversation, arguments: dict[str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        one.tool.run(Call(), **arguments)


def test_a_search_names_tiers_terms_and_handles(one: Conversation) -> None:
    text = one.tool.search_session(Call(), "handler_17 quota_119", 5, 2_000).text
    first, hit, *_ = text.splitlines()
    assert first.startswith('search "handler_17 quota_119" · session · ')
    assert "tiers: session" in first
    assert hit.startswith(
        "src/part17.py:1-40 · read · tier session · 1.00 · handler_17, handler, 17, quota_119, quota, 119 · h000000000011 · one"
    )
    assert "  | return quota_119" in text
    assert 'restore(handle="h000000000011")' in text.splitlines()[-1]


def test_every_hit_has_a_handle_that_restores_it(tmp_path: Path, open_conversation: Callable[..., Conversation]) -> None:
    conversation = open_conversation("one", {"h000000000002"}.__contains__)
    conversation.play(range(4))
    kept: dict[str, str] = {}

    def keep(text: str, source: str) -> str:
        kept["hfeed"] = text
        return "hfeed"

    tool = SessionTool(conversation.archive, Counter(), has_handle={"h000000000002", "hfeed"}.__contains__, keep_text=keep)
    assert "h000000000002" in tool.search_session(Call(), "handler_2", 1, 2_000).text
    assert " · hfeed · one" in tool.search_session(Call(), "handler_3", 1, 2_000).text
    assert "def handler_3(request):" in kept["hfeed"]

    def full(text: str, source: str) -> str:
        raise StoreUnavailable("no room")

    tool = SessionTool(conversation.archive, Counter(), has_handle=kept.__contains__, keep_text=full)
    assert tool.search_session(Call(), "handler_3", 1, 2_000).text.splitlines()[1].endswith("handler · one")


def test_a_search_without_a_match_says_what_was_searched(one: Conversation) -> None:
    text = one.tool.search_session(Call(), "zebra", 5, 2_000).text
    assert text.startswith('search "zebra" · session · 0 matches above the thresholds of: session, snapshots, transcript')


def test_a_search_stays_within_its_budget_and_says_what_is_left(one: Conversation) -> None:
    text = one.tool.search_session(Call(), "handler request", 20, 200).text
    assert Counter().count(text).tokens <= 200
    assert re.search(r"\d+ more: budget=400", text)


def test_resume_in_a_new_process_gives_the_summary_within_its_budget(
    one: Conversation, open_conversation: Callable[..., Conversation]
) -> None:
    one.run("save", note="goal: port the parser\ndecision: keep the tokens")
    one.memory.run(Call(), action="remember", topic="limit", fact="100 connections")
    one.archive.shutdown()
    text = open_conversation("fresh").resume.text(Call())
    assert Counter().count(text).tokens <= 1_500
    assert text.startswith("resume · one\nGo on from here.")
    assert re.fullmatch(r"last active \d+ s ago · \d+ events", text.splitlines()[-1])
    for expected in (
        "port the parser",
        "keep the tokens",
        "Facts:\n- limit: 100 connections",
        "src/part59.py:1-40 · h00000000003b",
    ):
        assert expected in text


def test_resume_names_only_handles_that_can_be_restored(open_conversation: Callable[..., Conversation]) -> None:
    conversation = open_conversation("one", {"h000000000002"}.__contains__)
    conversation.play(range(4))
    assert set(re.findall(r"\bh[0-9a-f]{12}\b", conversation.resume.text(Call()))) == {"h000000000002"}
    assert 'restore(handle="h000000000003")' not in conversation.tool.search_session(Call(), "handler_3", 5, 2_000).text


def test_resume_without_anything_recorded_says_so(open_conversation: Callable[..., Conversation]) -> None:
    assert open_conversation("new").resume.text(Call()) == "resume · nothing is recorded in this workspace yet"


def test_the_clients_model_may_write_the_summary(one: Conversation) -> None:
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return "We ported the parser; src/part3.py is done."

    assert one.tool.summarise_with(answer)
    assert one.tool.summarise_with(answer)
    assert len(asked) == 1, "nothing has happened since"
    assert "src/part3.py" in asked[0]
    text = one.run("summary")
    assert "We ported the parser" in text
    assert "written by the client's model" in text
    assert "Files:" in text


@pytest.mark.parametrize("reply", ["", "   ", "the password is hunter2"])
def test_a_reply_that_is_no_summary_is_not_kept(one: Conversation, reply: str) -> None:
    def answer(prompt: str) -> str:
        return reply

    assert not one.tool.summarise_with(answer)
    assert "written by" not in one.run("summary")


def test_new_events_leave_the_front_of_summary_and_resume_as_it_was(one: Conversation) -> None:
    """A prompt cache keeps the longest common prefix: goals, decisions and notes stay where they are."""
    one.run("save", note="goal: port the parser\ndecision: keep the tokens\nThe lexer is generated.")
    tellers = (lambda: one.run("summary"), lambda: one.resume.text(Call()))
    before = [tell() for tell in tellers]
    one.play(range(60, 70))
    for old, tell in zip(before, tellers, strict=True):
        front, _, _ = old.partition("Files:")
        assert "The lexer is generated." in front
        assert tell().startswith(front)
        assert tell() != old


def test_machines_are_told_where_a_cached_prefix_of_the_summary_may_end(one: Conversation) -> None:
    for number in range(40):
        one.run("save", note=f"decision: {number} " + " ".join(f"rule{number}x{word}" for word in range(15)))
    answer = one.tool.run(Call(limit=AnswerLimit(chars=50_000, bytes=50_000, tokens=9_000)), action="summary")
    told = answer.meta[ALIGNMENT_KEY]
    assert isinstance(told, dict)
    assert told["stable"] == 2
    places = told["breakpoints"]
    assert isinstance(places, list)
    (place,) = places
    assert isinstance(place, dict)
    assert isinstance(place["offset"], int)
    assert answer.text[: place["offset"]].endswith("\n")
    assert answer.text[place["offset"] :].startswith("Files:")
    assert isinstance(place["tokens"], int)
    assert Counter().count(answer.text[: place["offset"]]).tokens == place["tokens"]
    assert place["tokens"] >= 1_024
