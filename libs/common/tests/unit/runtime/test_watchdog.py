from collections.abc import Set

from aiokafka.structs import TopicPartition

from garbo.common.runtime.watchdog import Signs, Watchdog

STILL, OTHER = TopicPartition("t", 3), TopicPartition("t", 4)


def looks(  # noqa: PLR0913 - what a lane may show, all optional
    watchdog: Watchdog,
    *,
    upto: float,
    polled_at: float | None = None,
    busy: bool = False,
    waiting: Set[TopicPartition] = frozenset(),
    lag: int = 3,
    away: Set[int] = frozenset(),
) -> str | None:
    """Look every 10 s at a lane of which one partition stands still and another goes on."""
    wrong = None
    for now in range(0, int(upto) + 1, 10):
        known = now not in away
        signs = Signs(
            polled_at=float(now) if polled_at is None else polled_at,
            busy=busy,
            waiting=waiting,
            positions={STILL: 5, OTHER: now} if known else None,
            lags={STILL: lag, OTHER: 10**6} if known else None,
        )
        wrong = wrong or watchdog.look(signs, now=float(now))
    return wrong


def test_quiet_partition_is_no_reason() -> None:
    assert looks(Watchdog(budget_s=120), upto=1000, lag=0) is None


def test_polls_that_do_not_return_are_noticed() -> None:
    assert looks(Watchdog(budget_s=120), upto=120, polled_at=0.0) is None
    assert looks(Watchdog(budget_s=120), upto=130, polled_at=0.0) == "no poll has returned for 130 s"


def test_partition_that_stands_still_beside_others_that_move_is_noticed() -> None:
    watchdog = Watchdog(budget_s=120)
    assert looks(watchdog, upto=120) is None
    assert watchdog.stuck_s(now=120) == 110
    assert looks(Watchdog(budget_s=120), upto=150) == "3 records of t 3 wait and none was read for 130 s"


def test_waiting_for_a_retry_is_no_reason_for_the_partition_that_waits() -> None:
    assert looks(Watchdog(budget_s=120), upto=1000, waiting={STILL}) is None
    assert looks(Watchdog(budget_s=120), upto=1000, waiting={OTHER}) is not None


def test_a_batch_in_hand_is_no_reason() -> None:
    assert looks(Watchdog(budget_s=120), upto=1000, busy=True) is None


def test_a_broker_that_does_not_answer_proves_nothing() -> None:
    assert looks(Watchdog(budget_s=120), upto=1000, away=frozenset(range(0, 1000, 100))) is None
