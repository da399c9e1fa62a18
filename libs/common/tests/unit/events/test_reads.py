"""A read mark: how long it is worth a call, and what its record shows of the person."""

from datetime import UTC, datetime, timedelta

import pytest

from garbo.common.events.reads import ReadRequested

AT = datetime(2026, 6, 5, 10, 0, tzinfo=UTC)
WAMID = "wamid.HBgMMzkzMzMxMjM0NTY3FQIAERgSRTdGQUNBMDAwMDAwMDAwMDAxAA=="


def read(**more: object) -> ReadRequested:
    asked = {"client": "desk", "number": "100", "message_id": WAMID, "requested_at": AT}
    return ReadRequested.model_validate(asked | more)


@pytest.mark.parametrize(
    ("expires_s", "after_s", "is_worth_it"),
    [
        pytest.param(None, 299, True, id="within five minutes"),
        pytest.param(None, 300, False, id="after five minutes"),
        pytest.param(10, 9, True, id="before its own end"),
        pytest.param(10, 10, False, id="at its own end"),
        pytest.param(9000, 300, False, id="its own end is too late"),
    ],
)
def test_mark_is_worth_a_call_for_minutes(expires_s: int | None, after_s: int, is_worth_it: bool) -> None:
    expires_at = None if expires_s is None else AT + timedelta(seconds=expires_s)
    assert read(expires_at=expires_at).is_worth_a_call(AT + timedelta(seconds=after_s)) is is_worth_it


@pytest.mark.parametrize(
    ("typing", "after_s", "shows"), [(True, 24, True), (True, 25, False), (False, 0, False)]
)
def test_nobody_types_after_25_seconds(typing: bool, after_s: int, shows: bool) -> None:
    assert read(typing=typing).shows_typing(AT + timedelta(seconds=after_s)) is shows


def test_id_is_that_of_the_fact_and_holds_no_number() -> None:
    assert read().event_id == read().event_id
    others = [read(typing=True), read(client="shop"), read(requested_at=AT + timedelta(seconds=1))]
    assert len({read().event_id, *(one.event_id for one in others)}) == 4
    assert "HBgM" not in read().event_id
