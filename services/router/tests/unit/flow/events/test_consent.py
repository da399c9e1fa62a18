"""Consents that are not the client's to record, or of nobody."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from garbo.common.errors import Reject
from services.router.tests.support.build import OTHER_PHONE, consent
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.router import Router


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"client": "nobody"}, "unknown_client"),
        ({"brand": "nothing"}, "unknown_brand"),
        ({"client": "desk", "brand": "bolt"}, "brand_not_allowed"),
        ({"client": "desk", "brand": "*"}, "brand_not_allowed"),
        ({"client": "desk"}, "purpose_not_allowed"),
        ({"client": "desk", "action": "imported"}, "purpose_not_allowed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_consent_that_is_not_the_clients_to_record_is_refused(
    router: Router, memory: InMemoryStore, more: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Reject, match=reason):
        await router.hear(consent(**more))
    assert not memory.tables.states


async def test_consent_of_a_contact_nobody_knows_is_refused_and_its_neighbours_are_not(
    router: Router, memory: InMemoryStore
) -> None:
    with pytest.raises(Reject, match="unknown_contact"):
        await router.hear(consent(), consent("withdrawn", to={"contact_id": str(uuid4())}))
    assert not memory.tables.evidence, "nothing of the batch stays: it comes again record by record"


@pytest.mark.parametrize("more", [{"action": "withdrawn"}, {"purpose": "care"}])
async def test_withdrawal_and_consent_to_care_are_anybodys_to_record(
    router: Router, memory: InMemoryStore, more: dict[str, Any]
) -> None:
    await router.hear(consent(client="desk", **more))
    assert len(memory.tables.evidence) == 1


async def test_two_clients_may_choose_the_same_id_and_both_proofs_stand(
    router: Router, memory: InMemoryStore
) -> None:
    same = uuid4()
    await router.hear(consent(consent_id=same), consent("withdrawn", client="desk", consent_id=same))
    assert sorted((e.actor, e.action) for e in memory.tables.evidence.values()) == [
        ("crm", "given"),
        ("desk", "withdrawn"),
    ]


@pytest.mark.parametrize(
    "other", [{"action": "withdrawn"}, {"brand": "bolt"}, {"to": {"phone": OTHER_PHONE}}, {"evidence": "x"}]
)
@pytest.mark.parametrize("together", [True, False])
async def test_other_content_under_a_known_id_is_refused_loudly(
    router: Router, memory: InMemoryStore, other: dict[str, Any], together: bool
) -> None:
    first = consent(consent_id=uuid4())
    second = first.model_validate(first.model_dump() | other)
    last = [first, second] if together else [second]
    if not together:
        await router.hear(first)
    with pytest.raises(Reject, match="id_reused"):
        await router.hear(*last)
    assert len(memory.tables.evidence) == (0 if together else 1)


async def test_the_same_record_told_again_changes_nothing(router: Router, memory: InMemoryStore) -> None:
    first = consent(consent_id=uuid4())
    await router.hear(first)
    before = memory.tables.copied()
    memory.advance(timedelta(minutes=1))
    await router.hear(first, first)
    assert memory.tables.copied() == before
