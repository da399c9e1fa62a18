"""Records written without their models are the bytes the models give: built here."""

from datetime import UTC, datetime, timedelta, timezone
from typing import TypedDict, Unpack
from uuid import UUID

from asyncpg.pgproto import pgproto
from hypothesis import given
from hypothesis import strategies as st

from garbo.common.events.content import TemplateContent
from garbo.common.events.decisions import Check, DecisionMade, GrantGiven
from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import ContactId, MessageId
from garbo.common.events.topics import SEND_REQUESTED
from garbo.common.events.wire import decode, encode
from garbo.router.domain.decision import Decision
from garbo.router.domain.grant import Grant, GrantTerms
from garbo.router.domain.instants import to_datetime, to_us
from garbo.router.domain.policy import Policy
from garbo.router.domain.prepared_request import prepare
from garbo.router.domain.rules.block import BlockRule
from garbo.router.domain.rules.cap import CapRule
from garbo.router.domain.rules.counting_windows import Lifetime
from garbo.router.domain.rules.rule import RuleResult
from garbo.router.domain.selectors import Reach, Selector
from garbo.router.domain.values import replace
from garbo.router.flow.records import decision_id_of, decision_record, grant_record, new_grant
from garbo.router.flow.request import Candidate, ReceivedRequest, recipient_of
from garbo.router.ports.contacts import Address, Contact
from services.router.tests.support.build import requested, template, text
from services.router.tests.support.build_domain import a_request, a_state

PHONE = Address("phone", "+393331234567", "h")
CONTACT = Contact(ContactId(UUID(int=7)), "person", PHONE)
CAP = CapRule(Reach("week", Selector()), 3, Lifetime(), Selector())
STOP = BlockRule(Reach("stop", Selector()), "stopped")
names = st.text(st.characters(codec="utf-8"), max_size=20)
maybe = st.none() | names
instants = st.integers(to_us(datetime(1000, 1, 1, tzinfo=UTC)), to_us(datetime(9999, 12, 31, tzinfo=UTC)))
maybe_instants = st.none() | instants
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
ids = st.uuids().map(MessageId)
results = st.builds(
    RuleResult,
    rule=st.sampled_from([CAP, STOP]),
    ok=st.booleans(),
    reason=names,
    used=st.none() | st.integers(0, 9),
    limit=st.none() | st.integers(0, 9),
    window=maybe,
    allowed_from_us=maybe_instants,
    by=st.lists(ids, max_size=3).map(tuple),
    provisional=st.booleans(),
)
lanes = st.sampled_from(["care", "promo"])
terms = st.builds(
    GrantTerms,
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
    deciding=st.none() | results,
    results=st.lists(results, max_size=3).map(tuple),
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
        lambda part: {"type": "interactive", "interactive": {"type": "order_details", "rows": part}}
    ),
)
POLICY = Policy(
    name="test",
    version="v",
    classes=(),
    rules=(),
    lease_us=1,
    send_budget_us=1,
    history_us=1,
    refund_codes=frozenset(),
)
PREPARED = prepare(POLICY, a_state(), a_request(), 0)


@st.composite
def candidates(draw: st.DrawFn) -> Candidate:
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
    whose = draw(st.sampled_from([CONTACT, contact]))
    request = replace(a_request(), message_id=read.message_id)
    prepared = replace(PREPARED, request=request)
    return Candidate(
        ReceivedRequest(read), whose, read.message_id, prepared, sequence=draw(st.integers(1, 9))
    )


class Told(TypedDict):
    """What a record tells beside the decision."""

    policy_version: str
    state_version: int
    now_us: int
    grant: Grant | None


def decided_record(candidate: Candidate, decision: Decision, **told: Unpack[Told]) -> DecisionMade:
    """Tell a decision of the rules, with every check it rests on."""
    event, deciding, contact = candidate.received.event, decision.deciding, candidate.contact
    return DecisionMade(
        decision_id=decision_id_of(candidate.message_id, candidate.sequence),
        sequence=candidate.sequence,
        message_id=candidate.message_id,
        request_id=event.request_id,
        client=event.client,
        brand=event.brand,
        contact_id=contact.contact_id,
        verdict=decision.verdict,
        final=decision.verdict != "defer",
        message_class=decision.message_class,
        purpose=event.purpose,
        campaign=event.campaign,
        category=decision.category,
        template_unknown=decision.template_unknown,
        reclassified=decision.reclassified,
        demoted=decision.demoted,
        rule=deciding.rule.reach.id if deciding else None,
        then_rule=decision.then_rule,
        reason=decision.reason,
        limit=deciding.limit if deciding else None,
        used=deciding.used if deciding else None,
        window=deciding.window if deciding else None,
        next_allowed_at=_instant(decision.next_allowed_at_us),
        provisional=decision.provisional,
        due_at=_instant(decision.due_at_us),
        expires_at=_instant(decision.expires_at_us),
        overridden=decision.overridden,
        checks=tuple(_check(answer) for answer in decision.results),
        grant=_grant_given(told["grant"]),
        policy_version=told["policy_version"],
        state_version=told["state_version"],
        tzdata=decision.tzdata,
        requested_at=event.requested_at,
        decided_at=to_datetime(told["now_us"]),
    )


def granted_record(candidate: Candidate, grant: Grant) -> SendGranted:
    """Tell the sender: the same record for each repetition of the request."""
    event, until_us, contact = candidate.received.event, grant.window_until_us, candidate.contact
    content = event.content
    if grant.by_fallback and event.fallback and event.fallback.template:
        content = TemplateContent(template=event.fallback.template)
    return SendGranted(
        grant_id=grant.grant_id,
        epoch=grant.epoch,
        message_id=grant.message_id,
        request_id=event.request_id,
        client=event.client,
        brand=event.brand,
        contact_id=grant.contact_id,
        lane=grant.lane,
        message_class=grant.message_class,
        category=grant.category,
        campaign=grant.campaign,
        number=grant.number,
        to=event.to if event.to.address else recipient_of(contact.address) or event.to,
        content=content,
        reply_to=event.reply_to,
        not_before=to_datetime(grant.not_before_us),
        valid_until=to_datetime(grant.valid_until_us),
        window_until=None if until_us is None else to_datetime(until_us),
        decided_at=to_datetime(grant.not_before_us),
    )


def _instant(at_us: int | None) -> datetime | None:
    return None if at_us is None else to_datetime(at_us)


def _check(result: RuleResult) -> Check:
    return Check(
        rule=result.rule.reach.id,
        type=result.rule.type,
        ok=result.ok,
        used=result.used,
        limit=result.limit,
        window=result.window,
        free_at=_instant(result.allowed_from_us),
        by=tuple(str(message_id) for message_id in result.by),
    )


def _grant_given(grant: Grant | None) -> GrantGiven | None:
    if grant is None:
        return None
    return GrantGiven(
        id=grant.grant_id,
        lane=grant.lane,
        number=grant.number,
        epoch=grant.epoch,
        not_before=to_datetime(grant.not_before_us),
        valid_until=to_datetime(grant.valid_until_us),
    )


@given(
    candidate=candidates(), decision=decisions, numbers=st.tuples(*[st.integers(1, 9)] * 2), now_us=instants
)
def test_decision_is_the_bytes_of_its_model(
    candidate: Candidate, decision: Decision, numbers: tuple[int, int], now_us: int
) -> None:
    told: Told = {
        "policy_version": "sha256:1",
        "state_version": numbers[0],
        "now_us": now_us,
        "grant": new_grant(candidate, decision, epoch=numbers[1]),
    }
    model = decided_record(candidate, decision, **told)
    rendered = decision_record(candidate, decision, **told)
    assert rendered.value == encode(model)
    assert (rendered.event_id, rendered.happened_at) == (model.event_id, model.happened_at)


@given(candidate=candidates(), decision=decisions)
def test_grant_is_the_bytes_of_its_model(candidate: Candidate, decision: Decision) -> None:
    grant: Grant | None = new_grant(candidate, decision)
    if grant is None:
        return
    model = granted_record(candidate, grant)
    rendered = grant_record(candidate.received, candidate.contact, grant)
    assert rendered.value == encode(model)
    assert (rendered.event_id, rendered.happened_at) == (model.event_id, model.happened_at)
