"""What another policy would have made of the past, on data one can count by hand."""

import random
from datetime import timedelta
from uuid import UUID

import pytest

from garbo.common.events.decisions import DecisionMade
from garbo.common.events.ids import ContactId
from garbo.router.domain.instants import HOUR_US, to_datetime, to_us
from garbo.router.domain.prepared_request import DecisionInputs
from garbo.router.domain.replay import PastRequest, replay
from garbo.router.flow.queries.comparison import Period
from garbo.router.flow.queries.simulation import Simulation
from garbo.router.inbound.http.views.simulation import simulation_report
from garbo.router.outbound.postgres.codecs import json_bytes, read_inputs
from services.router.tests.support.build import consent, requested, result
from services.router.tests.support.build_domain import a_request, a_state, at
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import ONE_A_DAY, OPT_IN, MakePolicy
from services.router.tests.support.router import Router

MARIA, PAUL = ContactId(UUID(int=1)), ContactId(UUID(int=2))
START, END = at("2026-06-01T10:00:00Z"), at("2026-06-08T10:00:00Z")


def asked(number: int, *, hours: float, verdict: str = "allow", **more: object) -> PastRequest:
    """A promo asked so many hours after the start."""
    at_us = START + int(hours * HOUR_US)
    request = a_request(number, requested_at_us=at_us, **more)
    answer = verdict if verdict in ("defer", "deny") else "allow"
    return PastRequest(at_us=at_us, request=request, given=a_state(), verdict=answer)  # type: ignore[arg-type]


def past_of(kept: DecisionInputs, record: bytes) -> PastRequest:
    """Read a stored decision as the simulation's process does."""
    read, decided = read_inputs(json_bytes(kept)), DecisionMade.model_validate_json(record)
    return PastRequest(
        at_us=to_us(decided.decided_at), request=read.request, given=read.given, verdict=decided.verdict
    )


def test_a_deferred_message_is_sent_when_its_cap_frees(make_policy: MakePolicy) -> None:
    first, second = replay(make_policy(ONE_A_DAY), [asked(1, hours=0), asked(2, hours=1)], until_us=END)
    assert first.sent_at_us == START
    assert (second.first, second.last, second.sent_at_us) == ("defer", "allow", START + 24 * HOUR_US)
    assert second.rule == "day"


def test_what_is_due_after_the_end_still_waits(make_policy: MakePolicy) -> None:
    past = [asked(1, hours=0), asked(2, hours=1)]
    _, second = replay(make_policy(ONE_A_DAY), past, until_us=START + 2 * HOUR_US)
    assert (second.last, second.sent_at_us) == ("defer", None)


def test_two_that_are_due_together_go_by_priority(make_policy: MakePolicy) -> None:
    past = [asked(1, hours=0), asked(2, hours=1, priority=10), asked(3, hours=2, priority=90)]
    _, low, high = replay(make_policy(ONE_A_DAY), past, until_us=END)
    assert high.sent_at_us == START + 24 * HOUR_US
    assert low.sent_at_us == START + 48 * HOUR_US


def test_a_stop_told_later_reaches_what_waits(make_policy: MakePolicy) -> None:
    gone = PastRequest(
        at_us=START + 2 * HOUR_US, request=a_request(3), given=a_state(erased=True), verdict="deny"
    )
    erased = "id: erased, type: block, state: erased, applies_to: {}, hard: true"
    past = [asked(1, hours=0), asked(2, hours=1), gone]
    _, waiting, _ = replay(make_policy(erased, ONE_A_DAY), past, until_us=END)
    assert (waiting.first, waiting.last, waiting.reason) == ("defer", "deny", "erased")


def test_the_report_counts_who_gets_more_fewer_and_later(make_policy: MakePolicy) -> None:
    current, other = make_policy(OPT_IN), make_policy(OPT_IN, ONE_A_DAY)
    simulation = Simulation(current=current, other=other, period=Period(START, END))
    simulation.take(MARIA, [asked(1, hours=0), asked(2, hours=1, campaign="summer")])
    simulation.take(PAUL, [asked(3, hours=0)])
    report = simulation_report(simulation.comparison(), skipped=0)
    assert (report.requests, report.contacts) == (3, 2)
    assert (report.messages.messages.later, report.messages.messages.same) == (1, 2)
    assert (report.people.later, report.people.same) == (1, 1)
    assert (report.messages.current.sent, report.messages.other.sent, report.messages.other.waited) == (
        3,
        3,
        1,
    )
    assert [(g.name, g.messages.later) for g in report.by_campaign] == [("summer", 1), ("(none)", 0)]
    assert {e.rule: e.other.deferred for e in report.by_rule} == {"opt-in": 0, "day": 1}
    assert (report.other_delays.messages, report.other_delays.p50_s) == (1, 23 * 3600)
    assert report.agreement.share == 1.0
    (example,) = report.examples
    assert (example.change, example.contact_id) == ("later", MARIA)
    assert example.other.sent_at == to_datetime(START + 24 * HOUR_US)


def test_agreement_tells_where_the_replay_differs_from_what_was_decided(make_policy: MakePolicy) -> None:
    policy = make_policy(OPT_IN)
    simulation = Simulation(current=policy, other=policy, period=Period(START, END))
    simulation.take(MARIA, [asked(1, hours=0), asked(2, hours=1, verdict="deny")])
    report = simulation_report(simulation.comparison(), skipped=0)
    assert (report.agreement.same, report.agreement.of) == (1, 2)
    assert report.messages.messages.same == 2


def test_other_brands_and_earlier_requests_fill_caps_but_are_not_counted(make_policy: MakePolicy) -> None:
    policy = make_policy(ONE_A_DAY)
    period = Period(START + HOUR_US, END, brands=("acme",))
    simulation = Simulation(current=policy, other=policy, period=period)
    simulation.take(MARIA, [asked(1, hours=0), asked(2, hours=2), asked(3, hours=3, brand="bolt")])
    simulation.take(PAUL, [asked(4, hours=2, brand="bolt")])
    report = simulation_report(simulation.comparison(), skipped=0)
    assert (report.requests, report.contacts) == (1, 1)
    assert report.messages.current.waited == 1


@pytest.mark.parametrize("seed", range(8))
async def test_the_replay_of_the_policy_in_force_is_what_the_router_decided(
    memory: InMemoryStore, make_policy: MakePolicy, seed: int
) -> None:
    """With sends that are accepted at once and rules that deny, nothing is left that could differ."""
    dice = random.Random(seed)
    denying = ONE_A_DAY + ", on_hit: deny"
    week = denying.replace("id: day", "id: week").replace("limit: 1", "limit: 2").replace("24h", "7d")
    router = Router(memory, make_policy(OPT_IN, denying, week))
    phones = [f"+39333123456{n}" for n in range(3)]
    for _ in range(60):
        memory.advance(timedelta(minutes=dice.randrange(1, 600)))
        who = {"phone": dice.choice(phones)}
        word = dice.random()
        if word < 0.2:
            await router.hear(consent(dice.choice(("given", "withdrawn")), to=who, occurred_at=memory.now))
            continue
        before = len(router.granted)
        await router.ask(requested(to=who, requested_at=memory.now))
        for granted in router.granted[before:]:
            wamid = f"wamid.{granted.message_id}"
            await router.hear(result(granted, "accepted", wamid=wamid, recorded_at=memory.now))
    people: dict[ContactId, list[PastRequest]] = {}
    for stored in memory.tables.decisions.values():
        assert stored.contact_id is not None
        assert stored.inputs is not None
        people.setdefault(stored.contact_id, []).append(past_of(stored.inputs, stored.records[0]))
    simulation = Simulation(current=router.policy, other=router.policy, period=Period(0, to_us(memory.now)))
    for contact_id, past in people.items():
        simulation.take(contact_id, past)
    report = simulation_report(simulation.comparison(), skipped=0)
    assert report.requests > 30
    assert report.agreement.share == 1.0
    assert report.messages.messages.same == report.requests
