from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from garbo.common.business import KnownTemplate
from garbo.common.events.contacts import ConsentRecorded
from garbo.common.events.engagement import CareMessage
from garbo.common.events.requests import SendRequested
from garbo.simulator.business.help_desk import answer_to, answers, read_messages
from garbo.simulator.business.requests import campaign, consents, order_update
from garbo.simulator.population.customers import Customers
from garbo.simulator.population.reactions import QUESTIONS

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PEOPLE = [{"phone": c.phone} for c in Customers(seed="x", count=10).population]
UPDATE = KnownTemplate(name="order_update", language="it", category="UTILITY", parameters=2)


def care_message(text: str, *, window: timedelta = timedelta(hours=20)) -> CareMessage:
    return CareMessage(
        wamid="wamid.1",
        contact_id=uuid4(),
        brand="acme",
        number="1001",
        kind="text",
        text=text,
        window_until=NOW + window,
        occurred_at=NOW,
    )


def test_consents_go_to_a_share_of_the_people_and_repeat_their_ids() -> None:
    first, second = (consents(PEOPLE, brand="acme", ratio=0.8, now=NOW) for _ in range(2))
    assert len(first) == 8
    assert [c["consent_id"] for c in first] == [c["consent_id"] for c in second]
    for record in first:
        filled = record | {"client": "shop", "recorded_at": NOW}
        assert ConsentRecorded.model_validate(filled, extra="forbid").purpose == "marketing"


@pytest.mark.parametrize(
    ("asked", "purpose"),
    [
        pytest.param(
            order_update(PEOPLE[0], UPDATE, brand="acme", request_id=uuid4()), "utility", id="order-update"
        ),
        pytest.param(
            campaign([(uuid4(), PEOPLE[0])], UPDATE, brand="acme", name="c-1", now=NOW)[0],
            "promo",
            id="campaign",
        ),
        pytest.param(answers([care_message("Where is my order?")], now=NOW)[0], "care", id="care-answer"),
    ],
)
def test_what_the_business_asks_is_a_valid_request(asked: dict[str, object], purpose: str) -> None:
    filled = asked | {"client": "shop", "requested_at": NOW}
    assert SendRequested.model_validate(filled, extra="forbid").purpose == purpose


def test_the_same_question_gets_the_same_request_id() -> None:
    question = care_message("Where is my order?")
    ids = {UUID(answers([question], now=NOW)[0]["request_id"]) for _ in range(2)}
    assert len(ids) == 1


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_question_has_its_own_answer(question: str) -> None:
    assert answer_to(question)
    assert len({answer_to(q) for q in QUESTIONS}) >= len(QUESTIONS) - 1


def test_thanks_and_closed_windows_are_left_alone() -> None:
    closing = care_message("Where is my order?", window=timedelta(minutes=1))
    assert answers([care_message("Thank you!"), closing], now=NOW) == []


def test_a_record_that_is_none_is_left_out() -> None:
    assert read_messages([b"{", None]) == []
