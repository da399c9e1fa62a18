"""What became of sends is told after it is written, never before; outages of either side only delay it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar, cast
from uuid import UUID

import pytest

from garbo.common.errors import RetryLater
from garbo.common.events.results import SendResult
from garbo.common.events.shown import AddressShown
from garbo.sender.domain.outcomes import Accepted, NotYet, Outcome
from garbo.sender.flow.recorder import Finished, Recorder, Refused
from garbo.sender.ports.attempts import Attempts, FinishedAttempt, RefusedGrant
from garbo.sender.ports.queue import Queue
from libs.common.tests.support.waiting import until
from services.sender.tests.support.builders import a_grant, a_send

T = TypeVar("T")


@dataclass
class Outside:
    """The memory, the queue and Kafka in one: it notes what is done, and is away so many times."""

    away: dict[str, int] = field(default_factory=dict)
    done: list[tuple[str, int]] = field(default_factory=list)
    """What, and of how many."""

    def _do(self, what: str, answer: T, count: int) -> T:
        if self.away.get(what, 0) > 0:
            self.away[what] -= 1
            raise RetryLater(what)
        self.done.append((what, count))
        return answer

    async def record(self, finished: Sequence[FinishedAttempt]) -> Mapping[UUID, SendResult]:
        """See `Attempts`."""
        written = {f.send.message_id: _result(f) for f in finished if not isinstance(f.outcome, NotYet)}
        return self._do("record", written, len(finished))

    async def refuse(self, refused: Sequence[RefusedGrant]) -> Mapping[UUID, SendResult]:
        """See `Attempts`."""
        return self._do("refuse", {}, len(refused))

    async def publish(
        self, results: Sequence[tuple[SendResult, str | None]], *, shown: Sequence[AddressShown] = ()
    ) -> None:
        """See `Results`."""
        del shown
        self._do("publish", None, len(results))

    async def forget(self, told: Sequence[SendResult]) -> None:
        """See `Queue`."""
        self._do("forget", None, len(told))


def _result(finished: FinishedAttempt) -> SendResult:
    send = finished.send
    return SendResult(
        message_id=send.message_id,
        grant_id=send.grant_id,
        epoch=send.epoch,
        contact_id=send.contact_id,
        lane=send.lane,
        number=send.number,
        attempt_id=f"{send.message_id}.{finished.n}",
        outcome="accepted",
        recorded_at=datetime.now(UTC),
    )


@asynccontextmanager
async def recording(outside: Outside) -> AsyncIterator[Recorder]:
    recorder = Recorder(cast("Attempts", outside), cast("Queue", outside), outside)
    task = asyncio.create_task(recorder.run())
    try:
        yield recorder
    finally:
        task.cancel()
        await asyncio.wait([task])


def ended(outcome: Outcome, outside: Outside) -> Finished:
    attempt = FinishedAttempt(a_send(a_grant()), 1, outcome)
    return Finished(attempt, None, lambda: outside.done.append(("recorded", 1)))


@pytest.mark.parametrize(
    "away",
    [{}, {"record": 3}, {"publish": 3}, {"forget": 2}, {"record": 1, "publish": 2, "forget": 1}],
    ids=["calm", "database", "kafka", "forgetting", "all"],
)
async def test_a_result_is_told_once_written_and_forgotten_once_told(
    away: dict[str, int],
) -> None:
    outside = Outside(dict(away))
    async with recording(outside) as recorder:
        recorder.finished(ended(Accepted("ref"), outside))
        await until(lambda: ("forget", 1) in outside.done, within_s=20)
    assert outside.done == [("record", 1), ("recorded", 1), ("publish", 1), ("forget", 1)]


async def test_what_comes_while_the_database_is_away_is_written_together_afterwards() -> None:
    outside = Outside({"record": 2})
    async with recording(outside) as recorder:
        recorder.finished(ended(Accepted("ref"), outside))
        await until(lambda: outside.away["record"] < 2)
        for _ in range(20):
            recorder.finished(ended(Accepted("ref"), outside))
        await asyncio.wait_for(recorder.drained(), 20)
    assert [count for what, count in outside.done if what == "record"] == [1, 20]
    assert sum(count for what, count in outside.done if what == "publish") == 21


async def test_what_is_to_be_tried_again_is_told_to_nobody_but_whoever_tries() -> None:
    outside = Outside()
    async with recording(outside) as recorder:
        recorder.finished(ended(NotYet(130429, "number_throttled"), outside))
        await asyncio.wait_for(recorder.drained(), 20)
    assert outside.done[:2] == [("record", 1), ("recorded", 1)]
    assert sum(count for what, count in outside.done if what == "publish") == 0
    assert ("forget", 1) not in outside.done


async def test_a_refusal_is_written_before_whoever_waits_for_it_goes_on() -> None:
    outside = Outside({"refuse": 1})
    async with recording(outside) as recorder:
        refused = RefusedGrant(a_send(a_grant()), "lease_expired")
        recorder.refused(Refused(refused, lambda: outside.done.append(("recorded", 1))))
        await asyncio.wait_for(recorder.drained(), 20)
    assert outside.done[:2] == [("refuse", 1), ("recorded", 1)]
