import pytest

from garbo.common.runtime.deadletter import DeadLetterGauge, DeadLetterLimit, TooManyRejected

LIMIT = DeadLetterLimit(window=20, ratio=0.5, minimum=5, consecutive=100)
ROW = DeadLetterLimit(window=1000, ratio=1, consecutive=8)


def test_a_row_of_refusals_is_stopped_before_it_is_dead_lettered() -> None:
    gauge = DeadLetterGauge(ROW)
    gauge.check([True] * 7)
    with pytest.raises(TooManyRejected, match="8 records in a row"):
        gauge.check([True] * 8)


def test_a_row_goes_on_over_batches_and_is_broken_by_a_good_record() -> None:
    gauge = DeadLetterGauge(ROW)
    gauge.count([True] * 7)
    with pytest.raises(TooManyRejected):
        gauge.check([True])
    gauge.count([False])
    gauge.check([True] * 7)


def test_a_bad_share_of_the_window_is_stopped_once_it_is_large_enough() -> None:
    gauge = DeadLetterGauge(LIMIT)
    gauge.check([True, True, False] * 2)
    with pytest.raises(TooManyRejected, match="of the last"):
        gauge.check([True, True, False] * 3)


def test_looking_ahead_counts_nothing() -> None:
    gauge = DeadLetterGauge(LIMIT)
    for _ in range(10):
        gauge.check([True] * 4)


def test_old_refusals_leave_the_window() -> None:
    gauge = DeadLetterGauge(LIMIT)
    gauge.count([True, True, True, True])
    gauge.count([False] * 20)
    gauge.check([True, False, True, False, True])
