"""The door for claims: once each, one by one, never in a circle, and shut where a person said no."""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest

from garbo.common.events.ids import ContactId
from garbo.common.events.topics import CONVERSATION_CARE
from garbo.common.runtime.postgres import Database
from garbo.router.flow.commands.erase_contact import EraseContact
from services.router.tests.support.build import (
    AT,
    CARE_NUMBER,
    EVERYBODY,
    consent,
    inbound,
    preference,
    result,
)
from services.router.tests.support.claims import CLAIM_FOR, claim, one_grant
from services.router.tests.support.router import Router

pytestmark = pytest.mark.integration
IN_THE_PAST = """
UPDATE router.send_grant SET valid_until = clock_timestamp() - interval '1 s' WHERE grant_id = $1
"""


async def test_grant_is_claimed_once(stored: Router, database: Database) -> None:
    grant = await one_grant(stored)
    assert await claim(database, (grant.grant_id, grant.epoch)) == ["claimed"]
    assert await claim(database, (grant.grant_id, grant.epoch)) == ["already_dispatched"]


async def test_claims_are_answered_one_by_one_and_in_order(stored: Router, database: Database) -> None:
    good, late, stale = [await one_grant(stored) for _ in range(3)]
    async with database.connection() as connection:
        await connection.execute(IN_THE_PAST, late.grant_id)
    reasons = await claim(
        database,
        (uuid4(), 1),
        (late.grant_id, 1),
        (good.grant_id, 1),
        (stale.grant_id, 2),
        (good.grant_id, 1),
    )
    assert reasons == ["unknown_grant", "lease_expired", "claimed", "stale_epoch", "already_dispatched"]


async def test_two_claimers_share_the_grants_and_never_deadlock(stored: Router, database: Database) -> None:
    grants = [(g.grant_id, g.epoch) for g in [await one_grant(stored) for _ in range(20)]]
    shuffled = random.Random(1).sample(grants, len(grants))
    answers = await asyncio.gather(claim(database, *grants), claim(database, *shuffled))
    assert Counter(answers[0] + answers[1]) == {"claimed": 20, "already_dispatched": 20}


async def test_a_claimed_promo_whose_try_never_left_is_refused_once_the_platform_stops_its_brand(
    stored: Router, database: Database
) -> None:
    promo = await one_grant(stored)
    grant = (promo.grant_id, promo.epoch)
    assert await claim(database, grant) == ["claimed"]
    assert promo.number != CARE_NUMBER
    await stored.hear(preference("stop", number=CARE_NUMBER, phone=str(promo.to.phone)))
    assert await claim(database, grant) == ["revoked"]


async def test_a_claimed_promo_whose_try_never_left_is_refused_once_consent_is_withdrawn(
    stored: Router, database: Database
) -> None:
    promo = await one_grant(stored)
    (phone, grant) = ({"phone": promo.to.phone}, (promo.grant_id, promo.epoch))
    assert await claim(database, grant) == ["claimed"]
    await stored.hear(consent("withdrawn", to=phone, occurred_at=AT))
    assert await claim(database, grant) == ["revoked"]
    await stored.hear(consent("given", to=phone, occurred_at=AT + timedelta(seconds=1)))
    assert await claim(database, grant) == ["already_dispatched"]


async def test_a_claimed_promo_whose_try_never_left_is_refused_once_its_person_is_erased(
    stored: Router, database: Database
) -> None:
    promo = await one_grant(stored)
    assert await claim(database, (promo.grant_id, promo.epoch)) == ["claimed"]
    await EraseContact(stored.dependencies).erase(ContactId(promo.contact_id), EVERYBODY)
    assert await claim(database, (promo.grant_id, promo.epoch)) == ["revoked"]


async def test_wamid_of_any_length_is_kept_as_a_reference_and_found_again(stored: Router) -> None:
    grant = await one_grant(stored)
    long = "".join(uuid4().hex for _ in range(400))
    await stored.hear(result(grant, "accepted", wamid=long))
    await stored.hear(inbound("nice", reply_to=long))
    answers = [said.answers for said in stored.publisher.of(CONVERSATION_CARE)]
    assert answers == [grant.message_id]


async def test_grant_is_claimed_for_its_own_message_alone(stored: Router, database: Database) -> None:
    grant = await one_grant(stored)
    asked = [grant.grant_id] * 3, [grant.epoch] * 3, [uuid4(), grant.message_id, None]
    for expected in ("claimed", "already_dispatched"):
        async with database.transaction() as connection:
            reasons = [row["reason"] for row in await connection.fetch(CLAIM_FOR, *asked)]
        assert reasons == ["unknown_grant", expected, "unknown_grant"]
