"""What the platform tells of accounts, numbers and templates, and what that pauses, by its own samples."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from garbo.common.events.base import Json
from garbo.sender.domain.pauses import Order, PauseOrder, ResumeOrder
from garbo.sender.domain.platform_words import Numbers, orders_of, recategorised
from services.sender.tests.support.builders import NUMBER, OTHER_NUMBER, WABA, a_change

AT: Final = datetime(2026, 11, 29, 12, tzinfo=UTC)
NUMBERS: Final = Numbers(
    [(NUMBER, WABA, "+1 555-078-3881"), (OTHER_NUMBER, WABA, "+39 02 1"), ("9", "another", "15550783881")]
)
UNTIL: Final = 1_796_000_000
SALE: Final = {"message_template_name": "sale", "message_template_language": "en-US"}
TEMPLATE: Final = f"{WABA}:sale:en_US"


def paused(scope: str, name: str, reason: str) -> tuple[str, str, str, str]:
    return ("paused", scope, name, reason)


def resumed(scope: str, name: str) -> tuple[str, str, str, str]:
    return ("resumed", scope, name, "")


def short(order: Order) -> tuple[str, str, str, str]:
    if isinstance(order, PauseOrder):
        return paused(order.scope, order.name, order.reason)
    return resumed(order.scope, order.name)


def restriction(kind: str) -> Json:
    return {
        "event": "ACCOUNT_RESTRICTION",
        "restriction_info": [{"restriction_type": kind, "expiration": UNTIL}],
    }


def disabled(state: str) -> Json:
    return {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state}}


PROMOS: Final = [NUMBER, OTHER_NUMBER]
WORDS: Final = {
    "business_initiated": (
        "account_update",
        restriction("RESTRICTED_BIZ_INITIATED_MESSAGING"),
        [paused("template", f"{WABA}:*:*", "account_restricted")],
    ),
    "customer_initiated": (
        "account_update",
        restriction("RESTRICTED_CUSTOMER_INITIATED_MESSAGING"),
        [paused("account", WABA, "account_restricted")],
    ),
    "no_new_numbers": ("account_update", restriction("RESTRICTED_ADD_PHONE_NUMBER_ACTION"), []),
    "violation": (
        "account_update",
        {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SCAM"}},
        [paused("promo", number, "account_violation") for number in PROMOS],
    ),
    "to_be_disabled": (
        "account_update",
        disabled("SCHEDULE_FOR_DISABLE"),
        [paused("promo", number, "account_to_be_disabled") for number in PROMOS],
    ),
    "disabled": ("account_update", disabled("DISABLE"), [paused("account", WABA, "account_disabled")]),
    "reinstated": (
        "account_update",
        disabled("REINSTATE"),
        [
            resumed("account", WABA),
            resumed("template", f"{WABA}:*:*"),
            *(resumed("promo", number) for number in PROMOS),
        ],
    ),
    "deleted": (
        "account_update",
        {"event": "ACCOUNT_DELETED"},
        [paused("account", WABA, "account_deleted")],
    ),
    "reconnected": ("account_update", {"event": "ACCOUNT_RECONNECTED"}, [resumed("account", WABA)]),
    "review_rejected": (
        "account_review_update",
        {"decision": "REJECTED"},
        [paused("account", WABA, "account_review_rejected")],
    ),
    "review_approved": ("account_review_update", {"decision": "APPROVED"}, [resumed("account", WABA)]),
    "review_deferred": ("account_review_update", {"decision": "DEFERRED"}, []),
    "flagged": (
        "phone_number_quality_update",
        {"display_phone_number": "15550783881", "event": "FLAGGED"},
        [paused("promo", NUMBER, "number_flagged")],
    ),
    "unflagged": (
        "phone_number_quality_update",
        {"display_phone_number": "15550783881", "event": "UNFLAGGED"},
        [resumed("promo", NUMBER)],
    ),
    "upgrade": (
        "phone_number_quality_update",
        {"display_phone_number": "15550783881", "event": "THROUGHPUT_UPGRADE"},
        [],
    ),
    "strange_number": (
        "phone_number_quality_update",
        {"display_phone_number": "1999", "event": "FLAGGED"},
        [],
    ),
    "name_approved": (
        "phone_number_name_update",
        {"display_phone_number": "15550783881", "decision": "APPROVED"},
        [resumed("number", NUMBER)],
    ),
    "template_approved": (
        "message_template_status_update",
        SALE | {"event": "APPROVED"},
        [resumed("template", TEMPLATE)],
    ),
    **{
        f"template_{event.lower()}": (
            "message_template_status_update",
            SALE | {"event": event},
            [paused("template", TEMPLATE, f"template_{event.lower()}")],
        )
        for event in ("PAUSED", "DISABLED", "REJECTED", "FLAGGED", "LOCKED", "DELETED", "ARCHIVED")
    },
    "template_pending": ("message_template_status_update", SALE | {"event": "PENDING"}, []),
    "template_without_a_name": ("message_template_status_update", {"event": "PAUSED"}, []),
    "a_word_of_tomorrow": ("account_update", {"event": "SOMETHING"}, []),
    "a_field_of_tomorrow": ("account_mood_update", {"event": "DISABLED"}, []),
    "odd_info": ("account_update", {"event": "ACCOUNT_RESTRICTION", "restriction_info": ["x", 1, {}]}, []),
    "odd_ban": ("account_update", {"event": "DISABLED_UPDATE", "ban_info": "DISABLE"}, []),
}


@pytest.mark.parametrize(("field", "value", "told"), WORDS.values(), ids=WORDS.keys())
def test_each_word_pauses_what_it_is_about(
    field: str, value: Json, told: list[tuple[str, str, str, str]]
) -> None:
    orders = orders_of(a_change(field, value, at=AT), NUMBERS)
    assert [short(order) for order in orders] == told
    assert {order.by for order in orders} <= {field}
    assert all(order.at == AT for order in orders)


def test_a_pause_lasts_as_long_as_the_platform_says() -> None:
    [restricted] = orders_of(
        a_change("account_update", restriction("RESTRICTED_CUSTOMER_INITIATED_MESSAGING")), NUMBERS
    )
    assert isinstance(restricted, PauseOrder)
    assert restricted.until == datetime.fromtimestamp(UNTIL, UTC)


@pytest.mark.parametrize(("title", "hours"), [("FIRST_PAUSE", 3), ("SECOND_PAUSE", 6)])
def test_a_template_that_is_resumed_by_itself_is_so_even_if_nobody_tells(title: str, hours: int) -> None:
    value = SALE | {"event": "PAUSED", "other_info": {"title": title}}
    [order] = orders_of(a_change("message_template_status_update", value, at=AT), NUMBERS)
    assert isinstance(order, PauseOrder)
    assert order.until == AT + timedelta(hours=hours, minutes=5)


def test_what_the_platform_resumes_are_its_own_pauses_and_those_of_codes() -> None:
    [order] = orders_of(a_change("message_template_status_update", SALE | {"event": "APPROVED"}), NUMBERS)
    assert isinstance(order, ResumeOrder)
    assert order.sources == ("code", "platform")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (SALE | {"previous_category": "UTILITY", "new_category": "MARKETING"}, (TEMPLATE, True)),
        (SALE | {"previous_category": "MARKETING", "new_category": "UTILITY"}, (TEMPLATE, False)),
        (SALE | {"new_category": "UTILITY", "correct_category": "MARKETING"}, None),
        ({"new_category": "MARKETING"}, None),
    ],
    ids=["sells", "sells_no_more", "only_announced", "nameless"],
)
def test_a_category_that_has_changed_is_told_from_one_that_will(
    value: Json, found: tuple[str, bool] | None
) -> None:
    assert recategorised(a_change("template_category_update", value)) == found
