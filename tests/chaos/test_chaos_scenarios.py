"""What two routers, a sender and a broker do when one of them dies, grows or is swamped: on real parts."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from garbo.common.events.addresses import Recipient
from garbo.common.events.content import TemplateContent
from garbo.common.events.requests import SendRequested
from garbo.common.events.template import Language, Template
from garbo.common.events.topics import DECISION_MADE, SEND_REQUESTED
from libs.common.tests.support.waiting import until
from tests.chaos.installation import Installation, installed, with_the_platform
from tests.chaos.run import LIMIT, opt_in, promo
from tests.support.servers import SharedKafka, SharedPostgres

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

STATE = "SELECT state FROM router.send_grant WHERE message_id = $1"
ALLOWED = "SELECT count(*) FROM router.send_grant WHERE message_id = ANY ($1::uuid[])"
DECIDED = "SELECT count(*) FROM router.decision WHERE message_id = ANY ($1::uuid[])"
COUNTED = "SELECT count(*) FROM router.counted_send WHERE message_id = ANY ($1::uuid[])"
CARE_WITHIN_S = 5.0
"""On a machine that does much else; the figure is printed."""


@pytest.fixture(scope="module")
def installation(
    kafka: SharedKafka, postgres: SharedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    with installed(kafka, postgres, tmp_path_factory.mktemp("chaos")) as running:
        with_the_platform(running)
        for name in ("router-0", "router-1"):
            running.add(name, "garbo.router").wait_ready()
        yield running


def utility(phone: str) -> SendRequested:
    content = TemplateContent(template=Template(name="order_update", language=Language(code="it")))
    return SendRequested(
        request_id=uuid4(),
        client="shop",
        brand="acme",
        to=Recipient(phone=phone),
        purpose="utility",
        content=content,
        requested_at=datetime.now(UTC),
    )


async def until_decided(
    running: Installation, requests: list[SendRequested], *, within_s: float = 60
) -> None:
    messages = [r.message_id for r in requests]
    await until(lambda: running.value(DECIDED, messages), lambda n: n == len(messages), within_s=within_s)


async def test_scenario_29_sender_that_dies_amid_a_call_leaves_it_counted_and_never_sends_it_again(
    installation: Installation,
) -> None:
    (phone,) = await opt_in(installation, ["+393370000001"])
    first, sender = promo(phone), installation.processes["sender"]
    async with httpx.AsyncClient(base_url=installation.processes["simulator"].url) as control:
        hang = {"faults": [{"kind": "hang", "next": 1, "hang_ms": 60_000}]}
        assert (await control.patch("/control", json=hang)).is_success
        await installation.publish(SEND_REQUESTED, [first])
        await until(lambda: control.get("/control"), lambda seen: not seen.json()["faults"])
    assert await installation.value(STATE, first.message_id) == "dispatched"
    sender.kill()
    sender.start()
    state = await until(
        lambda: installation.value(STATE, first.message_id), lambda seen: seen != "dispatched", within_s=120
    )
    assert state == "unknown"
    more = [promo(phone) for _ in range(5)]
    await installation.publish(SEND_REQUESTED, more)
    await until_decided(installation, more)
    assert await installation.value(ALLOWED, [r.message_id for r in more]) == LIMIT - 1
    sent = [entry["biz_opaque"].partition(".")[0] for entry in await installation.ledger()]
    assert str(first.message_id) not in sent


async def test_scenario_37_more_partitions_count_nothing_twice(installation: Installation) -> None:
    phones = await opt_in(installation, [f"+39337100{n:04d}" for n in range(20)])
    requests = [promo(phone) for phone in phones for _ in range(10)]
    messages = [r.message_id for r in requests]
    await installation.publish(SEND_REQUESTED, requests)
    await until_decided(installation, requests)
    told = await installation.count(DECISION_MADE)
    admin = AIOKafkaAdminClient(bootstrap_servers=installation.kafka)
    await admin.start()
    try:
        await admin.create_partitions({SEND_REQUESTED.name: NewPartitions(2 * SEND_REQUESTED.partitions)})
    finally:
        await admin.close()
    for name in ("router-0", "router-1"):
        await asyncio.to_thread(installation.processes[name].stop)
        installation.processes[name].start()
    await installation.publish(SEND_REQUESTED, requests)
    await until(lambda: installation.count(DECISION_MADE), lambda n: n >= told + len(requests), within_s=120)
    assert await installation.value(DECIDED, messages) == len(messages)
    assert await installation.value(ALLOWED, messages) == LIMIT * len(phones)
    assert await installation.value(COUNTED, messages) == LIMIT * len(phones)


async def test_scenario_64_care_is_decided_while_promo_queues_and_promo_goes_on(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    phones = await opt_in(installation, [f"+39337200{n:04d}" for n in range(500)])
    promos = [promo(phone) for phone in phones for _ in range(20)]
    messages = [r.message_id for r in promos]
    await installation.publish(SEND_REQUESTED, promos)
    took: list[float] = []
    left: list[int] = []
    for phone in phones[:10]:
        care, began = utility(phone), time.monotonic()
        await installation.publish(SEND_REQUESTED, [care])
        await until_decided(installation, [care])
        took.append(time.monotonic() - began)
        left.append(len(messages) - int(await installation.value(DECIDED, messages)))
    await until_decided(installation, promos, within_s=120)
    with capsys.disabled():
        print(  # noqa: T201 - the figure a person wants to see
            f"\ncare decided after {max(took):.2f} s at most ({sorted(took)[len(took) // 2]:.2f} s median, "
            f"producer's start and looking included) with {left[0]} to {left[-1]} promos waiting"
        )
    assert left[0] > 0, "no promo was waiting: the run says nothing"
    assert max(t for t, waiting in zip(took, left, strict=True) if waiting) < CARE_WITHIN_S
