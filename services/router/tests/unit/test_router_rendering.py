"""Records written without their models are the bytes the models give."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import phonenumbers
import pytest
from asyncpg.pgproto import pgproto
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from garbo.common.events.addresses import Recipient
from garbo.common.events.ids import ContactId, MessageId
from garbo.common.events.topics import SEND_REQUESTED
from garbo.common.events.wire import decode, encode
from garbo.router.domain.decide import Decision
from garbo.router.domain.grant import Grant
from garbo.router.domain.instants import to_datetime, to_us
from garbo.router.domain.lease import Terms
from garbo.router.domain.policy import BlockRule, Lifetime, RateRule
from garbo.router.domain.rules import Answer
from garbo.router.domain.selectors import Reach, Selector
from garbo.router.domain.state import RecipientState
from garbo.router.flow.ask import Ask
from garbo.router.flow.outcomes import Outcome
from garbo.router.flow.records import decided_record, granted_record, new_grant
from garbo.router.flow.rendering import render_decided, render_granted
from garbo.router.ports import Address, Contact
from garbo.router.testing.build import requested, template, text
from garbo.router.testing.build_domain import a_request

PHONE = Address("phone", "+393331234567", "h")
CONTACT = Contact(ContactId(UUID(int=7)), "person", PHONE)
CAP = RateRule(Reach("week", Selector()), "cap", 3, Lifetime(), Selector())
STOP = BlockRule(Reach("stop", Selector()), "stopped")

names = st.text(st.characters(codec="utf-8"), max_size=20)
maybe = st.none() | names
instants = st.integers(to_us(datetime(1000, 1, 1, tzinfo=UTC)), to_us(datetime(9999, 12, 31, tzinfo=UTC)))
maybe_instants = st.none() | instants
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
ids = st.uuids().map(MessageId)
answers = st.builds(
    Answer,
    rule=st.sampled_from([CAP, STOP]),
    ok=st.booleans(),
    reason=names,
    used=st.none() | st.integers(0, 9),
    limit=st.none() | st.integers(0, 9),
    window=maybe,
    free_at_us=maybe_instants,
    by=st.lists(ids, max_size=3).map(tuple),
    provisional=st.booleans(),
)
lanes = st.sampled_from(["care", "promo"])
terms = st.builds(
    Terms,
    lane=lanes,
    number=st.just("1001"),
    not_before_us=instants,
    valid_until_us=instants,
    window_until_us=maybe_instants,
    latest_accept_us=instants,
)
decisions = st.builds(
    Decision,
    verdict=st.sampled_from(["allow", "defer", "deny"]),
    reason=names,
    message_class=st.sampled_from(["auth", "care", "utility", "promo", None]),
    category=maybe,
    demoted=st.booleans(),
    reclassified=st.booleans(),
    template_unknown=st.booleans(),
    by_fallback=st.booleans(),
    deciding=st.none() | answers,
    answers=st.lists(answers, max_size=3).map(tuple),
    next_allowed_at_us=maybe_instants,
    due_at_us=maybe_instants,
    then_rule=maybe,
    expires_at_us=maybe_instants,
    overridden=st.lists(names, max_size=2).map(tuple),
    tzdata=maybe,
    provisional=st.booleans(),
    terms=st.none() | terms,
)
parameters = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
)
contents = st.one_of(
    st.just(text("ciao")),
    st.just(template()),
    st.dictionaries(names, parameters, max_size=3).map(
        lambda part: {"type": "interactive", "interactive": {"rows": part}}
    ),
)


@st.composite
def asks(draw: st.DrawFn) -> Ask:
    at = draw(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=offsets))  # noqa: DTZ001
    event = requested(
        requested_at=at,
        campaign=draw(st.sampled_from([None, "spring"])),
        content=draw(contents),
        reply_to=draw(st.none() | st.just("wamid.x")),
        fallback=draw(st.sampled_from([None, {"template": template()["template"]}])),
        to=draw(st.sampled_from([{"phone": PHONE.value}, {"contact_id": UUID(int=7)}])),
    )
    read = decode(SEND_REQUESTED, encode(event))
    contact = replace(CONTACT, contact_id=ContactId(pgproto.UUID(str(CONTACT.contact_id))))
    return Ask(read, None, read.message_id, b"", draw(st.sampled_from([CONTACT, contact])), None)


@given(ask=asks(), decision=decisions, version=st.integers(0, 9), now_us=instants)
def test_decision_is_the_bytes_of_its_model(ask: Ask, decision: Decision, version: int, now_us: int) -> None:
    assert ask.contact is not None
    state = RecipientState(version=version)
    model = decided_record(
        ask, ask.contact, decision, policy_version="sha256:1", state_version=version, now_us=now_us
    )
    outcome = Outcome(ask, ask.contact, a_request(), decision, state)
    rendered = render_decided(outcome, policy_version="sha256:1", decided_at=to_datetime(now_us))
    assert rendered.value == encode(model)
    assert (rendered.event_id, rendered.happened_at) == (model.event_id, model.happened_at)


@given(ask=asks(), decision=decisions)
def test_grant_is_the_bytes_of_its_model(ask: Ask, decision: Decision) -> None:
    assert ask.contact is not None
    grant: Grant | None = new_grant(ask, ask.contact, decision)
    if grant is None:
        return
    model = granted_record(ask, ask.contact, grant)
    rendered = render_granted(ask, ask.contact, grant)
    assert rendered.value == encode(model)
    assert (rendered.event_id, rendered.happened_at) == (model.event_id, model.happened_at)


def _possible(phone: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(phone, None))
    except phonenumbers.NumberParseException:
        return False


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_phone_is_possible_when_the_numbering_plans_say_so(phone: str) -> None:
    try:
        Recipient(phone=phone)
    except ValidationError:
        assert not _possible(phone)
    else:
        assert _possible(phone)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_countrys_example_numbers_are_possible(region: str) -> None:
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is not None:
            Recipient(phone=phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164))
