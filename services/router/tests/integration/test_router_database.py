"""What only a real database can show: locks, the door for claims, the clock."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from garbo.common.errors import RetryLater
from garbo.common.events.addresses import Person
from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import ContactId
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import CONVERSATION_CARE, DECISION_MADE, SEND_PROMO
from garbo.common.runtime.postgres import Database
from garbo.router.flow.commands.erase_contact import EraseContact
from garbo.router.outbound.postgres.store import PostgresStore
from services.router.tests.support.build import (
    AT,
    CARE_NUMBER,
    consent,
    inbound,
    preference,
    requested,
    result,
    template,
)
from services.router.tests.support.router import Router

pytestmark = pytest.mark.integration

CLAIM = "SELECT grant_id, claimed, reason FROM router.claim_grants($1::uuid[], $2::int[])"
IN_THE_PAST = """
UPDATE router.send_grant SET valid_until = clock_timestamp() - interval '1 s' WHERE grant_id = $1
"""
COUNTED = """
SELECT r.contact_id, count(*) AS sends
FROM router.recipient_state r, jsonb_array_elements(convert_from(r.state, 'UTF8')::jsonb -> 'sends')
GROUP BY 1
"""


async def claim(database: Database, *grants: tuple[UUID, int]) -> list[str]:
    async with database.transaction() as connection:
        rows = await connection.fetch(CLAIM, [g for g, _ in grants], [epoch for _, epoch in grants])
    assert [row["grant_id"] for row in rows] == [g for g, _ in grants]
    assert all(row["claimed"] == (row["reason"] == "claimed") for row in rows)
    return [row["reason"] for row in rows]


async def one_grant(stored: Router) -> SendGranted:
    phone = f"+39333{uuid4().int % 10**7:07d}"
    await stored.hear(consent(to={"phone": phone}))
    await stored.ask(requested(to={"phone": phone}))
    return stored.granted[-1]


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


async def test_scenario_47_stop_revokes_a_reserved_grant_and_the_claim_is_refused(
    stored: Router, database: Database
) -> None:
    await stored.hear(consent())
    await stored.ask(requested())
    (grant,) = stored.granted
    await stored.hear(inbound("STOP"))
    assert stored.decided[-1].reason == "revoked"
    assert await claim(database, (grant.grant_id, grant.epoch)) == ["revoked"]


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
    await EraseContact(stored.dependencies).erase(ContactId(promo.contact_id))
    assert await claim(database, (promo.grant_id, promo.epoch)) == ["revoked"]


async def test_wamid_of_any_length_is_kept_as_a_reference_and_found_again(stored: Router) -> None:
    grant = await one_grant(stored)
    long = "".join(uuid4().hex for _ in range(400))
    await stored.hear(result(grant, "accepted", wamid=long))
    await stored.hear(inbound("nice", reply_to=long))
    answers = [said.answers for said in stored.publisher.of(CONVERSATION_CARE)]
    assert answers == [grant.message_id]


async def test_scenario_24_repeats_give_the_same_bytes_from_any_process(
    stored: Router, database: Database
) -> None:
    asked = [
        requested(to={"phone": f"+39333{n:07d}"}, content=content) for n, content in enumerate(_contents())
    ]
    await stored.hear(*[consent(to={"phone": request.to.phone}) for request in asked[::2]])
    await stored.ask(*asked)
    other = Router(PostgresStore(database), stored.policy)
    await other.ask(*reversed(asked))

    def told(router: Router) -> set[bytes]:
        return {*router.publisher.bytes_of(DECISION_MADE), *router.publisher.bytes_of(SEND_PROMO)}

    assert told(other) == told(stored)
    assert {g.model_dump_json() for g in other.granted} == {g.model_dump_json() for g in stored.granted}


async def test_scenario_22_two_routers_on_hot_recipients_never_pass_the_cap_nor_deadlock(
    stored: Router, database: Database
) -> None:
    phones = [f"+39333{n:07d}" for n in range(200)]
    await stored.hear(*[consent(to={"phone": phone}) for phone in phones])
    dice = random.Random(7)
    requests = [requested(to={"phone": dice.choice(phones)}) for _ in range(2400)]
    routers = [Router(PostgresStore(database), stored.policy) for _ in range(3)]
    reasons = Counter[str]()

    async def work(router: Router, turn: int) -> None:
        own = requests[turn::2] if turn < 2 else requests[::3]  # the third repeats what others ask
        for start in range(0, len(own), 200):
            batch = own[start : start + 200]
            while not await told(router, batch):
                pass

    async def told(router: Router, batch: Sequence[SendRequested]) -> bool:
        try:
            await router.ask(*batch)
        except RetryLater as later:
            reasons[later.why] += 1
            return False
        return True

    async with asyncio.TaskGroup() as group:
        for turn, router in enumerate(routers):
            group.create_task(work(router, turn))
    async with database.connection() as connection:
        rows = await connection.fetch(COUNTED)
    assert not any("Deadlock" in why for why in reasons)
    assert max(row["sends"] for row in rows) == 3
    allowed = {d.message_id for r in routers for d in r.decided if d.verdict == "allow"}
    assert len(allowed) == sum(row["sends"] for row in rows)
    decided = {d.message_id: d.decision_id for r in routers for d in r.decided}
    assert len(decided) == len(requests)


def _contents() -> list[dict[str, object]]:
    return [
        {"type": "template", "template": {"name": name, "language": {"code": "it"}}}
        for name in ("sale", "shipped", "code", "nothing") * 3
    ]
