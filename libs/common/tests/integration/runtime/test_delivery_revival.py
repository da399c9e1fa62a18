"""Whatever ends a background task of aiokafka's, the lane goes on in the same process."""

import asyncio
from collections.abc import Sequence
from typing import Any, NoReturn

import pytest

from garbo.common.runtime import careful_consumer
from garbo.common.runtime.deliver import Delivered
from libs.common.tests.support.delivery import Noted, Stand, note
from libs.common.tests.support.waiting import until

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("ends", ["group", "fetch"])
async def test_lane_goes_on_after_a_task_of_the_client_has_ended(
    stand: Stand, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(careful_consumer, "FIRST_WAIT_S", 0.05)
    numbers: list[int] = []

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        numbers.extend(record.event.number for record in batch)

    await stand.write(note(1))
    async with stand.delivering(stand.lane(handle)) as deliveries:
        await until(lambda: numbers == [1])
        consumer: Any = deliveries._members[0].consumer
        ended = _end(consumer, ends)
        await until(ended.done)
        await stand.write(note(2))
        await until(lambda: numbers == [1, 2])
        await until(lambda: stand.all_committed(2))
        assert deliveries.healthy


def _end(consumer: Any, ends: str) -> "asyncio.Task[None]":  # noqa: ANN401 - aiokafka's own
    """Let something that aiokafka does not expect come out of what a task does next, once."""
    group, fetch = consumer._coordinator, consumer._fetcher
    of_group = ends == "group"
    holder, name = (group, "ensure_coordinator_known") if of_group else (fetch, "_get_actions_per_node")
    task: asyncio.Task[None] = group._coordination_task if of_group else fetch._fetch_task

    def surprise(*_: object) -> NoReturn:
        delattr(holder, name)
        raise RuntimeError("the handler is closed")

    setattr(holder, name, surprise)
    if of_group:
        group.request_rejoin()
    return task
