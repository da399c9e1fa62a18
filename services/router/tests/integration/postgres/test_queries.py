"""What readers see in PostgreSQL: merged people, budgets that processes lease, lists about strangers."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from garbo.common.events.addresses import Recipient
from garbo.common.events.contacts import ContactUpdated
from garbo.common.events.ids import ContactId, address_hash
from garbo.common.runtime.postgres import Database
from garbo.router.domain.instants import to_us
from garbo.router.domain.policy import Policy
from garbo.router.flow.commands.import_suppressions import ImportSuppressions, SuppressionEntry
from garbo.router.flow.queries.preview import PreviewRequests
from garbo.router.outbound.postgres.budgets import PostgresBudgetLeases
from garbo.router.outbound.postgres.queries import PostgresContactReader, PostgresPreviewReader
from garbo.router.ports.contacts import Address
from services.router.tests.support.build import AT, HASH_KEY, consent, requested
from services.router.tests.support.policies import BUDGET_OF_TWO, OPT_IN, STOPPED
from services.router.tests.support.router import Router

pytestmark = pytest.mark.integration


def phone() -> str:
    return f"+39333{uuid4().int % 10**7:07d}"


async def test_who_was_merged_is_read_and_exported_as_who_they_are(
    stored: Router, database: Database
) -> None:
    first, second = {"phone": phone()}, {"phone": phone()}
    await stored.hear(consent(to=first), consent(to=second))
    decided = await stored.ask(requested(to=first), requested(to=second))
    await stored.hear(
        ContactUpdated(
            update_id=uuid4(),
            client="crm",
            to=Recipient.model_validate(first),
            same_as=Recipient.model_validate(second),
            occurred_at=AT,
        )
    )
    reader = PostgresContactReader(database)
    held = [await reader.contact(ContactId(record.contact_id)) for record in decided if record.contact_id]
    assert len({person.contact_id for person in held if person}) == 1
    for record in decided:
        assert record.contact_id is not None
        export = await reader.export(ContactId(record.contact_id))
        assert export is not None
        assert {row["message_id"] for row in export["decision"]} == {str(d.message_id) for d in decided}
        assert {row["value"] for row in export["alias"]} == {first["phone"], second["phone"]}


async def test_a_preview_sees_what_is_left_of_a_budget_without_leasing(
    stored: Router, database: Database, make_policy: Callable[..., Policy]
) -> None:
    router = Router(
        stored.store, make_policy(OPT_IN, BUDGET_OF_TWO), budget_leases=PostgresBudgetLeases(database)
    )
    previews = PreviewRequests(router.dependencies, PostgresPreviewReader(database))
    people = [{"phone": phone()} for _ in range(3)]
    await router.hear(*(consent(to=who) for who in people))
    campaign = f"summer-{uuid4().hex[:8]}"
    asked = requested(campaign=campaign)
    before = await previews.preview_people(asked, [Recipient.model_validate(who) for who in people])
    assert [one.verdict for one in before.decisions] == ["allow"] * 3, "each is answered alone"
    for who in people[:2]:
        (decided,) = await router.ask(requested(to=who, campaign=campaign))
        assert decided.verdict == "allow"
    after = await previews.preview_people(asked, [Recipient.model_validate(people[2])])
    (decided,) = await router.ask(requested(to=people[2], campaign=campaign))
    assert (after.decisions[0].verdict, after.decisions[0].rule) == (decided.verdict, decided.rule)
    assert decided.rule == "total"


async def test_a_preview_meets_the_list_a_stranger_stands_on(
    stored: Router, database: Database, make_policy: Callable[..., Policy]
) -> None:
    router = Router(stored.store, make_policy(STOPPED))
    previews = PreviewRequests(router.dependencies, PostgresPreviewReader(database))
    stranger = phone()
    address = Address(kind="phone", value=stranger, hash=address_hash(HASH_KEY, "phone", stranger))
    await ImportSuppressions(router.dependencies).take(
        [SuppressionEntry(address, "acme", to_us(AT), "register")]
    )
    preview = await previews.preview_people(requested(), [Recipient(phone=stranger)])
    (decided,) = await router.ask(requested(to={"phone": stranger}))
    assert preview.decisions[0].contact_id is None
    assert preview.decisions[0].reason == decided.reason == "suppressed"
