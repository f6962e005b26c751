from penstock.cache.archive.history import MAX_OPERATIONS, History, Operation, OperationKind


def test_only_the_last_hundred_operations_are_kept_and_all_are_counted() -> None:
    history = History()
    for number in range(MAX_OPERATIONS + 20):
        history.add(Operation(OperationKind.CLEAR, float(number), "one", 3, "manual"), preserved=7)
    assert len(history.operations()) == MAX_OPERATIONS
    assert history.operations()[0].at_s == 20.0
    statistics = history.statistics()
    assert (statistics.clears, statistics.entries_cleared, statistics.entries_preserved) == (120, 360, 840)
    assert statistics.last_operation_s == 119.0


def test_more_kept_than_there_was_never_underflows() -> None:
    """Seed 004 subtracted and panicked."""
    history = History()
    history.add(Operation(OperationKind.CLEAR, 0.0, "one", 0, "manual"), preserved=10)
    history.add(Operation(OperationKind.RETRIEVE, 1.0, "one", 4, ""))
    history.add(Operation(OperationKind.RESTORE, 2.0, "one", 4, ""))
    history.add(Operation(OperationKind.HANDOFF, 3.0, "one", 4, ""))
    statistics = history.statistics()
    assert (statistics.entries_cleared, statistics.entries_preserved, statistics.entries_retrieved) == (0, 10, 4)
    assert (statistics.retrievals, statistics.restores, statistics.snapshots) == (1, 1, 1)
