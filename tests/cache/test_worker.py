import threading
from collections.abc import Iterator

import pytest

from penstock.cache.errors import Busy, CallCancelled
from penstock.cache.worker import Worker, WorkerCrashed, WorkerFailed, WorkerLimits, WorkerTimeout

CALC = "penstock.cache.index.kinds:kind_of"


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker(WorkerLimits(memory_bytes=256 * 1024 * 1024))
    yield worker
    worker.close()


def test_a_call_returns_what_the_function_returns(worker: Worker) -> None:
    assert worker.call("os.path:basename", "/a/b", timeout_s=30) == "b"
    assert worker.call("builtins:dict", [("a", (1, b"x", None, 2.5))], timeout_s=30) == {"a": (1, b"x", None, 2.5)}
    assert worker.statistics().spawned == 1


def test_a_class_of_the_package_comes_back_as_itself(worker: Worker) -> None:
    from penstock.cache.index.kinds import FileKind

    assert worker.call(CALC, "src/a.py", timeout_s=30) is FileKind.SOURCE


def test_a_stream_yields_items_as_they_come(worker: Worker) -> None:
    streamed = list(worker.stream("penstock.cache.index.tokenise:iterate_tokens", "readFile of_it", silence_s=30))
    assert streamed == ["readfile", "read", "file", "of_it"]


def test_a_silent_child_is_killed_and_the_next_call_works(worker: Worker) -> None:
    with pytest.raises(WorkerTimeout):
        worker.call("time:sleep", 60, timeout_s=0.2)
    assert worker.call("os.path:basename", "/a/b", timeout_s=30) == "b"
    assert (worker.statistics().timeouts, worker.statistics().spawned) == (1, 2)


def test_a_crash_loses_one_call(worker: Worker) -> None:
    with pytest.raises(WorkerCrashed):
        worker.call("os:abort", timeout_s=30)
    assert worker.call("os.path:basename", "/a/b", timeout_s=30) == "b"
    assert worker.statistics().crashes == 1


def test_memory_is_bounded_in_the_child(worker: Worker) -> None:
    with pytest.raises(WorkerFailed) as failure:
        worker.call("builtins:bytes", 1 << 33, timeout_s=30)
    assert failure.value.kind == "MemoryError"


def test_an_exception_in_the_child_names_its_class_and_keeps_the_child(worker: Worker) -> None:
    with pytest.raises(WorkerFailed) as failure:
        worker.call("json:loads", "{", timeout_s=30)
    assert failure.value.kind == "JSONDecodeError"
    assert worker.call("os.path:basename", "/a/b", timeout_s=30) == "b"
    assert worker.statistics().spawned == 1


def test_a_child_cannot_name_classes_outside_the_package(worker: Worker) -> None:
    """A parser that was taken over answers with a pickle of its choice."""
    with pytest.raises(WorkerCrashed):
        worker.call("pathlib:PurePosixPath", "/x", timeout_s=30)


def test_what_a_library_prints_does_not_disturb_the_answer(worker: Worker) -> None:
    assert worker.call("builtins:print", "noise", timeout_s=30) is None
    assert worker.call("os:write", 1, b"noise", timeout_s=30) == 5
    assert worker.call("os.path:basename", "/a/b", timeout_s=30) == "b"


def test_a_cancelled_call_kills_its_child(worker: Worker) -> None:
    def cancel() -> None:
        raise CallCancelled("gone")

    with pytest.raises(CallCancelled):
        worker.call("time:sleep", 60, timeout_s=60, is_stopped=cancel)
    assert worker.statistics().live == 0


def test_children_are_recycled_after_their_share_of_calls() -> None:
    worker = Worker(WorkerLimits(max_calls=2))
    pids = [worker.call("os:getpid", timeout_s=30) for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]
    worker.close()


def test_a_child_that_has_grown_is_replaced() -> None:
    worker = Worker(WorkerLimits(retire_bytes=80 * 1024 * 1024))
    pids = [worker.call("os:getpid", timeout_s=30) for _ in range(2)]
    worker.call("logging:addLevelName", 5, "x" * (100 << 20), timeout_s=60)  # the child keeps it, as what a library leaks
    pids.append(worker.call("os:getpid", timeout_s=30))
    assert pids[0] == pids[1] != pids[2]
    worker.close()


def test_no_more_children_than_allowed_and_a_bounded_wait() -> None:
    worker = Worker(WorkerLimits(max_children=1, wait_s=0.05))
    began = threading.Event()

    def hold() -> None:
        for _ in worker.stream("penstock.cache.index.tokenise:iterate_tokens", "one", silence_s=30):
            began.set()
            release.wait(30)

    release = threading.Event()
    thread = threading.Thread(target=hold)
    thread.start()
    assert began.wait(30)
    with pytest.raises(Busy):
        worker.call("os:getpid", timeout_s=30)
    release.set()
    thread.join(30)
    assert worker.statistics().spawned == 1
    worker.close()


def test_background_work_is_done_by_other_children_that_are_nicer() -> None:
    worker = Worker(WorkerLimits(max_children=2, niceness=3))
    base = worker.call("os:nice", 0, timeout_s=30)
    assert isinstance(base, int)
    assert worker.call("os:nice", 0, timeout_s=30, is_background=True) == base + 3
    assert worker.call("os:nice", 0, timeout_s=30) == base
    assert worker.statistics().spawned == 2
    worker.close()


def test_an_idle_child_of_the_other_kind_gives_its_place_up() -> None:
    worker = Worker(WorkerLimits(max_children=1))
    pids = [worker.call("os:getpid", timeout_s=30, is_background=kind) for kind in (False, True, False)]
    assert len(set(pids)) == 3
    assert worker.statistics().live == 1
    worker.close()


def test_an_abandoned_stream_kills_its_child(worker: Worker) -> None:
    stream = worker.stream("penstock.cache.index.tokenise:iterate_tokens", "one two", silence_s=30)
    assert next(stream) == "one"
    stream.close()
    assert worker.statistics().live == 0


def test_a_closed_worker_refuses_and_leaves_no_child(worker: Worker) -> None:
    worker.call("os:getpid", timeout_s=30)
    worker.close()
    assert worker.statistics().live == 0
    with pytest.raises(Busy):
        worker.call("os:getpid", timeout_s=30)


def test_trim_ends_idle_children(worker: Worker) -> None:
    worker.call("os:getpid", timeout_s=30)
    assert worker.trim() == 1
    assert worker.statistics().live == 0
    assert worker.call("os.path:basename", "/a/b", timeout_s=30) == "b"


def test_trim_may_end_idle_children_of_one_kind_only(worker: Worker) -> None:
    kept = worker.call("os:getpid", timeout_s=30)
    ended = worker.call("os:getpid", timeout_s=30, is_background=True)
    assert worker.trim(is_background=True) == 1
    assert worker.call("os:getpid", timeout_s=30) == kept != ended


@pytest.mark.parametrize("field", ["memory_bytes", "max_calls", "retire_bytes", "max_children", "wait_s"])
def test_limits_must_be_positive(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        WorkerLimits(**{field: 0})  # pyright: ignore[reportArgumentType]
