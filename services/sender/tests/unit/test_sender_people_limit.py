"""What the platform says of how many people a portfolio may write to first, and who counts."""

from datetime import UTC, datetime, timedelta

import pytest

from garbo.common.events.addresses import Recipient
from garbo.common.events.decisions import Lane
from garbo.sender.domain.portfolios import PeopleLimit, begins_conversation, limit_told
from services.sender.tests.support.builders import a_change, a_grant, a_send

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
UNKNOWN: tuple[object, ...] = (None, 0, "TIER_0", "", "TIER_", "TIER_NOT_SET", "2.5K", [], {}, "-250")


@pytest.mark.parametrize(
    ("said", "limit"),
    [
        (250, PeopleLimit(250)),
        ("250", PeopleLimit(250)),
        ("TIER_250", PeopleLimit(250)),
        ("TIER_1K", PeopleLimit(1_000)),
        ("TIER_2K", PeopleLimit(2_000)),
        ("tier_100k", PeopleLimit(100_000)),
        ("TIER_1M", PeopleLimit(1_000_000)),
        ("TIER_UNLIMITED", PeopleLimit(None)),
        (-1, PeopleLimit(None)),
        *((word, None) for word in UNKNOWN),
    ],
    ids=str,
)
def test_a_limit_is_read_as_the_platform_writes_it(said: object, limit: PeopleLimit | None) -> None:
    value = {"max_daily_conversations_per_business": said}
    assert limit_told(a_change("business_capability_update", value)) == limit
    assert limit_told(a_change("account_update", value)) is None


@pytest.mark.parametrize(
    ("most", "lane", "expected"),
    [
        (250, "care", 250),
        (250, "promo", 225),
        (1, "promo", 0),
        (19, "promo", 17),
        (None, "promo", None),
        (None, "care", None),
    ],
)
def test_promo_leaves_a_tenth_to_care(most: int | None, lane: Lane, expected: int | None) -> None:
    assert PeopleLimit(most).most_of(lane) == expected


@pytest.mark.parametrize(
    ("template", "window_s", "to", "counts"),
    [
        pytest.param("hi", None, None, True, id="a template"),
        pytest.param("hi", 3600, None, False, id="a template in an open window"),
        pytest.param("hi", 1, None, True, id="a template in a window that closes"),
        pytest.param(None, 3600, None, False, id="free-form"),
        pytest.param("hi", None, Recipient(group_id="g"), False, id="to a group"),
    ],
)
def test_who_counts(template: str | None, window_s: int | None, to: Recipient | None, counts: bool) -> None:
    window = None if window_s is None else timedelta(seconds=window_s)
    send = a_send(a_grant(now=NOW, template=template, window_for=window, to=to))
    assert begins_conversation(send, now=NOW) is counts
