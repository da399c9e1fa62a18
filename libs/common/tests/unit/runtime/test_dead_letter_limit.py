from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from garbo.common.runtime.deadletter import DeadLetterGauge, DeadLetterLimit, TooManyRejected, dead_letter_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LIMIT = DeadLetterLimit(window=20, ratio=0.5, minimum=5, consecutive=100)
ROW = DeadLetterLimit(window=1000, ratio=1, consecutive=8)


@dataclass
class Raw:
    headers: list[tuple[str, bytes | None]]
    topic: str = "garbo.some.v1"
    partition: int = 3
    offset: int = 41
    key: bytes | None = b"key"
    value: bytes | None = b"\xff"
    timestamp: int = 0


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


def test_letter_keeps_the_bytes_and_says_where_it_came_from() -> None:
    made = dead_letter_of(
        Raw([("a", b"\xff"), ("n", None)]), to="dlq", reason="not_json", error="e", failed_at=NOW
    )
    assert (made.topic, made.key, made.value) == ("dlq", b"key", b"\xff")
    assert made.headers == (
        ("a", b"\xff"),
        ("n", b""),
        ("garbo-origin-topic", b"garbo.some.v1"),
        ("garbo-origin-partition", b"3"),
        ("garbo-origin-offset", b"41"),
        ("garbo-reason", b"not_json"),
        ("garbo-error", b"e"),
        ("garbo-attempt", b"1"),
        ("garbo-failed-at", b"2026-01-02T03:04:05+00:00"),
    )


def test_letter_of_a_letter_keeps_its_first_origin_and_counts_on() -> None:
    first = dead_letter_of(Raw([]), to="dlq", reason="r1", error="e", failed_at=NOW)
    again = Raw(list(first.headers), topic="garbo.t.redrive.v1", partition=0, offset=0)
    headers = dead_letter_of(again, to="dlq", reason="r2", error="e", failed_at=NOW).headers
    assert dict(headers)["garbo-origin-topic"] == b"garbo.some.v1"
    assert dict(headers)["garbo-origin-offset"] == b"41"
    assert dict(headers)["garbo-attempt"] == b"2"
    assert dict(headers)["garbo-reason"] == b"r2"
    assert len(headers) == len(dict(headers))


def test_tombstone_becomes_an_empty_dead_letter() -> None:
    made = dead_letter_of(Raw([], key=None, value=None), to="dlq", reason="empty", error="e", failed_at=NOW)
    assert (made.key, made.value) == (None, b"")
