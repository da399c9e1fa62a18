"""Same input, same id; and what counts as an address."""

from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from garbo.common.contracts.examples import examples
from garbo.common.errors import Reject
from garbo.common.events.addresses import Recipient
from garbo.common.events.contacts import CampaignChanged, CaseChanged, ContactUpdated
from garbo.common.events.ids import (
    MessageId,
    address_hash,
    attempt_id_of,
    change_id_of,
    message_id_of,
    message_of_attempt,
    request_id_of,
)
from garbo.common.events.requests import Override, SendRequested
from garbo.common.events.topics import CONTACT_UPDATED, SEND_REQUESTED
from garbo.common.events.wire import decode, encode

KEY = b"k" * 32


def test_message_id_is_scoped_to_the_client() -> None:
    request = uuid4()
    assert message_id_of("shop", request) == message_id_of("shop", request)
    assert message_id_of("shop", request) != message_id_of("crm", request)


def test_a_request_asked_before_a_field_was_added_is_the_same_request_today() -> None:
    request = next(e for e in examples() if isinstance(e, SendRequested))
    assert request.body_hash().hex() == "9de7072a944c47eadaf8c5211d2cba4db730a2e86af2b0d2b74ed0af61116a0d"
    override = Override(rules=("promo-week",), reason="recall")
    assert request.model_copy(update={"override": override}).body_hash() != request.body_hash()


def test_idempotency_key_gives_each_place_in_an_array_its_own_request() -> None:
    ids = {request_id_of("shop", "k"), *(request_id_of("shop", "k", index) for index in range(10))}
    assert len(ids) == 11


def test_phone_and_wa_id_hash_alike_but_not_under_another_key() -> None:
    assert address_hash(KEY, "phone", "+393331234567") == address_hash(KEY, "phone", "393331234567")
    assert address_hash(KEY, "phone", "+393331234567") != address_hash(b"x" * 32, "phone", "+393331234567")
    assert address_hash(KEY, "phone", "1") != address_hash(KEY, "user_id", "1")


@given(st.uuids(), st.integers(1, 99))
def test_attempt_id_names_its_message(message: UUID, number: int) -> None:
    assert message_of_attempt(attempt_id_of(MessageId(message), number)) == message


@pytest.mark.parametrize(
    "text", ["", "order-1042", "a.b", f"{UUID(int=1)}", f"{UUID(int=2)}.", "x.1", "\u0661.\u0662"]
)
def test_callback_data_of_somebody_else_names_no_message(text: str) -> None:
    assert message_of_attempt(text) is None


@pytest.mark.parametrize(
    "to",
    [
        pytest.param({}, id="nobody"),
        pytest.param({"phone": "+393331234567", "user_id": "IT.1"}, id="two"),
        pytest.param({"phone": "3331234567"}, id="no plus"),
        pytest.param({"phone": "+39 333 1234567"}, id="spaces"),
        pytest.param({"phone": "+39333"}, id="too short"),
        pytest.param({"phone": "+393331234567\n"}, id="line feed"),
        pytest.param({"user_id": "it.123"}, id="lower-case country"),
    ],
)
def test_is_no_recipient(to: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Recipient.model_validate(to)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "empty"),
        (b"", "empty"),
        (b"[]", "invalid:body"),
        (b"{", "not_json"),
        (
            (
                b'{"request_id":"6b1cbbd0-6a4f-5f0e-9c0d-0c3f5b7d2a01","client":"shop","brand":"acme",'
                b'"to":{"phone":"+39"},"purpose":"promo","content":{"type":"text","text":{"body":"x"}},'
                b'"requested_at":"2026-06-01T10:00:00Z"}'
            ),
            "invalid:to.phone",
        ),
    ],
)
def test_a_record_that_is_none_is_rejected_with_its_reason(value: bytes | None, why: str) -> None:
    with pytest.raises(Reject, match=why):
        decode(SEND_REQUESTED, value)


@pytest.mark.parametrize("name", ["Europe/Roma", "", "+02:00", "Factory", "localtime", "europe/rome"])
def test_a_contact_in_no_known_time_zone_is_rejected(name: str) -> None:
    update = next(e for e in examples() if isinstance(e, ContactUpdated))
    told = orjson.loads(encode(update)) | {"timezone": name}
    with pytest.raises(Reject, match="invalid:timezone"):
        decode(CONTACT_UPDATED, orjson.dumps(told))


def test_a_change_has_the_same_id_however_its_fields_are_ordered() -> None:
    first = change_id_of("1", "flows", {"a": 1, "b": [2, {"c": 3, "d": None}]})
    assert first == change_id_of("1", "flows", {"b": [2, {"d": None, "c": 3}], "a": 1})
    assert len({first, change_id_of("1", "flows", {}), change_id_of("2", "flows", {"a": 1})}) == 3


def test_a_name_that_a_client_gave_stands_in_no_id() -> None:
    phone = "393331234567"
    events = list(examples())
    case = next(e for e in events if isinstance(e, CaseChanged)).model_copy(update={"case_id": phone})
    campaign = next(e for e in events if isinstance(e, CampaignChanged)).model_copy(
        update={"campaign": phone}
    )
    for event in (case, campaign):
        assert phone not in event.event_id
        assert event.event_id == event.model_copy().event_id
    other = case.model_copy(update={"client": "another"})
    closed = case.model_copy(update={"action": "closed" if case.action == "opened" else "opened"})
    assert len({case.event_id, other.event_id, closed.event_id}) == 3
