"""Scenarios 47 and 55: STOP, and what becomes of promos that were granted, claimed or wait."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from garbo.common.errors import RetryLater
from garbo.common.events.addresses import Person
from garbo.common.events.topics import DECISION_MADE
from garbo.common.runtime.postgres import Database
from garbo.router.domain.decide import decide
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import Stop
from services.router.tests.support.build import (
    AT,
    PROMO_NUMBER,
    consent,
    inbound,
    requested,
    result,
    template,
    text,
)
from services.router.tests.support.build_domain import JUNE_5, a_request, a_state
from services.router.tests.support.claims import COUNTED, a_phone, claim, claimed, one_grant
from services.router.tests.support.in_memory import engaged, state_of
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import ONE_A_WEEK, STOPPED, MakePolicy
from services.router.tests.support.router import Router


def test_scenario_47_next_promo_after_stop_is_refused_without_an_instant(make_policy: MakePolicy) -> None:
    state = a_state(stops={"acme": Stop(stopped_at_us=1)})
    decision = decide(make_policy(STOPPED), state, a_request(), JUNE_5)
    assert (decision.verdict, decision.reason, decision.next_allowed_at_us) == ("deny", "stopped", None)


async def test_scenario_47_stop_revokes_what_nobody_claimed_and_redelivered_changes_nothing_more(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent())
    asked = requested()
    (allowed,) = await router.ask(asked)
    stop = inbound("Stop!")
    await router.hear(stop)
    revoked = router.decided[-1]
    assert (revoked.verdict, revoked.reason, revoked.sequence) == ("deny", "revoked", 2)
    assert revoked.message_id == allowed.message_id
    assert memory.tables.grants[asked.message_id].state == "revoked"
    (state,) = memory.tables.states.values()
    assert state.sends == ()
    await router.hear(stop)
    assert len(set(router.publisher.bytes_of(DECISION_MADE))) == 2
    assert router.decided[-1] == revoked
    (refused,) = await router.ask(requested())
    assert (refused.reason, refused.rule) == ("stopped", "user-stop")
    told = await router.ask(asked)
    assert [d.sequence for d in told] == [1, 2], "a repeat tells the whole story"
    assert len(router.granted) == 1


async def test_stop_is_told_after_a_crash_between_commit_and_publish(router: Router) -> None:
    await router.hear(consent())
    await router.ask(requested())
    router.publisher.failures_left = 1
    stop = inbound("STOP")
    with pytest.raises(RetryLater):
        await router.hear(stop)
    await router.hear(stop)
    assert [d.reason for d in router.decided] == ["allowed", "revoked"]
    assert [e.action for e in engaged(router)] == ["opted_out"]


async def test_stop_leaves_claimed_and_care_grants_alone(router: Router, memory: InMemoryStore) -> None:
    await router.hear(consent(), inbound())
    promo, care = requested(), requested(purpose="care", content=text())
    await router.ask(promo, care)
    claimed = next(granted for granted in router.granted if granted.lane == "promo")
    await router.hear(result(claimed, "unknown"))
    await router.hear(inbound("STOP"))
    states = {grant.message_class: grant.state for grant in memory.tables.grants.values()}
    assert states == {"promo": "unknown", "care": "reserved"}


async def test_scenario_55_stop_holds_for_every_number_of_the_brand_and_for_no_other_brand(
    router: Router,
) -> None:
    await router.hear(consent(brand="*"), inbound("STOP"))
    same = await router.ask(requested(number=PROMO_NUMBER))
    other = await router.ask(requested(brand="bolt"))
    assert [d.reason for d in same + other] == ["stopped", "allowed"]


async def test_scenario_47_stop_denies_at_once_what_waits_and_frees_nothing_for_others(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(STOPPED, ONE_A_WEEK)
    granted, waits = requested(), requested()
    await router.ask(granted)
    await router.ask(waits)
    assert [d.verdict for d in router.decided] == ["allow", "defer"]
    await router.hear(inbound("STOP"))
    assert not memory.tables.deferred
    last = {d.message_id: (d.verdict, d.reason, d.sequence) for d in router.decided}
    assert last[granted.message_id] == ("deny", "revoked", 2)
    assert last[waits.message_id] == ("deny", "stopped", 2)


async def test_scenario_47_stop_after_dispatch_changes_nothing_of_it_and_the_next_is_refused(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent())
    asked = requested()
    await router.ask(asked)
    await router.hear(result(router.granted[0], "accepted"), inbound("STOP"))
    assert memory.tables.grants[asked.message_id].state == "accepted"
    (refused,) = await router.ask(requested())
    assert refused.reason == "stopped"


async def test_a_stop_takes_back_every_promo_however_many_are_open(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(STOPPED)
    await router.ask(*(requested() for _ in range(100)))
    await router.hear(inbound("STOP", number=PROMO_NUMBER))
    assert {g.state for g in memory.tables.grants.values()} == {"revoked"}
    assert state_of(memory).sends == ()


async def test_waiting_promo_that_a_stop_ends_names_no_rule_and_no_instant(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy("id: c, type: cap, limit: 1, window: { rolling: 24h }")
    await router.hear(consent())
    _, waits = await router.ask(requested(), requested())
    assert (waits.verdict, waits.next_allowed_at is None) == ("defer", False)
    await router.hear(inbound("STOP"))
    ended = next(d for d in router.decided if d.message_id == waits.message_id and d.sequence == 2)
    assert (ended.verdict, ended.reason, ended.final) == ("deny", "stopped", True)
    told = (ended.rule, ended.then_rule, ended.next_allowed_at, ended.due_at, ended.limit, ended.provisional)
    assert told == (None, None, None, None, None, False)


@pytest.mark.integration
async def test_scenario_47_stop_revokes_a_reserved_grant_and_the_claim_is_refused(
    stored: Router, database: Database
) -> None:
    await stored.hear(consent())
    await stored.ask(requested())
    (grant,) = stored.granted
    await stored.hear(inbound("STOP"))
    assert stored.decided[-1].reason == "revoked"
    assert await claim(database, (grant.grant_id, grant.epoch)) == ["revoked"]


@pytest.mark.integration
async def test_scenario_47_stop_after_the_claim_leaves_it_counted(stored: Router, database: Database) -> None:
    await stored.hear(consent())
    await stored.ask(requested())
    (grant,) = stored.granted
    assert await claim(database, (grant.grant_id, grant.epoch)) == ["claimed"]
    await stored.hear(inbound("STOP"))
    assert [d.reason for d in stored.decided] == ["allowed"]
    await stored.hear(result(grant, "accepted", recorded_at=datetime.now(UTC)))
    async with database.connection() as connection:
        assert len(await connection.fetch(COUNTED)) == 1


@pytest.mark.integration
async def test_scenario_47_claimed_promo_whose_try_never_left_is_refused_after_stop(
    stored: Router, database: Database
) -> None:
    promo, other = await one_grant(stored), await one_grant(stored)
    phone = {"phone": promo.to.phone}
    await stored.ask(requested(to=phone, purpose="utility", content=template("shipped")))
    grants = [(g.grant_id, 1) for g in (promo, stored.granted[-1], other)]
    assert await claim(database, *grants) == ["claimed"] * 3
    await stored.hear(inbound("STOP", sender=Person(phone=promo.to.phone), occurred_at=AT))
    again = ["revoked", "already_dispatched", "already_dispatched"]
    assert await claim(database, *grants) == again
    await stored.hear(result(promo, "not_sent", reason="revoked"))
    assert [d.reason for d in stored.decided if d.message_id == promo.message_id] == ["allowed", "revoked"]
    await stored.hear(inbound("START", sender=Person(phone=other.to.phone), occurred_at=AT))
    assert (await claim(database, *grants))[2] == "already_dispatched"


@pytest.mark.integration
async def test_scenario_47_stop_and_claim_at_once_one_of_them_has_it(
    stored: Router, database: Database
) -> None:
    for _ in range(10):
        phone, before = a_phone(), len(stored.granted)
        await stored.hear(consent(to={"phone": phone}))
        await stored.ask(requested(to={"phone": phone}))
        mine = Router(stored.store, stored.policy, outbox=stored.outbox)
        mine.publisher.told.extend(stored.publisher.told[-2:])
        stop = stored.hear(inbound("STOP", sender=Person(phone=phone)))
        took, _ = await asyncio.gather(claimed(database, mine), stop)
        async with database.connection() as connection:
            state = await connection.fetchval(
                "SELECT state FROM router.send_grant WHERE grant_id = $1", stored.granted[before].grant_id
            )
        assert (took[-1], state) in [(True, "dispatched"), (False, "revoked")]
