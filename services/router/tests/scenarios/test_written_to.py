"""Where a client joined two people each is written to at their own address, by whatever way it is asked."""

from datetime import timedelta
from typing import Final

import pytest

from garbo.common.events.addresses import Person
from garbo.common.events.ids import ContactId
from garbo.common.events.topics import CONVERSATION_CARE, SEND_REQUESTED
from services.router.tests.scenarios.test_claimed_links import (
    CLIENTS,
    met,
    same,
    written_to,
)
from services.router.tests.support.build import (
    AT,
    OTHER_PHONE,
    PHONE,
    business,
    inbound,
    requested,
    result,
    status,
    template,
)
from services.router.tests.support.in_memory import clock
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.policies import MakePolicy
from services.router.tests.support.router import Router

ONE_IN_TEN_S: Final = (
    "id: c, type: cap, limit: 1, window: { rolling: 10s }, counts: { class: promo }, on_hit: { defer: 48h }"
)
SPELLED: Final = "+5511987650002"
both_ways = pytest.mark.parametrize("reverse", [False, True])
"""Whichever of the two is named first."""


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def either(request: pytest.FixtureRequest) -> Router:
    """A router in memory, and one over real PostgreSQL."""
    router: Router = request.getfixturevalue("router" if request.param == "memory" else "stored")
    router.business = business(clients=CLIENTS)
    return router


async def join(router: Router, *, reverse: bool) -> None:
    """Let a client say that the two are one."""
    names = {"phone": PHONE}, {"phone": OTHER_PHONE}
    to, other = reversed(names) if reverse else names
    await router.hear(same(to, other))


@both_ways
@pytest.mark.parametrize("by_id", [False, True])
async def test_who_waited_for_their_turn_gets_it_at_their_own_phone(
    work: Jobs, make_policy: MakePolicy, *, reverse: bool, by_id: bool
) -> None:
    router = work.router
    router.business, router.policy = business(clients=CLIENTS), make_policy(ONE_IN_TEN_S)
    ids = dict(zip((PHONE, OTHER_PHONE), await met(router, PHONE, OTHER_PHONE), strict=True))
    asked = {}
    for phone, contact_id in ids.items():
        await router.ask(requested(to={"phone": phone}))
        await router.hear(result(router.granted[-1], "accepted", recorded_at=AT))
        asked[phone] = requested(to={"contact_id": contact_id} if by_id else {"phone": phone})
    await router.ask(*asked.values())
    await join(router, reverse=reverse)
    for minutes in (1, 2, 3):
        clock(work, AT + timedelta(minutes=minutes))
        await work.retry()
        await router.hear(result(router.granted[-1], "accepted", recorded_at=AT + timedelta(minutes=minutes)))
    told = {grant.message_id: grant.to.phone for grant in router.granted}
    assert {phone: told[request.message_id] for phone, request in asked.items()} == {p: p for p in ids}


@both_ways
async def test_other_spelling_of_a_number_is_of_who_was_dialled(either: Router, *, reverse: bool) -> None:
    first, second = await met(either, PHONE, OTHER_PHONE)
    await join(either, reverse=reverse)
    for phone, shown in ((PHONE, SPELLED), (OTHER_PHONE, "+541123456789")):
        await either.ask(requested(to={"phone": phone}, purpose="utility", content=template("shipped")))
        grant = either.granted[-1]
        await either.hear(result(grant, "accepted"), status(grant.message_id, "delivered", phone=shown))
    assert (await written_to(either, first))["phone"] in (PHONE, SPELLED)
    assert (await written_to(either, second))["phone"] in (OTHER_PHONE, "+541123456789")


@both_ways
@pytest.mark.parametrize("writer", [PHONE, OTHER_PHONE])
async def test_answer_to_what_somebody_wrote_goes_where_they_wrote_from(
    either: Router, writer: str, *, reverse: bool
) -> None:
    await met(either, PHONE, OTHER_PHONE)
    await join(either, reverse=reverse)
    await either.hear(inbound("how much is it?", sender=Person(phone=writer)))
    care = either.publisher.of(CONVERSATION_CARE)[-1]
    assert await written_to(either, ContactId(care.contact_id)) == {"phone": writer}


@both_ways
@pytest.mark.parametrize("writer", [PHONE, OTHER_PHONE])
async def test_confirmation_of_a_stop_goes_to_who_said_it(
    router: Router, writer: str, *, reverse: bool
) -> None:
    router.business = business(clients=CLIENTS)
    await met(router, PHONE, OTHER_PHONE)
    await join(router, reverse=reverse)
    await router.hear(inbound("STOP", sender=Person(phone=writer)))
    (reply,) = router.publisher.of(SEND_REQUESTED)
    await router.ask(reply)
    assert router.granted[-1].to.phone == writer
