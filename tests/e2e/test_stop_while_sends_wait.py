"""A person says STOP while promos for them wait in the sender, under claims that were good: none leaves."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from garbo.common.events.addresses import Recipient
from garbo.common.events.content import Text, TextContent
from garbo.common.events.ids import message_of_attempt
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import SEND_REQUESTED, SEND_RESULT
from garbo.common.events.wire import decode
from libs.common.tests.support.waiting import until
from tests.chaos.installation import Installation, installed, with_the_platform
from tests.chaos.run import opt_in, promo
from tests.support.servers import SharedKafka, SharedPostgres

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PHONE: Final = "+393331000777"
POLICY: Final = """
policy: stopped
version: 1
history: 1d
lease: { ttl: 10m, send_budget: 45s }
classes:
  - { id: promo, when: { category: marketing } }
  - { id: care,  when: { purpose: care } }
  - { id: promo }
rules:
  - { id: user-stop, type: block,   state: stopped, applies_to: { class: promo }, hard: true }
  - { id: opt-in,    type: consent, purpose: marketing, applies_to: { class: promo }, hard: true }
  - { id: wa-window, type: window,  open: 24h, applies_to: { form: free }, hard: true }
"""
WAITING: Final = "SELECT count(*) FROM sender.waiting WHERE lane = 'promo'"
CLAIMED: Final = (
    "SELECT count(*) FROM router.send_grant WHERE state = 'dispatched' AND message_class = 'promo'"
)
BLOCKED: Final = "SELECT count(*) FROM router.recipient_state WHERE cardinality(promo_blocked) > 0"
OPEN: Final = "SELECT count(*) FROM sender.waiting"


@pytest.fixture
def installation(kafka: SharedKafka, postgres: SharedPostgres, tmp_path: Path) -> Iterator[Installation]:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    with installed(kafka, postgres, tmp_path, GARBO_POLICY=str(policy)) as made:
        with_the_platform(made)
        made.add("router", "garbo.router").wait_ready()
        yield made


def care(phone: str) -> SendRequested:
    return SendRequested(
        request_id=uuid4(),
        client="shop",
        brand="acme",
        to=Recipient(phone=phone),
        purpose="care",
        content=TextContent(text=Text(body="Eccoci")),
        requested_at=datetime.now(UTC),
    )


async def simulator(installation: Installation, method: str, path: str, body: Any) -> None:  # noqa: ANN401 - JSON
    async with httpx.AsyncClient(base_url=installation.processes["simulator"].url, timeout=10) as client:
        (await client.request(method, path, json=body)).raise_for_status()


async def test_no_promo_that_waits_leaves_after_a_stop_and_a_care_reply_does(
    installation: Installation,
) -> None:
    await opt_in(installation, [PHONE])
    throttled = {"kind": "error", "code": 130429, "ratio": 1}
    await simulator(installation, "PATCH", "/control", {"faults": [throttled]})
    promos, reply = [promo(PHONE) for _ in range(3)], care(PHONE)
    await installation.publish(SEND_REQUESTED, promos)
    await installation.until_value(WAITING, 3)
    await until(lambda: installation.value(CLAIMED))

    await simulator(installation, "POST", f"/customers/{PHONE}/messages", {"text": "STOP"})
    await installation.until_value(BLOCKED, 1)
    await installation.publish(SEND_REQUESTED, [reply])
    await simulator(installation, "PATCH", "/control", {"faults": []})

    await until(lambda: sent(installation), lambda messages: reply.message_id in messages)
    await installation.until_value(OPEN, 0)
    assert not {one.message_id for one in promos} & await sent(installation)
    told = [decode(SEND_RESULT, value) for value in await installation.records(SEND_RESULT)]
    ends = {result.message_id: (result.outcome, result.reason) for result in told if result.lane == "promo"}
    assert ends == {one.message_id: ("not_sent", "revoked") for one in promos}


async def sent(installation: Installation) -> set[object]:
    """Give the messages the platform accepted."""
    return {message_of_attempt(entry["biz_opaque"]) for entry in await installation.ledger()}
