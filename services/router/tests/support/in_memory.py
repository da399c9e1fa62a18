"""What a router over memory holds and told, and short ways to ask it."""

from datetime import datetime
from typing import Any, cast

from garbo.common.events.decisions import DecisionMade
from garbo.common.events.engagement import CareMessage, PromoEngaged
from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import ContactId, address_hash
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import CONVERSATION_CARE, ENGAGEMENT_PROMO, SEND_REQUESTED
from garbo.router.domain.state import RecipientState
from services.router.tests.support.build import AT, HASH_KEY, PHONE, requested, result
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.router import Router


def asked_back(router: Router) -> list[SendRequested]:
    return router.publisher.of(SEND_REQUESTED)


def the_state(memory: InMemoryStore) -> RecipientState:
    (state,) = memory.tables.states.values()
    return state


async def a_promo(router: Router, **more: Any) -> SendGranted:  # noqa: ANN401 - any field
    await router.ask(requested(**more))
    return router.granted[-1]


def contact_of(memory: InMemoryStore, phone: str = PHONE) -> ContactId:
    return memory.tables.aliases[address_hash(HASH_KEY, "phone", phone)].contact_id


def state_of(memory: InMemoryStore, phone: str = PHONE) -> RecipientState:
    return memory.tables.states[contact_of(memory, phone)]


def last_of(router: Router) -> dict[Any, DecisionMade]:
    return {d.message_id: d for d in router.decided}


def engaged(router: Router) -> list[PromoEngaged]:
    return router.publisher.of(ENGAGEMENT_PROMO)


def cared(router: Router) -> list[CareMessage]:
    return router.publisher.of(CONVERSATION_CARE)


async def ask(router: Router, **more: object) -> DecisionMade:
    return (await router.ask(requested(**more)))[0]


def clock(work: Jobs, at: datetime) -> None:
    memory_of(work).now = at


async def filled(work: Jobs) -> DecisionMade:
    """Use the only slot of the day at 10:00, accepted at once."""
    (first,) = await work.router.ask(requested())
    assert first.verdict == "allow"
    await work.router.hear(result(work.router.granted[-1], "accepted", recorded_at=AT))
    return first


def memory_of(work: Jobs) -> InMemoryStore:
    return cast("InMemoryStore", work.store)
