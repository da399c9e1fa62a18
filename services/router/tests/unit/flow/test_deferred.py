"""Requests that wait: written down and told as deferred, the newest of a campaign alone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from garbo.common.events.decisions import DecisionMade
from garbo.common.events.topics import DECISION_MADE
from garbo.router.domain.instants import to_datetime
from garbo.router.domain.policy import Policy
from garbo.router.outbound.postgres.codecs import json_bytes, read_inputs
from garbo.router.ports.store import Changes
from services.router.tests.support.build import AT, requested
from services.router.tests.support.in_memory import ask
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import ONCE_A_CAMPAIGN
from services.router.tests.support.router import Router


async def test_request_that_may_go_later_waits_and_is_not_final(
    capped: Router, memory: InMemoryStore
) -> None:
    await ask(capped)
    asked = requested(campaign="spring", expires_at=AT + timedelta(days=20))
    (deferred,) = await capped.ask(asked)
    assert (deferred.verdict, deferred.final, deferred.grant) == ("defer", False, None)
    (waiting,) = memory.tables.deferred.values()
    assert waiting.message_id == asked.message_id
    assert to_datetime(waiting.free_at_us) == deferred.next_allowed_at
    assert to_datetime(waiting.due_at_us) == deferred.due_at
    assert to_datetime(waiting.first_decided_at_us) == deferred.decided_at
    assert (waiting.brand, waiting.campaign, waiting.reason) == ("acme", "spring", "cap_reached")
    assert len(capped.granted) == 1


async def test_repeat_of_a_waiting_request_is_told_the_same_bytes(capped: Router) -> None:
    await ask(capped)
    asked = requested()
    await capped.ask(asked)
    await capped.ask(asked)
    *_, first, again = capped.publisher.bytes_of(DECISION_MADE)
    assert first == again


async def test_newest_of_a_campaign_waits_alone_within_a_batch(capped: Router, memory: InMemoryStore) -> None:
    await ask(capped)
    times = (AT + timedelta(minutes=n) for n in (2, 3, 1))
    asked = [requested(campaign="spring", requested_at=at) for at in times]
    told = {d.request_id: d for d in await capped.ask(*asked, requested(campaign="summer"))}
    assert [told[a.request_id].reason for a in asked] == ["superseded", "cap_reached", "superseded"]
    assert told[asked[0].request_id].sequence == 1
    waiting = {w.campaign: w.message_id for w in memory.tables.deferred.values()}
    assert waiting.keys() == {"spring", "summer"}
    assert waiting["spring"] == asked[1].message_id


async def test_newer_request_of_a_campaign_ends_the_one_that_waits(
    capped: Router, memory: InMemoryStore
) -> None:
    await ask(capped)
    older = requested(campaign="spring")
    newer = requested(campaign="spring", requested_at=AT + timedelta(minutes=1))
    await capped.ask(older)
    await capped.ask(newer)
    assert memory.tables.deferred.keys() == {newer.message_id}
    records = memory.tables.decisions[older.message_id].records
    last = DecisionMade.model_validate_json(records[-1])
    assert (last.sequence, last.verdict, last.reason, last.final) == (2, "deny", "superseded", True)
    assert [told.content for told in memory.tables.outbox] == [records[-1]], "no repeat would tell it"


async def test_older_request_that_comes_later_does_not_replace_the_newer(
    capped: Router, memory: InMemoryStore
) -> None:
    await ask(capped)
    newer = requested(campaign="spring", requested_at=AT + timedelta(minutes=1))
    await capped.ask(newer)
    assert (await ask(capped, campaign="spring")).reason == "superseded"
    assert memory.tables.deferred.keys() == {newer.message_id}


async def test_all_of_a_campaign_wait_where_the_policy_keeps_all(
    capped: Router, memory: InMemoryStore
) -> None:
    capped.policy = replace(capped.policy, same_campaign="keep_all")
    await ask(capped)
    await capped.ask(requested(campaign="spring"), requested(campaign="spring"))
    assert len(memory.tables.deferred) == 2


async def test_campaign_that_was_called_off_is_denied(capped: Router, memory: InMemoryStore) -> None:
    async with memory.transaction() as transaction:
        await transaction.save(Changes(cancelled=[("acme", "spring", 1)]))
    assert (await ask(capped, campaign="spring")).reason == "campaign_cancelled"
    assert (await ask(capped, campaign="spring", brand="bolt")).verdict == "allow"


async def test_cap_for_life_remembers_what_the_state_forgot(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(ONCE_A_CAMPAIGN)
    await ask(router, campaign="spring")
    memory.advance(timedelta(days=400))
    later = memory.now
    assert (await ask(router, campaign="summer", requested_at=later)).verdict == "allow"
    (state,) = memory.tables.states.values()
    assert len(state.sends) == 1, "the first is older than the history"
    assert (await ask(router, campaign="spring", requested_at=later)).reason == "cap_reached"
    assert (await ask(router, campaign="summer", requested_at=later)).reason == "cap_reached"


async def test_decision_keeps_what_it_was_made_from(capped: Router, memory: InMemoryStore) -> None:
    asked = requested(campaign="spring", tags=["a"])
    await capped.ask(asked)
    inputs = memory.tables.decisions[asked.message_id].inputs
    assert inputs is not None
    facts = json_bytes(inputs)
    assert b"+39" not in facts
    request = read_inputs(facts).request
    assert (request.campaign, request.tags, request.region) == ("spring", ("a",), "IT")
