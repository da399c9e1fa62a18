"""Scenario 45: a campaign that is called off takes back what was granted and denies what waits and comes."""

from collections.abc import Callable

import pytest

from garbo.common.errors import Reject
from garbo.common.events.contacts import CampaignChanged
from garbo.common.runtime.postgres import Database
from garbo.router.domain.decide import decide
from garbo.router.domain.policy import Policy
from services.router.tests.support.build import AT, requested
from services.router.tests.support.build_domain import JUNE_5, a_request, a_state
from services.router.tests.support.in_memory import last_of, memory_of
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import ONE_A_DAY, MakePolicy
from services.router.tests.support.router import Router
from services.router.tests.support.shared_database import another, count, person, records_of, run, until_done


def called_off(campaign: str = "spring") -> CampaignChanged:
    return CampaignChanged(client="crm", brand="acme", campaign=campaign, action="cancelled", occurred_at=AT)


def test_scenario_45_a_campaign_called_off_is_denied(make_policy: MakePolicy) -> None:
    decision = decide(make_policy(ONE_A_DAY), a_state(), a_request(campaign="june", cancelled=True), JUNE_5)
    assert (decision.verdict, decision.reason) == ("deny", "campaign_cancelled")


async def test_scenario_45_campaign_called_off_takes_back_grants_and_what_waits(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(ONE_A_DAY)
    granted, waiting, other = requested(campaign="spring"), requested(campaign="spring"), requested()
    await work.router.ask(granted)
    await work.router.ask(waiting, other)
    assert await work.cancel(called_off())
    last = {d.message_id: (d.verdict, d.reason, d.sequence) for d in work.router.decided}
    assert last[granted.message_id] == ("deny", "campaign_cancelled", 2)
    assert last[waiting.message_id] == ("deny", "campaign_cancelled", 2)
    assert last[other.message_id][0] == "defer"
    tables = memory_of(work).tables
    assert tables.grants[granted.message_id].state == "revoked"
    assert tables.deferred.keys() == {other.message_id}
    (later,) = await work.router.ask(requested(campaign="spring"))
    assert (later.verdict, later.reason) == ("deny", "campaign_cancelled")
    await work.router.tell()
    assert last_of(work.router)[other.message_id].verdict == "allow", "the slot goes to who waits"
    told = len(work.router.publisher.told)
    assert not await work.cancel(called_off())
    assert len(work.router.publisher.told) == told, "calling off twice is calling off once"


@pytest.mark.integration
async def test_scenario_45_campaign_called_off_is_swept_by_any_router(
    stored_work: Jobs, database: Database, make_policy: Callable[..., Policy]
) -> None:
    stored_work.router.policy = make_policy(ONE_A_DAY)
    granted = [requested(to=person(n), campaign="spring") for n in range(250)]
    waiting = [requested(to=person(n), campaign="spring") for n in range(250)]
    await stored_work.router.ask(*granted)
    await stored_work.router.ask(*waiting)
    off = CampaignChanged(client="crm", brand="acme", campaign="spring", action="cancelled", occurred_at=AT)
    await stored_work.cancel(off)
    await until_done(another(stored_work, database).cancel, stored_work.cancel)
    states = await count(database, "SELECT state, count(*) FROM router.send_grant GROUP BY 1")
    assert states == {"revoked": 250}
    assert await count(database, "SELECT reason, count(*) FROM router.deferred GROUP BY 1") == {}
    for asked in (granted[0], granted[-1], waiting[0], waiting[-1]):
        assert (await records_of(stored_work, asked))[-1].reason == "campaign_cancelled"
    next_cancelled_campaign = await count(database, "SELECT campaign, 1 FROM router.campaign WHERE NOT swept")
    assert next_cancelled_campaign == {"spring": 1}, (
        "for a while a batch that had looked before may still write"
    )
    await run(database, "UPDATE router.campaign SET cancelled_at = clock_timestamp() - interval '11 minutes'")
    await stored_work.cancel()
    assert await count(database, "SELECT campaign, 1 FROM router.campaign WHERE NOT swept") == {}


@pytest.mark.integration
async def test_campaigns_called_off_take_turns_none_waits_until_another_is_done_with(
    stored_work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work = stored_work
    work.router.policy = make_policy(ONE_A_DAY)
    names = ("one", "two", "three")
    asked = [requested(campaign=name, to=person(n)) for n, name in enumerate(names)]
    await work.router.ask(*asked)
    called_off = {"client": "crm", "brand": "acme", "action": "cancelled", "occurred_at": AT}
    for name in names:
        await work.cancel(CampaignChanged.model_validate({"campaign": name, **called_off}))
    for _ in range(60):
        await work.cancel()
    for one in asked:
        assert [record.reason for record in await records_of(work, one)] == ["allowed", "campaign_cancelled"]


async def test_a_client_without_the_purpose_promo_calls_no_campaign_off(
    router: Router, memory: InMemoryStore
) -> None:
    off = called_off()
    with pytest.raises(Reject, match="purpose_not_allowed"):
        await router.hear(off.model_copy(update={"client": "desk"}))
    assert not memory.tables.cancelled
