from garbo.common.runtime.watchdog import Signs, Watchdog


def looks(watchdog: Watchdog, *, upto: float, **signs: object) -> str | None:
    """Look every 10 s; polls return all the time unless told otherwise."""
    wrong = None
    for now in range(0, int(upto) + 1, 10):
        given = {"polled_at": float(now), "waiting": False, "read": 5, "lag": 3, **signs}
        wrong = wrong or watchdog.look(Signs(**given), now=float(now))  # type: ignore[arg-type] # mixed
    return wrong


def test_quiet_topic_is_no_reason() -> None:
    assert looks(Watchdog(budget_s=120), upto=1000, lag=0) is None


def test_polls_that_do_not_return_are_noticed() -> None:
    assert looks(Watchdog(budget_s=120), upto=120, polled_at=0.0) is None
    assert looks(Watchdog(budget_s=120), upto=130, polled_at=0.0) == "no poll has returned for 130 s"


def test_lag_without_progress_is_noticed() -> None:
    assert looks(Watchdog(budget_s=120), upto=120) is None
    assert looks(Watchdog(budget_s=120), upto=150) == "3 records wait and none was read for 130 s"


def test_waiting_for_a_retry_is_no_reason() -> None:
    assert looks(Watchdog(budget_s=120), upto=1000, waiting=True) is None


def test_progress_is_no_reason_however_large_the_lag() -> None:
    watchdog = Watchdog(budget_s=120)
    for now in range(0, 1000, 10):
        signs = Signs(polled_at=float(now), waiting=False, read=now, lag=10**6)
        assert watchdog.look(signs, now=float(now)) is None


def test_a_broker_that_does_not_answer_proves_nothing() -> None:
    watchdog = Watchdog(budget_s=120)
    for now in range(0, 1000, 10):
        away = now % 100 >= 50
        known = (None, None) if away else (5, 3)
        signs = Signs(polled_at=float(now), waiting=False, read=known[0], lag=known[1])
        assert watchdog.look(signs, now=float(now)) is None
