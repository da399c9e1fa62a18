"""What is told stays in the outbox until it is acknowledged."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from garbo.common.errors import RetryLater
from garbo.common.events.topics import DECISION_MADE
from garbo.router.domain.policy import Policy
from services.router.tests.support.build import requested
from services.router.tests.support.in_memory import memory_of
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.policies import ONE_A_DAY


async def test_what_is_told_stays_in_the_outbox_until_it_is_acknowledged(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(ONE_A_DAY)
    await work.router.ask(requested())
    memory_of(work).advance(timedelta(hours=1))
    work.router.publisher.failures_left = 1
    with pytest.raises(RetryLater):
        await work.expire()
    (left,) = memory_of(work).tables.outbox
    told = len(work.router.publisher.of(DECISION_MADE))
    await work.publish()
    assert memory_of(work).tables.outbox == ()
    assert work.router.publisher.bytes_of(DECISION_MADE)[told:] == [left.content]
