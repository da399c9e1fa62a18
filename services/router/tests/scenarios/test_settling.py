"""Scenarios 30 to 32: what became of a send, told again, late and in any order."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from garbo.common.events.base import Event
from garbo.common.events.ids import MessageId
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import DECISION_MADE, INBOUND_MESSAGE, SEND_RESULT, Topic
from garbo.router.domain.decide import decide
from garbo.router.domain.decision import Decision
from garbo.router.domain.instants import to_us
from garbo.router.domain.policy import Policy
from garbo.router.domain.values import replace
from services.router.tests.support.batch_program import Batch
from services.router.tests.support.build import AT, consent, inbound, requested, result, status
from services.router.tests.support.build_domain import a_request, a_state, at, sends_at
from services.router.tests.support.grant_steps import (
    Step,
    accepted,
    by_status,
    delivered,
    read,
    run,
    sent,
    unknown,
)
from services.router.tests.support.in_memory import a_promo, the_state
from services.router.tests.support.machine import CAP, COUNTED, DECIDED, Machine, asked_by
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import ONE_A_DAY, ONE_A_WEEK, STOPPED, MakePolicy
from services.router.tests.support.router import Router

HOUR = timedelta(hours=1)
undeliverable, failed_late = by_status("failed", refundable=True), by_status("failed")


def asked(policy: Policy, sent: str, now: str) -> Decision:
    return decide(policy, a_state(sends=sends_at(sent)), a_request(), at(now))


STATES = "SELECT message_id, state FROM router.send_grant WHERE message_id = ANY ($1::uuid[])"
OUTBOX = """
SELECT value FROM router.outbox
WHERE convert_from(value, 'UTF8')::jsonb ->> 'message_id' = ANY ($1::uuid[]::text[])
"""


def heard(topic: Topic[Any], *events: Event) -> Batch:
    return {"heard": [[topic.name, event.model_dump(mode="json", exclude_none=True)] for event in events]}


async def _event_about(machine: Machine, topic: Topic[Any], requests: Sequence[SendRequested]) -> Batch:
    """Let the promos be decided, and give what happens next: a STOP, or the answers of the platform."""
    before = len(machine.stored.granted)
    await machine.stored.ask(*requests)
    granted = machine.stored.granted[before:]
    now = datetime.now(UTC)
    if topic is INBOUND_MESSAGE:
        stop = inbound("STOP", sender={"phone": requests[0].to.phone}, occurred_at=now, received_at=now)
        return heard(topic, stop)
    outcomes = ("accepted", "failed", "unknown")
    return heard(
        topic,
        *[result(g, o, recorded_at=now, started_at=now) for g, o in zip(granted, outcomes, strict=True)],
    )


async def _judge_event(machine: Machine, topic: Topic[Any], requests: Sequence[SendRequested]) -> None:
    messages = [r.message_id for r in requests]
    states = sorted(row["state"] for row in await machine.rows(STATES, messages))
    counted = sum(row["count"] for row in await machine.rows(COUNTED, messages))
    told = await machine.told(DECISION_MADE, messages)
    stored = {row["message_id"]: list(row["records"]) for row in await machine.rows(DECIDED, messages)}
    assert all(set(told.get(m, [])) <= set(records) for m, records in stored.items())
    left = Counter(row["value"] for row in await machine.rows(OUTBOX, messages))
    if topic is INBOUND_MESSAGE:
        assert (states, counted) == (["revoked"] * CAP, 0)
        assert [len(records) for records in stored.values()] == [2] * len(messages), (
            "revoked, or stopped waiting"
        )
        assert [left[stored[m][-1]] for m in messages] == [1] * len(messages), "each end is to be told, once"
    else:
        assert (states, counted) == (["accepted", "failed", "unknown"], 2)


async def test_scenario_30_a_refund_told_twice_is_one_and_a_late_delivery_counts_again(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(ONE_A_WEEK)
    granted = await a_promo(router)
    failed = status(granted.message_id, "failed", code=131026)
    await router.hear(result(granted, "accepted"), failed, failed)
    assert the_state(memory).sends == ()
    delivered = status(granted.message_id, "delivered")
    await router.hear(delivered, delivered)
    assert [send.delivered for send in the_state(memory).sends] == [True]
    await router.hear(failed)
    assert memory.tables.grants[MessageId(granted.message_id)].state == "delivered"
    assert router.meter.resurrected_count == 1


async def test_scenario_31_statuses_in_any_order_end_the_same(
    memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    ends = set()
    for order in permutations(("sent", "delivered", "read")):
        router = Router(memory, make_policy(STOPPED))
        granted = await a_promo(router)
        for word in order:
            await router.hear(status(granted.message_id, word, at=AT))
        (send,) = (s for s in the_state(memory).sends if s.message_id == granted.message_id)
        ends.add((memory.tables.grants[MessageId(granted.message_id)].state, send.at_us, send.delivered))
    assert ends == {("delivered", to_us(AT) + 1_000_000, True)}


async def test_scenario_32_an_accepted_send_counts_from_its_acceptance(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(ONE_A_WEEK)
    granted = await a_promo(router)
    memory.advance(4 * HOUR)
    await router.hear(result(granted, "accepted", recorded_at=AT + 4 * HOUR))
    (deferred,) = await router.ask(requested())
    assert deferred.next_allowed_at == AT + 4 * HOUR + timedelta(days=7)
    assert not deferred.provisional


async def test_a_policy_may_count_from_the_reservation(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    policy = make_policy(ONE_A_WEEK)
    router.policy = dataclasses.replace(
        policy, counting=dataclasses.replace(policy.counting, instant="reserved")
    )
    granted = await a_promo(router)
    memory.advance(HOUR)
    await router.hear(result(granted, "accepted", recorded_at=memory.now))
    assert [send.at_us for send in the_state(memory).sends] == [to_us(AT)]


async def test_a_result_of_an_earlier_grant_says_nothing_of_the_one_after_it(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent())
    granted = await a_promo(router)
    grant = memory.tables.grants[MessageId(granted.message_id)]
    memory.tables.grants[MessageId(granted.message_id)] = replace(grant, epoch=2)
    await router.hear(result(granted, "not_sent", reason="lease_expired", epoch=1))
    assert memory.tables.grants[MessageId(granted.message_id)].state == "reserved"


def test_scenario_30_late_delivered_counts_again_and_alarms() -> None:
    assert run(accepted, undeliverable, undeliverable) == ("refunded", False, False)
    assert run(accepted, undeliverable, delivered) == ("delivered", True, True)


@pytest.mark.parametrize(
    ("steps", "state", "counts"),
    [
        ([accepted, sent, delivered, read], "delivered", True),
        ([unknown, sent], "accepted", True),
        ([accepted, sent, undeliverable], "refunded", False),
        ([accepted, failed_late], "accepted", True),
        ([delivered, undeliverable], "delivered", True),
    ],
    ids=["read", "unknown settled", "undeliverable", "failed for good but paid", "delivered beats failed"],
)
def test_scenario_31_any_order_and_repetition_ends_the_same(
    steps: list[Step], state: str, counts: bool
) -> None:
    for order in permutations(steps):
        assert run(*order)[:2] == (state, counts)
        assert run(*order, *order)[:2] == (state, counts)


def test_scenario_32_slot_of_an_accepted_send_frees_from_its_acceptance(make_policy: MakePolicy) -> None:
    decision = asked(make_policy(ONE_A_DAY), "2026-06-05T14:00Z", "2026-06-06T13:59Z")
    assert decision.next_allowed_at_us == at("2026-06-06T14:00Z")


@pytest.mark.integration
async def test_scenario_30_death_after_any_step_of_a_stop_or_a_result_counts_it_once(
    machine: Machine,
) -> None:
    for topic in (INBOUND_MESSAGE, SEND_RESULT):
        steps = await machine.run(await _event_about(machine, topic, await asked_by(machine, of=1)))
        assert "commit" in steps
        for last in range(1, len(steps) + 1):
            requests = await asked_by(machine, of=1)
            batch = await _event_about(machine, topic, requests)
            assert await machine.run(batch, last=last) == steps[:last]
            await machine.run(batch)
            assert machine.ended[-1] == 0
            await _judge_event(machine, topic, requests)
