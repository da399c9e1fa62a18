from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from garbo.common.business import KnownTemplate
from garbo.common.events.contacts import CaseChanged, ConsentRecorded, ContactUpdated
from garbo.common.events.engagement import CareMessage
from garbo.common.events.requests import SendRequested
from garbo.simulator.business.cases import Cases
from garbo.simulator.business.help_desk import answer_to, answers, read_messages
from garbo.simulator.business.requests import campaign, consents, order_update, zones
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
            campaign([(uuid4(), PEOPLE[0])], UPDATE, brand="acme", name="c-1", until=NOW)[0],
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


def test_some_people_live_elsewhere() -> None:
    told = zones(PEOPLE, ratio=0.3, now=NOW)
    assert [one["to"] for one in told] == [{"phone": p["phone"]} for p in PEOPLE[7:]]
    for one in told:
        filled = one | {"client": "shop", "update_id": uuid4()}
        assert ContactUpdated.model_validate(filled, extra="forbid").timezone
    assert zones(PEOPLE, ratio=0, now=NOW) == []


def test_a_serious_question_opens_a_case_and_thanks_close_it() -> None:
    cases = Cases(open_for=timedelta(minutes=5))
    serious = care_message("I was charged twice, please help.")
    thanks = serious.model_copy(update={"text": "Grazie mille"})
    opened, closed = cases.changes([care_message("Where is my order?"), serious, serious, thanks], now=NOW)
    for change, action in ((opened, "opened"), (closed, "closed")):
        event = CaseChanged.model_validate(
            change | {"client": "helpdesk", "recorded_at": NOW}, extra="forbid"
        )
        assert (event.action, event.to.contact_id, event.case_id) == (
            action,
            serious.contact_id,
            opened["case_id"],
        )
    assert cases.changes([thanks], now=NOW) == []


def test_a_case_nobody_thanked_for_is_closed_after_a_while() -> None:
    cases = Cases(open_for=timedelta(minutes=5))
    (opened,) = cases.changes([care_message("Still not working for me.")], now=NOW)
    assert cases.changes([], now=NOW + timedelta(minutes=5)) == []
    (closed,) = cases.changes([], now=NOW + timedelta(minutes=6))
    assert (closed["case_id"], closed["action"]) == (opened["case_id"], "closed")
