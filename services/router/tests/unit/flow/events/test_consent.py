"""Consents that are not the client's to record, or of nobody."""

from typing import Any
from uuid import uuid4

import pytest

from garbo.common.errors import Reject
from services.router.tests.support.build import consent
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.router import Router


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"client": "nobody"}, "unknown_client"),
        ({"brand": "nothing"}, "unknown_brand"),
        ({"client": "desk", "brand": "bolt"}, "brand_not_allowed"),
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
