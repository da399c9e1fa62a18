"""One publisher's records that nobody can read stop nobody else, also after a restart."""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from garbo.common.events.topics import SEND_REQUESTED
from libs.common.tests.support.raw_batches import write_batch
from libs.common.tests.support.waiting import until
from tests.e2e.stack import Json, Stack, local_stack, request

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

FLOOD = 500
LAST_STARTED = "business"


@pytest.fixture(scope="module")
def flooded(tmp_path_factory: pytest.TempPathFactory, e2e_environ: dict[str, str]) -> Iterator[Stack]:
    """An installation of its own: its dead letters are nobody else's."""
    with local_stack(tmp_path_factory.mktemp("flooded") / "data", e2e_environ) as running:
        yield running


def pids(stack: Stack) -> dict[str, int]:
    assert stack.data is not None
    run = json.loads((stack.data / "run" / "run.json").read_text())
    return {name: child[0] for name, child in run["children"].items()}


async def write_flood(stack: Stack) -> None:
    """Write what over HTTP is refused: numbers without a plus, huge headers, gzip that is huge, odd bytes."""
    writer: Any = AIOKafkaProducer(
        **stack.kafka.connection(), compression_type="gzip", max_request_size=2**30
    )
    await writer.start()
    try:
        for n in range(FLOOD):
            promo = request(f"393334{n:06d}", client="shop")
            await writer.send(SEND_REQUESTED.name, json.dumps(promo).encode(), struct.pack(">I", n))
        await writer.send_and_wait(SEND_REQUESTED.name, b"{", headers=[("garbo-attempt", b"9" * 5000)])
        await writer.send_and_wait(SEND_REQUESTED.name, b" " * 6 * 2**20)
    finally:
        await writer.stop()
    for partition in range(SEND_REQUESTED.partitions):
        await write_batch(stack.kafka, SEND_REQUESTED.name, partition, [(b"{}", True)])


async def test_flood_of_one_publisher_stops_nobody_nor_does_a_restart(flooded: Stack) -> None:
    alive = await until(lambda: pids(flooded), lambda children: LAST_STARTED in children)
    await write_flood(flooded)
    await all_decided(flooded, first=0)
    assert pids(flooded) == alive
    assert restart(flooded, "router").returncode == 0
    await all_decided(flooded, first=100)
    after = pids(flooded)
    assert {name: pid for name, pid in after.items() if name != "router"} == {
        name: pid for name, pid in alive.items() if name != "router"
    }
    for pid in after.values():
        os.kill(pid, 0)


async def all_decided(stack: Stack, *, first: int) -> None:
    """Ask for care and promo of others; wait until each is decided, and the services are ready."""
    phones = [f"+3933370{n:05d}" for n in range(first, first + 30)]
    asked = [request(phone, purpose=purpose) for phone in phones for purpose in ("care", "promo")]
    await stack.publish(asked)
    for one in asked:

        async def story(request_id: str = one["request_id"]) -> Json | None:
            return await stack.story(request_id)

        await until(story, decided)
    for service in ("router", "analytics", "sender"):
        assert await stack.get(service, "/readyz")


def restart(stack: Stack, service: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "garbo.cli", "restart", service],
        env=dict(stack.environ),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def decided(story: Json | None) -> bool:
    return story is not None and story["verdict"] is not None
