"""The platform knows a person by another number than the one dialled: whatever shows both joins them.

In several countries it always does: Brazil's ninth digit, Mexico's and Argentina's mobile prefixes.
"""

from collections.abc import Callable
from typing import Final

import pytest

from garbo.common.errors import Reject
from garbo.common.events.addresses import Person, is_possible
from garbo.common.events.base import Event
from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import ContactId, MessageId, address_hash, attempt_id_of
from garbo.common.events.shown import AddressShown
from garbo.router.ports.contacts import Address
from services.router.tests.support.build import (
    AT,
    HASH_KEY,
    OTHER_PHONE,
    case,
    consent,
    inbound,
    requested,
    result,
    status,
    template,
)
from services.router.tests.support.policies import ONE_A_WEEK, OPT_IN, STOPPED, MakePolicy
from services.router.tests.support.router import Router

SPELLINGS: Final = [
    ("+5511987650002", "+551187650002"),
    ("+5491123456789", "+541123456789"),
    ("+525512340001", "+5215512340001"),
]
"""As it was dialled, and as the platform shows it."""
USER_ID: Final = "BR.13491208655302741918"


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def either(request: pytest.FixtureRequest, make_policy: MakePolicy) -> Router:
    """A router in memory, and one over real PostgreSQL."""
    router: Router = request.getfixturevalue("router" if request.param == "memory" else "stored")
    router.policy = make_policy(STOPPED, OPT_IN, ONE_A_WEEK)
    return router


async def who(router: Router, phone: str) -> ContactId | None:
    """Give whose phone it is."""
    hashed = address_hash(HASH_KEY, "phone", phone)
    async with router.store.transaction() as transaction:
        found = await transaction.contacts_at([Address("phone", phone, hashed)])
    return found[hashed].contact_id if hashed in found else None


async def sent(router: Router, phone: str) -> SendGranted:
    """Send a promo to somebody who opted in, as the platform accepted it."""
    await router.hear(consent(to={"phone": phone}))
    (decision,) = await router.ask(requested(to={"phone": phone}))
    assert decision.verdict == "allow"
    grant = router.granted[-1]
    await router.hear(result(grant, "accepted", wamid=f"wamid.of.{grant.message_id.hex}"))
    return grant


def by_status(grant: SendGranted, shown: str) -> list[Event]:
    """Show it by our own attempt id."""
    return [status(grant.message_id, "delivered", phone=shown)]


def by_wamid(grant: SendGranted, shown: str) -> list[Event]:
    """Show it by the wamid alone."""
    return [status(grant.message_id, "delivered", phone=shown).model_copy(update={"attempt_id": None})]


def by_quote(grant: SendGranted, shown: str) -> list[Event]:
    """Show it by what they answer."""
    wamid = f"wamid.of.{grant.message_id.hex}"
    return [inbound("thanks", sender=Person(phone=shown), reply_to=wamid)]


def by_answer(grant: SendGranted, shown: str) -> list[Event]:
    """Show it in the answer to the very send."""
    answered = AddressShown(
        message_id=grant.message_id,
        attempt_id=attempt_id_of(MessageId(grant.message_id), 1),
        contact_id=grant.contact_id,
        shown=Person(phone=shown),
        occurred_at=AT,
    )
    return [answered]


def after_they_wrote(grant: SendGranted, shown: str) -> list[Event]:
    """Show it when the other spelling is somebody already."""
    return [inbound("hello", sender=Person(phone=shown)), *by_status(grant, shown)]


@pytest.mark.parametrize("evidence", [by_answer, by_status, by_wamid, by_quote, after_they_wrote])
@pytest.mark.parametrize(("dialled", "shown"), SPELLINGS)
async def test_stop_from_the_shown_number_stops_the_dialled_one(
    either: Router, dialled: str, shown: str, evidence: Callable[[SendGranted, str], list[Event]]
) -> None:
    grant = await sent(either, dialled)
    for event in evidence(grant, shown):
        await either.hear(event)
    await either.hear(inbound("STOP", sender=Person(phone=shown)))
    assert await who(either, dialled) == await who(either, shown) == ContactId(grant.contact_id)
    for phone in (dialled, shown):
        (denied,) = await either.ask(requested(to={"phone": phone}))
        assert (denied.verdict, denied.rule) == ("deny", "user-stop"), denied.reason


@pytest.mark.parametrize("evidence", [by_answer, by_status, by_quote])
async def test_cap_consent_and_case_follow(
    router: Router, make_policy: MakePolicy, evidence: Callable[[SendGranted, str], list[Event]]
) -> None:
    dialled, shown = SPELLINGS[0]
    router.policy = make_policy(STOPPED, OPT_IN, ONE_A_WEEK)
    grant = await sent(router, dialled)
    await router.hear(*evidence(grant, shown))
    await router.hear(case("opened", to={"phone": shown}))
    (decision,) = await router.ask(requested(to={"phone": shown}))
    assert decision.verdict == "defer", "the consent and the cap of the dialled number"
    (care,) = await router.ask(
        requested(to={"phone": dialled}, purpose="utility", content=template("shipped"))
    )
    assert care.contact_id == grant.contact_id


async def test_user_id_shown_with_our_message_is_the_persons(either: Router) -> None:
    dialled, shown = SPELLINGS[0]
    grant = await sent(either, dialled)
    told = status(grant.message_id, "read", phone=shown)
    await either.hear(told.model_copy(update={"recipient": Person(phone=shown, user_id=USER_ID)}))
    await either.hear(inbound("STOP", sender=Person(user_id=USER_ID)))
    (denied,) = await either.ask(requested(to={"phone": dialled}))
    assert denied.rule == "user-stop"


async def test_member_of_a_group_and_whoever_was_erased_join_nobody(either: Router) -> None:
    dialled, shown = SPELLINGS[0]
    grant = await sent(either, dialled)
    told = status(grant.message_id, "read", phone=shown)
    await either.hear(told.model_copy(update={"participant": shown}))
    await either.hear(inbound("hi", group_id="g-1", reply_to=f"wamid.of.{grant.message_id.hex}"))
    assert await who(either, shown) is None
    await either.hear(status(grant.message_id, "read", phone=None))
    assert await who(either, OTHER_PHONE) is None


IMPOSSIBLE: Final = "+5215512340001"
"""As WhatsApp shows Mexicans; of the numbering plans' newest release no number at all."""


async def test_number_the_platform_shows_is_an_address_whatever_the_numbering_plans_say(
    either: Router,
) -> None:
    assert not is_possible(IMPOSSIBLE)
    await either.hear(inbound("hola", sender=Person(phone=IMPOSSIBLE)))
    contact_id = await who(either, IMPOSSIBLE)
    assert contact_id is not None
    for to in ({"phone": IMPOSSIBLE}, {"contact_id": contact_id}):
        (decision,) = await either.ask(requested(to=to, purpose="utility", content=template("shipped")))
        assert (decision.verdict, decision.contact_id) == ("allow", contact_id), decision.reason
        assert either.granted[-1].to.phone == IMPOSSIBLE
    await either.hear(consent(to={"phone": IMPOSSIBLE}))
    await either.hear(case("opened", to={"phone": IMPOSSIBLE}))


async def test_stranger_at_a_number_nobody_can_have_is_refused_and_not_remembered(either: Router) -> None:
    asked = requested(to={"phone": IMPOSSIBLE}, purpose="utility", content=template("shipped"))
    (decision,) = await either.ask(asked)
    assert (decision.verdict, decision.reason) == ("deny", "impossible_number")
    for told in (consent(to={"phone": IMPOSSIBLE}), case("opened", to={"phone": IMPOSSIBLE})):
        with pytest.raises(Reject, match="unknown_contact"):
            await either.hear(told)
    assert await who(either, IMPOSSIBLE) is None
