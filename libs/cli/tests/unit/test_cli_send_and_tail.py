"""What is asked for, and how what happened is told."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from garbo.cli.send import Wish, body_of
from garbo.cli.tail import line_of
from garbo.common.errors import StartRefused
from garbo.common.events.addresses import Person
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.statuses import MessageStatus
from garbo.common.events.topics import DECISION_MADE, MESSAGE_STATUS
from garbo.common.events.wire import encode

NOON = datetime(2026, 6, 5, 12, 0, tzinfo=UTC)
MESSAGE = UUID("8f3a0000-0000-4000-8000-000000000001")


def test_a_template_is_asked_for_with_its_values_in_order() -> None:
    wish = Wish(
        to="+393331234567", purpose="promo", brand="acme", template="new_arrivals", parameters=("a", "b")
    )
    body = body_of(wish)
    values = [p["text"] for p in body["content"]["template"]["components"][0]["parameters"]]
    assert (body["to"], values) == ({"phone": "+393331234567"}, ["a", "b"])


@pytest.mark.parametrize(
    ("text", "template"), [(None, None), ("ciao", "summer_sale")], ids=["neither", "both"]
)
def test_one_of_text_and_template_must_be_given(text: str | None, template: str | None) -> None:
    wish = Wish(to="+393331234567", purpose="care", brand="acme", text=text, template=template)
    with pytest.raises(StartRefused, match="--text or --template"):
        body_of(wish)


def test_a_decision_is_told_with_rule_count_and_instant() -> None:
    decision = DecisionMade(
        decision_id=MESSAGE,
        sequence=1,
        message_id=MESSAGE,
        request_id=MESSAGE,
        client="shop",
        brand="acme",
        verdict="deny",
        final=True,
        message_class="promo",
        rule="promo-week",
        reason="cap_reached",
        limit=3,
        used=3,
        window="rolling 7d",
        next_allowed_at=NOON,
        policy_version="sha256:0",
        requested_at=NOON,
        decided_at=NOON,
    )
    line = line_of(DECISION_MADE.name, encode(decision), colour=False)
    assert "deny      8f3a0000  promo   cap reached by promo-week, 3 of 3 in rolling 7d, again from" in line


def test_a_status_is_told_by_our_message_id_without_phone_or_wamid() -> None:
    status = MessageStatus(
        wamid="wamid.HBgMMzkzMzMxMjM0NTY3",
        status="delivered",
        waba="1",
        number="2",
        recipient=Person(phone="+393331234567"),
        attempt_id=f"{MESSAGE}.1",
        occurred_at=NOON,
        received_at=NOON,
        raw={},
    )
    line = line_of(MESSAGE_STATUS.name, encode(status), colour=False)
    assert "delivered 8f3a0000" in line
    assert "3331234567" not in line
    assert "wamid" not in line


def test_a_record_nobody_can_read_is_told_by_its_reason_alone() -> None:
    assert "not_json" in line_of(DECISION_MADE.name, b"{+393331234567", colour=False)
